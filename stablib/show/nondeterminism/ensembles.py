"""Snapshots, views of test images and ordinary ensembles (section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from stablib.mitigation import vanilla_ensembles
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.nondeterminism.comparison import (
    MEASURES,
    Varied,
    answer,
    ratios,
    reduction,
    varied,
)
from stablib.show.nondeterminism.tables import CAPTION
from stablib.studies.nondeterminism import ALL, OTHER_SEEDS, Results

#: Members of the ordinary ensembles that are compared with snapshots.
_MEMBERS = (2, 3, 4, 5)


class _Row(NamedTuple):
    """A row of Table 5: its title, its name in claims, what one of its predictions costs."""

    title: str
    claim: str
    trainings: int
    varied: Varied


def mitigations(results: Results, pool: Results, shorter: Mapping[int, Results]) -> Exhibit:
    """Snapshot ensembles, views of the test images, and ordinary ensembles (ND-T5).

    ``pool`` has runs of which everything varies, with two sets of seeds; ``shorter`` those of which
    several cost as much as one of them.
    """
    gold, cycles = results.gold, results.study.settings.cycles
    titles = {"single": "single", "snapshots": f"{cycles} snapshots"}
    rows = [
        _Row(
            f"{title}, {_VIEWS[view]}" if view else title,
            f"{kind}-{view.replace('_', '-')}" if view else kind,
            1,
            _seen(results, kind, view),
        )
        for kind, title in titles.items()
        for view in ("", *_VIEWS)
    ]
    n_runs = len(rows[0].varied.levels)
    everything = np.concatenate([pool.logits[ALL], pool.logits[OTHER_SEEDS]])
    for members in _MEMBERS:
        ensembles = vanilla_ensembles(everything, members)[:n_runs]
        if len(ensembles) >= _FEWEST:
            one = varied(ensembles, gold, other_seeds=True)
            rows.append(_Row(f"ensemble of {members}", f"ensemble-{members}", members, one))
    for members, runs in shorter.items():
        ensembles = vanilla_ensembles(runs.logits["single"], members)[:n_runs]
        one = varied(ensembles, gold, other_seeds=True)
        title = f"ensemble of {members}, each 1/{members} as long"
        rows.append(_Row(title, f"ensemble-{members}-short", 1, one))
    others = varied(pool.logits[OTHER_SEEDS][:n_runs], gold, other_seeds=True)
    rows.append(_Row("single, other seeds", "null", 1, others))
    null, _ = reduction(others, rows[0].varied)
    table: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    for row in rows:
        # An sd over fewer runs is smaller by itself.
        single = _first(results, len(row.varied.levels))
        less = reduction(row.varied, single)
        table[row.title] = {
            "predictors": f"{len(row.varied.levels)}",
            "trainings of each": f"{row.trainings}",
            **row.varied.cells,
            _LESS: "–" if row.claim == "single" else with_interval(*less, 0),
        }
        measured += answer(f"t5-{row.claim}-reduction", less, null=null)
    by_claim = {row.claim: row for row in rows}
    said = f"{titles['snapshots']} {table[titles['snapshots']][_LESS]} %"
    if "ensemble-2" in by_claim:
        pair = by_claim["ensemble-2"]
        said += f", ensembles of 2 {table[pair.title][_LESS]} %"
        against = ratios(by_claim["snapshots"].varied, pair.varied)
        for measure, ratio in zip(MEASURES, against, strict=True):
            measured += answer(f"t5-against-2-{measure.name}", ratio)
    for row in rows:
        if row.claim.endswith("-short"):
            said += f", {row.title} {table[row.title][_LESS]} %"
    return record(
        "ND-T5",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=mitigations,
        results=[results, pool, *shorter.values()],
        measured=measured,
        finding=(
            f"Variability below that of single runs, mean over the five measures: {said}; other "
            f"seeds alone {null:.0f} %."
        ),
        caption=(
            "Runs in which everything varies. Snapshots are members of one training whose learning "
            "rate falls to 0 several times; views are means of the logits of mirrored test images "
            "and of 25 shifts by up to two pixels; ordinary ensembles share no run, and are made "
            "of twice as many runs; those of shorter trainings cost no more than one run. A "
            "reduction is that below as many single runs. "
            f"{CAPTION}"
        ),
    )


#: Views of test images in words.
_VIEWS = {"flip": "flip", "crop25": "25 crops", "flip_crop25": "flip and 25 crops"}
_LESS = "variability below single (%)"
#: Of fewer ensembles nothing can be said of how they vary.
_FEWEST = 5


def _first(results: Results, count: int) -> Varied:
    """So many single runs."""
    runs = results.runs["single"]
    parts = (runs[name][:count] for name in ("logits", "loss", "labels"))
    logits, losses, labels = parts
    return varied(logits, results.gold, losses=losses, labels=labels)


def _seen(results: Results, row: str, view: str) -> Varied:
    runs, end = results.runs[row], f"_{view}" if view else ""
    return varied(
        runs[f"logits{end}"], results.gold, losses=runs[f"loss{end}"], labels=runs[f"labels{end}"]
    )
