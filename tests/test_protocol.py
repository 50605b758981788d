"""Rows of a protocol: what varies in them, and what does not."""

from __future__ import annotations

import pytest

from stablib.errors import UsageError
from stablib.training import SeedPlan, one_bit, protocol

SOURCES = ("init", "shuffle", "augment", "low_level")


def test_a_row_varies_its_sources_and_nothing_else() -> None:
    rows = protocol({"one": ["shuffle"], "two": ["init", "augment"]}, 5, fixed=9)
    for row, varied in (("one", {"shuffle"}), ("two", {"init", "augment"})):
        plans = rows[row]
        assert len(set(plans)) == 5
        for source in SOURCES:
            seeds = [plan.seed(source) for plan in plans]
            assert seeds == ([1, 2, 3, 4, 5] if source in varied else [9] * 5)


def test_before_its_onset_a_row_is_one_run() -> None:
    (plans,) = protocol({"late": ["shuffle", "augment"]}, 3, onset=4).values()
    for source in ("shuffle", "augment"):
        draws = [
            [int(plan.generator(source, epoch=epoch).integers(2**31)) for plan in plans]
            for epoch in (3, 4)
        ]
        assert len(set(draws[0])) == 1
        assert len(set(draws[1])) == 3


def test_initial_weights_come_before_all_epochs() -> None:
    assert protocol({"init": ["init"]}, 2)["init"][1] == SeedPlan(init=2)
    with pytest.raises(UsageError, match="initial weights come before all epochs"):
        protocol({"init": ["init"]}, 2, onset=3)


def test_twins_differ_by_one_bit_each_at_its_own_place() -> None:
    plans = one_bit(40, "w", 50, seed=3)
    bits = [plan.bit for plan in plans]
    assert all(bit is not None and bit.tensor == "w" and bit.index < 50 for bit in bits)
    assert len({bit.index for bit in bits if bit}) == 40
    assert {bit.direction for bit in bits if bit} == {"up", "down"}
    assert {plan.model_copy(update={"bit": None}) for plan in plans} == {SeedPlan()}
    late = one_bit(40, "w", 50, seed=3, onset=7)
    assert [p.bit for p in late] == [p.bit for p in plans]
    assert {p.starts("bit") for p in late} == {7}
    assert one_bit(40, "w", 50, seed=3) == plans != one_bit(40, "w", 50, seed=4)


def test_what_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="n_runs must be at most 50, the weights of w, got 51"):
        one_bit(51, "w", 50)
    with pytest.raises(UsageError, match="vary must list at least one source"):
        protocol({"nothing": []}, 3)
    with pytest.raises(UsageError, match="fixed must be none of the seeds 1 to 3, got 2"):
        protocol({"order": ["shuffle"]}, 3, fixed=2)
    with pytest.raises(UsageError, match="onset"):
        protocol({"order": ["shuffle"]}, 3, onset=0)
