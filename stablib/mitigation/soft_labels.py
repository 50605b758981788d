"""What ensemble soft labels and TGTSS share: students that learn their teachers' probabilities."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stablib.mitigation.temperature import Reading, temper
from stablib.training.method import Method
from stablib.training.seeds import SeedPlan
from stablib.training.tagged import ALWAYS_WRITTEN

Teacher = Literal["shared", "own"]


class SoftLabels(Method):
    """Train a student on the tempered mean probabilities of teachers; it sees no gold label.

    Parameters
    ----------
    temperature : float, default 0.5
        T of eq. 2.
    reading : {"printed", "sharpen"}, default "printed"
        See :func:`stablib.mitigation.temper`.
    teacher : {"shared", "own"}, default "shared"
        Whether all students learn from the same teachers, or each from teachers of its own. The
        paper does not say. Shared soft labels remove variation by themselves; teachers of one's
        own are what retraining the whole procedure would do.
    teacher_seed : int, default 1000
        First seed of shared teachers.
    """

    temperature: float = Field(default=0.5, gt=0.0)
    reading: Annotated[Reading, ALWAYS_WRITTEN] = "printed"
    teacher: Teacher = "shared"
    teacher_seed: int = Field(default=1000, ge=0)

    @property
    def n_teachers(self) -> int:
        """Teachers of one student."""
        return 1

    def teachers(self, plan: SeedPlan) -> tuple[SeedPlan, ...]:
        """Seed plans of the student's teachers."""
        if self.teacher == "own":
            return tuple(plan.child(k) for k in range(self.n_teachers))
        return _shared(self.teacher_seed, self.n_teachers)

    def targets(
        self, one_hot: NDArray[np.float32], taught: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Tempered teachers' mean."""
        if taught is None:
            raise ValueError(f"method {self.kind!r} needs the probabilities of its teachers")
        return temper(taught, self.temperature, reading=self.reading)


@lru_cache(maxsize=64)
def _shared(first: int, count: int) -> tuple[SeedPlan, ...]:
    """Plans of shared teachers: every student asks for the same ones."""
    return tuple(SeedPlan.same(seed) for seed in range(first, first + count))
