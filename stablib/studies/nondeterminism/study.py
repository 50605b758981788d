"""The nondeterminism study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar, cast

from stablib.data import Dataset
from stablib.studies.base import Study
from stablib.studies.nondeterminism import across
from stablib.studies.nondeterminism.across import Across
from stablib.studies.nondeterminism.design import BIT, ROWS, Design
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
        "within 30 %, disagreement within 10, correlations within 5 and gains within 20 %."
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
        shallow = [r for wanted in design.shallow().values() for r in wanted.values()]
        return {
            "ND-T1": rows,
            "ND-T3": rows,
            "ND-F1": [*together, *design.layers().values()],
            "ND-X4": [*together, *design.twins().values()],
            "ND-X1": [
                *rows,
                *(r for of in across.requests(self.preset).values() for r in of.values()),
            ],
            "ND-F2": [*design.onsets().values(), *rows],
            "ND-X2": [r for of in design.rates().values() for r in of.values()],
            "ND-T5": [*design.mitigations().values(), *rows],
            "ND-T8": shallow,
            "ND-F3": shallow,
        }

    def sources(self) -> Results:
        """Runs of Tables 1 and 3 by what varies in them."""
        return self._made(Results, self.design.sources())

    def across(self) -> Across:
        """Runs of Tables 1 and 3, and those of other papers, by what varies in them."""
        own = {row: r for row, r in self.design.sources().items() if row in ROWS or row == BIT}
        wanted = {self.design.recipe.model_name: own, **across.requests(self.preset)}
        runs = {w: {row: self.get(r) for row, r in of.items()} for w, of in wanted.items()}
        datasets = {w: self._looked_at(next(iter(of.values()))) for w, of in wanted.items()}
        return Across(self, datasets, runs)

    def layers(self) -> Trainings:
        """Runs with what their layers make of some images."""
        return self._made(Trainings, self.design.layers())

    def twins(self) -> Trainings:
        """Runs that are followed step by step, the unchanged one first."""
        return self._made(Trainings, self.design.twins())

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

    def shallow(self) -> dict[str, Results]:
        """Runs of networks without depth by architecture."""
        return {m: self._made(Results, wanted) for m, wanted in self.design.shallow().items()}

    def _made(self, kind: type[Kind], wanted: Mapping[str, Request]) -> Kind:
        runs = {row: self.get(request) for row, request in wanted.items()}
        return kind(self, self._looked_at(next(iter(wanted.values()))), runs)

    def _looked_at(self, request: Request) -> Dataset:
        """The data of a request, as far as its recipe looks."""
        recipe = cast(LabelledRecipe, request.recipe)
        return recipe.part(cast(Dataset, self.inputs(recipe).data))
