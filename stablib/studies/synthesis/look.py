"""How the predictions of runs are read, whatever a workload keeps of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stablib.mitigation import vanilla_ensembles
from stablib.runs import Runs
from stablib.studies.recommender.results import K
from stablib.training import Request
from stablib.workloads.attention import predictions

#: Scores (n_runs, n_examples, n_classes), or labels (n_runs, n_examples), of an array of runs.
Read = Callable[[NDArray[Any]], NDArray[Any]]
#: Labels (n_runs, n_examples) of what was read.
Decide = Callable[[NDArray[Any]], NDArray[np.integer]]


class Predicted(NamedTuple):
    """What runs predict.

    Parameters
    ----------
    labels : ndarray of int, shape (n_runs, n_examples)
        Predicted labels.
    accuracies : ndarray of float64, shape (n_runs,)
        In percent.
    """

    labels: NDArray[np.integer]
    accuracies: NDArray[np.float64]


def as_kept(array: NDArray[Any]) -> NDArray[Any]:
    """Labels, or scores, as they are kept."""
    return array


def of_candidates(array: NDArray[Any]) -> NDArray[Any]:
    """How likely each candidate is to be chosen; one that does not count is behind all others."""
    scores = array.astype(np.float64).sum(axis=-1)
    return np.where(np.isnan(scores), -1.0, scores)


def likeliest(scores: NDArray[Any]) -> NDArray[np.integer]:
    """The class with the largest score; labels are these already."""
    return scores if scores.ndim == 2 else scores.argmax(axis=-1)


def hit(ranks: NDArray[Any]) -> NDArray[np.integer]:
    """Whether the item held out is among the first ten: no threshold of scores is in it."""
    return (ranks < K).astype(np.int64)


def hit_of_candidates(scores: NDArray[Any]) -> NDArray[np.integer]:
    """The same of the scores of all candidates, of which the first is the item held out.

    Among equals it is the last, as in the released code.
    """
    return hit((scores[..., 1:] >= scores[..., :1]).sum(axis=-1))


@dataclasses.dataclass(frozen=True)
class Look:
    """Runs, and how their predictions are read.

    Parameters
    ----------
    request : Request
        The runs.
    array : str
        Name of the array that holds what they predict.
    read : callable, default :func:`as_kept`
        Makes scores, or labels, of the array.
    decide : callable, default :func:`likeliest`
        Makes labels of scores.
    losses : str, optional
        Name of the array that holds the negative log-probabilities of what is right, in nats, for
        a workload that keeps nothing else of it.
    """

    request: Request
    array: str
    read: Read = as_kept
    decide: Decide = likeliest
    losses: str = ""

    def scores(self, runs: Runs) -> NDArray[Any]:
        """Scores, (n_runs, n_examples, n_classes), or labels, (n_runs, n_examples)."""
        return self.read(runs[self.array])

    def labels(self, runs: Runs) -> NDArray[np.integer]:
        """Predicted labels, shape (n_runs, n_examples)."""
        return self.decide(self.scores(runs))

    def accuracies(self, runs: Runs, gold: NDArray[np.integer]) -> NDArray[np.float64]:
        """Share of the examples that a run gets right in percent, shape (n_runs,).

        Of losses it is the mean probability of what is right: how often an answer is right that is
        drawn from what the model predicts.
        """
        return _accuracies(runs[self.losses]) if self.losses else _hits(self.labels(runs), gold)

    def ensembles(
        self, runs: Runs, members: int, gold: NDArray[np.integer]
    ) -> tuple[Predicted, Predicted] | None:
        """Ordinary ensembles that share no run, and their members, in their order.

        Of some workloads the scores of the first examples alone are kept. None where there are not
        two ensembles.
        """
        count = len(runs) // members
        if count < 2:
            return None
        scores = self.scores(runs).astype(np.float64)[: count * members]
        right = gold[: scores.shape[1]]
        together, alone = (
            Predicted(labels, _hits(labels, right))
            for labels in map(self.decide, (vanilla_ensembles(scores, members), scores))
        )
        return together, alone

    def beside(self, kind: str) -> Look:
        """The same of averaged weights that are kept beside a run, by the averaging method."""
        losses = f"{kind}_{self.losses}" if self.losses else ""
        return dataclasses.replace(self, array=f"{kind}_{self.array}", losses=losses)


class JointLook(Look):
    """Look at ensembles that were made while their members were trained, and at these."""

    def ensembles(
        self, runs: Runs, members: int, gold: NDArray[np.integer]
    ) -> tuple[Predicted, Predicted] | None:
        """As of any runs, which are ensembles here."""
        if len(runs) < 2:
            return None
        labels, losses = (
            np.concatenate(runs[f"{name}_alone"]) for name in (self.array, self.losses)
        )
        together = Predicted(self.labels(runs), self.accuracies(runs, gold))
        return together, Predicted(labels, _accuracies(losses))


def _hits(labels: NDArray[np.integer], gold: NDArray[np.integer]) -> NDArray[np.float64]:
    return np.asarray(100.0 * (labels == gold).mean(axis=1))


def _accuracies(losses: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(100.0 * np.exp(-losses.astype(np.float64)).mean(axis=1))


def of_texts(request: Request, checkpoint: str) -> Look:
    """Look at texts that are attended to, at the best or the last checkpoint."""
    return Look(request, f"scores_{checkpoint}", read=predictions)


def of_items(request: Request) -> Look:
    """Look at items held out."""
    return Look(request, "ranks", decide=hit)


def of_words(request: Request) -> Look:
    """Look at the words that follow."""
    return Look(request, "labels", losses="losses")


def of_ensembles_of_words(request: Request) -> JointLook:
    """Look at the words that follow, by ensembles."""
    return JointLook(request, "labels", losses="losses")
