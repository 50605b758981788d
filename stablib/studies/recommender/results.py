"""Results: runs of recommenders by model or by what varies, ready for metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset, Interactions
from stablib.metrics import hit_rate_of_ranks, ndcg_of_ranks, top_count
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.workloads.ranking import RankingRecipe

#: First places that count in the thesis's metrics, and the share of a history that is its top.
K, SHARE = 10, 0.1


@dataclasses.dataclass(frozen=True)
class Results(Outcome):
    """Runs by name, and the data on which they were trained.

    Parameters
    ----------
    study : Study
        Where they come from.
    dataset : Dataset
        Interactions, as far as the recipe looks; labels alone where the data are not at hand.
    runs : mapping of str to Runs
        By model, or by what varies.
    """

    dataset: Dataset
    runs: Mapping[str, Runs]

    @property
    def recipe(self) -> RankingRecipe:
        """What was trained, of the first runs."""
        return cast(RankingRecipe, next(iter(self.runs.values())).recipe)

    @property
    def interactions(self) -> Interactions | None:
        """The data with their histories; None where they are not at hand."""
        return self.dataset if isinstance(self.dataset, Interactions) else None

    @property
    def n_users(self) -> int:
        """Users that are tested."""
        return len(self.dataset.gold["test"])

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by name."""
        return self.runs

    def only(self, *names: str) -> Results:
        """The same with some of the runs."""
        return dataclasses.replace(self, runs={name: self.runs[name] for name in names})

    def averaged(self, row: str, kind: str, n_runs: int) -> Results:
        """Averages of the weights beside the first runs of a row, under the name of their kind."""
        return dataclasses.replace(self, runs={kind: self.runs[row].beside(kind, n_runs)})

    def about(self) -> str:
        """Data, models and counts."""
        recipes = [cast(RankingRecipe, runs.recipe) for runs in self.runs.values()]
        models = dict.fromkeys(recipe.model_name for recipe in recipes)
        epochs = dict.fromkeys(str(recipe.epochs) for recipe in recipes)
        counts = dict.fromkeys(str(len(runs)) for runs in self.runs.values())
        unit = "run" if list(counts) == ["1"] else "runs"
        return (
            f"{self.dataset.source}, {self.n_users:,} users; {', '.join(models)}; "
            f"{' or '.join(epochs)} epochs; {' or '.join(counts)} {unit} a row"
        )

    @cached_property
    def ranks(self) -> dict[str, NDArray[np.int64]]:
        """Rank of the item held out, from 0, by row: (n_runs, n_users)."""
        return {row: runs["ranks"].astype(np.int64) for row, runs in self.runs.items()}

    @cached_property
    def hits(self) -> dict[str, NDArray[np.float64]]:
        """Hit rate of the first ten of each run by row, in percent."""
        return {row: 100.0 * hit_rate_of_ranks(ranks, k=K) for row, ranks in self.ranks.items()}

    @cached_property
    def gains(self) -> dict[str, NDArray[np.float64]]:
        """NDCG of the first ten of each run by row, in percent."""
        return {row: 100.0 * ndcg_of_ranks(ranks, k=K) for row, ranks in self.ranks.items()}

    def chosen(self, row: str) -> NDArray[np.float64]:
        """Probability that the item held out is chosen, of each run: (n_runs, n_users)."""
        return self.runs[row]["scores"].astype(np.float64).sum(axis=-1)

    def labels(self, row: str) -> NDArray[np.int64]:
        """Whether it is predicted to be chosen: (n_runs, n_users)."""
        return (self.chosen(row) > 0.5).astype(np.int64)

    def candidates(self, row: str) -> NDArray[np.float64]:
        """Probability of all candidates of the first users: (n_runs, n_kept, n_candidates).

        NaN for one that does not count; the first is the item held out.
        """
        return self.runs[row]["candidates"].astype(np.float64).sum(axis=-1)

    def first(self, row: str) -> NDArray[np.int64]:
        """Places of the first ten among the candidates: (n_runs, n_users, 10)."""
        return self.runs[row]["first"].astype(np.int64)

    @staticmethod
    def top_count(n_items: int) -> int:
        """How many items of a history are its most attended ones."""
        return top_count(n_items, SHARE)

    def top(self, row: str) -> list[NDArray[np.bool_]]:
        """Most attended items of each user looked at: (n_runs, n_items) each."""
        runs = self.runs[row]
        places, found, start = runs["top"].astype(np.int64), [], 0
        for length in runs["lengths"][0].astype(np.int64):
            count = self.top_count(int(length))
            chosen = np.zeros((len(places), length), dtype=bool)
            np.put_along_axis(chosen, places[:, start : start + count], True, axis=1)
            found.append(chosen)
            start += count
        return found
