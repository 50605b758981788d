"""Results: the runs of all methods on one data set with one encoder, ready for metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.random_seed.design import PLAIN, VARIANTS, Cell, Variant
from stablib.workloads.attention import AttentionRecipe, attended, predictions


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
        Of every method.
    """

    cell: Cell
    dataset: Dataset
    checkpoint: str
    runs: Mapping[Variant, Runs]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Methods, and averages beside plain training."""
        return VARIANTS

    @property
    def gold(self) -> NDArray[np.integer]:
        """Class of each test text, 0 or 1, shape (n_test,)."""
        return self.dataset.gold["test"]

    def array(self, variant: Variant, name: str) -> NDArray[np.generic]:
        """One array of a variant, over runs."""
        runs = self.runs[PLAIN if variant.beside else variant]
        return runs[f"{variant.beside}_{name}" if variant.beside else name]

    @cached_property
    def scores(self) -> dict[Variant, NDArray[np.float64]]:
        """Probability of the positive class by variant, each of shape (n_runs, n_test)."""
        return {
            variant: predictions(self.array(variant, f"scores_{self.checkpoint}"))[..., 1]
            for variant in self.variants
        }

    @property
    def places(self) -> NDArray[np.integer]:
        """Which test texts have attention, shape (n_texts,)."""
        return np.asarray(self.runs[PLAIN]["attention_texts"][0])

    @cached_property
    def attention(self) -> dict[Variant, list[NDArray[np.float64]]]:
        """Attention to each of these texts by variant, each of shape (n_runs, n_tokens)."""
        starts = np.asarray(self.runs[PLAIN]["attention_starts"][0])
        found = {}
        for variant in self.variants:
            logs = self.array(variant, f"log_attention_{self.checkpoint}")
            weights = attended(np.asarray(logs, dtype=np.float64), starts)
            found[variant] = np.split(weights, starts[1:-1], axis=1)
        return found

    @property
    def recipe(self) -> AttentionRecipe:
        """Plain training."""
        return cast(AttentionRecipe, self.runs[PLAIN].recipe)

    @property
    def title(self) -> str:
        """Data set and encoder, and whether other data stand in."""
        stands_in = self.dataset.name != self.cell.dataset
        return f"stand-in for {self.cell.title}" if stands_in else self.cell.title

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
