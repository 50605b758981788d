"""Watch a recommender; see the records for what is kept."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from stablib.errors import UsageError
from stablib.metrics import hit_rate_of_ranks, ndcg_of_ranks, positive_ranks
from stablib.training.loop import FlatWeights
from stablib.training.observe import Observer, Stack
from stablib.training.predict import Predictor
from stablib.training.record import Arrays
from stablib.training.task import Task
from stablib.workloads.ranking.network import RankingNetwork
from stablib.workloads.ranking.record import HitCurve, Ranked
from stablib.workloads.ranking.task import Choices


def network_of(stack: Stack) -> RankingNetwork:
    """The network that is trained."""
    models = cast(FlatWeights, cast(Predictor, stack).models)
    return cast(RankingNetwork, models.network)


def logits_of(stack: Stack, task: Choices) -> NDArray[np.float64]:
    """Logits of all candidates, shape (n_users, n_candidates, n_classes).

    They are NaN for a candidate that does not count.
    """
    places = task.places
    users = np.repeat(np.arange(len(places)), places.lengths)
    shape = (len(places), int(places.values.max()) + 1, task.n_classes)
    logits = np.full(shape, np.nan)
    with torch.inference_mode():
        logits[users, places.values] = cast(Predictor, stack).logits(0, task.inputs["test"]).numpy()
    return logits


def odds_of(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-odds of being chosen, whatever the class, of the items held out and of the negatives.

    Those of a negative that does not count are -inf. Probabilities close to 1 would make ties.
    """
    odds = logsumexp(logits[..., 1:], axis=-1) - logits[..., 0]
    return odds[:, 0], np.where(np.isnan(odds[:, 1:]), -np.inf, odds[:, 1:])


class RankedObserver(Observer):
    """Ranks of the trained model, see :class:`Ranked`."""

    def __init__(self, task: Task, record: Ranked) -> None:
        self.task, self.record = cast(Choices, task), record
        fewest = int(self.task.places.lengths.min())
        if record.k > fewest:
            raise UsageError(
                f"k must be at most {fewest}, the candidates of a user, got {record.k}"
            )

    def finish(self, stack: Stack) -> list[Arrays]:
        """Score all candidates."""
        logits = logits_of(stack, self.task)
        held_out, negatives = odds_of(logits)
        # The item held out loses ties: it comes after the negatives that are as good.
        order = np.argsort(-np.column_stack([negatives, held_out]), axis=1, kind="stable")
        first = (order[:, : self.record.k] + 1) % logits.shape[1]
        scores = softmax(logits, axis=-1)[..., 1:].astype(np.float16)
        small = np.min_scalar_type(logits.shape[1])
        return [
            {
                "ranks": positive_ranks(held_out, negatives).astype(small),
                "first": first.astype(small),
                "scores": scores[:, 0],
                "candidates": scores[: self.record.n_users],
            }
        ]


class HitCurveObserver(Observer):
    """Hit rate and NDCG by epoch, see :class:`HitCurve`."""

    growing = ("hits", "gains")

    def __init__(self, task: Task, record: HitCurve) -> None:
        self.task, self.every = cast(Choices, task), record.every
        self.hits: list[float] = []
        self.gains: list[float] = []

    def after_epoch(self, epoch: int, stack: Stack) -> None:
        """Rank the candidates."""
        if epoch % self.every:
            return
        ranks = positive_ranks(*odds_of(logits_of(stack, self.task)))[None]
        self.hits.append(float(hit_rate_of_ranks(ranks)[0]))
        self.gains.append(float(ndcg_of_ranks(ranks)[0]))

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return what was seen."""
        return [{"hits": np.array(self.hits), "gains": np.array(self.gains)}]


class VectorsObserver(Observer):
    """Weights of the trained model, see :class:`Vectors`."""

    def finish(self, stack: Stack) -> list[Arrays]:
        """Copy them."""
        named = network_of(stack).named()
        with torch.no_grad():
            return [{name: each.numpy().copy() for name, each in named.items()}]
