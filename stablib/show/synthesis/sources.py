"""How much each source does on each workload, in one unit (SY-F1)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stablib.metrics import (
    disagreement_of_runs,
)
from stablib.show.exhibit import Exhibit, record
from stablib.show.spans import span
from stablib.show.style import PALETTE, figure
from stablib.show.synthesis.matrix import RUNS
from stablib.studies.synthesis import Sources

#: Sources in the order of the legend; each has a mark of its own.
_ORDER = (
    "all",
    "initial weights",
    "order",
    "dropout",
    "augmentation",
    "negatives",
    "low level",
    "one bit",
)
_MARKS = "osD^vXPd"
_BIT = "one bit"


def by_workload(found: Sources) -> Exhibit:
    """Disagreement of two runs by what varies between them."""
    rows = []
    for workload, of in found.labels.items():
        for source, labels in of.items():
            matrix = 100.0 * disagreement_of_runs(labels)
            value, (low, high) = RUNS.pairs(matrix)
            rows.append(
                {
                    "workload": workload,
                    "source": source,
                    "runs": len(labels),
                    "disagreement (%)": value,
                    "low": low,
                    "high": high,
                }
            )
    frame = pd.DataFrame(rows)
    workloads = list(found.labels)
    with figure(width=7.6, height=0.62 * len(workloads) + 1.6) as made:
        (axes,) = made.axes
        known = [s for s in _ORDER if s in set(frame["source"])]
        for number, source in enumerate(known):
            part = frame[frame["source"] == source]
            heights = np.array([workloads.index(w) for w in part["workload"]], dtype=float)
            heights += (number - (len(known) - 1) / 2.0) * 0.09
            values = part["disagreement (%)"].to_numpy()
            ends = np.stack([values - part["low"], part["high"] - values]).clip(min=0.0)
            axes.errorbar(
                values,
                heights,
                xerr=ends,
                linestyle="none",
                marker=_MARKS[number],
                color=PALETTE[number],
                markersize=5,
                label=source,
            )
        axes.set_yticks(range(len(workloads)), workloads)
        axes.invert_yaxis()
        axes.set(xlabel="examples on which two runs differ (%)", xlim=(0.0, None))
        axes.legend(fontsize=8, loc="lower right")
        return record(
            "SY-F1",
            made,
            made_by=by_workload,
            results=[found],
            numbers=frame,
            alt="Dots by workload: how much two runs differ, by what varies between them.",
            caption=(
                "Share of the test examples on which two runs differ, mean over pairs with 95 % "
                "bootstrap intervals over runs, widened for few of them, by what varies between "
                "them. CNN and BiLSTM are looked at twice. For the language model an example is a "
                "word; for the recommender it is an item that was held out, and whether it is "
                "among the first ten."
            ),
            finding=_finding(frame),
        )


def _finding(frame: pd.DataFrame) -> str:
    """From where to where single sources reach on the workloads, of what all do together."""
    alone, bits = {}, {}
    for workload, of in frame.groupby("workload", sort=False):
        values = of.set_index("source")["disagreement (%)"]
        if "all" not in values or not values["all"]:
            continue
        shares = 100.0 * values.drop("all") / values["all"]
        if _BIT in shares:
            bits[workload] = shares.pop(_BIT)
        if len(shares):
            alone[workload] = shares.max()
    said = [
        f"{name} does {span(of, unit=' %')} of what all sources do together"
        for name, of in (("The strongest single source", alone), ("one bit", bits))
        if of
    ]
    return f"{'; '.join(said)}." if said else ""
