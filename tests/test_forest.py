"""Drawings of what came out beside what is reported."""

from __future__ import annotations

import re

import pytest

from stablib.papers.claims import Claim, Measured, score
from stablib.show.exhibit import claims_html
from stablib.show.forest import drawings


def claim(name: str, *, unit: str = "%", rule: str = "value", **fields: float | None) -> Claim:
    numbers = {"target": 30.0, "tolerance": 5.0, "null": None, **fields}
    return Claim(name, "LI-T3", "", name, unit, "30", rule=rule, read_at="Table 3", **numbers)


def numbers(drawing: str, mark: str) -> list[float]:
    """Places of a mark: where it begins, from the left."""
    pattern = {
        "dot": r'cx="([\d.]+)"',
        "line": r'forest-here" d="M([\d.]+) 10.0H([\d.]+)"',
        "paper": r'forest-paper" d="M([\d.]+)',
        "null": r'forest-null" x="(-?[\d.]+)"',
    }[mark]
    found = re.search(pattern, drawing)
    return [float(x) for x in found.groups()] if found else []


def test_numbers_of_a_unit_share_a_linear_scale() -> None:
    claims = [
        claim("a", null=0.0),
        claim("b", null=0.0),
        claim("c", unit="nats", target=1.0),
        claim("d", target=90.0),
    ]
    measured = [
        Measured("a", 20.0, 10.0, 40.0),
        Measured("b", 30.0, 25.0, 35.0),
        Measured("c", 1.0, 0.5, 2.0),
        Measured("d", 90.0, 89.0, 91.0),
    ]
    a, b, c, d = drawings(score(measured, claims))
    # From 0, the null, to 40: 180 pixels after the first 10.
    assert numbers(a, "null") == [10.0 - 2.0]
    assert numbers(a, "dot") == [100.0]
    assert numbers(a, "line") == [55.0, 190.0]
    assert numbers(a, "paper") == numbers(b, "paper") == numbers(b, "dot") == [145.0]
    assert numbers(c, "null") == []
    assert numbers(c, "line") == [10.0, 190.0]
    # An accuracy near 90 % would leave no room for effects, in the same unit.
    assert numbers(d, "line") == [10.0, 190.0]


def test_magnitudes_are_drawn_by_their_logarithms() -> None:
    (drawn,) = drawings(
        score(
            [Measured("a", 1e-4, 1e-6, 1e-2)],
            [claim("a", rule="magnitude", target=1e-2, tolerance=1.0)],
        )
    )
    assert numbers(drawn, "line") == [10.0, 190.0]
    assert numbers(drawn, "dot") == [100.0]
    assert numbers(drawn, "paper") == [190.0]


@pytest.mark.parametrize(("rule", "points"), [("at_least", "l7"), ("at_most", "l-7")])
def test_a_limit_points_where_values_should_lie(rule: str, points: str) -> None:
    (drawn,) = drawings(score([Measured("a", 2.0, 1.0, 3.0)], [claim("a", rule=rule)]))
    assert f"v12{points} -6z" in drawn


def test_other_seeds_are_drawn_instead_of_nothing() -> None:
    measured = [Measured("a", 20.0, 10.0, 30.0, null=10.0), Measured("a", 20.0, 10.0, 30.0, "own")]
    with_seeds, without = drawings(score(measured, [claim("a", null=0.0)]))
    assert numbers(with_seeds, "null") == [70.0 - 2.0]
    assert numbers(without, "null") == [10.0 - 2.0]


def test_what_was_not_measured_is_not_drawn() -> None:
    nan = float("nan")
    claims = [claim("a"), claim("b")]
    nothing, alone = drawings(score([Measured("b", nan, nan, nan)], claims))
    assert nothing == ""
    assert numbers(alone, "dot") == numbers(alone, "line") == []
    assert len(numbers(alone, "paper")) == 1


def test_a_table_of_claims_holds_the_drawings() -> None:
    claims = [claim("<b>a</b>"), claim("b")]
    page = claims_html(score([Measured("<b>a</b>", 20.0, 10.0, 30.0, "<i>own</i>")], claims))
    assert page.count('class="forest" width="200"') == 1
    assert page.count("<b>") == page.count("<i>") == 0
    assert "\ue002" not in page
    assert "the paper" in page
