"""Widget: every mitigation on every workload, to be sorted and opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_number
from stablib.show.widgets._inputs import check_known, check_mapping
from stablib.show.widgets.hosted import HostedWidget, check_choice, module_text

#: What a cell holds: numbers, and two of each run.
NUMBERS = ("reduction", "low", "high", "gain", "gain_low", "gain_high", "trainings", "failed")
OF_RUNS = ("accuracies", "apart")

#: The row of plain runs, which stands above all methods.
CONTROL = "Control"


class MitigationMatrix(HostedWidget):
    """The view that :func:`mitigation_matrix` fills; its state traits may be read and set."""

    _esm = module_text("mitigation_matrix.js")

    #: Workload by which the rows are sorted, the largest reduction first; empty for their order.
    sort = traitlets.Unicode("").tag(sync=True, state=True)
    #: Workload and method of the cell that is open.
    workload = traitlets.Unicode().tag(sync=True, state=True)
    method = traitlets.Unicode().tag(sync=True, state=True)

    @traitlets.validate("sort")
    def _check_sort(self, proposal: Any) -> str:
        return check_choice("sort", proposal.value, ["", *self.data["workloads"]])

    @traitlets.validate("workload")
    def _check_workload(self, proposal: Any) -> str:
        return check_choice("workload", proposal.value, self.data["workloads"])

    @traitlets.validate("method")
    def _check_method(self, proposal: Any) -> str:
        return check_choice("method", proposal.value, [CONTROL, *self.data["methods"]])


def mitigation_matrix(
    cells: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    plain: Mapping[str, Mapping[str, Any]],
    methods: Sequence[str],
    reasons: Mapping[str, Mapping[str, str]],
    name: str,
    picture: str = "",
) -> MitigationMatrix:
    """Sort methods by what they do on a workload, and open a cell's runs.

    Parameters
    ----------
    cells : mapping of str to mapping of str to mapping
        By workload and method:

        ``"reduction"``, ``"low"``, ``"high"`` : float
            By how many percent two runs differ less than plain ones, and the ends of its
            interval; NaN where it has none.
        ``"gain"``, ``"gain_low"``, ``"gain_high"`` : float
            Accuracy above that of plain runs, in points, and the ends of its interval.
        ``"trainings"`` : int
            Behind one prediction.
        ``"failed"`` : int
            Runs that have learnt next to nothing.
        ``"accuracies"`` : array_like of float, shape (n_runs,)
            Of each run, in percent.
        ``"apart"`` : array_like of float, shape (n_runs,)
            Examples on which a run differs from another one, mean over the others, in percent.
        ``"unit"`` : str, optional
            What a run is, ``"run"`` where nothing is said.
    plain : mapping of str to mapping
        The last two arrays of plain runs, by workload.
    methods : sequence of str
        Every method, in the order of the rows.
    reasons : mapping of str to mapping of str to str
        By workload and method, why a cell is empty.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    MitigationMatrix
        Its state: ``sort`` (a workload, or empty), ``workload`` and ``method`` of the open cell.

    Raises
    ------
    ValueError
        If a method is unknown, a number is missing, a cell has neither runs nor a reason, or a
        workload no plain runs; names the argument.
    """
    check_mapping("cells", cells)
    if not cells:
        raise UsageError("cells must hold at least one workload, got none")
    if CONTROL in methods:
        raise UsageError(f"methods must not hold {CONTROL!r}: plain runs are given as plain")
    data: dict[str, Any] = {
        "workloads": list(cells),
        "methods": list(methods),
        "control": CONTROL,
        "cells": {},
    }
    first: tuple[str, str] | None = None
    for workload, by_method in cells.items():
        check_known(f"cells[{workload!r}]", by_method, methods)
        if workload not in plain:
            raise UsageError(f"plain[{workload!r}] is missing")
        why = reasons.get(workload, {})
        row: dict[str, Any] = {CONTROL: _of_runs(f"plain[{workload!r}]", plain[workload])}
        for method in methods:
            argument = f"cells[{workload!r}][{method!r}]"
            if method in by_method:
                row[method] = _cell(argument, by_method[method])
                first = first or (str(workload), str(method))
            elif method in why:
                row[method] = {"reason": str(why[method])}
            else:
                raise UsageError(f"{argument} is missing, and reasons has none for it")
        data["cells"][str(workload)] = row
    if first is None:
        raise UsageError("cells must hold at least one method with runs, got none")
    return MitigationMatrix(
        name=name, data=data, picture=picture, workload=first[0], method=first[1]
    )


def _cell(argument: str, given: Mapping[str, Any]) -> dict[str, Any]:
    check_mapping(argument, given)
    _check_keys(argument, given, NUMBERS)
    numbers = {key: as_number(given[key], name=f"{argument}[{key!r}]") for key in NUMBERS}
    return {
        **{key: None if math.isnan(value) else round(value, 4) for key, value in numbers.items()},
        **_of_runs(argument, given),
    }


def _of_runs(argument: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Two numbers of each run, and what a run is."""
    check_mapping(argument, given)
    _check_keys(argument, given, OF_RUNS)
    arrays = {key: as_finite(given[key], name=f"{argument}[{key!r}]") for key in OF_RUNS}
    shape = (arrays["accuracies"].size,)
    for key, array in arrays.items():
        if array.shape != shape or not array.size:
            raise UsageError(
                f"{argument}[{key!r}] must have shape (n_runs,), one number a run, got "
                f"{array.shape}"
            )
    unit = str(given.get("unit", "run"))
    return {"unit": unit, **{key: np.round(array, 3).tolist() for key, array in arrays.items()}}


def _check_keys(argument: str, given: Mapping[str, Any], keys: Sequence[str]) -> None:
    missing = [key for key in keys if key not in given]
    if missing:
        raise UsageError(f"{argument} must hold {missing[0]!r}, it has {', '.join(given)}")
