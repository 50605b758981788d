"""The nondeterminism study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast

from stablib.data import Dataset
from stablib.errors import UsageError
from stablib.studies.base import Study
from stablib.studies.nondeterminism import across, elsewhere, language
from stablib.studies.nondeterminism.across import Across
from stablib.studies.nondeterminism.design import BIT, ROWS, Design
from stablib.studies.nondeterminism.language import Readings
from stablib.studies.nondeterminism.results import Results, Trainings
from stablib.studies.nondeterminism.settings import PRESETS, NondeterminismSettings
from stablib.studies.settings import Settings
from stablib.training import Request
from stablib.workloads.text import LabelledRecipe

Kind = TypeVar("Kind", bound=Trainings)


class Nondeterminism(Study):
    """On nondeterminism and instability in neural network optimization."""

    name = "nondeterminism"
    title = "Nondeterminism"
    presets: ClassVar[Mapping[str, Settings]] = PRESETS
    settings: NondeterminismSettings
    rules = (
        "That no source matters twice as much as another counts as *reproduced* if the whole "
        "interval of the ratio of the most to the least variable row is at most 2; that two kinds "
        "of runs vary alike, if the whole interval of their ratio is between half and one and a "
        "half (a late beginning: a quarter around 1); that layers dwarf sources, if it is at most "
        "a half. A reduction counts if its whole interval lies beyond what other seeds give and "
        "its value within 15 points of the paper's; an order of magnitude within a factor of ten; "
        "a standard deviation of networks without depth within half of the paper's. Cells of the "
        "printed tables, which the text at hand lacks, are those of a replication by others with "
        "the same code; they are shown, and judged where the paper's own network is trained: sds "
        "within 30 %, disagreement within 10, correlations within 5 and gains within 20 %; "
        "so is what the paper's baselines reach. "
        "Changed when all had been measured: what other seeds give is the largest distance of a "
        "set of as many plain runs from the mean of all such sets (Tables 5 to 7, Figure 2); it "
        "was that of one set, with its sign. That snapshots bring no improvement (section 6) "
        "allows that they do harm. Layers are held against the sources of Table 1 (Figure 1), "
        "without the one bit that is drawn beside them."
    )

    @property
    def design(self) -> Design:
        """The requests."""
        return Design(self.settings)

    def requests(self) -> dict[str, list[Request]]:
        """What each exhibit needs; trainings that several exhibits look at come first."""
        design = self.design
        together = design.together()
        rows = [*together, *design.sources().values()]
        shallow = _flat(design.shallow())
        reading = list(language.rows(self.settings).values())
        return {
            "ND-T1": rows,
            "ND-T3": rows,
            "ND-F1": [*together, *design.layers().values()],
            "ND-X4": [*together, *_flat(elsewhere.partings(self.settings))],
            "ND-X5": [*together, *design.curves().values()],
            "ND-F2": [*design.onsets().values(), *rows],
            "ND-T5": [
                *design.mitigations().values(),
                *design.at_equal_cost().values(),
                *rows,
            ],
            "ND-T8": shallow,
            "ND-F3": shallow,
            "ND-T2": reading,
            "ND-T4": reading,
            "ND-T7": [*elsewhere.lengths(self.settings).values(), *rows],
            "ND-A1": list(elsewhere.in_vain(self.settings).values()),
            "ND-T6": [*_flat(elsewhere.architectures(self.settings)), *rows],
            "ND-X2": _flat(design.rates()),
            "ND-X3": [*_flat(elsewhere.again(self.settings)), *self._kept_twice().values()],
            "ND-X1": [*rows, *_flat(across.requests(self.preset))],
        }

    def optional(self) -> list[Request]:
        """The largest networks, which take far longer, and those of other papers."""
        return [*_flat(elsewhere.large(self.settings)), *_flat(self._others())]

    def _others(self) -> dict[str, dict[str, Request]]:
        return across.others(self.preset, self.settings.few_runs) if self.preset != "smoke" else {}

    def _whole(self, by_name: Mapping[str, Mapping[str, Request]]) -> dict[str, Any]:
        """What has all its runs in a store."""
        return {name: rows for name, rows in by_name.items() if all(map(self.has, rows.values()))}

    def check(self) -> None:
        """Refuse settings that fit no training, of the largest networks too."""
        s, warm_up = self.settings, self.design.recipe.warm_up
        if s.large_runs and s.large_epochs <= warm_up:
            raise UsageError(
                f"large_epochs must be more than the warm-up, {warm_up}, got {s.large_epochs}"
            )
        super().check()

    def sources(self) -> Results:
        """Runs of Tables 1 and 3 by what varies in them."""
        return self._made(Results, self.design.sources())

    def across(self) -> Across:
        """Runs of Tables 1 and 3, and those of other papers, by what varies in them."""
        own = {row: r for row, r in self.design.sources().items() if row in ROWS or row == BIT}
        others = {**across.requests(self.preset), **self._whole(self._others())}
        wanted = {self.design.recipe.model_name: own, **others}
        runs = {w: {row: self.get(r) for row, r in of.items()} for w, of in wanted.items()}
        datasets = {w: self._looked_at(next(iter(of.values()))) for w, of in wanted.items()}
        return Across(self, datasets, runs)

    def layers(self) -> Trainings:
        """Runs with what their layers make of some images."""
        return self._made(Trainings, self.design.layers())

    def twins(self) -> Trainings:
        """Runs that are followed step by step, the unchanged one first."""
        return self._made(Trainings, self.design.twins())

    def curves(self) -> Trainings:
        """One run, then twins that differ from it by one bit, after every epoch."""
        return self._made(Trainings, self.design.curves())

    def partings(self) -> dict[str, Trainings]:
        """Runs of several networks that are followed step by step, the unchanged ones first."""
        wanted = elsewhere.partings(self.settings)
        return {name: self._made(Trainings, rows) for name, rows in wanted.items()}

    def onsets(self) -> Trainings:
        """Runs by the epoch from which on they differ."""
        wanted = self.design.onsets()
        return self._made(Trainings, {str(epoch): r for epoch, r in wanted.items()})

    def rates(self) -> dict[str, Results]:
        """One run, then twins that differ from it by one bit, by architecture and rate."""
        return {
            model: self._made(Results, {f"{rate:g}": r for rate, r in of.items()})
            for model, of in self.design.rates().items()
        }

    def mitigations(self) -> Results:
        """Plain runs and snapshot ensembles, with views."""
        return self._made(Results, self.design.mitigations())

    def at_equal_cost(self) -> dict[int, Results]:
        """Plain runs by how many of them cost as much as one of the usual length."""
        wanted = self.design.at_equal_cost()
        return {k: self._made(Results, {"single": request}) for k, request in wanted.items()}

    def shallow(self) -> dict[str, Results]:
        """Runs of networks without depth by architecture."""
        return {m: self._made(Results, wanted) for m, wanted in self.design.shallow().items()}

    def language(self) -> Readings:
        """Language models by what varies in them."""
        runs = {row: self.get(r) for row, r in language.rows(self.settings).items()}
        return Readings(self, self.inputs(next(iter(runs.values())).recipe).source, runs)

    def architectures(self) -> dict[str, Results]:
        """Runs of other networks by name, the largest where they are published."""
        large = self._whole(elsewhere.large(self.settings))
        wanted = {**elsewhere.architectures(self.settings), **large}
        return {model: self._made(Results, rows) for model, rows in wanted.items()}

    def lengths(self) -> Results:
        """Runs by source, learning rate and epochs, the usual ones first."""
        return self._made(Results, elsewhere.lengths(self.settings))

    def in_vain(self) -> Results:
        """Runs that differ by one bit by what was tried against it, the usual ones first."""
        return self._made(Results, elsewhere.in_vain(self.settings))

    def again(self) -> dict[str, Trainings]:
        """The same training twice, by network and by what the machine was told."""
        wanted = elsewhere.again(self.settings)
        return {name: self._made(Trainings, rows) for name, rows in wanted.items()}

    def twice(self) -> Results:
        """Snapshot ensembles of the usual network, as they are kept for Tables 5 and 6."""
        return self._made(Results, self._kept_twice())

    def _kept_twice(self) -> dict[str, Request]:
        architectures = elsewhere.architectures(self.settings)
        return {
            "ND-T5": self.design.mitigations()[elsewhere.SNAPSHOTS],
            "ND-T6": architectures[self.settings.model][elsewhere.SNAPSHOTS],
        }

    def _made(self, kind: type[Kind], wanted: Mapping[str, Request]) -> Kind:
        runs = {row: self.get(request) for row, request in wanted.items()}
        return kind(self, self._looked_at(next(iter(wanted.values()))), runs)

    def _looked_at(self, request: Request) -> Dataset:
        """The data of a request, as far as its recipe looks."""
        recipe = cast(LabelledRecipe, request.recipe)
        return recipe.part(cast(Dataset, self.inputs(recipe).data))


def _flat(by_name: Mapping[Any, Mapping[Any, Request]]) -> list[Request]:
    return [request for rows in by_name.values() for request in rows.values()]
