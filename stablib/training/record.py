"""What is kept of a run. One training can be asked for several records."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stablib.errors import UsageError
from stablib.files import Arrays
from stablib.training.tagged import Tagged

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task


class Record(Tagged, abc.ABC):
    """Base of all records: what is kept, how it is observed, and how two runs are compared."""

    kinds: ClassVar[dict[str, type[Tagged]]] = {}
    #: Whether what several runs leave is kept as one.
    pooled: ClassVar[bool] = False
    #: What :meth:`difference` measures, with its unit.
    measure: ClassVar[str]

    @property
    def title(self) -> str:
        """Name of the record for people; of one title a run has one record."""
        return self.kind

    @abc.abstractmethod
    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """How far a freshly trained run is from the published one, in terms of ``measure``."""

    def check(self, n_steps: int) -> None:
        """Refuse a record that a training of so many steps cannot fill.

        Raises
        ------
        UsageError
            Says what is allowed.
        """


class Observed(Record):
    """A record of a classifier's predictions, filled by an observer of the training."""

    @abc.abstractmethod
    def observer(self, task: Task, n_models: int) -> Observer:
        """Make what looks at models that are trained side by side."""

    @abc.abstractmethod
    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Examples that a model predicts for this record, from the sizes of the splits."""


class Final(Observed):
    """Predictions of the trained model on every split but ``train``.

    Arrays, per split: ``labels_<split>`` (n_examples,) and ``gold_<split>`` (n_examples,),
    the probability of the gold label as float16.
    """

    kind: Literal["final"] = "final"
    measure = "labels that differ (%)"

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict at the end."""
        from stablib.training.observe import FinalObserver

        return FinalObserver(task)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Every evaluation split once."""
        return sum(size for split, size in sizes.items() if split != "train")

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the labels of all splits that differ, in percent."""
        return labels_that_differ(fresh, published, [n for n in fresh if n.startswith("labels_")])


class Steps(Observed):
    """Predictions during training on one split, after every k-th optimization step.

    Arrays: ``labels`` (n_steps, n_examples) and ``steps`` (n_steps,), counted from 1; with
    ``confidence`` also ``gold`` (n_steps, n_examples), the probability of the gold label as
    float16. It takes ten times the space of the labels, so it is kept only where it is shown.
    """

    kind: Literal["steps"] = "steps"
    measure = "labels that differ (%)"

    split: Literal["val", "test"]
    every: int = Field(default=1, ge=1)
    confidence: bool = False

    def check(self, n_steps: int) -> None:
        """Refuse a record that no step would fill."""
        if self.every > n_steps:
            raise UsageError(
                f"every={self.every} leaves no step to look at: training takes {n_steps} steps "
                "here, so it must be at most that"
            )

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict after every k-th step."""
        from stablib.training.observe import StepsObserver

        return StepsObserver(task, self, n_models)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The split after every k-th step."""
        return n_steps // self.every * _size(sizes, self.split)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the labels of all steps that differ, in percent."""
        return labels_that_differ(fresh, published, ["labels"])


class Probabilities(Observed):
    """All class probabilities of the trained model on one split.

    Array: ``probabilities`` (n_examples, n_classes), float16.
    """

    kind: Literal["probabilities"] = "probabilities"
    measure = "largest difference of a probability"

    split: Literal["val", "test"]

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict at the end."""
        from stablib.training.observe import ProbabilitiesObserver

        return ProbabilitiesObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The split once."""
        return _size(sizes, self.split)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return largest_difference(fresh, published, "probabilities")


class Pooled(Observed):
    """A record of which what several runs leave is kept as one."""

    pooled = True

    @abc.abstractmethod
    def pool(self, runs: Sequence[Arrays]) -> Arrays:
        """Make one set of arrays of those that consecutive runs leave."""


class Lesson(Pooled):
    """What teachers say of the training set, on average over the steps after ``after_step``.

    ``after_step=None`` takes the trained model alone.
    """

    after_step: int | None = Field(default=None, ge=0)
    every: int = Field(default=1, ge=1)

    @abc.abstractmethod
    def together(self, parts: Sequence[tuple[int, Arrays]]) -> Any:
        """What all teachers of a student say: of each pool of them its size, and its arrays."""

    def due(self, step: int) -> bool:
        """Whether predictions after this step count, before the end of the training."""
        after = self.after_step
        return after is not None and step > after and (step - after) % self.every == 0

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The training set once, or after every k-th of the last steps."""
        if self.after_step is None:
            return sizes["train"]
        return max(0, n_steps - self.after_step) // self.every * sizes["train"]

    def check(self, n_steps: int) -> None:
        """Refuse a mean over no step at all, before anything is trained for it.

        Raises
        ------
        UsageError
            If a training of ``n_steps`` steps ends before the first step that would count.
        """
        latest = n_steps - self.every
        if self.after_step is not None and self.after_step > latest:
            allowed = f"so it must be at most {latest}" if latest >= 0 else "too few for a mean"
            raise UsageError(
                f"after_step={self.after_step} leaves no step to average: training takes "
                f"{n_steps} steps here, {allowed}"
            )


class TrainMean(Lesson):
    """Mean probabilities on the training set, over the steps after ``after_step``.

    ``after_step=None`` takes the trained model alone. Of several teachers the mean is kept.
    Array: ``mean`` (n_train, n_classes), float16.
    """

    kind: Literal["train_mean"] = "train_mean"
    measure = "largest difference of a probability"

    def observer(self, task: Task, n_models: int) -> Observer:
        """Add up the predictions of the training set."""
        from stablib.training.observe import TrainMeanObserver

        return TrainMeanObserver(task, self, n_models)

    def pool(self, runs: Sequence[Arrays]) -> Arrays:
        """Mean of the means, in the type in which they are kept."""
        means = np.stack([run["mean"] for run in runs])
        return {"mean": means.mean(axis=0, dtype=np.float64).astype(means.dtype)}

    def together(self, parts: Sequence[tuple[int, Arrays]]) -> NDArray[np.float32]:
        """Mean over all teachers, shape (n_train, n_classes)."""
        total: NDArray[np.float64] | float = 0.0
        for size, arrays in parts:
            total = total + size * arrays["mean"].astype(np.float64)
        return np.asarray(total / sum(size for size, _ in parts), dtype=np.float32)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return largest_difference(fresh, published, "mean")


def _size(sizes: Mapping[str, int], split: str) -> int:
    if split not in sizes:
        raise UsageError(f"the record needs the split {split!r}; the data have {sorted(sizes)}")
    return sizes[split]


def labels_that_differ(fresh: Arrays, published: Arrays, names: Sequence[str]) -> float:
    """Share of the labels in some arrays that differ, in percent."""
    differing = np.concatenate([(fresh[n] != published[n]).ravel() for n in names])
    return 100.0 * float(differing.mean())


def largest_difference(fresh: Arrays, published: Arrays, name: str) -> float:
    """Largest absolute difference of an array."""
    gap = fresh[name].astype(np.float64) - published[name].astype(np.float64)
    return float(np.abs(gap).max(initial=0.0))
