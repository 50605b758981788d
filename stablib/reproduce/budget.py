"""What is made within a time: which exhibits' runs are trained, and which are left out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from stablib.errors import UsageError
from stablib.runs.cost import Cost, Pricer, in_words
from stablib.studies.base import Study

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_time(text: str) -> float:
    """Read a time such as ``90s``, ``2m`` or ``1.5h``; ``none`` is no limit.

    Raises
    ------
    UsageError
        If it has another form.

    Examples
    --------
    >>> parse_time("2m"), parse_time("none")
    (120.0, inf)
    """
    if text == "none":
        return float("inf")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found:
        raise UsageError(f"--budget must be like 90s, 2m, 1.5h or none, got {text!r}")
    return float(found[1]) * _UNITS[found[2]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What will be trained for some exhibits of a study.

    Parameters
    ----------
    costs : tuple of Cost
        To be trained, in order.
    extra : dict of str to float
        What each exhibit adds, in seconds; those that share its runs with one before add nothing.
    left_out : dict of str to str
        Exhibits that are not made, and why.
    """

    costs: tuple[Cost, ...]
    extra: dict[str, float]
    left_out: dict[str, str]

    @property
    def seconds(self) -> float:
        """All that will be trained."""
        return sum(cost.seconds for cost in self.costs)

    @property
    def memory(self) -> int:
        """MiB that a training process will take at most, as far as like runs say; 0 if not."""
        return max((cost.memory or 0 for cost in self.costs), default=0)


def make(
    study: Study,
    exhibits: Sequence[str],
    *,
    budget: float = float("inf"),
    skipped: Sequence[str] = (),
    optional: bool = False,
    jobs: int = 1,
) -> Plan:
    """Plan the training for some exhibits, the most important first, within a budget.

    Parameters
    ----------
    study : Study
        Knows what each exhibit needs.
    exhibits : sequence of str
        Ids; those that the study does not know need nothing.
    budget : float
        Seconds. The most important exhibit must fit.
    skipped : sequence of str
        Exhibits that are left out whatever they cost.
    optional : bool
        Also what is shown only where a store has it, last, as far as the budget goes.
    jobs : int
        Processes that train.

    Raises
    ------
    UsageError
        If the most important exhibit does not fit; names its price.
    """
    ordered = [exhibit for exhibit in study.requests() if exhibit in exhibits]
    kept: list[str] = []
    extra: dict[str, float] = {}
    left_out = {exhibit: "it was skipped" for exhibit in ordered if exhibit in skipped}
    spent: list[Cost] = []
    pricer = Pricer(study.store, study.inputs, jobs=jobs)
    for exhibit in [e for e in ordered if e not in left_out]:
        new = pricer.costs(study.wanted([exhibit]), beyond=spent)
        price = sum(cost.seconds for cost in new)
        total = price + sum(cost.seconds for cost in spent)
        if total > budget and price > 0.0:
            if not kept:
                raise UsageError(
                    f"{exhibit} needs about {in_words(total)} of training on this machine, more "
                    f"than the budget of {in_words(budget)}: --budget {_round_up(total)} trains it"
                )
            left_out[exhibit] = (
                f"its runs need about {in_words(price)} of training on this machine, more than "
                f"the budget leaves; --budget {_round_up(total)} makes it"
            )
            continue
        kept.append(exhibit)
        extra[exhibit] = price
        spent += new
    for request in study.optional() if optional else ():
        new = pricer.costs([request], beyond=spent)
        if sum(cost.seconds for cost in (*spent, *new)) <= budget:
            spent += new
    return Plan(tuple(spent), extra, left_out)


def _round_up(seconds: float) -> str:
    """A budget that is surely enough."""
    minutes = int(seconds * 1.5 // 60) + 1
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60 + 1}h"
