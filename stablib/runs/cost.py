"""What missing runs will cost on this machine, before any of them is trained."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from stablib.runs.obtain import lacking
from stablib.runs.provenance import calibration
from stablib.runs.store import RunStore
from stablib.training import Inputs, Recipe, Record, Request, SeedPlan
from stablib.training.tagged import identity
from stablib.training.workload import Block

#: What a run file says of itself.
Header = Mapping[str, Any]

#: :func:`stablib.runs.provenance.calibration` of the machine that made the first published runs,
#: which do not say: two cores of an Intel Xeon with AVX-512.
_REFERENCE = 0.0147

#: Without any like run: seconds that a unit of work takes. A guess, and said to be one.
_GUESS = 1e-6


@dataclasses.dataclass(frozen=True)
class Cost:
    """A request that a store lacks, and what training it takes.

    Parameters
    ----------
    request : Request
        Only what is missing.
    seconds : float
        Estimate for this machine.
    guessed : bool
        Whether no like run was there to estimate from.
    """

    request: Request
    seconds: float
    guessed: bool


def costs(
    requests: Sequence[Request],
    store: RunStore,
    inputs: Callable[[Recipe], Inputs],
    *,
    jobs: int = 1,
) -> list[Cost]:
    """Estimate what the missing parts of requests cost, teachers and the like included.

    Parameters
    ----------
    requests : sequence of Request
        What is wanted.
    store : RunStore
        What is there. Its runs say how many seconds like ones took, and on what machine.
    inputs : callable
        Gives the data of a recipe.
    jobs : int, default 1
        Processes among which runs that do not train as a stack are shared.

    Returns
    -------
    list of Cost
        What must be trained first comes first; nothing twice.
    """
    parts = closure(requests, store, inputs)
    # One file of each group is enough.
    headers = [row["header"] for row in store.catalogue() if row["header"]] if parts else []
    return [_cost(part, headers, inputs(part.recipe), jobs) for part in parts]


def closure(
    requests: Sequence[Request], store: RunStore, inputs: Callable[[Recipe], Inputs]
) -> list[Request]:
    """The missing parts of requests, and of all that must be trained before; nothing twice."""
    found: list[Request] = []
    known: set[tuple[Recipe, tuple[Record, ...], Block]] = set()

    def add(request: Request) -> None:
        left = lacking(request, store, inputs(request.recipe))
        if left is None:
            return
        for earlier in left.recipe.workload.before(left):
            add(earlier)
        new = [b for b in left.blocks if (left.recipe, left.records, b) not in known]
        if new:
            known.update((left.recipe, left.records, block) for block in new)
            found.append(left.only(new))

    for request in requests:
        add(request)
    return found


def _cost(request: Request, headers: Sequence[Header], inputs: Inputs, jobs: int) -> Cost:
    workload = request.recipe.workload
    rate = _rate(request.recipe, headers, inputs)
    share = 1 if workload.stacked else min(jobs, len(request.plans))
    seconds = (_GUESS if rate is None else rate) * workload.work(request, inputs) / share
    return Cost(request, seconds, guessed=rate is None)


def _rate(recipe: Recipe, headers: Sequence[Header], inputs: Inputs) -> float | None:
    """Median seconds a unit of work, over the groups that are most like the recipe."""
    rates: dict[int, list[float]] = {}
    for header in headers:
        group = header["group"]
        if group["recipe"].get("kind") == recipe.kind:
            like = _alike(identity(recipe), group["recipe"]) + 2 * (group["data"] == inputs.key)
            # Runs of code that is not loaded here, or of another version of it, say nothing.
            with suppress(ValueError):
                rates.setdefault(like, []).append(_seconds_a_unit(header, inputs))
    rates = {like: each for like, each in rates.items() if each}
    return statistics.median(rates[max(rates)]) if rates else None


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """How many fields of two recipes are equal, minus those that are not; methods do not count."""
    fields = (one.keys() | other.keys()) - {"method"}
    return sum(1 if one.get(name) == other.get(name) else -1 for name in fields)


def _seconds_a_unit(header: Header, inputs: Inputs) -> float:
    made = header["provenance"]
    each = made if isinstance(made, list) else [made]
    seconds = statistics.median(
        run["seconds"] * calibration() / run.get("calibration", _REFERENCE) for run in each
    )
    recipe = Recipe.model_validate(header["group"]["recipe"])
    record = Record.model_validate(header["group"]["record"])
    request = Request(recipe, (SeedPlan(),), (record,))
    return seconds / max(1, recipe.workload.work(request, inputs))


def in_words(seconds: float) -> str:
    """Write a time for people.

    Examples
    --------
    >>> in_words(40), in_words(200), in_words(9000)
    ('40 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
