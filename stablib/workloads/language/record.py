"""What is kept of a language model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import log_softmax

from stablib.training.record import (
    Arrays,
    Lesson,
    Observed,
    Pooled,
    labels_that_differ,
    largest_difference,
)

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task


class NextWords(Observed):
    """Perplexity of the trained model on the test text, and what it says of the first words.

    Parameters
    ----------
    n_words : int, default 10_000
        First words of the test text whose predictions are kept.

    Notes
    -----
    Arrays: ``loss`` () of float64, the mean negative log-probability of all test words in nats;
    ``losses`` (n_words,) of float16, that of each of the first; ``labels`` (n_words,),
    the number of the word that is the likeliest in their place.
    """

    kind: Literal["next_words"] = "next_words"
    measure = "likeliest words that differ (%)"

    n_words: int = Field(default=10_000, ge=1)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict at the end."""
        from stablib.workloads.language.training import NextWordsObserver

        return NextWordsObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The test text once."""
        return sizes["test"]

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the words that differ, in percent."""
        return labels_that_differ(fresh, published, ["labels"])


class JointWords(Pooled):
    """What an ordinary ensemble of consecutive runs says of the first words, and what they say.

    An ensemble has the mean of its members' logits. These are too many to keep, so it is made
    while they are trained.

    Parameters
    ----------
    n_words : int, default 10_000
        First words of the test text whose predictions are kept.

    Notes
    -----
    Arrays: ``labels`` and ``losses`` (n_words,) of the ensemble, as of :class:`NextWords`;
    ``labels_alone`` and ``losses_alone`` (n_members, n_words) of its members.
    """

    kind: Literal["joint_words"] = "joint_words"
    measure = "likeliest words that differ (%)"

    n_words: int = Field(default=10_000, ge=1)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict at the end."""
        from stablib.workloads.language.training import JointWordsObserver

        return JointWordsObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The first words once."""
        return min(self.n_words, sizes["test"])

    def pool(self, runs: Sequence[Arrays]) -> Arrays:
        """Look at the mean of the logits (n_words, n_classes), and at each run's own."""
        gold = runs[0]["gold"]
        mean = np.mean([run["logits"] for run in runs], axis=0)
        alone = [likeliest_and_losses(run["logits"], gold) for run in runs]
        return {
            **likeliest_and_losses(mean, gold),
            **{f"{name}_alone": np.stack([one[name] for one in alone]) for name in alone[0]},
        }

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the words that differ, in percent."""
        return labels_that_differ(fresh, published, ["labels", "labels_alone"])


def likeliest_and_losses(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> Arrays:
    """The likeliest word in each place, and the negative log-probability of the right one.

    Parameters
    ----------
    logits : ndarray of float, shape (n_words, n_classes)
        What is said of each word.
    gold : ndarray of int, shape (n_words,)
        Number of the right one.

    Returns
    -------
    dict of str to ndarray
        ``labels`` in the smallest type and ``losses`` in nats of float16, both (n_words,).

    Examples
    --------
    >>> found = likeliest_and_losses(np.log([[0.7, 0.3], [0.5, 0.5]]), np.array([1, 0]))
    >>> found["labels"], np.exp(-found["losses"].astype(float)).round(2)
    (array([0, 0], dtype=uint8), array([0.3, 0.5]))
    """
    small = np.min_scalar_type(logits.shape[1] - 1)
    losses = -log_softmax(logits, axis=1)[np.arange(len(gold)), gold]
    return {"losses": losses.astype(np.float16), "labels": logits.argmax(axis=1).astype(small)}


class LikelyWords(Lesson):
    """What teachers say of each word of the training text: how likely the likeliest words are.

    Of all words it would be gigabytes. Of a mean over steps, the words are those that are the
    likeliest after the first of them.

    Parameters
    ----------
    after_step, every
        As :class:`~stablib.training.TrainMean`.
    n_likely : int, default 200
        Words of which it is kept; what they leave is shared by the whole vocabulary.

    Notes
    -----
    Arrays: ``words`` (n_train, n_likely), their numbers, and ``shares`` (n_train, n_likely) of
    float16, how likely they are. Of several teachers the lists follow each other.
    """

    kind: Literal["likely_words"] = "likely_words"
    measure = "largest difference of a probability"

    n_likely: int = Field(default=200, ge=1)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Read the training text."""
        from stablib.workloads.language.training import LikelyWordsObserver

        return LikelyWordsObserver(task, self)

    def pool(self, runs: Sequence[Arrays]) -> Arrays:
        """All lists, in which each run has its part."""
        said = _joined([(1, run) for run in runs])
        return {"words": said.words, "shares": said.shares.astype(np.float16)}

    def together(self, parts: Sequence[tuple[int, Arrays]]) -> Likely:
        """All lists, in which each teacher has its part."""
        return _joined(parts)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference, of lists that have the same order."""
        return largest_difference(fresh, published, "shares")


@dataclasses.dataclass(frozen=True)
class Likely:
    """How likely some words are in each place of a text, and all others as likely as each other.

    Parameters
    ----------
    words : ndarray of int, shape (n_places, n_likely)
        Their numbers; a word may stand there more than once.
    shares : ndarray of float, shape (n_places, n_likely)
        What each adds to the probability of its word.
    """

    words: NDArray[np.integer]
    shares: NDArray[np.floating]

    def probabilities(self, places: NDArray[np.integer], n_classes: int) -> NDArray[np.float32]:
        """Probabilities of all words in some places, shape (len(places), n_classes).

        Examples
        --------
        >>> said = Likely(np.array([[2, 0]]), np.array([[0.5, 0.3]]))
        >>> said.probabilities(np.array([0]), 4).round(2)
        array([[0.35, 0.05, 0.55, 0.05]], dtype=float32)
        """
        shares = self.shares[places].astype(np.float32)
        rest = 1.0 - shares.sum(axis=1, keepdims=True)
        every = np.repeat(np.maximum(rest, 0.0) / n_classes, n_classes, axis=1)
        np.add.at(every, (np.arange(len(places))[:, None], self.words[places]), shares)
        return np.asarray(every / every.sum(axis=1, keepdims=True), np.float32)


def _joined(parts: Sequence[tuple[int, Arrays]]) -> Likely:
    """Lists of pools of teachers, by their sizes, side by side."""
    total = sum(size for size, _ in parts)
    return Likely(
        np.concatenate([arrays["words"] for _, arrays in parts], axis=1),
        np.concatenate(
            [arrays["shares"].astype(np.float32) * (size / total) for size, arrays in parts], axis=1
        ),
    )
