"""Seed plans: one seed per source of nondeterminism."""

from __future__ import annotations

import itertools
import operator
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_count

#: Sources that entered the seeds of a run's children before others had names.
_FIRST_SOURCES = ("init", "shuffle", "dropout", "augment")

#: More plans than anyone trains; a typing error beyond it would fill the memory.
_MOST_RUNS = 1_000_000

#: More changed bits than these are counted, not named.
_MOST_NAMED = 3

#: What an onset calls the changed bit.
_BIT = "bit"

#: What readers call a source.
_IN_WORDS = {"shuffle": "order", "init": "initial weights", "low_level": "low level"}


class Bit(BaseModel):
    """A change of one weight to the next number that can be represented.

    Parameters
    ----------
    tensor : str
        Name of the weights, e.g. ``"hidden.weight"``; each workload has its own names.
    index : int
        Place in the flattened tensor.
    direction : {"up", "down"}
        Towards plus or minus infinity.

    References
    ----------
    Summers and Dinneen 2021, section 4.1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tensor: str
    index: int = Field(default=0, ge=0)
    direction: Literal["up", "down"] = "up"


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None


def _numbers_of(name: str, value: Any) -> dict[str, int]:
    """Sources with their numbers, from a mapping or from pairs."""
    try:
        pairs = dict(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must map sources to whole numbers, got {value!r}") from None
    return {str(source): _whole(f"{name} of {source!r}", n) for source, n in pairs.items()}


def _pairs(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


#: A mapping from sources to numbers that can be hashed and pickled.
Numbers = Annotated[
    tuple[tuple[str, Annotated[int, Field(ge=0)]], ...],
    BeforeValidator(_pairs),
    PlainSerializer(dict),
]


class SeedPlan(BaseModel):
    """One seed for each source of randomness in training.

    Sources have names: ``init`` (initial weights), ``shuffle`` (order of the examples),
    ``dropout``, ``augment``, ``low_level``, and whatever else a workload names.

    Parameters
    ----------
    base : int, default 0
        Seed of every source without one of its own.
    seeds : mapping of str to int, optional
        Seeds of single sources; may be given as keywords too.
    onset : mapping of str to int, optional
        The epoch, counted from 1, from which on a source's own seed rules; before it the base
        does. From the beginning where nothing is said. Of ``bit``: the epoch before which the bit
        is changed.
    bit : Bit, optional
        A change of one bit of the weights, by default of the initial ones.

    Raises
    ------
    pydantic.ValidationError
        If a seed is negative, or an onset is below 1 or of something that does not vary.

    Examples
    --------
    Vary everything, one source alone, or the order from the third epoch on:

    >>> SeedPlan.same(3)
    SeedPlan(base=3)
    >>> SeedPlan(init=3)
    SeedPlan(base=0, init=3)
    >>> SeedPlan(shuffle=3, onset={"shuffle": 3})
    SeedPlan(base=0, shuffle=3, onset={'shuffle': 3})
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: int = Field(default=0, ge=0)
    seeds: Numbers = ()
    onset: Numbers = ()
    bit: Bit | None = None

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, fields: Any) -> Any:
        """Keywords become seeds; one that equals the base says nothing and is dropped."""
        if not isinstance(fields, Mapping):
            return fields
        known = {name: value for name, value in fields.items() if name in cls.model_fields}
        named = {name: value for name, value in fields.items() if name not in cls.model_fields}
        base = _whole("base", known.get("base", 0))
        seeds = _numbers_of("seeds", known.get("seeds", {}))
        twice = sorted(seeds.keys() & named.keys())
        if twice:
            raise ValueError(f"seeds of {' and '.join(twice)} are given twice")
        seeds |= _numbers_of("seeds", named)
        onset = _numbers_of("onset", known.get("onset", {}))
        late = {*seeds, *([_BIT] if known.get("bit") is not None else [])}
        for source, epoch in onset.items():
            if source not in late:
                needed = "a changed bit" if source == _BIT else f"a seed of {source!r}"
                raise ValueError(f"onset of {source!r} needs {needed}")
            if source == "init" or epoch < 1:
                raise ValueError(
                    f"onset of {source!r} is epoch {epoch}: epochs count from 1, and initial "
                    "weights come before all of them"
                )
        seeds = {source: seed for source, seed in seeds.items() if seed != base}
        onset = {s: e for s, e in onset.items() if e > 1 and (s in seeds or s == _BIT)}
        return {**known, "base": base, "seeds": seeds, "onset": onset}

    def __repr__(self) -> str:
        parts = [f"base={self.base}", *(f"{source}={seed}" for source, seed in self.seeds)]
        parts += [f"onset={dict(self.onset)}"] * bool(self.onset)
        parts += [f"bit={self.bit!r}"] * (self.bit is not None)
        return f"SeedPlan({', '.join(parts)})"

    @classmethod
    def same(cls, seed: int) -> SeedPlan:
        """Use one seed for every source, as the local instability paper does."""
        return cls(base=seed)

    def seed(self, source: str) -> int:
        """Seed of a source: its own, or the base."""
        return dict(self.seeds).get(source, self.base)

    def starts(self, source: str) -> int:
        """Epoch from which on the source's own seed rules, or before which a ``bit`` changes."""
        return dict(self.onset).get(source, 1)

    def changes(self, epoch: int) -> Bit | None:
        """The bit that changes before an epoch, counted from 1.

        Examples
        --------
        >>> plan = SeedPlan(bit=Bit(tensor="w"), onset={"bit": 3})
        >>> [plan.changes(epoch) is not None for epoch in (1, 2, 3, 4)]
        [False, False, True, False]
        """
        return self.bit if epoch == self.starts(_BIT) else None

    def generator(self, source: str, *, epoch: int = 1) -> np.random.Generator:
        """Return a fresh numpy generator with the seed that rules a source in an epoch.

        The name of the source enters the stream, so equal seeds of two sources are independent.

        Examples
        --------
        >>> same = SeedPlan(init=3).generator("init").integers(1000, size=3)
        >>> bool((same == SeedPlan.same(3).generator("init").integers(1000, size=3)).all())
        True
        """
        seed = self.seed(source) if epoch >= self.starts(source) else self.base
        sequence = np.random.SeedSequence([zlib.crc32(source.encode()), seed])
        return np.random.Generator(np.random.SFC64(sequence))

    def source(self, name: str) -> Source:
        """Return the generator of one source over the epochs of a training."""
        return Source(self, name)

    def child(self, number: int) -> SeedPlan:
        """Return a plan for a run that belongs to this one, such as its own k-th teacher.

        Everything in the plan enters, so runs that differ in any source have different children.

        Examples
        --------
        >>> SeedPlan.same(0).child(0) != SeedPlan.same(0).child(1)
        True
        """
        parents = [self.seed(source) for source in _FIRST_SOURCES]
        others = [(s, seed) for s, seed in self.seeds if s not in _FIRST_SOURCES]
        # Plans of four plain seeds have children that were published before bases had a name.
        if others or self.onset or self.bit or (self.seeds and self.base):
            everything = (self.base, others, self.onset, self.bit)
            parents.append(zlib.crc32(repr(everything).encode()))
        sequence = np.random.SeedSequence([zlib.crc32(b"child"), number, *parents])
        return SeedPlan.same(int(sequence.generate_state(1, np.uint32)[0]))


class Source:
    """The generator of one source of one run; at the plan's onset another seed takes over."""

    def __init__(self, plan: SeedPlan, name: str) -> None:
        self._plan, self._name = plan, name
        self._generator = plan.generator(name)

    def at(self, epoch: int) -> np.random.Generator:
        """Generator to draw from in an epoch; asked once at the beginning of each, in order."""
        if epoch > 1 and epoch == self._plan.starts(self._name):
            self._generator = self._plan.generator(self._name, epoch=epoch)
        return self._generator


def seed_plans(
    n_runs: int, *, first_seed: int = 0, vary: Sequence[str] | None = None, base: int = 0
) -> tuple[SeedPlan, ...]:
    """Return plans with the seeds first_seed, first_seed + 1, ...

    Parameters
    ----------
    n_runs : int
        How many.
    first_seed : int, default 0
        Of the first run.
    vary : sequence of str, optional
        Only these sources get the seeds; by default every source together does.
    base : int, default 0
        Seed of the other sources, where only some vary.

    Raises
    ------
    UsageError
        If ``n_runs`` is no whole number from 1 to a million, ``first_seed`` or ``base`` none from
        0, or ``vary`` is empty.

    Examples
    --------
    >>> [plan.base for plan in seed_plans(3, first_seed=10)]
    [10, 11, 12]
    >>> seed_plans(2, vary=["shuffle"])
    (SeedPlan(base=0), SeedPlan(base=0, shuffle=1))
    """
    if vary is not None and (isinstance(vary, str) or not vary):
        raise UsageError(f"vary must list at least one source, such as ['init'], got {vary!r}")
    if as_count(n_runs, name="n_runs") > _MOST_RUNS:
        raise UsageError(f"n_runs must be at most {_MOST_RUNS:,}, got {n_runs:,}")
    first_seed = as_count(first_seed, name="first_seed", at_least=0)
    base = as_count(base, name="base", at_least=0)
    return _plans(first_seed, first_seed + n_runs, vary and tuple(vary), base)


@lru_cache(maxsize=256)
def _plans(
    first_seed: int, end: int, vary: tuple[str, ...] | None, base: int
) -> tuple[SeedPlan, ...]:
    """A study asks for the same plans over and over, and a thousand take as many milliseconds."""
    seeds = range(first_seed, end)
    if vary is None:
        return tuple(SeedPlan.same(seed) for seed in seeds)
    return tuple(SeedPlan(base=base, seeds=dict.fromkeys(vary, seed)) for seed in seeds)


def check_bit(bit: Bit, sizes: Mapping[str, int]) -> None:
    """Refuse a change of a weight that is not there.

    Parameters
    ----------
    bit : Bit
        Which weight.
    sizes : mapping of str to int
        Number of weights by tensor.

    Raises
    ------
    UsageError
        If there is no such tensor, or the index is outside of it.
    """
    if bit.tensor not in sizes:
        raise unknown("tensor", bit.tensor, sizes)
    if bit.index >= sizes[bit.tensor]:
        raise UsageError(
            f"bit: index must be between 0 and {sizes[bit.tensor] - 1} in {bit.tensor}, "
            f"got {bit.index}"
        )


def check_bits(plans: Iterable[SeedPlan], sizes: Mapping[str, int]) -> None:
    """Refuse plans of which one changes a weight that is not there, see :func:`check_bit`."""
    for plan in plans:
        if plan.bit is not None:
            check_bit(plan.bit, sizes)


def change_bit(bit: Bit, tensors: Mapping[str, NDArray[np.floating]]) -> None:
    """Change one weight to its neighbour, in place.

    Parameters
    ----------
    bit : Bit
        Which weight, and in which direction.
    tensors : mapping of str to ndarray of float
        The weights by name.

    Raises
    ------
    UsageError
        If there is no such tensor, or the index is outside of it.

    Examples
    --------
    >>> weights = np.ones(3, dtype=np.float32)
    >>> change_bit(Bit(tensor="w", index=1), {"w": weights})
    >>> float(weights[1] - 1.0) == 2.0**-23
    True
    """
    check_bit(bit, {name: tensor.size for name, tensor in tensors.items()})
    weights = tensors[bit.tensor]
    towards = weights.dtype.type(np.inf if bit.direction == "up" else -np.inf)
    # No flattened view: of weights that lie in another order it would be a copy.
    place = np.unravel_index(bit.index, weights.shape)
    weights[place] = np.nextafter(weights[place], towards)


def describe(plans: Sequence[SeedPlan]) -> str:
    """Say which sources vary over runs, and with which seeds.

    Examples
    --------
    >>> describe(seed_plans(50))
    'all sources 0–49'
    >>> describe(seed_plans(50, vary=["shuffle"]))
    'order 0–49, all else 0'
    """
    named = sorted({source for plan in plans for source, _ in plan.seeds})
    parts = []
    for source in named:
        onsets = sorted({plan.starts(source) for plan in plans if source in dict(plan.onset)})
        late = f" from epoch {_numbers(onsets)}" if onsets else ""
        seeds = _numbers([p.seed(source) for p in plans])
        parts.append(f"{_IN_WORDS.get(source, source)} {seeds}{late}")
    parts.append(f"all {'else' if named else 'sources'} {_numbers([p.base for p in plans])}")
    bits = {plan.bit for plan in plans if plan.bit is not None}
    if bits:
        places = sorted(f"{b.tensor}[{b.index}] {b.direction}" for b in bits)
        if len(places) > _MOST_NAMED:
            places = [f"{len(places)} weights of {t}" for t in sorted({b.tensor for b in bits})]
        starts = sorted({plan.starts(_BIT) for plan in plans if plan.bit is not None})
        late = f" before epoch {_numbers(starts)}" if starts != [1] else ""
        parts.append(f"one bit of {' or '.join(places)}{late}")
    return ", ".join(parts)


def _numbers(values: Sequence[int]) -> str:
    """Write numbers with stretches as ranges: 0–49, 7."""
    ordered = sorted(set(values))
    stretches = []
    # In a stretch, value and place grow together.
    for _, group in itertools.groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        members = [value for _, value in group]
        stretches.append(f"{members[0]}–{members[-1]}" if len(members) > 1 else f"{members[0]}")
    if len(stretches) > 4:
        return f"{ordered[0]} … {ordered[-1]} ({len(ordered)} seeds)"
    return ", ".join(stretches)
