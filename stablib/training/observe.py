"""Watch a training: record predictions and averages without storing models."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError
from stablib.training.growing import Growing
from stablib.training.record import Arrays, Observed, Probabilities, Record, Steps, TrainMean
from stablib.training.task import Task


class Stack(Protocol):
    """Models that are trained side by side, one a seed."""

    n_models: int

    @property
    def weights(self) -> Any:
        """Weights of the models, a tensor of shape (n_models, n_parameters)."""

    def showing(self, weights: Any) -> AbstractContextManager[None]:
        """Predict with other weights in the meantime."""

    def probabilities(self, model: int, inputs: Any) -> NDArray[np.float32]:
        """Class probabilities (n_examples, n_classes) of one model, without dropout."""


class Observer(Growing, abc.ABC):
    """Called after each optimization step, each epoch and at the end of training."""

    def after_step(self, step: int, stack: Stack) -> None:
        """Look at the models after step ``step``, counted from 1."""

    def after_epoch(self, epoch: int, stack: Stack) -> None:
        """The same after an epoch, counted from 1, when the method has averaged."""

    @abc.abstractmethod
    def finish(self, stack: Stack) -> list[Arrays]:
        """Return one set of arrays a model."""


class FinalObserver(Observer):
    """Predictions of the trained models, see :class:`Final`."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def finish(self, stack: Stack) -> list[Arrays]:
        """Predict every evaluation split."""
        results: list[Arrays] = []
        for model in range(stack.n_models):
            arrays: Arrays = {}
            for split, inputs in self.task.inputs.items():
                if split != "train":
                    probabilities = stack.probabilities(model, inputs)
                    labels, gold = _labels_and_gold(probabilities, self.task.gold[split])
                    arrays |= {f"labels_{split}": labels, f"gold_{split}": gold}
            results.append(arrays)
        return results


class StepsObserver(Observer):
    """Predictions during training, see :class:`Steps`."""

    growing = ("steps", "seen")

    def __init__(self, task: Task, record: Steps, n_models: int) -> None:
        self.inputs, self.gold = task.split(record.split)
        self.every = record.every
        self.names = ("labels", "gold") if record.confidence else ("labels",)
        self.steps: list[int] = []
        self.seen: list[list[Arrays]] = [[] for _ in range(n_models)]

    def after_step(self, step: int, stack: Stack) -> None:
        """Predict the split with every model."""
        if step % self.every:
            return
        self.steps.append(step)
        for model, seen in enumerate(self.seen):
            labels, gold = _labels_and_gold(stack.probabilities(model, self.inputs), self.gold)
            arrays = {"labels": labels, "gold": gold}
            seen.append({name: arrays[name] for name in self.names})

    def finish(self, stack: Stack) -> list[Arrays]:
        """Stack what was seen."""
        steps = np.array(self.steps, dtype=np.int32)
        return [
            {"steps": steps, **{name: np.stack([one[name] for one in seen]) for name in self.names}}
            for seen in self.seen
        ]


class ProbabilitiesObserver(Observer):
    """All probabilities of the trained models, see :class:`Probabilities`."""

    def __init__(self, task: Task, record: Probabilities) -> None:
        self.inputs, _ = task.split(record.split)

    def finish(self, stack: Stack) -> list[Arrays]:
        """Predict the split."""
        each = (stack.probabilities(model, self.inputs) for model in range(stack.n_models))
        return [{"probabilities": one.astype(np.float16)} for one in each]


class TrainMeanObserver(Observer):
    """Running mean of the predictions on the training set, see :class:`TrainMean`."""

    growing = ("sums", "count")

    def __init__(self, task: Task, record: TrainMean, n_models: int) -> None:
        self.inputs = task.lesson
        self.record = record
        self.sums: list[NDArray[np.float32] | float] = [0.0] * n_models
        self.count = 0

    def after_step(self, step: int, stack: Stack) -> None:
        """Add the predictions of one step."""
        if self.record.due(step):
            self._add(stack)

    def _add(self, stack: Stack) -> None:
        self.count += 1
        for model, total in enumerate(self.sums):
            probabilities = stack.probabilities(model, self.inputs)
            probabilities += total
            self.sums[model] = probabilities

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return the means."""
        if self.record.after_step is None:
            self._add(stack)
        count = np.float32(self.count)
        return [{"mean": np.asarray(total / count, dtype=np.float16)} for total in self.sums]


def observers(records: Sequence[Record], task: Task, n_models: int) -> list[Observer]:
    """Make one observer a record.

    Raises
    ------
    UsageError
        If a record has no observer: the others' arrays would be kept under its name.
    """
    for record in records:
        if not isinstance(record, Observed):
            raise UsageError(f"a classifier keeps no record of the kind {record.kind!r}")
    return [record.observer(task, n_models) for record in records if isinstance(record, Observed)]


def _labels_and_gold(
    probabilities: NDArray[np.float32], gold: NDArray[np.integer]
) -> tuple[NDArray[Any], NDArray[np.float16]]:
    """Predicted labels in the smallest type, and the probability of the gold label."""
    labels = probabilities.argmax(axis=1)
    of_gold = probabilities[np.arange(len(gold)), gold]
    smallest = np.min_scalar_type(probabilities.shape[1] - 1)
    return labels.astype(smallest), of_gold.astype(np.float16)
