"""The random seed study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from stablib.data import Dataset
from stablib.studies.base import Study
from stablib.studies.random_seed.design import Cell, Design
from stablib.studies.random_seed.results import Results
from stablib.studies.random_seed.settings import CELLS, ENCODERS, PRESETS, RandomSeedSettings
from stablib.studies.settings import Settings
from stablib.training import Request


class RandomSeed(Study):
    """On model stability as a function of random seed."""

    name = "random_seed"
    title = "Random seed"
    presets: ClassVar[Mapping[str, Settings]] = PRESETS
    settings: RandomSeedSettings
    rules = (
        "An accuracy counts as *reproduced* if the whole interval of its mean over runs lies "
        "within twice the paper's standard deviation, a standard deviation if its whole interval "
        "lies within 30 % of the paper's, a reduction if its whole interval is beyond no effect "
        "and its value within 15 points of the paper's. These rules were written before the runs "
        "were looked at; that other seeds which happen to be worse make no effect easier to "
        "reproduce was added when gradients had been measured. Intervals over ten runs are "
        "bootstrap intervals and somewhat too narrow. Where text and released code differ, the "
        "text is judged and both are listed."
    )

    @property
    def cells(self) -> list[Cell]:
        """Data sets and encoders looked at."""
        s = self.settings
        known = [Cell(*cell) for cell in CELLS[self.preset]]
        datasets = [s.dataset] if s.dataset else list(dict.fromkeys(c.dataset for c in known))
        if s.encoder or s.dataset:
            encoders = [s.encoder] if s.encoder else list(dict.fromkeys(c.encoder for c in known))
            return [Cell(dataset, encoder) for encoder in encoders for dataset in datasets]
        return known

    def requests(self) -> dict[str, list[Request]]:
        """What each exhibit needs."""
        of = {
            encoder: [
                request
                for cell in self.cells
                if cell.encoder == encoder
                for request in Design(self.settings, cell).runs().values()
            ]
            for encoder in ENCODERS
        }
        everything = [request for requests in of.values() for request in requests]
        names = ("T1", "F1", "F3", "F4", "F5", "F6", "F7", "F10", "X3", "X6")
        return {
            "RS-T2": of["cnn"],
            "RS-T3": of["bilstm"],
            "RS-F8": of["cnn"],
            **{f"RS-{name}": everything for name in names},
            "RS-F2": [],  # This and the next rest on no runs.
            "TH-F4.3": [],
        }

    def each(self, encoder: str | None = None) -> list[Results]:
        """Results of every cell looked at, or of those with one encoder."""
        return [self.results(c) for c in self.cells if encoder in (None, c.encoder)]

    def results(self, cell: Cell) -> Results:
        """Results of one cell."""
        wanted = Design(self.settings, cell).runs()
        runs = {variant: self.get(request) for variant, request in wanted.items()}
        recipe = next(iter(wanted.values())).recipe
        data = cast(Dataset, self.inputs(recipe).data).head(self.settings.limit)
        return Results(self, cell, data, self.settings.checkpoint, runs)
