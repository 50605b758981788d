"""Results: labels by workload and method, or by workload and source."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.synthesis.design import CONTROL, ENSEMBLE, Column
from stablib.studies.synthesis.look import Look, Predicted
from stablib.studies.synthesis.settings import SynthesisSettings
from stablib.workloads.text import LabelledRecipe


@dataclasses.dataclass(frozen=True)
class Matrix(Outcome):
    """Runs of every workload with every method.

    Parameters
    ----------
    study : Study
        Where they come from.
    columns : mapping of str to Column
        How predictions are read, by workload.
    runs : mapping of str to mapping of str to Runs
        By workload and row of the table, plain runs among them.
    gold : mapping of str to ndarray of int
        Class of each test example, by workload.
    """

    columns: Mapping[str, Column]
    runs: Mapping[str, Mapping[str, Runs]]
    gold: Mapping[str, NDArray[np.integer]]

    def predicted(self, workload: str, row: str) -> Predicted:
        """Labels and accuracies of the runs of a row."""
        look, runs = self._look(workload, row), self.runs[workload][row]
        return Predicted(look.labels(runs), look.accuracies(runs, self.gold[workload]))

    def trainings(self, workload: str, row: str) -> int:
        """Trainings behind one prediction: its own, and those of its teachers or members."""
        if row == ENSEMBLE:
            return cast(SynthesisSettings, self.study.settings).members
        runs = self.runs[workload][row]
        return 1 + len(cast(LabelledRecipe, runs.recipe).method.teachers(runs.plans[0]))

    def softened(self, workload: str, row: str) -> bool:
        """Whether accuracy is a mean probability, and the method gives some to wrong answers."""
        recipe = cast(LabelledRecipe, self.runs[workload][row].recipe)
        return bool(self._look(workload, row).losses) and "targets" in recipe.method.changes

    def why_not(self, workload: str, row: str) -> str:
        """Why a cell is empty."""
        if row in self.columns[workload].methods:
            return "fewer than two ensembles can be made of its runs"
        return self.columns[workload].why_not(row)

    def _look(self, workload: str, row: str) -> Look:
        column = self.columns[workload]
        return column.control if row == CONTROL else column.methods[row]

    def plain(self, workload: str, row: str) -> tuple[Predicted, bool]:
        """The plain runs to compare a row with, and whether they have its seeds."""
        every = self.predicted(workload, CONTROL)
        plans, own = (self.runs[workload][name].plans for name in (CONTROL, row))
        if not set(own) <= set(plans):
            return every, False
        same = [plans.index(plan) for plan in own]
        return Predicted(every.labels[same], every.accuracies[same]), True

    def ensembles(self, workload: str) -> tuple[Predicted, Predicted] | None:
        """Ordinary ensembles and their members, see :meth:`Look.ensembles`."""
        look, runs = self._look(workload, ENSEMBLE), self.runs[workload][ENSEMBLE]
        return look.ensembles(runs, self.trainings(workload, ENSEMBLE), self.gold[workload])

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by workload and row."""
        return {f"{w}, {row}": r for w, rows in self.runs.items() for row, r in rows.items()}

    def main_runs(self) -> Mapping[str, Runs]:
        """Plain runs: the others have their seeds."""
        return {workload: rows[CONTROL] for workload, rows in self.runs.items()}

    def about(self) -> str:
        """Workloads, and how many runs."""
        parts = [
            f"{workload}: {len(rows[CONTROL])} plain runs" for workload, rows in self.runs.items()
        ]
        return "; ".join(parts)


@dataclasses.dataclass(frozen=True)
class Sources(Outcome):
    """Runs of every workload by what varies.

    Parameters
    ----------
    study : Study
        Where they come from.
    runs : mapping of str to mapping of str to Runs
        By workload and source.
    labels : mapping of str to mapping of str to ndarray of int, shape (n_runs, n_examples)
        What they predict.
    """

    runs: Mapping[str, Mapping[str, Runs]]
    labels: Mapping[str, Mapping[str, NDArray[np.integer]]]

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by workload and source."""
        return {f"{w}, {row}": r for w, rows in self.runs.items() for row, r in rows.items()}

    def about(self) -> str:
        """Workloads, and how many runs."""
        parts = []
        for workload, rows in self.runs.items():
            counts = dict.fromkeys(str(len(r)) for r in rows.values())
            parts.append(f"{workload}: {' or '.join(counts)} runs a row")
        return "; ".join(parts)
