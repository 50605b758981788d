"""What all studies share: requests by exhibit, and results that know what they rest on."""

from __future__ import annotations

import abc
import dataclasses
import importlib.resources
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, ClassVar, Self

from stablib.errors import DataError
from stablib.papers.claims import Claim, read_claims
from stablib.runs import Runs, RunStore
from stablib.runs.obtain import lacking, obtain, serving
from stablib.runs.provenance import in_full, made_with, seeds_of
from stablib.runs.watch import Watch, bar
from stablib.studies.settings import Settings, choose
from stablib.training import Inputs, Recipe, Request, SeedPlan

#: Presets whose numbers mean nothing: nothing is judged by them.
UNJUDGED = ("smoke",)


class Study(abc.ABC):
    """Base of every paper's study: which runs each of its exhibits needs.

    Parameters
    ----------
    preset : str, default "laptop"
        One of :attr:`presets`.
    store : RunStore, optional
        Where runs are looked for and kept.
    strict : bool, default False
        Refuse data that only stands in for what was asked for.
    **changes
        Settings that differ from the preset's; None keeps the preset's value.

    Raises
    ------
    UsageError
        If the preset or a setting is unknown, or a value is not allowed.
    """

    #: Name of the paper's folders and files.
    name: ClassVar[str]
    #: Title for the reader.
    title: ClassVar[str]
    #: How the paper's claims are judged, in words.
    rules: ClassVar[str]
    #: Models whose answers to a claim are listed together, the one that is judged first.
    models: ClassVar[Sequence[str]] = ()
    #: Presets as rows of numbers.
    presets: ClassVar[Mapping[str, Settings]]
    #: The paper's claims; a file with the study's name beside the others by default.
    claims_file: ClassVar[Traversable | None] = None

    def __init__(
        self,
        preset: str = "laptop",
        *,
        store: RunStore | None = None,
        strict: bool = False,
        **changes: Any,
    ) -> None:
        self.preset = preset
        self.settings: Any = choose(self.presets, preset, changes)
        self._base = self.presets[preset]
        #: Name of the variant of the preset that this is; empty for the preset itself.
        self.aside = ""
        self.store = store or RunStore()
        self.strict = strict
        self._inputs: dict[str, Inputs] = {}
        self.check()

    @abc.abstractmethod
    def requests(self) -> Mapping[str, Sequence[Request]]:
        """What each exhibit needs, by its id, the most important exhibit first.

        Exhibits that are made from the same results need the same, and what a notebook gets
        before its first exhibit belongs to the most important one that it shows.
        """

    def optional(self) -> Sequence[Request]:
        """What is shown where a store has it, and never trained for an exhibit."""
        return ()

    def variants(self) -> Sequence[Self]:
        """The same study with other models, shown beside this one where a store has their runs."""
        return ()

    def beside(self, exhibit: str) -> list[Self]:
        """Those of them for which a store has all that an exhibit needs."""
        return [
            other
            for other in self.variants()
            if (needs := other.requests().get(exhibit)) is not None and all(map(other.has, needs))
        ]

    def check(self) -> None:
        """Refuse settings that fit no training, before anything is trained."""
        self.wanted()  # A request checks itself.

    @classmethod
    def claims(cls) -> dict[str, Claim]:
        """The paper's claims by identifier."""
        folder = importlib.resources.files("stablib.papers")
        return read_claims(cls.claims_file or folder / f"{cls.name}.csv")

    @property
    def model(self) -> str:
        """Which of :attr:`models` this is; empty for a study that looks at one."""
        return ""

    @property
    def looks_at(self) -> str:
        """What tells this study from its :meth:`variants`, for a reader."""
        return self.model

    @property
    def changes(self) -> dict[str, Any]:
        """Settings that differ from the preset's."""
        return {k: v for k, v in self.settings if v != getattr(self._base, k)}

    @property
    def unjudged(self) -> str:
        """Why results are not judged by the paper's claims; empty if they are."""
        if self.preset in UNJUDGED:
            return f"preset {self.preset}"
        return ", ".join(f"{name}={value}" for name, value in self.changes.items())

    def changed(self, **changes: Any) -> Self:
        """Return the same study with other settings."""
        fields = {**self.settings.model_dump(), **changes}
        return type(self)(self.preset, store=self.store, strict=self.strict, **fields)

    def varied(self, name: str, **changes: Any) -> Self:
        """Return a variant of the preset: the same study with settings that count as its own."""
        other = self.changed(**changes)
        other.aside, other._base = name, self._base.model_copy(update=changes)
        return other

    def wanted(self, exhibits: Sequence[str] | None = None) -> list[Request]:
        """Requests of some exhibits, of all by default, without repetition.

        An exhibit that these settings leave out needs nothing.
        """
        by_exhibit = self.requests()
        chosen = by_exhibit if exhibits is None else exhibits
        return list(dict.fromkeys(r for exhibit in chosen for r in by_exhibit.get(exhibit, ())))

    def missing(self, exhibits: Sequence[str] | None = None) -> list[Request]:
        """The parts of them that no store has."""
        found = [lacking(r, self.store, self.inputs(r.recipe)) for r in self.wanted(exhibits)]
        return [request for request in found if request is not None]

    def has(self, request: Request) -> bool:
        """Whether a store has all runs of a request."""
        return lacking(request, self.store, self.inputs(request.recipe)) is None

    def get(self, request: Request, *, watch: Watch = bar) -> Runs:
        """Get runs, from a store or by training."""
        return obtain(request, self.store, inputs=self.inputs(request.recipe), watch=watch)

    def anew(self, request: Request, *, watch: Watch = bar) -> Runs:
        """Train runs whatever a store has of them, and keep nothing.

        Raises
        ------
        DataError
            If the data are known by their labels alone.
        """
        inputs = self.inputs(request.recipe)
        if not inputs.trainable:
            raise DataError(f"{inputs.source}: nothing can be trained on labels alone")
        with tempfile.TemporaryDirectory() as folder:
            empty = RunStore(Path(folder) / "runs", Path(folder) / "none")
            return obtain(request, empty, inputs=inputs, watch=watch)

    def inputs(self, recipe: Recipe) -> Inputs:
        """The data on which the study's recipes with this data are trained; looked for once."""
        name = recipe.data_name
        if name not in self._inputs:
            same = [r for r in self.wanted() if r.recipe.data_name == name]
            wanted = same or [Request(recipe, (SeedPlan(),))]
            self._inputs[name] = serving(wanted, self.store, strict=self.strict)
        return self._inputs[name]


@dataclasses.dataclass(frozen=True)
class Outcome(abc.ABC):
    """Base of what exhibits are made from: runs, and all that a reader must know about them.

    Parameters
    ----------
    study : Study
        Where they come from.
    """

    study: Study

    @abc.abstractmethod
    def all_runs(self) -> Mapping[str, Runs]:
        """Every set of runs that went into it, by its name for the reader."""

    def main_runs(self) -> Mapping[str, Runs]:
        """Those whose seeds a reader must know; the others are some of these again."""
        return self.all_runs()

    @abc.abstractmethod
    def about(self) -> str:
        """Data, model and counts, in words."""

    @property
    def notice(self) -> str:
        """What a reader must be told: that something stands in for the real data."""
        return " ".join(dict.fromkeys(i.notice for i in self._inputs() if i.notice))

    def _inputs(self) -> list[Inputs]:
        found = (self.study.inputs(runs.recipe) for runs in self.all_runs().values())
        return list({inputs.key: inputs for inputs in found}.values())

    def basis(self) -> str:
        """What each number rests on, in a line."""
        runs = self.all_runs()
        made = [run for each in runs.values() for run in each.provenance]
        packages = next(iter(runs.values())).recipe.workload.packages[:1]
        changes = "".join(f", {name}={value}" for name, value in self.study.changes.items())
        seeds = seeds_of({name: each.plans for name, each in self.main_runs().items()})
        return (
            f"{self.about()}; preset {self.study.preset}{changes} (seeds: {seeds}); "
            f"{made_with(made, packages)}"
        )

    def provenance(self) -> dict[str, Any]:
        """Settings, data, recipes, seeds, versions and hardware of all runs."""
        return {
            "paper": self.study.name,
            "preset": self.study.preset,
            "changes": self.study.changes,
            "about": self.about(),
            "notice": self.notice,
            "data": {inputs.source: inputs.key for inputs in self._inputs()},
            "runs": {name: in_full(runs) for name, runs in self.all_runs().items()},
        }
