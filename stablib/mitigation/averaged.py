"""What a record would hold of a run's averaged weights, at no further training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, SerializeAsAny, model_validator

from stablib.errors import UsageError
from stablib.mitigation.by_step import ByStep
from stablib.training.method import Method
from stablib.training.observe import Observer, Stack
from stablib.training.record import Arrays, Observed, Record
from stablib.training.task import Task


class Averaged(Observed):
    """Another record, once for each of some methods that leave the training as it is.

    The averages are kept beside the run, of whatever method it is: of a plain run come the runs of
    :class:`stablib.mitigation.StepSWA` and :class:`stablib.mitigation.EMA` too.

    Arrays: those of the record, with the kind of the method before their names, such as
    ``ema_labels_test``.

    Parameters
    ----------
    record : Record
        What is kept, of the averaged weights.
    methods : sequence of Method
        How the weights are averaged; of each kind one.

    Raises
    ------
    UsageError
        If a method is none that leaves the training as it is, or the record no single run's.

    Examples
    --------
    >>> from stablib.mitigation import EMA, StepSWA
    >>> from stablib.training import Final
    >>> Averaged(record=Final(), methods=[StepSWA(), EMA(memory=0.99)]).title
    'final of step_swa and ema'
    """

    kind: Literal["averaged"] = "averaged"
    record: SerializeAsAny[Record]
    methods: tuple[SerializeAsAny[Method], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_had(self) -> Averaged:
        if self.record.pooled or not isinstance(self.record, Observed):
            raise UsageError(f"no average can be had of the record {self.record.kind!r}")
        kinds = [method.kind for method in self.methods]
        if len(set(kinds)) < len(kinds):
            raise UsageError(f"methods must be of different kinds, got {', '.join(kinds)}")
        for method in self.methods:
            if not isinstance(method, ByStep) or method.writes_back:
                raise UsageError(
                    f"method {method.kind!r} is no average beside a training: it needs runs of "
                    "its own"
                )
        return self

    @property
    def title(self) -> str:
        """Name of the record and of the methods."""
        return f"{self.record.title} of {' and '.join(method.kind for method in self.methods)}"

    @property
    def measure(self) -> str:  # type: ignore[override]
        """What the record measures."""
        return self.record.measure

    @property
    def _inner(self) -> Observed:
        assert isinstance(self.record, Observed)
        return self.record

    def check(self, n_steps: int) -> None:
        """Refuse what the record refuses."""
        self.record.check(n_steps)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Make an observer of each average."""
        return AveragedObserver(
            [m for m in self.methods if isinstance(m, ByStep)],
            [self._inner.observer(task, n_models) for _ in self.methods],
        )

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """As often as there are methods."""
        return len(self.methods) * self._inner.n_predicted(sizes, n_steps)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """The largest of all methods."""
        return max(
            self.record.difference(_of(method, fresh), _of(method, published))
            for method in self.methods
        )


class AveragedObserver(Observer):
    """Lets an observer of each method see its average in the place of the weights."""

    def __init__(self, methods: Sequence[ByStep], observers: Sequence[Observer]) -> None:
        self.kinds = [method.kind for method in methods]
        self.averages = [method.new_average() for method in methods]
        self.observers = observers

    def grown(self) -> dict[str, Any]:
        """What the averages and the observers have in them."""
        parts = {"averages": self.averages, "observers": self.observers}
        return {name: [part.grown() for part in every] for name, every in parts.items()}

    def grow(self, grown: dict[str, Any]) -> None:
        """Go on from what :meth:`grown` said."""
        parts = {"averages": self.averages, "observers": self.observers}
        for name, every in parts.items():
            for part, own in zip(every, grown[name], strict=True):
                part.grow(own)

    def after_step(self, step: int, stack: Stack) -> None:
        """Average, and let observers look that do so during the training."""
        for average, observer in zip(self.averages, self.observers, strict=True):
            average.after_step(step, stack.weights)
            # Else the weights would be exchanged twice at each step and nobody would look.
            if type(observer).after_step is not Observer.after_step:
                with stack.showing(average.average):
                    observer.after_step(step, stack)

    def after_epoch(self, epoch: int, stack: Stack) -> None:
        """Let observers look that do so at the end of an epoch."""
        for average, observer in zip(self.averages, self.observers, strict=True):
            if type(observer).after_epoch is not Observer.after_epoch:
                with stack.showing(average.average):
                    observer.after_epoch(epoch, stack)

    def finish(self, stack: Stack) -> list[Arrays]:
        """Put what all observers leave side by side."""
        finished: list[Arrays] = [{} for _ in range(stack.n_models)]
        for kind, average, observer in zip(self.kinds, self.averages, self.observers, strict=True):
            with stack.showing(average.average):
                for own, arrays in zip(finished, observer.finish(stack), strict=True):
                    own |= {f"{kind}_{name}": array for name, array in arrays.items()}
        return finished


def _of(method: Method, arrays: Arrays) -> Arrays:
    """The record's arrays of one method."""
    start = f"{method.kind}_"
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
