"""What is kept of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from stablib.training.record import Arrays, Observed, labels_that_differ

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
