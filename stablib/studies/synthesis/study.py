"""The closing chapter's study: it trains nothing of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.papers.claims import Claim
from stablib.studies.base import Study
from stablib.studies.settings import Settings
from stablib.studies.synthesis.design import CONTROL, columns, labels_of, sources
from stablib.studies.synthesis.results import Matrix, Sources
from stablib.studies.synthesis.settings import PRESETS, SynthesisSettings
from stablib.training import Request
from stablib.workloads.text import LabelledRecipe


class Synthesis(Study):
    """What carries over: methods and sources of all texts on the models of all texts."""

    name = "synthesis"
    title = "What carries over"
    presets: ClassVar[Mapping[str, Settings]] = PRESETS
    settings: SynthesisSettings
    #: None of the texts claims anything about the models of the others.
    rules = ""

    @classmethod
    def claims(cls) -> dict[str, Claim]:
        """There are none."""
        return {}

    def requests(self) -> dict[str, list[Request]]:
        """What each exhibit needs: runs that the other studies have."""
        looks = [
            look
            for column in columns(self.preset).values()
            for look in (column.control, *column.methods.values(), column.whole)
            if look is not None
        ]
        rows = [r for _, _, rows in sources(self.preset).values() for r in rows.values()]
        return {
            "SY-T1": list(dict.fromkeys(look.request for look in looks)),
            "SY-F1": list(dict.fromkeys(rows)),
        }

    def matrix(self) -> Matrix:
        """Runs by workload and method."""
        found = columns(self.preset)
        runs = {
            workload: {
                CONTROL: self.get(column.control.request),
                **{name: self.get(look.request) for name, look in column.methods.items()},
            }
            for workload, column in found.items()
        }
        whole = {w: self.get(c.whole.request) for w, c in found.items() if c.whole is not None}
        gold = {w: self._gold(c.control.request) for w, c in found.items()}
        return Matrix(self, found, runs, whole, gold)

    def sources(self) -> Sources:
        """Runs by workload and what varies."""
        runs: dict[str, dict[str, Any]] = {}
        labels: dict[str, dict[str, NDArray[np.integer]]] = {}
        for workload, (read, array, rows) in sources(self.preset).items():
            runs[workload] = {row: self.get(request) for row, request in rows.items()}
            labels[workload] = {r: labels_of(read(of, array)) for r, of in runs[workload].items()}
        return Sources(self, runs, labels)

    def _gold(self, request: Request) -> NDArray[np.integer]:
        """Class of each test example; held-out items of the recommender were all chosen."""
        recipe = cast(LabelledRecipe, request.recipe)
        return recipe.part(cast(Dataset, self.inputs(recipe).data)).gold["test"]
