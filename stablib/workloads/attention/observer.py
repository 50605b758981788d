"""Watch a training for its best epoch, and look at the best and the last model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from stablib.errors import UsageError
from stablib.training.loop import FlatWeights
from stablib.training.observe import Observer, Stack
from stablib.training.predict import Predictor
from stablib.training.record import Arrays
from stablib.training.task import Task
from stablib.workloads.attention.network import AttentionNetwork
from stablib.workloads.attention.record import Checkpoints

#: Below it the logarithm of a single precision number has no meaning.
_TINY = np.finfo(np.float32).tiny


class BestObserver(Observer):
    """Base of what looks at the model of the best epoch, see :class:`Checkpoints`."""

    growing = ("validation", "best_epoch", "best_weights")

    def __init__(self, task: Task) -> None:
        self.val, self.val_gold = task.split("val")
        self.test, _ = task.split("test")
        if task.n_classes == 2 and len(set(self.val_gold.tolist())) < 2:
            raise UsageError("the best checkpoint needs validation texts of both classes")
        self.validation: list[float] = []
        self.best_epoch = 0
        self.best_weights: Tensor | None = None

    def after_epoch(self, epoch: int, stack: Stack) -> None:
        """Keep the weights if they are the best on the validation texts since the second epoch."""
        found = quality(stack.probabilities(0, self.val), self.val_gold)
        earlier = self.validation[1:]
        self.validation.append(found)
        if epoch > 1 and found > max(earlier, default=0.0):
            self.best_epoch = epoch
            self.best_weights = models_of(stack).weights.clone()

    @contextmanager
    def best(self, models: FlatWeights) -> Iterator[None]:
        """Let a model have its best weights in the meantime, without a second epoch its own."""
        own = models.weights.clone()
        if self.best_weights is not None:
            models.weights.copy_(self.best_weights)
        try:
            yield
        finally:
            models.weights.copy_(own)

    def chosen(self) -> Arrays:
        """By what the best epoch was chosen, and which it is."""
        return {
            "validation": np.array(self.validation, dtype=np.float32),
            "best_epoch": np.asarray(self.best_epoch or len(self.validation), dtype=np.int32),
        }


class CheckpointsObserver(BestObserver):
    """Predictions and attention at two checkpoints, see :class:`Checkpoints`."""

    def __init__(self, task: Task, record: Checkpoints) -> None:
        super().__init__(task)
        self.rows = spread(len(self.test), record.n_texts)

    def finish(self, stack: Stack) -> list[Arrays]:
        """Look at the trained model, then at the best; the trained one stays."""
        models = models_of(stack)
        last = models.weights.clone()
        arrays = self._look(models, stack.probabilities(0, self.test), "last")
        models.weights.copy_(last)  # Predictions of several snapshots leave those of one of them.
        with self.best(models):
            with torch.inference_mode():
                best = torch.softmax(cast(Predictor, stack).viewed(0, self.test), dim=-1).numpy()
            arrays |= self._look(models, best, "best")
        return [arrays | self.chosen()]

    def _look(
        self, models: FlatWeights, probabilities: NDArray[np.float32], checkpoint: str
    ) -> Arrays:
        """Scores of the test texts, and attention with the weights that the model has now."""
        arrays: Arrays = {f"scores_{checkpoint}": _scores(probabilities).astype(np.float16)}
        if len(self.rows):
            network = cast(AttentionNetwork, models.network)
            found = network.attention(self.test.take(self.rows))
            arrays[f"log_attention_{checkpoint}"] = logs_of(found.values).astype(np.float16)
            arrays["attention_texts"] = self.rows.astype(np.int32)
            arrays["attention_starts"] = found.starts.astype(np.int32)
        return arrays


def spread(n_all: int, n_chosen: int) -> NDArray[np.int64]:
    """Places of some of a row, evenly spaced, or of all if there are not so many.

    Examples
    --------
    >>> spread(9, 3), spread(2, 3)
    (array([0, 4, 8]), array([0, 1]))
    """
    return np.linspace(0, n_all - 1, min(n_chosen, n_all)).round().astype(np.int64)


def logs_of(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logarithms, of 0 that of the smallest number.

    Examples
    --------
    >>> logs_of(np.array([1.0, 0.0])).round(1)
    array([  0. , -87.3])
    """
    return np.asarray(np.log(np.maximum(values, _TINY)))


def quality(probabilities: NDArray[np.floating], gold: NDArray[np.integer]) -> float:
    """Area under the ROC curve of two classes, accuracy of more.

    Examples
    --------
    >>> quality(np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]), np.array([0, 0, 1]))
    0.5
    """
    if probabilities.shape[1] > 2:
        return float((probabilities.argmax(axis=1) == gold).mean())
    ranks = rankdata(probabilities[:, 1])  # Ties count half.
    n_positive = int(gold.sum())
    n_pairs = n_positive * (len(gold) - n_positive)
    return float((ranks[gold == 1].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)


def _scores(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log odds of the second of two classes as one column, else log probabilities."""
    logs = logs_of(probabilities)
    return logs[:, 1:] - logs[:, :1] if logs.shape[1] == 2 else logs


def models_of(stack: Stack) -> FlatWeights:
    """The one model that trains, with its weights."""
    return cast(FlatWeights, cast(Predictor, stack).models)
