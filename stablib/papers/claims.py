"""What the papers report, as data, and how a reproduced value compares with it."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import Literal

from stablib.errors import unknown

Verdict = Literal[
    "reproduced",
    "direction reproduced",
    "undecided",
    "not reproduced",
    "no verdict",
    "not attempted",
]

#: The part of a claimed effect that its direction needs at least.
_DIRECTION = 0.25


@dataclasses.dataclass(frozen=True)
class Claim:
    """A reported number or ordering.

    Parameters
    ----------
    claim : str
        Identifier.
    exhibit, dataset, what, unit : str
        What it is about.
    reported : str
        As the text says it.
    target, tolerance, null : float or None
        The reported number; how far off still counts as reproduced; the value of no effect, if it
        claims one.
    rule : {"value", "magnitude", "at_least", "at_most", "greater"}
        How it is judged, see :func:`judge`.
    read_at : str
        Where in the paper.
    """

    claim: str
    exhibit: str
    dataset: str
    what: str
    unit: str
    reported: str
    target: float | None
    tolerance: float | None
    null: float | None
    rule: str
    read_at: str

    @property
    def in_words(self) -> bool:
        """Whether the text says it in words, so that what counts as true is our reading."""
        return not any(character.isdigit() for character in self.reported)

    @property
    def said(self) -> str:
        """What the text reports, with its unit; for words, what is counted as true.

        Examples
        --------
        >>> from importlib.resources import files
        >>> claims = read_claims(files("stablib.papers") / "synthetic_irreproducibility.csv")
        >>> claims["si-f2-loss-equal"].said
        'appears equal (counted as at most 1.25 times)'
        """
        if not self.in_words:
            # A quotation has its unit.
            is_quotation = "%" in self.reported or len(self.reported.split()) > 3
            return self.reported if is_quotation else f"{self.reported} {self.unit}".strip()
        if self.target is None:
            return self.reported
        limit = f"{self.rule.replace('_', ' ')} {self.target:g}"
        if self.rule == "value":
            limit = f"{self.target:g}, give or take {self.tolerance:g}"
        return f"{self.reported} (counted as {limit} {self.unit})"


@dataclasses.dataclass(frozen=True)
class Measured:
    """A reproduced value.

    Parameters
    ----------
    claim : str
        Which claim it answers.
    value, low, high : float
        Value and 95 % confidence interval.
    variant : str, default ""
        Reading of the paper under which it was measured, e.g. ``"shared"`` teacher.
    null : float, optional
        What was measured in the same way where there is no effect, e.g. with other seeds; the
        claim's null by default, and where that is harder to pass.
    model : str, default ""
        The model, of a study that looks at several.
    """

    claim: str
    value: float
    low: float
    high: float
    variant: str = ""
    null: float | None = None
    model: str = ""


def read_claims(file: Traversable) -> dict[str, Claim]:
    """Read the claims of a paper by identifier.

    Parameters
    ----------
    file : Traversable
        A csv file with a column for each field of :class:`Claim`.

    Examples
    --------
    >>> from importlib.resources import files
    >>> claims = read_claims(files("stablib.papers") / "local_instability.csv")
    >>> claims["t3-massive-tgtss-reduction"].target
    31.4
    """

    def number(text: str) -> float | None:
        return float(text) if text else None

    claims = {}
    for row in csv.DictReader(file.read_text("utf-8").splitlines()):
        numbers = {key: number(row.pop(key)) for key in ("target", "tolerance", "null")}
        claims[row["claim"]] = Claim(**row, **numbers)  # type: ignore[arg-type]
    return claims


def judge(claim: Claim, measured: Measured | None) -> Verdict:
    """Compare a reproduced value with a claim.

    Noise never helps: a wider interval around the same value may turn a verdict to *undecided*,
    and none to *reproduced*. A value that differs from its null by nothing reproduces no effect.

    Parameters
    ----------
    claim : Claim
        ``rule="value"`` with a null claims an effect: reproduced if the whole interval lies
        beyond the null, on the target's side, and the value at least a quarter of the way and
        within the tolerance of the target. Without a null it claims equality: reproduced if the
        whole interval lies within the tolerance of the target.
        ``"magnitude"``: equality of decimal logarithms. ``"at_least"``, ``"at_most"``: if the
        whole interval reaches, or does not pass, the target. ``"greater"``: if the whole interval
        lies above the null.
    measured : Measured or None
        None if it was not attempted.

    Returns
    -------
    str
        ``"direction reproduced"`` if all of that holds of an effect but for the tolerance.
        ``"undecided"`` if the interval allows both a reproduction, or the direction, and not.

    Examples
    --------
    >>> from importlib.resources import files
    >>> claims = read_claims(files("stablib.papers") / "local_instability.csv")
    >>> claim = claims["t3-massive-tgtss-reduction"]  # 31.4 ± 5
    >>> judge(claim, Measured(claim.claim, 33.0, 31.9, 34.0))
    'reproduced'
    >>> judge(claim, Measured(claim.claim, 10.0, 5.0, 15.0))
    'direction reproduced'
    >>> judge(claim, Measured(claim.claim, 33.0, -1.9, 68.0))
    'undecided'
    """
    if measured is None or math.isnan(measured.value):
        return "not attempted"
    null = _null(claim, measured)
    low, high = measured.low, measured.high
    if any(math.isnan(x) for x in (low, high, null or 0.0)):
        return "undecided"
    if claim.rule == "greater":
        assert null is not None
        return _within(low > null, high > null)
    assert claim.target is not None
    if claim.rule == "at_most":
        return _within(high <= claim.target, low <= claim.target)
    if claim.rule == "at_least":
        found = _within(low >= claim.target, high >= claim.target)
        forward = null is not None and _is_forward(measured, null, claim.target - null)
        return "direction reproduced" if found != "reproduced" and forward else found
    assert claim.tolerance is not None
    if claim.rule == "magnitude":
        low, high = _decades(low, claim.target), _decades(high, claim.target)
        return _inside(low, high, 0.0, claim.tolerance)
    if claim.null is None or null is None:
        return _inside(low, high, claim.target, claim.tolerance)
    near = abs(measured.value - claim.target) <= claim.tolerance
    return _of_effect(measured, null, claim.target - claim.null, near=near)


def _null(claim: Claim, measured: Measured) -> float | None:
    """What has to be passed: no effect, or what came out where there is none, if that is more.

    Other seeds that happen to be worse must not make it easier.
    """
    if claim.null is None or measured.null is None:
        return claim.null if measured.null is None else measured.null
    upwards = claim.target is None or claim.target > claim.null
    return max(claim.null, measured.null) if upwards else min(claim.null, measured.null)


def _within(surely: bool, possibly: bool) -> Verdict:
    return "reproduced" if surely else "undecided" if possibly else "not reproduced"


def _inside(low: float, high: float, centre: float, margin: float) -> Verdict:
    """Whether an interval lies inside a band, or meets it."""
    first, last = centre - margin, centre + margin
    return _within(first <= low and high <= last, first <= high and low <= last)


def _gains(measured: Measured, null: float, effect: float) -> tuple[float, float, float]:
    """Value and ends of the interval beyond the null, in the direction of the effect."""
    sign = math.copysign(1.0, effect)
    value, one, other = (sign * (x - null) for x in (measured.value, measured.low, measured.high))
    return value, min(one, other), max(one, other)


def _is_forward(measured: Measured, null: float, effect: float) -> bool:
    """Whether the whole interval is on the effect's side, and the value far enough."""
    value, least, _ = _gains(measured, null, effect)
    return least > 0.0 and value >= _DIRECTION * abs(effect)


def _of_effect(measured: Measured, null: float, effect: float, *, near: bool) -> Verdict:
    if _is_forward(measured, null, effect):
        return "reproduced" if near else "direction reproduced"
    _, _, most = _gains(measured, null, effect)
    return "undecided" if most >= _DIRECTION * abs(effect) else "not reproduced"


def _decades(value: float, target: float) -> float:
    """Powers of ten by which a positive number is above another; minus infinity for 0."""
    return math.log10(value / target) if value > 0.0 else -math.inf


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was measured about a claim in one variant, and the verdict on it."""

    measured: Measured
    verdict: Verdict


@dataclasses.dataclass(frozen=True)
class Scored:
    """A claim and its answers, that of the main variant first: one entry of the scorecard."""

    claim: Claim
    answers: tuple[Answer, ...]

    @property
    def verdict(self) -> Verdict:
        """That on the main variant."""
        return self.answers[0].verdict if self.answers else "not attempted"


def score(
    measured: Iterable[Measured], claims: Iterable[Claim], *, judged: bool = True
) -> list[Scored]:
    """Judge every claim.

    Parameters
    ----------
    measured : iterable of Measured
        Values; of several variants that answer a claim, the main one first.
    claims : iterable of Claim
        Claims that they may answer.
    judged : bool, default True
        False for values that say nothing about the paper, such as those of stand-in data: they
        get no verdict.

    Returns
    -------
    list of Scored
        One a claim, in the order of the claims.

    Raises
    ------
    UsageError
        If a measured value answers no known claim.
    """
    known = {claim.claim: claim for claim in claims}
    answers: dict[str, list[Answer]] = {name: [] for name in known}
    for value in measured:
        if value.claim not in known:
            raise unknown("claim", value.claim, known)
        verdict = judge(known[value.claim], value) if judged else "no verdict"
        answers[value.claim].append(Answer(value, verdict))
    return [Scored(known[name], tuple(found)) for name, found in answers.items()]
