"""What is kept of a recommender."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from stablib.training.record import Arrays, Observed, labels_that_differ, largest_difference

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task


class RankingRecord(Observed):
    """Base of the records of recommenders, whose inputs are no labelled examples."""


class Ranked(RankingRecord):
    """Where the trained model ranks the item held out, and how sure it is.

    Parameters
    ----------
    k : int, default 10
        First places that are kept.
    n_users : int, default 300
        First users of whom the scores of all candidates are kept.

    Notes
    -----
    An item's score is its probability of being chosen, whatever the class. Arrays: ``ranks``
    (n_users,), of the item held out, from 0; ``first`` (n_users, k), places of the first k among
    the candidates, of which 0 is the item held out; ``scores`` (n_users, n_classes - 1), the item's
    probability of each class but the first, that it was not chosen; ``candidates`` (n_kept,
    n_candidates, n_classes - 1), those of all candidates, NaN for one that does not count.
    Probabilities are float16.
    """

    kind: Literal["ranked"] = "ranked"
    measure = "largest difference of a probability"

    k: int = Field(default=10, ge=1)
    n_users: int = Field(default=300, ge=0)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Score the candidates at the end."""
        from stablib.workloads.ranking.observer import RankedObserver

        return RankedObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Every user once."""
        return sizes["test"]

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference of the scores of the items held out."""
        return largest_difference(fresh, published, "scores")


class HitCurve(RankingRecord):
    """Hit rate and NDCG of the first ten along the training.

    Parameters
    ----------
    every : int, default 1
        Look after every so many epochs.

    Notes
    -----
    Arrays: ``hits`` and ``gains`` (n_looks,), fractions.
    """

    kind: Literal["hit_curve"] = "hit_curve"
    measure = "largest difference of a hit rate"

    every: int = Field(default=1, ge=1)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Score the candidates after some epochs."""
        from stablib.workloads.ranking.observer import HitCurveObserver

        return HitCurveObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Every user once: how many looks there are is not known here."""
        return sizes["test"]

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return largest_difference(fresh, published, "hits")


class Attended(RankingRecord):
    """What a model with attention looks at when it scores the item held out, and what it matters.

    Parameters
    ----------
    share : float, default 0.1
        Part of a history that counts as its most attended items.
    n_permutations : int, default 100
        How often the attention is permuted.
    n_users : int, default 2000
        First users that are looked at.
    n_shown : int, default 20
        First users of whom the whole attention is kept.
    seed : int, default 0
        Draws the permutations: the same for every run.

    Notes
    -----
    Arrays: ``lengths`` (n_users,) of the histories, as far as they are looked at; ``top``
    (n_places,), places of the most attended items in them, one user after the other,
    ``ceil(share * length)`` of each; ``entropy`` (n_users,) of the attention as shares, over that
    of equal shares; ``chosen`` (n_users, 2), probability of being chosen of the item held out and
    of the first negative that counts; ``effect`` (n_users, 2), mean absolute change of it when the
    attention is permuted; ``effect_logit``, the same of log-odds; ``shown`` (n_weights,), the
    shares of attention of the first users, one user after the other. All but places and lengths
    are float16.
    """

    kind: Literal["attended"] = "attended"
    measure = "places among the most attended that differ (%)"

    share: float = Field(default=0.1, gt=0.0, le=1.0)
    n_permutations: int = Field(default=100, ge=1)
    n_users: int = Field(default=2_000, ge=1)
    n_shown: int = Field(default=20, ge=0)
    seed: int = 0

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the attention at the end."""
        from stablib.workloads.ranking.attended import AttendedObserver

        return AttendedObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The users that are looked at: of two candidates, many times."""
        return min(self.n_users, sizes["test"])

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the places that differ, in percent."""
        return labels_that_differ(fresh, published, ["top"])


class Vectors(RankingRecord):
    """All weights of the trained model by name, as float32.

    Vectors of users and items are rows; running statistics of norms are weights like all others.
    """

    kind: Literal["vectors"] = "vectors"
    measure = "largest difference of a weight"

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the weights at the end."""
        from stablib.workloads.ranking.observer import VectorsObserver

        return VectorsObserver()

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Nothing is predicted."""
        return 0

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return max(
            float(np.abs(fresh[name] - published[name]).max(initial=0.0)) for name in published
        )
