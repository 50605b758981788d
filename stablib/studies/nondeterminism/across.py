"""The same rows on the networks of other papers, from the runs that these have."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.local_instability import PRESETS as LOCAL_INSTABILITY
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.random_seed import PLAIN, Cell
from stablib.studies.random_seed import PRESETS as RANDOM_SEED
from stablib.studies.random_seed.design import Design as SeedDesign
from stablib.studies.random_seed.extras import sources
from stablib.training import Request
from stablib.workloads.attention import predictions

#: What the other papers call the sources.
_ALL = {"all three": "all", "both": "all", "order of the texts": "order"}


def requests(preset: str) -> dict[str, dict[str, Request]]:
    """Runs of other papers by workload and source: heads, and a CNN that attends to words."""
    heads = LocalDesign(LOCAL_INSTABILITY[preset].model_copy(update={"model": "head"}), "massive")
    cnn = SeedDesign(RANDOM_SEED[preset], Cell("sst", "cnn"))
    by_source = {row: wanted[PLAIN] for row, wanted in sources(cnn).items()}
    return {
        "heads on MASSIVE": {_ALL.get(row, row): r for row, r in heads.sources().items()},
        "CNN on SST": {
            **{_ALL.get(row, row): request for row, request in by_source.items()},
            "all": cnn.runs()[PLAIN],
        },
    }


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
