"""The recommender study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from stablib.data import Dataset
from stablib.studies.base import Study
from stablib.studies.recommender.design import DEEPICF, GMF, OTHER_SEEDS, Design, Wanted
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
        plain = [vectors[DEEPICF], models[DEEPICF]]
        table = [*vectors.values(), *models.values()]
        extras = [small[DEEPICF], design.methods()[OTHER_SEEDS]]
        return {
            "TH-F3.7": plain,
            "TH-F3.8": plain,
            "TH-F3.10": plain,
            "TH-F3.11": plain,
            "TH-F3.9": [*plain, *_of(models, "weighted")],
            "TH-T3.1": plain,
            "TH-F3.5": plain,
            "TH-F3.1": list(vectors.values()),
            "TH-F3.2": [vectors[GMF]],
            "TH-F3.3": [vectors[GMF]],
            "TH-T3.2": [*table, *small.values()],
            "TH-X1": [*table, *small.values()],
            "TH-X2": plain,
            "TH-X8": [*table, *small.values()],
            "TH-X9": [*table, *small.values()],
            "TH-X6": list(design.known().values()),
            "TH-X7": list(design.rates().values()),
            "TH-X3": [*design.methods().values(), *extras],
            "TH-X4": [*design.starts().values(), *extras],
            "TH-X5": [*design.sources().values(), *extras],
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


def _of(wanted: Mapping[str, Any], part: str) -> list[Request]:
    return [request for name, request in wanted.items() if part in name]
