"""Widgets of the closing chapter, from results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.synthesis.matrix import Effect, effects, n_failed
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.synthesis import CONTROL, ENSEMBLE, Matrix
from stablib.studies.synthesis.design import METHODS


def mitigation_matrix(found: Matrix) -> HostedWidget:
    """Sort methods by what they do on a workload, and open a cell's runs."""
    every = effects(found)
    return widgets.mitigation_matrix(
        {
            workload: {
                method: {
                    "reduction": one.reduction,
                    "low": one.interval.low,
                    "high": one.interval.high,
                    "gain": one.gain,
                    "gain_low": one.gain_interval.low,
                    "gain_high": one.gain_interval.high,
                    "trainings": one.trainings,
                    "failed": n_failed(one, of[CONTROL]),
                    "unit": "ensemble" if method == ENSEMBLE else "run",
                    **_of_runs(one),
                }
                for method, one in of.items()
                if method != CONTROL
            }
            for workload, of in every.items()
        },
        plain={workload: _of_runs(of[CONTROL]) for workload, of in every.items()},
        methods=METHODS,
        reasons={
            workload: {m: found.why_not(workload, m) for m in METHODS} for workload in found.columns
        },
        name="mitigation-matrix",
        picture=picture("SY-T1"),
    )


def _of_runs(effect: Effect) -> dict[str, NDArray[np.float64]]:
    return {"accuracies": effect.accuracies, "apart": effect.apart}
