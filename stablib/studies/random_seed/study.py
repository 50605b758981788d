"""The random seed study, asked for results by the notebooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, cast

from stablib.data import Dataset, find_local
from stablib.studies.base import Study
from stablib.studies.random_seed import extras
from stablib.studies.random_seed.design import Cell, Design, Variant
from stablib.studies.random_seed.outcomes import Again, Matrix
from stablib.studies.random_seed.results import Results
from stablib.studies.random_seed.settings import (
    CELLS,
    DATASETS,
    ENCODERS,
    FURTHER,
    PAIRS,
    PRESETS,
    RandomSeedSettings,
)
from stablib.studies.settings import Settings
from stablib.training import Request
from stablib.workloads.attention import AttentionRecipe
from stablib.workloads.text import TextRecipe


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
        "were looked at. Added later: that other seeds which happen to be worse make no effect "
        "easier to reproduce, when gradients had been measured; the claims about gains of "
        "accuracy (Tables 2 and 3), about middle scores (Figure 3), about the share of important "
        "tokens that differ (Figure 5) and about BiLSTMs against CNNs (Figure 4), when CNNs on "
        "SST had been. Intervals over ten runs are bootstrap intervals and somewhat too narrow; "
        "that of an sd is about as wide as what is allowed, so claims about sds are rarely "
        "decided. Accuracies and sds on fewer than half of the paper's training texts are not "
        "judged; that was added when AG News had been measured, of which a sample is at hand, and "
        "takes away answers none of which was *reproduced*. That NASWA is slightly better than "
        "ASWA (Figure 8) and that both perform alike (within half a point) was added then; last "
        "of all, when everything had been measured, Figure 4.16 on tweets, Figure 4.20 and the "
        "same results on the same machine, and that means over data sets are judged on those at "
        "hand, that gains of accuracy and sizes of classes are not judged on a sample either, and "
        "LIME not where one model explained twice differs by four fifths of what two models do. "
        "Where text and released code differ, the text is judged and both are listed."
    )

    @property
    def cells(self) -> list[Cell]:
        """Data sets and encoders that are trained."""
        s = self.settings
        known = [Cell(*cell) for cell in CELLS[self.preset]]
        datasets = [s.dataset] if s.dataset else list(dict.fromkeys(c.dataset for c in known))
        if s.encoder or s.dataset:
            encoders = [s.encoder] if s.encoder else list(dict.fromkeys(c.encoder for c in known))
            return [Cell(dataset, encoder) for encoder in encoders for dataset in datasets]
        return known

    @cached_property
    def shown(self) -> list[Cell]:
        """Data sets and encoders looked at, in the order of the paper: also what a store has."""
        there = [c for c in self._further if all(map(self.has, self._runs(c).values()))]
        return sorted([*self.cells, *there], key=lambda cell: DATASETS.index(cell.dataset))

    @property
    def _further(self) -> list[Cell]:
        """Data sets and encoders beyond; none where a reader has chosen."""
        s = self.settings
        return [] if s.dataset or s.encoder else [Cell(*c) for c in FURTHER.get(self.preset, ())]

    def _runs(self, cell: Cell) -> dict[Variant, Request]:
        return Design(self.settings, cell).runs()

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
        names = ("T1", "F1", "F3", "F4", "F5", "F6", "F7", "F10", "X3")
        dot, pairs = self._with_dot(), extras.attention_alone(self._on(PAIRS))
        return {
            "RS-T2": of["cnn"],
            "RS-T3": of["bilstm"],
            "RS-F8": of["cnn"],
            "TH-F4.16": of["bilstm"],
            **{f"RS-{name}": everything for name in names},
            "TH-F4.19": list(self._runs(self._read).values()),
            "TH-F4.17": list(dot.values()),
            "RS-F9": list(pairs.values()),
            "RS-X6": [*everything, *dot.values(), *pairs.values()],
            "RS-X1": self._over_length(self._main),
            "RS-X2": [
                request
                for wanted in (*extras.sources(self._main).values(), self._main.runs())
                for request in wanted.values()
            ],
            "RS-X4": list(extras.known_words(self._on("reviews")).values()),
            "RS-X5": [
                *self._main.runs().values(),
                *extras.others(self._main).values(),
                *extras.heads(self.preset).values(),
            ],
            "TH-F4.5": [extras.again(self._main)],
            "RS-F2": [],  # This and the next rest on no runs.
            "TH-F4.3": [],
        }

    def optional(self) -> list[Request]:
        """Runs of further encoders, and on further data at several lengths."""
        runs = [r for cell in self._further for r in self._runs(cell).values()]
        others = [design for design in self._followed if design.cell != self._first]
        return [*runs, *(r for design in others for r in self._over_length(design))]

    @property
    def _main(self) -> Design:
        """What exhibits look at that ask more of one cell: SST if it is there, else the first."""
        return Design(self.settings, self._first)

    @property
    def _first(self) -> Cell:
        return next((cell for cell in self.cells if cell.dataset == "sst"), self.cells[0])

    @property
    def _read(self) -> Cell:
        """Of which one text is looked at: tweets as in the thesis, if they are trained on."""
        tweets = Cell("adr", self._first.encoder)
        return tweets if tweets in self.cells else self._first

    @property
    def _followed(self) -> list[Design]:
        """Cells whose training is followed over its length: those of one encoder, on all texts."""
        s = self.settings
        same = [
            Cell(dataset, self._first.encoder)
            for dataset in DATASETS
            if Cell(dataset, self._first.encoder) in self.cells
        ]
        designs = [Design(s, cell) for cell in same if s.first(cell.dataset) == s.limit]
        return [design for design in designs if extras.lengths(design)]

    def _over_length(self, design: Design) -> list[Request]:
        """Shorter and shorter trainings of a cell, and those that they are compared with."""
        every = (*extras.lengths(design).values(), design.runs())
        return [r for wanted in every for r in wanted.values()]

    def _on(self, dataset: str) -> Design:
        """The same encoder on other data."""
        return Design(self.settings, self._first._replace(dataset=dataset))

    def _with_dot(self) -> dict[Variant, Request]:
        settings = self.settings.model_copy(update={"attention": "dot"})
        return extras.attention_alone(Design(settings, self._first))

    def each(self, encoder: str | None = None) -> list[Results]:
        """Results of every cell looked at, or of those with one encoder."""
        return [self.results(c) for c in self.shown if encoder in (None, c.encoder)]

    def results(self, cell: Cell) -> Results:
        """Results of one cell."""
        return self._results(self._runs(cell))

    def corpora(self) -> dict[str, Dataset]:
        """The paper's data sets on which nothing is run, as far as they are at hand."""
        looked_at = {cell.dataset for cell in self.shown}
        found = {}
        for name in (*DATASETS, PAIRS):
            dataset = None if name in looked_at else find_local(name)
            if dataset is not None:
                found[name] = dataset
        return found

    def main(self) -> Results:
        """Results of one cell, see :attr:`cells`: SST if it is there."""
        return self.results(self._first)

    def with_dot(self) -> Results:
        """Results of the first cell with scaled dot-product attention."""
        return self._results(self._with_dot())

    def pairs(self) -> Results:
        """Results on pairs of sentences with three labels."""
        return self._results(extras.attention_alone(self._on(PAIRS)))

    def lengths(self) -> list[dict[int, Results]]:
        """Results at the end of longer and longer trainings, by epochs, of each cell followed."""
        return [
            {
                epochs: self._results(wanted, checkpoint="last")
                for epochs, wanted in (
                    *extras.lengths(design).items(),
                    (self.settings.epochs, design.runs()),
                )
            }
            for design in self._followed
            if design.cell == self._first or all(map(self.has, self._over_length(design)))
        ]

    def one_text(self) -> Results:
        """Results from which one text is looked at word by word."""
        return self.results(self._read)

    def sources(self) -> dict[str, Results]:
        """Results by what a seed decides, everything last."""
        every = {**extras.sources(self._main), "both": self._main.runs()}
        return {name: self._results(wanted) for name, wanted in every.items()}

    def known_words(self) -> Results:
        """Results on texts of which it is known which words decide."""
        return self._results(extras.known_words(self._on("reviews")))

    def matrix(self) -> Matrix:
        """Results of every mitigation on the first cell and on heads."""
        others = extras.others(self._main)
        here = {name: self.get(request) for name, request in others.items()}
        heads = {name: self.get(request) for name, request in extras.heads(self.preset).items()}
        recipe = cast(TextRecipe, next(iter(heads.values())).recipe)
        data = recipe.part(cast(Dataset, self.inputs(recipe).data))
        main = dataclasses.replace(self.main(), checkpoint="last")
        return Matrix(self, main, here, heads, data)

    def again(self) -> Again | None:
        """Results of a short training as they are kept, and of the same training now.

        None where the data are not at hand to train on.
        """
        request = extras.again(self._main)
        kept = self.get(request)
        if not self.inputs(request.recipe).trainable:
            return None
        return Again(self, kept, self.anew(request))

    def _results(self, wanted: Mapping[Variant, Request], checkpoint: str | None = None) -> Results:
        runs = {variant: self.get(request) for variant, request in wanted.items()}
        recipe = cast(AttentionRecipe, next(iter(wanted.values())).recipe)
        data = recipe.part(cast(Dataset, self.inputs(recipe).data))
        cell = Cell(recipe.dataset, recipe.encoder)
        return Results(self, cell, data, checkpoint or self.settings.checkpoint, runs)
