"""The recommender study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from stablib.data import Dataset
from stablib.studies.base import Study
from stablib.studies.recommender.design import DEEPICF, Design, Wanted
from stablib.studies.recommender.results import Results
from stablib.studies.recommender.settings import PRESETS, RecommenderSettings
from stablib.studies.settings import Settings
from stablib.training import Request
from stablib.workloads.text import LabelledRecipe


class Recommender(Study):
    """Model explanations under calibration: chapter 3 of the thesis."""

    name = "recommender"
    title = "Recommender (thesis, chapter 3)"
    presets: ClassVar[Mapping[str, Settings]] = PRESETS
    settings: RecommenderSettings
    rules = (
        "A hit rate or NDCG counts as *reproduced* if the whole interval of its mean over runs "
        "lies within 1.5 points of the thesis's, a standard deviation if its whole interval lies "
        "within a factor of two of it. A sentence about a direction counts if the whole interval "
        "is on its side. These rules were written before the runs were looked at."
    )

    @property
    def design(self) -> Design:
        """The requests."""
        return Design(self.settings)

    def requests(self) -> dict[str, list[Request]]:
        """What each exhibit needs; the run whose weights are kept comes first."""
        design = self.design
        vectors, models, small = design.vectors(), design.models(), design.small()
        plain = small[DEEPICF]
        table = [*vectors.values(), *models.values()]
        everything = [*table, *small.values()]
        large = ("F3.7", "F3.8", "F3.9", "F3.10", "F3.11", "T3.1", "X2")
        both = ("T3.2", "F3.5", "X1", "X8", "X9")
        return {
            **{f"TH-{name}": table for name in large},
            **{f"TH-F3.{number}": list(vectors.values()) for number in (1, 2, 3)},
            **{f"TH-{name}": everything for name in both},
            "TH-X6": list(design.known().values()),
            "TH-X7": list(design.rates().values()),
            "TH-X3": [*small.values(), *design.methods().values()],
            "TH-X4": [plain, *design.starts().values()],
            "TH-X5": [plain, *design.sources().values()],
        }

    def large(self) -> Results:
        """Runs of the models on the large data."""
        return self._made(self.design.models())

    def small(self) -> Results:
        """Runs of the models on the small data, with three outputs too."""
        return self._made(self.design.small())

    def vectors(self) -> Results:
        """One run of DeepICF and one of GMF, with their weights."""
        return self._made(self.design.vectors())

    def starts(self) -> Results:
        """Runs by how the vectors of items begin."""
        return self._beside_plain(self.design.starts())

    def methods(self) -> Results:
        """Runs by mitigation."""
        return self._beside_plain(self.design.methods())

    def sources(self) -> Results:
        """Runs by what varies."""
        return self._beside_plain(self.design.sources())

    def known(self) -> Results:
        """Runs on data of which it is known why each choice was made."""
        return self._made(self.design.known())

    def rates(self) -> Results:
        """Runs by learning rate, tested on items held out of the histories."""
        return self._made({f"{rate:g}": r for rate, r in self.design.rates().items()})

    def _beside_plain(self, wanted: Wanted) -> Results:
        """Runs beside as many of plain training with the usual seeds."""
        plain = self.design.small()[DEEPICF]
        few = Request(plain.recipe, plain.plans[: self.settings.extra_runs], plain.records)
        return self._made({DEEPICF: few, **wanted})

    def _made(self, wanted: Mapping[str, Request]) -> Results:
        runs = {row: self.get(request) for row, request in wanted.items()}
        recipe = cast(LabelledRecipe, next(iter(wanted.values())).recipe)
        data = recipe.part(cast(Dataset, self.inputs(recipe).data))
        return Results(self, data, runs)
