"""Classifiers of texts that attend to words: a CNN or a BiLSTM, one seed after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from pydantic import Field

from stablib.training import Inputs, Recipe, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.attention.explanations import Explanations, explained
from stablib.workloads.attention.record import Checkpoints, attended, predictions
from stablib.workloads.text import LabelledRecipe, LabelledWorkload

__all__ = [
    "AttentionRecipe",
    "AttentionTexts",
    "Checkpoints",
    "Explanations",
    "attended",
    "explained",
    "predictions",
]


class AttentionRecipe(LabelledRecipe):
    """An encoder of words, attention to them, and a decoder, all trained together.

    The defaults are those of *On Model Stability as a Function of Random Seed*, section 4.3, and of
    its released code, but for the word vectors: 300 numbers of fastText there.

    Parameters
    ----------
    dataset, label, limit
        As :class:`~stablib.workloads.text.LabelledRecipe`. A text with a tab is a pair: the first
        part is attended to, the second asks.
    encoder : {"cnn", "bilstm"}, default "cnn"
        Convolutions of widths 1, 3, 5 and 7 with 32 filters each, or 128 units a direction.
    attention : {"additive", "dot"}, default "additive"
        ``v . tanh(W h + b)``, or ``w . h / sqrt(n)``.
    vectors : {"glove-6b-50d", "wiki.simple", "drawn"}, default "glove-6b-50d"
        See :mod:`stablib.models.vectors`. What is drawn is the same for every seed, as in the
        released code, which stores it with the data.
    frozen : bool, default False
        Leave the vectors as they are: several times faster, and not what the paper does.
    min_texts : int, default 1
        In so many training texts must a word be to be known; see
        :attr:`stablib.data.Entry.min_texts` for the paper's.
    batches : {"by_length", "random"}, default "by_length"
        Texts of about the same length share a batch, as in the released code: they are sorted by
        lengths with a noise of a tenth, and the batches shuffled. The paper does not say.
    learning_rate, weight_decay, epochs, batch_size
        Of Adam with AMSGrad; the penalty of a method is added to the decay.

    Notes
    -----
    Of two classes the loss is the *sum* of binary cross-entropies over a batch, the second class
    weighted by how much rarer it is in the training texts; of more classes the mean cross-entropy.

    Examples
    --------
    >>> AttentionRecipe(dataset="sst").title()
    'sst, CNN with additive attention, glove-6b-50d, control'
    """

    kind: Literal["attention_text"] = "attention_text"
    label: str = "label"
    encoder: Literal["cnn", "bilstm"] = "cnn"
    attention: Literal["additive", "dot"] = "additive"
    vectors: Literal["glove-6b-50d", "wiki.simple", "drawn"] = "glove-6b-50d"
    frozen: bool = False
    min_texts: int = Field(default=1, ge=1)
    batches: Literal["by_length", "random"] = "by_length"
    weight_decay: float = Field(default=1e-5, ge=0.0)
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=32, ge=1)

    @property
    def data_name(self) -> str:
        """Data set; each has one kind of label."""
        return self.dataset

    @property
    def model_name(self) -> str:
        """Encoder, attention and word vectors."""
        encoder = {"cnn": "CNN", "bilstm": "BiLSTM"}[self.encoder]
        vectors = f"{'frozen ' if self.frozen else ''}{self.vectors}"
        return f"{encoder} with {self.attention} attention, {vectors}"


class AttentionTexts(LabelledWorkload):
    """Trains one model after the other, on one thread each."""

    name = "attention_text"
    version = 1
    packages = ("torch", "numpy")

    def depends(self, recipe: Recipe) -> dict[str, str]:
        """The word vectors."""
        from stablib.models import vectors

        return {"vectors": vectors.identity(cast(AttentionRecipe, recipe).vectors)}

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train each plan for itself."""
        from stablib.workloads.attention.training import train_each

        return train_each(request, inputs, taught, report=report, state=state)


AttentionRecipe.workload = AttentionTexts()
