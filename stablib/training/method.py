"""What a mitigation method may change about a training, and what it must be taught first."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stablib.training.record import TrainMean
from stablib.training.seeds import SeedPlan


class Method(BaseModel):
    """Base of all methods. A subclass changes one or two of the hooks below.

    The hooks are the whole contract between a method and the trainers: which targets to learn,
    how strongly to decay weights, which epochs to average, and which runs to train first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str

    @property
    def decay(self) -> float:
        """L2 penalty handed to Adam as ``weight_decay``."""
        return 0.0

    @property
    def averaged_epochs(self) -> int:
        """Average the weights at the end of this many last epochs; 0 keeps the final weights."""
        return 0

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


class Control(Method):
    """Plain training on gold labels: what every other method is compared with."""

    name: Literal["control"] = "control"
