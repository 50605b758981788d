"""Widgets of the closing chapter, from results."""

from __future__ import annotations

from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.synthesis.matrix import effects
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.synthesis import Matrix
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
                    "disagreement": one.disagreement,
                    "accuracies": one.accuracies,
                }
                for method, one in of.items()
                if method in METHODS
            }
            for workload, of in every.items()
        },
        costs=METHODS,
        reasons={
            workload: {m: found.why_not(workload, m) for m in METHODS} for workload in found.columns
        },
        name="mitigation-matrix",
        picture=picture("SY-T1"),
    )
