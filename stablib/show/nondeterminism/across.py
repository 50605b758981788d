"""The same sources on the networks of other papers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from stablib.metrics import (
    centred_interval,
    pair_mean,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.nondeterminism.comparison import RUNS, disagreement, finite
from stablib.show.spans import span
from stablib.studies.nondeterminism import ALL, BIT, Across
from stablib.studies.nondeterminism.design import ROWS

#: Sources that do so many times as much as others do not do the same.
_ALIKE = 1.25


def across(outcome: Across) -> Exhibit:
    """Do all sources do the same on the networks of other papers too? (ND-X1)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    details = []
    bits: dict[str, float] = {}
    ratios: dict[str, float] = {}
    unlike: list[str] = []
    for workload, rows in outcome.runs.items():
        gold = outcome.datasets[workload].gold["test"]
        means, draws = {}, {}
        for row in rows:
            labels = outcome.labels(workload, row)
            weights = RUNS.weights(len(labels))
            apart = disagreement(labels)
            means[row], draws[row] = pair_mean(apart), resampled_pair_mean(apart, weights)
            accuracy = 100.0 * (labels == gold).mean(axis=1)
            sd = float(sd_over_runs(accuracy))
            of_sd = centred_interval(sd, resampled_sd(accuracy[:, None], weights)[:, 0])
            table[workload, row] = {
                "runs": f"{len(labels)}",
                "disagreement (%)": with_interval(
                    float(means[row]), centred_interval(float(means[row]), draws[row])
                ),
                "of that of all (%)": "–",
                "sd of accuracy (points)": with_interval(sd, of_sd, 2),
            }
        for row in rows:
            if row != ALL:
                with np.errstate(divide="ignore", invalid="ignore"):  # Runs may all agree.
                    share = 100.0 * means[row] / means[ALL]
                    shares = 100.0 * draws[row] / draws[ALL]
                found = finite(float(share), shares)
                table[workload, row]["of that of all (%)"] = with_interval(*found, 0)
        if BIT in rows:
            bits[workload] = 100.0 * float(means[BIT] / means[ALL]) if means[ALL] else math.nan
        # The paper's question is about sources, and not about several or one bit.
        alone = [row for row in rows if row != BIT and len(ROWS.get(row, (row,))) == 1]
        most, least = max(alone, key=means.__getitem__), min(alone, key=means.__getitem__)
        of_alone = np.stack([draws[row] for row in alone])
        with np.errstate(divide="ignore", invalid="ignore"):
            times = float(means[most] / means[least])
            found = finite(times, of_alone.max(axis=0) / of_alone.min(axis=0))
        ratios[workload] = times
        if found[1].low > _ALIKE:
            unlike.append(workload)
        details.append(
            f"{workload} {with_interval(*found, 2)} times as often by {most} as by {least}"
        )
    return record(
        "ND-X1",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=across,
        results=[outcome],
        finding=(
            "By the strongest source alone two runs disagree so many times as often as by the "
            f"weakest: {span(ratios, 2)}; more than {_ALIKE:g} times, by the whole interval, on "
            f"{' and '.join(unlike) or 'none'}. One bit does so much of what everything does: "
            f"{span(bits, unit=' %')}."
        ),
        details=f"Two runs disagree, by one source alone: {'; '.join(details)}.",
        caption=(
            "Share of the test examples on which two runs disagree, mean over pairs, and standard "
            "deviation of accuracy (ddof 0), by what varies between runs, for the networks of this "
            "paper and of others, with 95 % bootstrap intervals over runs. 'All' is all sources "
            "that a network has: images are augmented, heads and the top layer have dropout. "
            "One bit is that of a weight next to the input, another weight in each run. CNN and "
            "BiLSTM are looked at at their best checkpoint, as in RS-X2, which is an early one; "
            "after the last epoch, in SY-F1, one bit does more."
        ),
    )
