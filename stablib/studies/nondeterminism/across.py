"""The same rows on the networks of other papers, from the runs that these have."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.local_instability import PRESETS as LOCAL_INSTABILITY
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.nondeterminism.design import ALL, BIT
from stablib.studies.random_seed import PLAIN, Cell
from stablib.studies.random_seed import PRESETS as RANDOM_SEED
from stablib.studies.random_seed.design import Design as SeedDesign
from stablib.studies.random_seed.extras import sources
from stablib.training import Request, one_bit
from stablib.workloads.attention import predictions

#: What the other papers call the sources.
_ALL = {"all three": ALL, "both": ALL, "order of the texts": "order"}
#: First trained weights next to the input, of which one is changed by a bit, and how many of them
#: there are whatever the encoder of the texts.
_FIRST = {
    "head": ("hidden.weight", 10_000),
    "top_layer": ("bert.encoder.layer.5.attention.self.query.weight", 384 * 384),
    "cnn": ("encoder.weights.0", 32 * 50),
    "bilstm": ("encoder.forwards.weight_ih_l0", 512 * 50),
}


def requests(preset: str) -> dict[str, dict[str, Request]]:
    """Runs that other papers have, by workload and source: heads, and a CNN that reads words."""
    return {
        "heads on MASSIVE": _named(_local("head", preset).sources(), "head"),
        "CNN on SST": _of_words("cnn", preset),
    }


def others(preset: str, n_runs: int) -> dict[str, dict[str, Request]]:
    """The same of networks of which no paper has them: a trained top layer, and a BiLSTM."""
    top = _local("top_layer", preset)
    return {
        "top layer on MASSIVE": _named(top.sources(top.control, n_runs), "top_layer"),
        "BiLSTM on SST": _of_words("bilstm", preset),
    }


def _local(model: str, preset: str) -> LocalDesign:
    settings = LOCAL_INSTABILITY[preset]
    changed = {"model": model, "learning_rate": None}
    return LocalDesign(settings.model_copy(update=changed), "massive")


def _of_words(encoder: Literal["cnn", "bilstm"], preset: str) -> dict[str, Request]:
    design = SeedDesign(RANDOM_SEED[preset], Cell("sst", encoder))
    found = {row: wanted[PLAIN] for row, wanted in sources(design).items()}
    return _named({**found, "both": design.runs()[PLAIN]}, encoder)


def _named(rows: Mapping[str, Request], network: str) -> dict[str, Request]:
    """The rows by their names here, and twins that differ by one bit."""
    source = next(iter(rows.values()))
    twins = one_bit(len(source.plans), *_FIRST[network])
    named = {_ALL.get(row, row): request for row, request in rows.items()}
    return {**named, BIT: dataclasses.replace(source, plans=twins)}


@dataclasses.dataclass(frozen=True)
class Across(Outcome):
    """Runs of several workloads by what varies in them.

    Parameters
    ----------
    study : Study
        Where they come from.
    datasets : mapping of str to Dataset
        By workload, as far as its recipe looks.
    runs : mapping of str to mapping of str to Runs
        By workload and source.
    """

    datasets: Mapping[str, Dataset]
    runs: Mapping[str, Mapping[str, Runs]]

    def labels(self, workload: str, row: str) -> NDArray[np.integer]:
        """Predicted labels of the test examples, shape (n_runs, n_test)."""
        runs = self.runs[workload][row]
        for kept in ("labels", "labels_test"):
            if kept in runs:
                return runs[kept]
        return predictions(runs["scores_best"]).argmax(axis=-1)

    def all_runs(self) -> dict[str, Runs]:
        """Runs by workload and source."""
        return {f"{w}, {row}": runs for w, of in self.runs.items() for row, runs in of.items()}

    def about(self) -> str:
        """Data and model of each workload, and how many runs."""
        parts = []
        for workload, rows in self.runs.items():
            runs, source = next(iter(rows.values())), self.datasets[workload].source
            parts.append(f"{source}, {runs.recipe.model_name}, {len(runs)} runs a row")
        return " · ".join(parts)
