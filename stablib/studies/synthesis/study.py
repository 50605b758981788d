"""The closing chapter's study: runs of the others, and methods where those do not try them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.papers.claims import Claim
from stablib.runs import Runs
from stablib.studies.base import Study
from stablib.studies.settings import Settings
from stablib.studies.synthesis.design import (
    CONTROL,
    Column,
    columns,
    further_sources,
    sources,
)
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
            for column in self._columns().values()
            for look in (column.control, *column.methods.values())
        ]
        rows = [look for of in sources(self.preset).values() for look in of.values()]
        return {
            "SY-T1": list(dict.fromkeys(look.request for look in looks)),
            "SY-F1": list(dict.fromkeys(look.request for look in rows)),
        }

    def optional(self) -> list[Request]:
        """Methods and sources on models of chapters that do not try them."""
        further = [
            *(column.further for column in self._columns().values()),
            *further_sources(self.preset).values(),
        ]
        return list(dict.fromkeys(look.request for rows in further for look in rows.values()))

    def matrix(self) -> Matrix:
        """Runs by workload and method."""
        found = {w: column.shown(self.has) for w, column in self._columns().items()}
        runs = {
            workload: {
                CONTROL: self.get(column.control.request),
                **{name: self.get(look.request) for name, look in column.methods.items()},
            }
            for workload, column in found.items()
        }
        gold = {w: self._gold(c.control.request) for w, c in found.items()}
        return Matrix(self, found, runs, gold)

    def sources(self) -> Sources:
        """Runs by workload and what varies."""
        runs: dict[str, dict[str, Runs]] = {}
        labels: dict[str, dict[str, NDArray[np.integer]]] = {}
        more = further_sources(self.preset)
        for workload, known in sources(self.preset).items():
            there = {r: at for r, at in more.get(workload, {}).items() if self.has(at.request)}
            rows = {**known, **there}
            of = runs[workload] = {row: self.get(look.request) for row, look in rows.items()}
            labels[workload] = {row: look.labels(of[row]) for row, look in rows.items()}
        return Sources(self, runs, labels)

    def _columns(self) -> dict[str, Column]:
        return columns(self.preset, self.settings)

    def _gold(self, request: Request) -> NDArray[np.integer]:
        """Class of each test example; held-out items of the recommender were all chosen."""
        recipe = cast(LabelledRecipe, request.recipe)
        return recipe.part(cast(Dataset, self.inputs(recipe).data)).gold["test"]
