"""What a mitigation method may change about a training, and what it must be taught first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from stablib.training.growing import Growing
from stablib.training.record import TrainMean
from stablib.training.seeds import SeedPlan
from stablib.training.tagged import Tagged


class Averager(Growing):
    """Base of what averages weights while a training goes on; by itself it only looks on.

    Weights have shape (n_models, n_parameters): torch tensors of models that train side by side,
    one a row, which must not be mixed. Writing into them changes the models.

    """

    def locate(self, places: Mapping[str, slice]) -> None:
        """Learn, before the first step, where in a row the weights of each name lie."""

    def before_step(self, step: int, weights: Any) -> None:
        """Look at, or change, the weights before an optimization step, counted from 1."""

    def after_step(self, step: int, weights: Any) -> None:
        """The same after the step."""

    def after_epoch(self, epoch: int, weights: Any) -> None:
        """The same at the end of an epoch, counted from 1."""

    def finish(self, weights: Any) -> None:
        """The same before the trained models are looked at."""


class Method(Tagged):
    """Base of all methods. A subclass changes one or two of the hooks below.

    The hooks are the whole contract between a method and the workloads. A workload names the
    hooks that it can honour, and refuses a method that changes any other.
    """

    kinds: ClassVar[dict[str, type[Tagged]]] = {}
    #: What its examples must be, such as ``"images"``; anything where nothing is said.
    of: ClassVar[str] = ""

    @property
    def changes(self) -> frozenset[str]:
        """Hooks that this method does not leave as they are."""
        return frozenset(h for h in HOOKS if getattr(type(self), h) is not getattr(Method, h))

    @property
    def decay(self) -> float:
        """L2 penalty, added to the gradient as ``decay * weight``."""
        return 0.0

    def rate(self, step: int, n_steps: int) -> float:
        """Factor of the learning rate at an optimization step, counted from 1."""
        return 1.0

    def averager(self, n_epochs: int) -> Averager | None:
        """Make what averages the weights of one training; None where nothing does."""
        return None

    def snapshots(self, n_epochs: int) -> Sequence[int]:
        """Epochs after which a member is kept whose logits are averaged with the others'.

        The trained model is a member if the last epoch is named, and the only one by default.
        """
        return (n_epochs,)

    def views(self) -> Sequence[Callable[[Any], Any]]:
        """Ways to look at the same inputs, whose logits are averaged at prediction time."""
        return (_as_they_are,)

    @property
    def lesson(self) -> TrainMean | None:
        """What to record of each teacher run; None for a method without a teacher."""
        return None

    def teachers(self, plan: SeedPlan) -> tuple[SeedPlan, ...]:
        """Seed plans of the control runs that teach the student with this plan."""
        return ()

    def targets(
        self, one_hot: NDArray[np.float32], taught: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Turn gold labels and the teachers' mean probabilities into targets.

        Parameters
        ----------
        one_hot : ndarray of float32, shape (n_train, n_classes)
            Gold labels.
        taught : ndarray of float32, shape (n_train, n_classes), or None
            Mean probabilities of the teachers, for a method with a lesson.

        Returns
        -------
        ndarray of float32, shape (n_train, n_classes)
            Rows sum to 1.
        """
        return one_hot


#: What a method may change.
HOOKS = ("decay", "rate", "averager", "snapshots", "views", "lesson", "targets")


def _as_they_are(inputs: Any) -> Any:
    return inputs


class Control(Method):
    """Plain training on gold labels: what every other method is compared with."""

    kind: Literal["control"] = "control"
