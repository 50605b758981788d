"""Watch a training: record predictions and averages without storing models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.training.record import Final, Probabilities, Record, Steps, TrainMean
from stablib.training.task import Task

Arrays = dict[str, NDArray[Any]]


class Stack(Protocol):
    """Models that are trained side by side, one a seed."""

    n_heads: int

    def probabilities(self, head: int, features: Any) -> Tensor:
        """Class probabilities (n_examples, n_classes) of one model, without dropout."""


class Observer(Protocol):
    """Called after each optimization step and at the end of training."""

    def after_step(self, step: int, stack: Stack) -> None:
        """Look at the models after step ``step``, counted from 1."""

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return one set of arrays a model."""


class FinalObserver:
    """Predictions of the trained models, see :class:`Final`."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def after_step(self, step: int, stack: Stack) -> None:
        """Nothing to see before the end."""

    def finish(self, stack: Stack) -> list[Arrays]:
        """Predict every evaluation split."""
        results: list[Arrays] = []
        for head in range(stack.n_heads):
            arrays: Arrays = {}
            for split, inputs in self.task.inputs.items():
                if split != "train":
                    probabilities = stack.probabilities(head, inputs)
                    labels, gold = _labels_and_gold(probabilities, self.task.gold[split])
                    arrays |= {f"labels_{split}": labels, f"gold_{split}": gold}
            results.append(arrays)
        return results


class StepsObserver:
    """Predictions during training, see :class:`Steps`."""

    def __init__(self, task: Task, record: Steps, n_models: int) -> None:
        self.inputs = task.inputs[record.split]
        self.gold = task.gold[record.split]
        self.every = record.every
        self.names = ("labels", "gold") if record.confidence else ("labels",)
        self.steps: list[int] = []
        self.seen: list[list[Arrays]] = [[] for _ in range(n_models)]

    def after_step(self, step: int, stack: Stack) -> None:
        """Predict the split with every model."""
        if step % self.every:
            return
        self.steps.append(step)
        for head, seen in enumerate(self.seen):
            labels, gold = _labels_and_gold(stack.probabilities(head, self.inputs), self.gold)
            arrays = {"labels": labels, "gold": gold}
            seen.append({name: arrays[name] for name in self.names})

    def finish(self, stack: Stack) -> list[Arrays]:
        """Stack what was seen."""
        steps = np.array(self.steps, dtype=np.int32)
        return [
            {"steps": steps, **{name: np.stack([one[name] for one in seen]) for name in self.names}}
            for seen in self.seen
        ]


class ProbabilitiesObserver:
    """All probabilities of the trained models, see :class:`Probabilities`."""

    def __init__(self, task: Task, record: Probabilities) -> None:
        self.inputs = task.inputs[record.split]

    def after_step(self, step: int, stack: Stack) -> None:
        """Nothing to see before the end."""

    def finish(self, stack: Stack) -> list[Arrays]:
        """Predict the split."""
        each = (stack.probabilities(head, self.inputs) for head in range(stack.n_heads))
        return [{"probabilities": one.numpy().astype(np.float16)} for one in each]


class TrainMeanObserver:
    """Running mean of the predictions on the training set, see :class:`TrainMean`."""

    def __init__(self, task: Task, record: TrainMean, n_models: int) -> None:
        self.inputs = task.inputs["train"]
        self.record = record
        self.sums: list[Tensor | float] = [0.0] * n_models
        self.count = 0

    def after_step(self, step: int, stack: Stack) -> None:
        """Add the predictions of one step."""
        after = self.record.after_step
        if after is None or step <= after or (step - after) % self.record.every:
            return
        self._add(stack)

    def _add(self, stack: Stack) -> None:
        self.count += 1
        for head, total in enumerate(self.sums):
            self.sums[head] = stack.probabilities(head, self.inputs).add_(total)

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return the means."""
        if self.record.after_step is None:
            self._add(stack)
        return [{"mean": np.asarray(total / self.count, dtype=np.float16)} for total in self.sums]


def observers(records: Sequence[Record], task: Task, n_models: int) -> list[Observer]:
    """Make one observer a record."""
    made: list[Observer] = []
    for record in records:
        match record:
            case Final():
                made.append(FinalObserver(task))
            case Steps():
                made.append(StepsObserver(task, record, n_models))
            case Probabilities():
                made.append(ProbabilitiesObserver(task, record))
            case TrainMean():
                made.append(TrainMeanObserver(task, record, n_models))
    return made


def _labels_and_gold(
    probabilities: Tensor, gold: NDArray[np.integer]
) -> tuple[NDArray[Any], NDArray[np.float16]]:
    """Predicted labels in the smallest type, and the probability of the gold label."""
    labels = probabilities.argmax(dim=1).numpy()
    # A copy: arrays that come out of a data frame may be read-only, which torch warns about.
    of_gold = probabilities[torch.arange(len(gold)), torch.from_numpy(np.array(gold))]
    smallest = np.min_scalar_type(probabilities.shape[1] - 1)
    return labels.astype(smallest), of_gold.numpy().astype(np.float16)
