"""Results of the exhibits that are not made from one cell's methods alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.papers.names import named
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.random_seed.results import Results
from stablib.workloads.attention import AttentionRecipe, explained, predictions


@dataclasses.dataclass(frozen=True)
class Matrix(Outcome):
    """Every mitigation on networks that attend and on heads of another paper.

    Parameters
    ----------
    study : Study
        Where they come from.
    main : Results
        At the last checkpoint, of the cell whose methods are among ``here``.
    here, heads : mapping of str to Runs
        By name of the method; ``here`` without those of ``main``.
    heads_data : Dataset
        Of the heads.
    """

    main: Results
    here: Mapping[str, Runs]
    heads: Mapping[str, Runs]
    heads_data: Dataset

    def columns(self) -> dict[str, dict[str, NDArray[np.integer]]]:
        """Labels of the test texts by workload and method, each of shape (n_runs, n_test)."""
        labels = {v.title: self.main.labels(v) for v in self.main.variants}
        labels |= {n: predictions(r["scores_last"]).argmax(axis=-1) for n, r in self.here.items()}
        return {
            self.main.title: labels,
            self.heads_title: {name: runs["labels_test"] for name, runs in self.heads.items()},
        }

    @property
    def heads_title(self) -> str:
        """Data and model of the heads."""
        return f"{named(self.heads_data.name)}, head"

    def gold(self, column: str) -> NDArray[np.integer]:
        """Class of each test text of a column, shape (n_test,)."""
        return self.heads_data.gold["test"] if column == self.heads_title else self.main.gold

    def all_runs(self) -> dict[str, Runs]:
        """Runs by workload and method."""
        return {
            f"{column}, {name}": runs
            for column, of in (
                (self.main.title, {**self.main.all_runs(), **self.here}),
                (self.heads_title, self.heads),
            )
            for name, runs in of.items()
        }

    def about(self) -> str:
        """Both workloads, and how many runs."""
        runs = next(iter(self.heads.values()))
        heads = f"{self.heads_data.source}, {runs.recipe.model_name}, {len(runs)} runs a method"
        return f"{self.main.about()} · {heads}"


@dataclasses.dataclass(frozen=True)
class Again(Outcome):
    """A training as it is kept, and the same training done now.

    Parameters
    ----------
    study : Study
        Where they come from.
    kept, now : Runs
        With the same seeds.
    """

    kept: Runs
    now: Runs

    def attention(self, runs: Runs) -> list[NDArray[np.float64]]:
        """Attention to each text by the last checkpoint, each of shape (n_runs, n_tokens)."""
        return explained(runs["log_attention_last"], runs["attention_starts"][0])

    def scores(self, runs: Runs) -> NDArray[np.float64]:
        """Mean probability over runs of the second class, of the same texts, shape (n_texts,)."""
        places = np.asarray(runs["attention_texts"][0])
        return cast(
            NDArray[np.float64], predictions(runs["scores_last"])[..., 1].mean(axis=0)[places]
        )

    def all_runs(self) -> dict[str, Runs]:
        """Both."""
        return {"kept": self.kept, "now": self.now}

    def about(self) -> str:
        """Data, model and counts."""
        recipe = cast(AttentionRecipe, self.kept.recipe)
        first = f", first {recipe.limit:,} texts" if recipe.limit else ""
        return (
            f"{self.study.inputs(recipe).source}{first}; {recipe.model_name}, "
            f"{recipe.n_epochs} epochs, last checkpoint, {len(self.kept)} runs"
        )
