"""Results: the runs of several methods on one split of one data set, ready for metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.metrics import label_entropy
from stablib.runs.obtain import Runs


def versions(made: Sequence[Mapping[str, Any]], *packages: str) -> dict[str, list[str]]:
    """Versions of packages with which runs were made, from their provenance."""
    return {package: sorted({run[package] for run in made}) for package in packages}


@dataclasses.dataclass(frozen=True)
class Results:
    """What the exhibits are made from.

    Parameters
    ----------
    dataset : Dataset
        Names, gold labels, and texts where they are at hand.
    split : str
        Which split the arrays are about.
    runs : mapping of str to Runs
        Final predictions by method.
    traces : mapping of str to Runs
        Predictions over training steps by method, on this split; may be empty.
    curves : mapping of str to Runs
        One watched run by method, with its confidence at every step; may be empty.
    context : mapping of str to str
        What a reader must know beside each number: preset, counts, seeds, encoder.
    """

    dataset: Dataset
    split: str
    runs: Mapping[str, Runs]
    traces: Mapping[str, Runs]
    curves: Mapping[str, Runs]
    context: Mapping[str, str]

    @property
    def gold(self) -> NDArray[np.integer]:
        """Gold class indices, shape (n_examples,)."""
        return self.dataset.gold[self.split]

    def labels(self, method: str) -> NDArray[np.integer]:
        """Predicted class indices, shape (n_runs, n_examples)."""
        return self.runs[method][f"labels_{self.split}"]

    def confidence(self, method: str) -> NDArray[np.float64]:
        """Probability of the gold label, shape (n_runs, n_examples)."""
        return self.runs[method][f"gold_{self.split}"].astype(np.float64)

    @cached_property
    def le_m(self) -> dict[str, NDArray[np.float64]]:
        """LE_m of every method, each of shape (n_examples,), in nats."""
        return {method: label_entropy(self.labels(method)) for method in self.runs}

    @cached_property
    def le_s(self) -> dict[str, NDArray[np.float64]]:
        """LE_s of every traced method, each of shape (n_runs, n_examples), in nats."""
        return {
            method: np.stack([label_entropy(run) for run in runs["labels"]])
            for method, runs in self.traces.items()
        }

    @property
    def title(self) -> str:
        """Name of the data set that was asked for, and whether another stands in for it."""
        asked = self.context["asked"]
        return asked if self.dataset.name == asked else f"stand-in for {asked}"

    @property
    def notice(self) -> str:
        """What a reader must be told: that something stands in for the real data."""
        return self.dataset.notice

    def basis(self) -> str:
        """What each number rests on, in a line: n, seeds, preset, data, hardware."""
        runs = next(iter(self.runs.values()))
        made = runs.provenance[0]
        return (
            f"{self.dataset.source}, {self.split} split, {len(self.gold):,} examples; preset "
            f"{self.context['preset']}, {self.context['encoder']} {self.context['model']}, "
            f"{len(runs)} runs a method (seeds {self._seeds()}); trained {made['date']} "
            f"on {made['hardware']}, torch {made['torch']} ({made['origin']})"
        )

    def _seeds(self) -> str:
        """Seeds of the first method, and of those that have others."""
        groups: dict[str, list[str]] = {}
        for method, runs in self.runs.items():
            groups.setdefault(f"{runs.plans[0].init}–{runs.plans[-1].init}", []).append(method)
        first, *others = groups
        return "; ".join([first, *(f"{' and '.join(groups[s])}: {s}" for s in others)])

    def texts(self) -> list[str]:
        """Text of each example, or its id where texts are not at hand."""
        return [self.dataset.describe(self.split, index) for index in range(len(self.gold))]

    def provenance(self) -> dict[str, Any]:
        """Recipes, seeds, data, versions and hardware of all runs."""
        return {
            **self.context,
            "split": self.split,
            "dataset": self.dataset.source,
            "data content": self.dataset.content_hash,
            "notice": self.dataset.notice,
            "runs": {
                method: {
                    "recipe": runs.recipe.model_dump(mode="json"),
                    "seeds": [plan.init for plan in runs.plans],
                    "origin": sorted({p["origin"] for p in runs.provenance}),
                    "made": sorted({p["date"] for p in runs.provenance}),
                    "hardware": sorted({p["hardware"] for p in runs.provenance}),
                    **versions(runs.provenance, "stablib", "torch", "numpy"),
                }
                for method, runs in self.runs.items()
            },
        }
