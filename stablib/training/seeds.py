"""Seed plans: one seed per source of nondeterminism."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Source = Literal["init", "shuffle", "dropout", "augment"]


class SeedPlan(BaseModel):
    """One seed for each source of randomness in training.

    Parameters
    ----------
    init : int
        Initial weights.
    shuffle : int
        Order of the training examples in each epoch.
    dropout : int
        Dropout masks.
    augment : int, default 0
        Data augmentation; unused by text models.

    Examples
    --------
    Vary everything, or one source alone:

    >>> SeedPlan.same(3)
    SeedPlan(init=3, shuffle=3, dropout=3, augment=3)
    >>> SeedPlan(init=3, shuffle=0, dropout=0).generator("init").integers(10) >= 0
    np.True_
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    init: int = Field(ge=0)
    shuffle: int = Field(ge=0)
    dropout: int = Field(ge=0)
    augment: int = Field(default=0, ge=0)

    @classmethod
    def same(cls, seed: int) -> SeedPlan:
        """Use one seed for every source, as the local instability paper does."""
        return cls(init=seed, shuffle=seed, dropout=seed, augment=seed)

    def generator(self, source: Source) -> np.random.Generator:
        """Return a fresh numpy generator of one source.

        The name of the source enters the stream, so equal seeds of two sources are independent.
        """
        return np.random.Generator(np.random.SFC64(self._sequence(source)))

    def child(self, number: int) -> SeedPlan:
        """Return a plan for a run that belongs to this one, such as its own k-th teacher.

        All four seeds enter, so runs that differ in any source have different children.

        Examples
        --------
        >>> SeedPlan.same(0).child(0) != SeedPlan.same(0).child(1)
        True
        """
        parents = [self.init, self.shuffle, self.dropout, self.augment]
        sequence = np.random.SeedSequence([zlib.crc32(b"child"), number, *parents])
        return SeedPlan.same(int(sequence.generate_state(1, np.uint32)[0]))

    def _sequence(self, source: Source) -> np.random.SeedSequence:
        seed: int = getattr(self, source)
        return np.random.SeedSequence([zlib.crc32(source.encode()), seed])


def seed_plans(n_runs: int, *, first_seed: int = 0) -> tuple[SeedPlan, ...]:
    """Return plans that vary every source together: seeds first_seed, first_seed + 1, ...

    Examples
    --------
    >>> [plan.init for plan in seed_plans(3, first_seed=10)]
    [10, 11, 12]
    """
    return tuple(SeedPlan.same(seed) for seed in range(first_seed, first_seed + n_runs))
