"""Results: the runs of several methods on one split of one data set, ready for metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.metrics import label_entropy
from stablib.papers.names import named
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.local_instability.design import Variant
from stablib.workloads.text import TextRecipe


@dataclasses.dataclass(frozen=True)
class Results(Outcome):
    """What the exhibits are made from.

    Parameters
    ----------
    study : Study
        Where they come from.
    dataset : Dataset
        Names, gold labels, and texts where they are at hand.
    split : str
        Which split the arrays are about.
    runs : mapping of Variant to Runs
        Final predictions by method.
    traces : mapping of Variant to Runs
        Predictions over training steps by method, on this split; may be empty.
    curves : mapping of Variant to Runs
        One watched run by method, with its confidence at every step; may be empty.
    """

    dataset: Dataset
    split: str
    runs: Mapping[Variant, Runs]
    traces: Mapping[Variant, Runs] = dataclasses.field(default_factory=dict)
    curves: Mapping[Variant, Runs] = dataclasses.field(default_factory=dict)

    @property
    def gold(self) -> NDArray[np.integer]:
        """Gold class indices, shape (n_examples,)."""
        return self.dataset.gold[self.split]

    def labels(self, variant: Variant) -> NDArray[np.integer]:
        """Predicted class indices, shape (n_runs, n_examples)."""
        return self.runs[variant][f"labels_{self.split}"]

    def confidence(self, variant: Variant) -> NDArray[np.float64]:
        """Probability of the gold label, shape (n_runs, n_examples)."""
        return self.runs[variant][f"gold_{self.split}"].astype(np.float64)

    @cached_property
    def le_m(self) -> dict[Variant, NDArray[np.float64]]:
        """LE_m of every method, each of shape (n_examples,), in nats."""
        return {variant: label_entropy(self.labels(variant)) for variant in self.runs}

    @cached_property
    def le_s(self) -> dict[Variant, NDArray[np.float64]]:
        """LE_s of every traced method, each of shape (n_runs, n_examples), in nats."""
        return {
            variant: np.stack([label_entropy(run) for run in runs["labels"]])
            for variant, runs in self.traces.items()
        }

    def le_s_after(self, step: int) -> dict[Variant, NDArray[np.float64]]:
        """LE_s over the steps after one, of every traced method, each (n_runs, n_examples)."""
        return {
            variant: np.stack(
                [
                    label_entropy(labels[steps > step])
                    for labels, steps in zip(runs["labels"], runs["steps"], strict=True)
                ]
            )
            for variant, runs in self.traces.items()
        }

    @property
    def after_step(self) -> int:
        """N of TGTSS: how many steps its teacher leaves out."""
        lessons = (runs.recipe.method.lesson for runs in self.traces.values())
        found = (lesson.after_step for lesson in lessons if lesson is not None)
        return next(step for step in found if step is not None)

    @property
    def title(self) -> str:
        """Name of the data set that was asked for, and whether another stands in for it."""
        asked = self.recipe.dataset
        title = named(asked)
        return title if self.dataset.name == asked else f"stand-in for {title}"

    @property
    def recipe(self) -> TextRecipe:
        """The first recipe, for what all methods have in common."""
        return cast(TextRecipe, next(iter(self.runs.values())).recipe)

    @property
    def model(self) -> str:
        """What was trained."""
        return self.recipe.model_name

    def texts(self) -> list[str]:
        """Text of each example, or its id where texts are not at hand."""
        return [self.dataset.describe(self.split, index) for index in range(len(self.gold))]

    def all_runs(self) -> dict[str, Runs]:
        """Final and watched runs by name."""
        kinds = (("", self.runs), (" (steps)", self.traces), (" (curve)", self.curves))
        return {f"{v.title}{kind}": runs for kind, each in kinds for v, runs in each.items()}

    def main_runs(self) -> dict[str, Runs]:
        """Final runs; those watched are the first of them."""
        return {variant.title: runs for variant, runs in self.runs.items()}

    def about(self) -> str:
        """Data, split, model and number of runs."""
        counts = sorted({len(runs) for runs in self.runs.values()})
        return (
            f"{self.dataset.source}, {self.split} split, {len(self.gold):,} examples; "
            f"{self.model}, {' or '.join(map(str, counts))} runs a method"
        )


@dataclasses.dataclass(frozen=True)
class SourceResults(Outcome):
    """Runs of which only some sources of nondeterminism vary, by the sources' name (LI-X5)."""

    dataset: Dataset
    split: str
    runs: Mapping[str, Runs]

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by what varies."""
        return self.runs

    def about(self) -> str:
        """Data, split, model and number of runs."""
        first = next(iter(self.runs.values()))
        return (
            f"{self.dataset.source}, {self.split} split, {len(self.dataset.gold[self.split]):,} "
            f"examples; {first.recipe.model_name}, {len(first)} runs a row"
        )


class Standin(NamedTuple):
    """Runs on the generated corpus: results, mean probabilities, and which are ambiguous."""

    results: Results
    mean_prediction: NDArray[np.float64]
    ambiguous: NDArray[np.bool_]
