"""Results: runs by what varies in them, ready for metrics."""

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
from stablib.workloads import ImageRecipe


@dataclasses.dataclass(frozen=True)
class Trainings(Outcome):
    """Runs by name, and the labels of the test images.

    Parameters
    ----------
    study : Study
        Where they come from.
    dataset : Dataset
        As far as the recipe looks.
    runs : mapping of str to Runs
        By what varies in them, or by another name for the reader.
    """

    dataset: Dataset
    runs: Mapping[str, Runs]

    @property
    def recipe(self) -> ImageRecipe:
        """What was trained, of the first runs."""
        return cast(ImageRecipe, next(iter(self.runs.values())).recipe)

    @property
    def n_test(self) -> int:
        """Test images that are looked at."""
        return len(self.dataset.gold["test"])

    def bit_sizes(self, row: str) -> NDArray[np.float64]:
        """By how much the changed bit moves a weight of each run of a row, shape (n_runs,)."""
        from stablib.workloads.images.network import bit_size

        runs = self.runs[row]
        recipe = cast(ImageRecipe, runs.recipe)
        return np.array([bit_size(recipe, plan, self.dataset.n_classes) for plan in runs.plans])

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by name."""
        return self.runs

    def about(self) -> str:
        """Data, model and counts."""
        recipes = [cast(ImageRecipe, runs.recipe) for runs in self.runs.values()]
        models, epochs, counts = (
            dict.fromkeys(values)
            for values in (
                (recipe.model_name for recipe in recipes),
                (str(recipe.epochs) for recipe in recipes),
                (str(len(runs)) for runs in self.runs.values()),
            )
        )
        unit = "run" if list(counts) == ["1"] else "runs"
        return (
            f"{self.dataset.source}, {len(self.dataset.gold['train']):,} training and "
            f"{self.n_test:,} test images; {', '.join(models)}; {' or '.join(epochs)} epochs of "
            f"batches of {self.recipe.batch_size}; {' or '.join(counts)} {unit} a row"
        )


@dataclasses.dataclass(frozen=True)
class Results(Trainings):
    """Runs with predictions of the test images, see :class:`~stablib.workloads.Logits`."""

    @cached_property
    def logits(self) -> dict[str, NDArray[np.float64]]:
        """Logits by row, shape (n_runs, n_test, n_classes)."""
        return {row: runs["logits"].astype(np.float64) for row, runs in self.runs.items()}

    @cached_property
    def labels(self) -> dict[str, NDArray[np.integer]]:
        """Predicted labels by row, shape (n_runs, n_test)."""
        return {row: runs["labels"] for row, runs in self.runs.items()}

    @cached_property
    def losses(self) -> dict[str, NDArray[np.float64]]:
        """Mean cross-entropy of each run by row, in nats."""
        return {row: runs["loss"] for row, runs in self.runs.items()}

    @property
    def n_logits(self) -> int:
        """First test images of which every row has logits."""
        return min(logits.shape[1] for logits in self.logits.values())

    def about(self) -> str:
        """Data, model and counts."""
        part = f"; logits of the first {self.n_logits:,} images" * (self.n_logits < self.n_test)
        return super().about() + part

    @property
    def gold(self) -> NDArray[np.integer]:
        """Class of each test image."""
        return self.dataset.gold["test"]
