"""Which runs show what a source of nondeterminism does: the rows of a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from stablib.errors import UsageError
from stablib.metrics._check import as_count
from stablib.training.seeds import Bit, SeedPlan, seed_plans


def protocol(
    vary: Mapping[str, Sequence[str]],
    n_runs: int,
    *,
    fixed: int = 0,
    first_seed: int = 1,
    onset: int = 1,
) -> dict[str, tuple[SeedPlan, ...]]:
    """Seed plans of rows in which some sources vary and all others are held fixed.

    Parameters
    ----------
    vary : mapping of str to sequence of str
        Of each row its sources, such as ``{"order": ["shuffle"]}``.
    n_runs : int
        Runs of a row; their seeds are the same in every row.
    fixed : int, default 0
        Seed of what does not vary.
    first_seed : int, default 1
        First of the seeds, of which none may be ``fixed``.
    onset : int, default 1
        Epoch, counted from 1, from which on the sources vary; all runs of a row are the same
        before. Initial weights come before all epochs.

    Returns
    -------
    dict of str to tuple of SeedPlan
        Plans by row, for any workload that has the sources.

    Raises
    ------
    UsageError
        If a row or a run varies nothing, or initial weights vary late, or as :func:`seed_plans`.

    References
    ----------
    Summers and Dinneen 2021, section 3.1.

    Examples
    --------
    >>> protocol({"order": ["shuffle"], "both": ["init", "shuffle"]}, 2)["both"]
    (SeedPlan(base=0, init=1, shuffle=1), SeedPlan(base=0, init=2, shuffle=2))
    """
    as_count(onset, name="onset")
    if first_seed <= fixed < first_seed + n_runs:
        raise UsageError(
            f"fixed must be none of the seeds {first_seed} to {first_seed + n_runs - 1}, "
            f"got {fixed}: that run would vary nothing"
        )
    if onset > 1:
        late = [row for row, sources in vary.items() if "init" in sources]
        if late:
            raise UsageError(f"row {late[0]!r}: initial weights come before all epochs")
    rows = {}
    for row, sources in vary.items():
        plans = seed_plans(n_runs, first_seed=first_seed, vary=sources, base=fixed)
        if onset > 1:
            plans = tuple(
                SeedPlan(base=fixed, seeds=dict(p.seeds), onset={s: onset for s, _ in p.seeds})
                for p in plans
            )
        rows[row] = plans
    return rows


def one_bit(
    n_runs: int, tensor: str, n_weights: int, *, fixed: int = 0, seed: int = 1, onset: int = 1
) -> tuple[SeedPlan, ...]:
    """Seed plans that differ by one bit of one weight, each at a place of its own.

    Parameters
    ----------
    n_runs : int
        Twins.
    tensor : str
        Name of the weights of which one is changed.
    n_weights : int
        How many it has.
    fixed : int, default 0
        Seed of everything else.
    seed : int, default 1
        Draws the places, without repetition, and whether a weight goes up or down.
    onset : int, default 1
        Epoch, counted from 1, before which the bit changes; by default in the initial weights.

    Returns
    -------
    tuple of SeedPlan

    Raises
    ------
    UsageError
        If there are fewer weights than twins.

    References
    ----------
    Summers and Dinneen 2021, section 4.1; in its released code places may repeat.

    Examples
    --------
    >>> [(plan.bit.index, plan.bit.direction) for plan in one_bit(3, "stem.weight", 432)]
    [(134, 'down'), (428, 'down'), (133, 'down')]
    """
    if as_count(n_runs, name="n_runs") > n_weights:
        raise UsageError(
            f"n_runs must be at most {n_weights}, the weights of {tensor}, got {n_runs}"
        )
    plans = _places(n_runs, tensor, n_weights, fixed, seed)
    if as_count(onset, name="onset") == 1:
        return plans
    return tuple(SeedPlan(base=fixed, bit=plan.bit, onset={"bit": onset}) for plan in plans)


@lru_cache(maxsize=64)
def _places(
    n_runs: int, tensor: str, n_weights: int, fixed: int, seed: int
) -> tuple[SeedPlan, ...]:
    """A study asks for the same places over and over, each time of all the weights there are."""
    rng = np.random.default_rng(seed)
    places, ups = rng.permutation(n_weights)[:n_runs], rng.integers(2, size=n_runs)
    return tuple(
        SeedPlan(base=fixed, bit=Bit(tensor=tensor, index=int(k), direction="up" if up else "down"))
        for k, up in zip(places, ups, strict=True)
    )
