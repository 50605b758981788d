"""What came out beside what the paper reports, drawn: one line an answer, all of a unit alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from stablib.papers.claims import Answer, Claim, Scored

#: Pixels of a drawing, and of the part that values are drawn in.
_WIDTH, _HEIGHT, _AIR = 200, 20, 10
#: Rules whose target is a limit, and the side on which the interval should lie.
_LIMITS = {"at_least": 1, "at_most": -1}

Place = Callable[[float], float]
#: Unit, whether it is a magnitude, and whether there is a null.
Kind = tuple[str, bool, bool]


def drawings(scored: Sequence[Scored]) -> list[str]:
    """Draw each answer as a small inline SVG, in the order of the claims and their answers.

    Parameters
    ----------
    scored : sequence of Scored
        Claims about one exhibit. Those in the same unit share a scale, effects apart from what has
        no null, such as an accuracy; magnitudes have a logarithmic one.

    Returns
    -------
    list of str
        The value as a dot with its 95 % interval, the reported value as a diamond or, of a limit,
        as a triangle that points where values should lie, and a grey bar where there is no effect.
        Empty for a claim without answers.
    """
    places = {kind: _place(of, by_magnitude=kind[1]) for kind, of in _kinds(scored).items()}
    drawn = []
    for each in scored:
        if not each.answers:
            drawn.append("")
        drawn += [_draw(each.claim, answer, places[_kind(each)]) for answer in each.answers]
    return drawn


def legend(drawn: str) -> str:
    """Explain the marks that some drawings hold."""
    entries = [
        (_dot(9.0) + _line(2.0, 16.0), "here, with its 95 % interval", "forest-here"),
        (_diamond(9.0), "the paper", "l6 6.5"),
        (_triangle(9.0, 1), "its limit", "v12l"),
        (_bar(9.0), "no effect", "forest-null"),
    ]
    there = [(mark, text) for mark, text, sign in entries if sign in drawn]
    marks = (f"<span>{_svg(mark, 18)} {text}</span>" for mark, text in there)
    return f'<p class="forest-legend">{"".join(marks)}</p>'


def _kind(scored: Scored) -> Kind:
    claim = scored.claim
    of_effect = any(_null(claim, answer) is not None for answer in scored.answers)
    return claim.unit, claim.rule == "magnitude", of_effect


def _kinds(scored: Iterable[Scored]) -> dict[Kind, list[float]]:
    """All numbers that are drawn, by what shares a scale."""
    found: dict[Kind, list[float]] = {}
    for each in scored:
        own = found.setdefault(_kind(each), [])
        for answer in each.answers:
            m = answer.measured
            own += [m.value, m.low, m.high]
            own += [x for x in (_null(each.claim, answer), each.claim.target) if x is not None]
    return found


def _null(claim: Claim, answer: Answer) -> float | None:
    """What no effect gives: measured, else as the claim says."""
    return claim.null if answer.measured.null is None else answer.measured.null


def _place(numbers: Sequence[float], *, by_magnitude: bool) -> Place:
    """Map numbers to pixels."""
    finite = [x for x in numbers if math.isfinite(x)]
    if by_magnitude and (positive := [x for x in finite if x > 0.0]):
        least = min(positive)
        inner = _place([math.log10(x) for x in positive], by_magnitude=False)
        return lambda x: inner(math.log10(max(x, least)))
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    span = (high - low) or 1.0
    return lambda x: _AIR + (x - low) / span * (_WIDTH - 2 * _AIR)


def _draw(claim: Claim, answer: Answer, place: Place) -> str:
    measured, null = answer.measured, _null(claim, answer)
    marks = []
    if null is not None and math.isfinite(null):
        marks.append(_bar(place(null)))
    if all(map(math.isfinite, (measured.low, measured.high))):
        marks.append(_line(place(measured.low), place(measured.high)))
    if math.isfinite(measured.value):
        marks.append(_dot(place(measured.value)))
    if claim.target is not None:
        side = _LIMITS.get(claim.rule)
        at = place(claim.target)
        marks.append(_diamond(at) if side is None else _triangle(at, side))
    return _svg("".join(marks), _WIDTH)


def _svg(marks: str, width: int) -> str:
    # The numbers stand beside it.
    return (
        f'<svg class="forest" width="{width}" height="{_HEIGHT}" viewBox="0 0 {width} {_HEIGHT}" '
        f'aria-hidden="true">{marks}</svg>'
    )


def _bar(x: float) -> str:
    return f'<rect class="forest-null" x="{x - 2:.1f}" y="0" width="4" height="{_HEIGHT}"/>'


def _line(low: float, high: float) -> str:
    middle = _HEIGHT / 2
    return f'<path class="forest-here" d="M{low:.1f} {middle}H{high:.1f}"/>'


def _dot(x: float) -> str:
    return f'<circle class="forest-dot" cx="{x:.1f}" cy="{_HEIGHT / 2}" r="4"/>'


def _diamond(x: float) -> str:
    d = f"M{x:.1f} 3.5l6 6.5l-6 6.5l-6 -6.5z"
    return f'<path class="forest-paper" d="{d}"/>'


def _triangle(x: float, side: int) -> str:
    return f'<path class="forest-paper" d="M{x:.1f} 4v12l{7 * side} -6z"/>'
