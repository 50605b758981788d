"""Recipes of one-pass training on a synthetic stream."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from stablib.training import Recipe
from stablib.workloads.streams.truth import N_FEATURES, DataModel

#: log2 of the mini-batch size; the paper's is 32.
LOG2_BATCH = 5
BATCH = 1 << LOG2_BATCH

Activation = Literal["identity", "relu", "smelu", "swish"]


class StreamRecipe(Recipe):
    """Everything but the seeds that decides what a pair of models will be.

    Parameters
    ----------
    data : DataModel
        Truth.
    hidden : tuple of int
        Widths of the hidden layers; none for the linear model.
    embedding : bool, default False
        Map each half of the features to a sum of two-dimensional embeddings first.
    activation : {"identity", "relu", "smelu", "swish"}
        Of the hidden layers.
    beta : float, default 1.0
        Half width of SmeLU's bend, or Swish's steepness; greater than 0.
    optimizer : {"adagrad", "sgd"}
        AdaGrad with an initial accumulator of 0.1; SGD with momentum 0.9 and decay 0.001.
    learning_rate : float
        Greater than 0.
    log2_window : int
        log2 z: shuffling windows of z mini-batches of 32 examples.
    same_init : bool
        Whether both models of a pair start from the same weights.
    log2_examples : int
        log2 T: length of the stream.
    warm_start : float, optional
        Learning rate at which a model was trained before on as many examples of another stream;
        both models of the pair start from its weights.

    Examples
    --------
    >>> StreamRecipe(data=DataModel(kind="linear"), log2_examples=10).model_name
    'linear'
    """

    kind: Literal["stream"] = "stream"

    data: DataModel
    hidden: tuple[int, ...] = ()
    embedding: bool = False
    activation: Activation = "relu"
    beta: float = Field(default=1.0, gt=0.0)
    optimizer: Literal["adagrad", "sgd"] = "adagrad"
    learning_rate: float = Field(default=0.1, gt=0.0)
    log2_window: int = Field(default=0, ge=0)
    same_init: bool = True
    log2_examples: int = Field(ge=LOG2_BATCH, le=40)
    warm_start: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _fits(self) -> StreamRecipe:
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden widths must be at least 1, got {self.hidden}")
        if self.embedding and not self.hidden:
            raise ValueError("an embedding needs a hidden layer after it")
        if self.warm_start is not None and not self.same_init:
            raise ValueError("with a warm start both models start from the same weights")
        largest = self.log2_examples - LOG2_BATCH
        if self.log2_window > largest:
            raise ValueError(
                f"log2_window must be between 0 and {largest} for a stream of 2^"
                f"{self.log2_examples} examples in batches of {BATCH}, got {self.log2_window}"
            )
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Outputs of every layer, the embedding and the single output among them."""
        return (*((4,) if self.embedding else ()), *self.hidden, 1)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of every layer."""
        return list(zip((N_FEATURES, *self.widths), self.widths, strict=False))

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one model."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.shapes)

    @property
    def n_batches(self) -> int:
        """Mini-batches in the stream."""
        return 1 << (self.log2_examples - LOG2_BATCH)

    @property
    def data_name(self) -> str:
        """Kind of truth, and its seed."""
        return f"synthetic {self.data.kind} data, truth {self.data.seed}"

    def title(self) -> str:
        """Name the recipe for people."""
        start = "same" if self.same_init else "distinct"
        warm = ", warm" if self.warm_start else ""
        return (
            f"{self.data.kind} data, {self.model_name}, {self.optimizer} {self.learning_rate:g}, "
            f"window 2^{self.log2_window}, {start} init{warm}, 2^{self.log2_examples} examples"
        )

    @property
    def model_name(self) -> str:
        """Name of the model, for people."""
        if not self.hidden:
            return "linear"
        bend = self.activation + (
            f"({self.beta:g})" if self.activation in ("smelu", "swish") else ""
        )
        layers = "-".join(str(width) for width in self.hidden)
        return f"{bend} {'embedding-' if self.embedding else ''}{layers}"
