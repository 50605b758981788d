"""What a way of training runs must tell the trunk, and how runs are asked for."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from stablib.errors import UsageError, unknown
from stablib.training.recipe import Recipe
from stablib.training.record import Arrays, Final, Record
from stablib.training.seeds import SeedPlan

Block = tuple[SeedPlan, ...]
T = TypeVar("T")


def in_blocks(plans: Sequence[SeedPlan], pool: int) -> list[Block]:
    """Plans in the groups of which one set of arrays is kept: so many that follow each other."""
    return [tuple(plans[start : start + pool]) for start in range(0, len(plans), pool)]


@dataclasses.dataclass(frozen=True)
class Request:
    """Runs of one recipe, and what is wanted of each, before anyone knows whether they exist.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    plans : tuple of SeedPlan
        Seeds.
    records : tuple of Record, default (Final(),)
        What is wanted of each run.
    pool : int, default 1
        Of a record that is pooled, what this many consecutive plans leave is kept as one.

    Raises
    ------
    UsageError
        If the workload cannot honour the method or a plan, or there is nothing to train or keep.
    """

    recipe: Recipe
    plans: tuple[SeedPlan, ...]
    records: tuple[Record, ...] = (Final(),)
    pool: int = 1
    _with_bits: tuple[SeedPlan, ...] = dataclasses.field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.plans or not self.records:
            raise UsageError("a request needs at least one seed plan and one record")
        self.recipe.check_method()
        for plan in self.plans:
            self._check(plan)

    def _check(self, plan: SeedPlan) -> None:
        """Refuse sources that the workload does not have: they would change nothing."""
        workload = self.recipe.workload
        for source, _ in plan.seeds:
            if source not in workload.sources:
                raise unknown(f"source of {workload.name}", source, workload.sources)
        for source, epoch in plan.onset:
            if epoch > self.recipe.n_epochs:
                raise UsageError(
                    f"onset of {source!r} is epoch {epoch}, but {workload.name} trains "
                    f"{self.recipe.n_epochs} here: it must be at most that"
                )
        if plan.bit is not None and not workload.takes_bit:
            raise UsageError(f"workload {workload.name!r} cannot change a bit of its weights")

    @property
    def blocks(self) -> list[Block]:
        """The plans in the groups in which pooled records are kept."""
        return in_blocks(self.plans, self.pool)

    def only(self, blocks: Sequence[Block]) -> Request:
        """Return the same request for some of its blocks."""
        plans = tuple(plan for block in blocks for plan in block)
        return dataclasses.replace(self, plans=plans, _with_bits=self.with_bits)

    @property
    def with_bits(self) -> tuple[SeedPlan, ...]:
        """Plans that change a bit, of the request of which this is a part too.

        If one of them cannot be trained, none is.
        """
        return self._with_bits or tuple(plan for plan in self.plans if plan.bit is not None)


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Data on which runs are trained, or their identity alone.

    Parameters
    ----------
    key : str
        Identity of the data: part of every run's key.
    source : str
        Where they came from, in words.
    data : object, optional
        Whatever the workload trains on and results are shown with.
    notice : str, default ""
        What a reader must know before believing numbers made with them.
    trainable : bool, default True
        False if only what is published can be shown with them.
    """

    key: str
    source: str
    data: Any = None
    notice: str = ""
    trainable: bool = True
    _made: dict[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under a name, making it the first time."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def latest(self, name: str, of: Hashable, make: Callable[[], T]) -> T:
        """Return what was made last under a name if it was made of the same, else make it."""
        kept = self._made.get(name)
        if kept is None or kept[0] != of:
            kept = self._made[name] = (of, make())
        made: T = kept[1]
        return made


class Report(Protocol):
    """How a training tells of its progress; may end it by raising KeyboardInterrupt."""

    def __call__(self, done: int, state: Callable[[], Arrays] | None = None) -> object:
        """Tell of work done since the last call, and how to write down all that goes on needs."""


#: Gives what teaches the student with a plan, see :meth:`Lesson.together`; None without a teacher.
Taught = Callable[[SeedPlan], Any]


class Workload(abc.ABC):
    """One way of training runs: the only thing that a new one implements.

    An instance is put into its recipe: ``MyRecipe.workload = MyWorkload()``.
    """

    #: Name, part of every run's key.
    name: ClassVar[str]
    #: Raised by hand when a change alters results; part of every run's key.
    version: ClassVar[int]
    #: Unit of :meth:`work`.
    unit: ClassVar[str] = "steps"
    #: Whether the runs of a request train side by side under one lock; else each for itself.
    stacked: ClassVar[bool] = False
    #: Sources of randomness that a seed plan can vary.
    sources: ClassVar[tuple[str, ...]] = ("init", "shuffle")
    #: Whether a bit of the initial weights can be changed.
    takes_bit: ClassVar[bool] = False
    #: What methods may change here, of :data:`stablib.training.method.HOOKS`.
    honours: ClassVar[frozenset[str]] = frozenset()
    #: What its examples are, for methods that look at them.
    examples: ClassVar[str] = ""
    #: Whether it trains on arrays of one's own, see :func:`stablib.runs.train`.
    takes_arrays: ClassVar[bool] = False
    #: Packages whose versions are part of the provenance.
    packages: ClassVar[tuple[str, ...]] = ("numpy",)

    @abc.abstractmethod
    def inputs(self, recipe: Recipe, *, strict: bool) -> Iterator[Inputs]:
        """Data for a recipe, best first; what cannot serve is passed over for the next.

        ``strict`` leaves out what only stands in for the data that was asked for.
        """

    def device(self, recipe: Recipe) -> str:
        """Where a recipe is trained, in torch's words."""
        return "cpu"

    def depends(self, recipe: Recipe) -> dict[str, str]:
        """What else results depend on, by name, such as the checksum of pretrained weights."""
        return {}

    def before(self, request: Request) -> list[Request]:
        """What must be trained first: teachers, warm starts, members of an ensemble."""
        return []

    @abc.abstractmethod
    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train every plan of a request, and yield finished runs in the order of the plans.

        Parameters
        ----------
        request : Request
            With several plans only if the workload is stacked.
        inputs : Inputs
            Of :meth:`inputs`.
        taught : callable
            Of a plan, what its teachers say.
        report : callable
            See :class:`Report`.
        state : dict of str to ndarray or None
            What an interrupted training of this run wrote down last.

        Yields
        ------
        list of (SeedPlan, list of dict)
            Runs that were finished together, each with the arrays of every record.
        """

    @abc.abstractmethod
    def work(self, request: Request, inputs: Inputs) -> int:
        """How much work a request is, in :attr:`unit`; what ``report`` is told adds up to it."""
