"""What missing runs will cost on this machine, before any of them is trained."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from stablib.runs.obtain import lacking
from stablib.runs.provenance import pace
from stablib.runs.store import RunStore
from stablib.training import Control, Inputs, Recipe, Record, Request, SeedPlan
from stablib.training.tagged import identity

#: What a run file says of itself.
Header = Mapping[str, Any]

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
    memory : int or None
        MiB that a process took for the most like runs; None if they do not say.
    """

    request: Request
    seconds: float
    guessed: bool
    memory: int | None = None


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
    return Pricer(store, inputs, jobs=jobs).costs(requests)


class Pricer:
    """Estimates costs of one request after the other; what it has looked up it knows.

    Parameters
    ----------
    store, inputs, jobs
        As for :func:`costs`.
    """

    def __init__(
        self, store: RunStore, inputs: Callable[[Recipe], Inputs], *, jobs: int = 1
    ) -> None:
        self.store, self.inputs, self.jobs = store, inputs, jobs
        self._known: dict[tuple[Recipe, str], tuple[float | None, int | None]] = {}

    def costs(self, requests: Sequence[Request], *, beyond: Sequence[Cost] = ()) -> list[Cost]:
        """What is missing of requests, and of all that must be trained before; nothing twice.

        Parameters
        ----------
        requests : sequence of Request
            What is wanted.
        beyond : sequence of Cost
            What will be trained anyway, and costs nothing more.

        Returns
        -------
        list of Cost
            What must be trained first comes first.
        """
        found: list[Request] = []
        known = {(c.request.recipe, c.request.records, b) for c in beyond for b in c.request.blocks}

        def add(request: Request) -> None:
            left = lacking(request, self.store, self.inputs(request.recipe))
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
        return [self._cost(request) for request in found]

    def _cost(self, request: Request) -> Cost:
        workload, inputs = request.recipe.workload, self.inputs(request.recipe)
        rate, memory = self._like(request.recipe, inputs)
        share = 1 if workload.stacked else min(self.jobs, len(request.plans))
        seconds = (_GUESS if rate is None else rate) * workload.work(request, inputs) / share
        return Cost(request, seconds, guessed=rate is None, memory=memory)

    def _like(self, recipe: Recipe, inputs: Inputs) -> tuple[float | None, int | None]:
        """Seconds a unit of work, and memory, of the groups that are most like the recipe."""
        alike = recipe.with_method(Control())  # Methods do not count.
        if (alike, inputs.key) not in self._known:
            self._known[alike, inputs.key] = self._look_up(alike, inputs)
        return self._known[alike, inputs.key]

    def _look_up(self, recipe: Recipe, inputs: Inputs) -> tuple[float | None, int | None]:
        found: dict[int, list[tuple[float, int]]] = {}
        for header in self._headers:
            group = header["group"]
            if group["recipe"].get("kind") == recipe.kind:
                like = _alike(identity(recipe), group["recipe"]) + 2 * (group["data"] == inputs.key)
                # Runs of code that is not loaded here, or of another version of it, say nothing.
                with suppress(ValueError):
                    made = (_seconds_a_unit(header, inputs), _memory(header))
                    found.setdefault(like, []).append(made)
        if not found:
            return None, None
        rates, memory = zip(*found[max(found)], strict=True)
        return statistics.median(rates), max(memory) or None

    @cached_property
    def _headers(self) -> list[Header]:
        """What the groups in the store say of themselves; one file of each is enough."""
        return [row["header"] for row in self.store.catalogue() if row["header"]]


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """How many fields of two recipes are equal, minus those that are not; methods do not count."""
    fields = (one.keys() | other.keys()) - {"method"}
    return sum(1 if one.get(name) == other.get(name) else -1 for name in fields)


def _made(header: Header) -> list[dict[str, Any]]:
    """Provenance of each run in a file."""
    made = header["provenance"]
    return made if isinstance(made, list) else [made]


def _memory(header: Header) -> int:
    """MiB that a process took for these runs; 0 if they do not say."""
    return max(run.get("memory") or 0 for run in _made(header))


def _seconds_a_unit(header: Header, inputs: Inputs) -> float:
    # Older runs do not tell the pace of their machine, which was much like any of today.
    seconds = statistics.median(
        run["seconds"] * pace() / run.get("pace", pace()) for run in _made(header)
    )
    recipe = Recipe.model_validate(header["group"]["recipe"])
    record = Record.model_validate(header["group"]["record"])
    request = Request(recipe, (SeedPlan(),), (record,))
    # Of a pooled record, one provenance tells what several runs took.
    n_pooled = len(header["plans"]) // len(_made(header))
    return seconds / (n_pooled * max(1, recipe.workload.work(request, inputs)))


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
