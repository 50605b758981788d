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
    "reproduced", "direction reproduced", "not reproduced", "no verdict", "not attempted"
]


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
        The reported number; how far off still counts as reproduced; the value of no effect.
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
    def title(self) -> str:
        """What is claimed, and of which data."""
        return f"{self.what} ({self.dataset})" if self.dataset else self.what

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
            return f"{self.reported} {self.unit}".strip()
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
    """

    claim: str
    value: float
    low: float
    high: float
    variant: str = ""


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

    Parameters
    ----------
    claim : Claim
        ``rule="value"``: reproduced if the value is within the tolerance of the target or the
        interval contains it. ``"magnitude"``: the same for decimal logarithms, with a tolerance
        in decades. ``"at_least"``, ``"at_most"``: if the value reaches, or does not pass, the
        target. ``"greater"``: if the whole interval lies above the null.
    measured : Measured or None
        None if it was not attempted.

    Returns
    -------
    str
        ``"direction reproduced"`` if it is not reproduced, but lies on the target's side of the
        null: with its whole interval for ``"value"`` and ``"at_least"``, by its value alone for
        ``"greater"``.

    Examples
    --------
    >>> from importlib.resources import files
    >>> claims = read_claims(files("stablib.papers") / "local_instability.csv")
    >>> claim = claims["t3-massive-tgtss-reduction"]
    >>> judge(claim, Measured(claim.claim, 33.0, 31.9, 34.0))
    'reproduced'
    >>> judge(claim, Measured(claim.claim, 10.0, 5.0, 15.0))
    'direction reproduced'
    """
    if measured is None or measured.value != measured.value:
        return "not attempted"
    if claim.rule == "greater":
        assert claim.null is not None
        if measured.low > claim.null:
            return "reproduced"
        return "direction reproduced" if measured.value > claim.null else "not reproduced"
    assert claim.target is not None
    if claim.rule == "at_least":
        reached = measured.value >= claim.target
    elif claim.rule == "at_most":
        reached = measured.value <= claim.target
    elif claim.rule == "magnitude":
        assert claim.tolerance is not None
        reached = _decades(measured.value, claim.target) <= claim.tolerance
    else:
        assert claim.tolerance is not None
        near = abs(measured.value - claim.target) <= claim.tolerance
        reached = near or measured.low <= claim.target <= measured.high
    if reached:
        return "reproduced"
    return "direction reproduced" if _same_side(claim, measured) else "not reproduced"


def _decades(value: float, target: float) -> float:
    """How many powers of ten apart two positive numbers are."""
    return abs(math.log10(value / target)) if value > 0.0 else math.inf


def _same_side(claim: Claim, measured: Measured) -> bool:
    """Whether the interval lies wholly on the target's side of the null."""
    if claim.null is None or claim.target is None:
        return False
    above = claim.target > claim.null
    return measured.low > claim.null if above else measured.high < claim.null


@dataclasses.dataclass(frozen=True)
class Scored:
    """A claim, what was measured and the verdict: one row of the scorecard."""

    claim: Claim
    measured: Measured | None
    verdict: Verdict


def score(
    measured: Iterable[Measured], claims: Iterable[Claim], *, judged: bool = True
) -> list[Scored]:
    """Judge every claim; one with several variants gets a row each, one without any gets one.

    Parameters
    ----------
    measured : iterable of Measured
        Values.
    claims : iterable of Claim
        Claims that they may answer.
    judged : bool, default True
        False for values that say nothing about the paper, such as those of stand-in data: they
        get no verdict.

    Raises
    ------
    UsageError
        If a measured value answers no known claim.
    """
    known = {claim.claim: claim for claim in claims}
    by_claim: dict[str, list[Measured]] = {name: [] for name in known}
    for value in measured:
        if value.claim not in known:
            raise unknown("claim", value.claim, known)
        by_claim[value.claim].append(value)
    return [
        Scored(known[name], value, judge(known[name], value) if judged else "no verdict")
        for name, values in by_claim.items()
        for value in values or [None]  # type: ignore[list-item]
    ]
