"""Results: the runs of all methods on one data set with one encoder, ready for metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.random_seed.design import PLAIN, VARIANTS, Cell, Variant
from stablib.workloads.attention import AttentionRecipe, explained, predictions

#: Ways of explaining a prediction beside attention; the last with another seed of the explainer.
Explanation = Literal["gradients", "gradients_cut", "lime", "lime_again"]


@dataclasses.dataclass(frozen=True)
class Results(Outcome):
    """What the exhibits are made from.

    Parameters
    ----------
    study : Study
        Where they come from.
    cell : Cell
        Data set and encoder.
    dataset : Dataset
        Names, gold labels, and texts where they are at hand.
    checkpoint : {"best", "last"}
        Which checkpoint is looked at.
    runs : mapping of Variant to Runs
        Of every method, plain training first.
    label : int, optional
        Of more than two classes the one that is looked at: its probability, and only the texts
        that have it.
    """

    cell: Cell
    dataset: Dataset
    checkpoint: str
    runs: Mapping[Variant, Runs]
    label: int | None = None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Methods, and averages beside plain training, as far as there are runs."""
        return tuple(v for v in VARIANTS if self._has(v))

    def _has(self, variant: Variant) -> bool:
        if not variant.beside:
            return variant in self.runs
        return f"{variant.beside}_scores_{self.checkpoint}" in self.runs[PLAIN]

    @property
    def gold(self) -> NDArray[np.integer]:
        """Class of each test text, shape (n_test,)."""
        return self.dataset.gold["test"]

    def array(self, variant: Variant, name: str) -> NDArray[np.generic]:
        """One array of a variant, over runs."""
        runs = self.runs[PLAIN if variant.beside else variant]
        return runs[f"{variant.beside}_{name}" if variant.beside else name]

    @cached_property
    def scores(self) -> dict[Variant, NDArray[np.float64]]:
        """Probability by variant, of the second class or the label, shape (n_runs, n_test)."""
        return {
            variant: predictions(self.array(variant, f"scores_{self.checkpoint}"))[
                ..., 1 if self.label is None else self.label
            ]
            for variant in self.variants
        }

    def labels(self, variant: Variant) -> NDArray[np.integer]:
        """Class that each run gives each test text, shape (n_runs, n_test)."""
        return predictions(self.array(variant, f"scores_{self.checkpoint}")).argmax(axis=-1)

    @property
    def _kept(self) -> NDArray[np.integer]:
        """Test texts whose attention is kept."""
        return np.asarray(self.runs[PLAIN]["attention_texts"][0])

    @cached_property
    def _looked_at(self) -> NDArray[np.bool_]:
        """Which of these have the label, if there is one."""
        every = np.ones(len(self._kept), dtype=bool)
        return every if self.label is None else self.gold[self._kept] == self.label

    @property
    def places(self) -> NDArray[np.integer]:
        """Which test texts have attention, shape (n_texts,)."""
        return self._kept[self._looked_at]

    @cached_property
    def attention(self) -> dict[Variant, list[NDArray[np.float64]]]:
        """Attention to each of these texts by variant, each of shape (n_runs, n_tokens)."""
        starts = np.asarray(self.runs[PLAIN]["attention_starts"][0])
        found = {
            variant: explained(self.array(variant, f"log_attention_{self.checkpoint}"), starts)
            for variant in self.variants
        }
        return {
            variant: [text for text, wanted in zip(texts, self._looked_at, strict=True) if wanted]
            for variant, texts in found.items()
        }

    def explained(
        self, variant: Variant, kind: Explanation
    ) -> tuple[list[NDArray[np.float64]], NDArray[np.integer]]:
        """Explanations of some test texts by the best checkpoint.

        Returns
        -------
        shares : list of ndarray of float64, shape (n_runs, n_tokens)
            One array a text.
        places : ndarray of int, shape (n_texts,)
            Which test texts.
        """
        of = "lime" if kind.startswith("lime") else "explained"
        runs = self.runs[variant]
        starts, places = (np.asarray(runs[f"{of}_{what}"][0]) for what in ("starts", "texts"))
        return list(explained(runs[f"log_{kind}"], starts)), places

    @property
    def recipe(self) -> AttentionRecipe:
        """Plain training."""
        return cast(AttentionRecipe, self.runs[PLAIN].recipe)

    @property
    def title(self) -> str:
        """Data set and encoder, whether other data stand in, and the label."""
        stands_in = self.dataset.name != self.cell.dataset
        title = f"stand-in for {self.cell.title}" if stands_in else self.cell.title
        if self.recipe.attention == "dot":
            title += ", dot product"
        return title if self.label is None else f"{title}: {self.dataset.label_names[self.label]}"

    @property
    def claimed_as(self) -> str:
        """Data set, and label if there is one, in the names of claims."""
        parts = [self.dataset.name]
        if self.label is not None:
            parts.append(self.dataset.label_names[self.label])
        return "-".join(parts)

    @property
    def at_best(self) -> Results:
        """The same at the best checkpoint, of which alone gradients and LIME are kept."""
        return dataclasses.replace(self, checkpoint="best")

    def by_label(self) -> list[Results]:
        """The same, once for each label."""
        return [dataclasses.replace(self, label=k) for k in range(self.dataset.n_classes)]

    def all_runs(self) -> dict[str, Runs]:
        """Runs by method."""
        return {variant.title: runs for variant, runs in self.runs.items()}

    def about(self) -> str:
        """Data, model, checkpoint and number of runs."""
        runs = self.runs[PLAIN]
        return (
            f"{self.dataset.source}, {len(self.gold):,} test texts; {self.recipe.model_name}, "
            f"{self.recipe.epochs} epochs, {self.checkpoint} checkpoint, {len(runs)} runs a method"
        )
