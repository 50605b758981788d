"""Snapshots, views of test images and ordinary ensembles (section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from stablib.mitigation import Snapshot, vanilla_ensembles
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.nondeterminism.comparison import (
    ACCURACY,
    MEASURES,
    Varied,
    answer,
    ratios,
    reduction,
    single_runs,
    varied,
)
from stablib.show.nondeterminism.tables import CAPTION
from stablib.studies.nondeterminism import ALL, OTHER_SEEDS, Results
from stablib.workloads import ImageRecipe

#: Members of the ordinary ensembles that are compared with snapshots.
_MEMBERS = (2, 3, 4, 5)


class _Row(NamedTuple):
    """A row of Table 5: its title, its name in claims, what one of its predictions costs.

    ``baseline`` is what it is held against, where these are the same runs.
    """

    title: str
    claim: str
    trainings: int
    varied: Varied
    baseline: Varied | None = None


def mitigations(results: Results, pool: Results, shorter: Mapping[int, Results]) -> Exhibit:
    """Snapshot ensembles, views of the test images, and ordinary ensembles (ND-T5).

    ``pool`` has runs of which everything varies, with two sets of seeds; ``shorter`` those of which
    several cost as much as one of them.
    """
    gold, cycles = results.gold, results.study.settings.cycles
    titles = {"single": "single", "snapshots": f"{cycles} snapshots"}
    same = _seen(results, "single", "")
    n_runs = len(same.levels)
    single, sets = single_runs(pool, n_runs)
    rows = [
        _Row(
            f"{title}, {_VIEWS[view]}" if view else title,
            f"{kind}-{view.replace('_', '-')}" if view else kind,
            1,
            _seen(results, kind, view),
            same if kind == "single" else None,
        )
        for kind, title in titles.items()
        for view in ("", *(v for v in _VIEWS if f"logits_{v}" in results.runs[kind]))
    ]
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
    luck = max(sets, key=lambda one: reduction(one, single)[0])
    rows.append(_Row(f"single, the {n_runs} of {len(single.levels)} most alike", "null", 1, luck))
    null, _ = reduction(luck, single)
    again = ", which are the runs of the first row" if luck.cells == same.cells else ""
    table: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    for row in rows:
        count = len(row.varied.levels)
        # An sd over fewer runs is smaller by itself.
        usual = single if count == n_runs else single_runs(pool, count)[0]
        less = reduction(row.varied, row.baseline or usual)
        table[row.title] = {
            "predictors": f"{len(row.varied.levels)}",
            "trainings of each": f"{row.trainings}",
            **row.varied.cells,
            _LESS: "–" if row.claim == "single" else with_interval(*less, 0),
        }
        # Of the same runs luck is no part.
        name = f"t5-{row.claim}-reduction"
        measured += answer(name, less, null=0.0 if row.baseline else null)
    by_claim = {row.claim: row for row in rows}

    def reached(title: str) -> str:
        return f"{table[title][_LESS]} % at {table[title][ACCURACY]} % accuracy"

    said = f"{titles['snapshots']} {reached(titles['snapshots'])}"
    if "ensemble-2" in by_claim:
        pair = by_claim["ensemble-2"]
        said += f", ensembles of 2 {reached(pair.title)}"
        against = ratios(by_claim["snapshots"].varied, pair.varied)
        for measure, ratio in zip(MEASURES, against, strict=True):
            measured += answer(f"t5-against-2-{measure.name}", ratio)
    for row in rows:
        if row.claim.endswith("-short"):
            said += f", {row.title} {reached(row.title)}"
    return record(
        "ND-T5",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=mitigations,
        results=[results, pool, *shorter.values()],
        measured=measured,
        finding=(
            f"Variability below that of single runs, mean over the five measures: {said}; luck "
            f"alone up to {null:.0f} %."
        ),
        caption=(
            "Runs in which everything varies. Snapshots are members of one training whose learning "
            "rate falls to 0 several times; views are means of the logits of mirrored test images "
            "and of shifted ones; ordinary ensembles share no run, and are made of twice as many "
            "runs; those of shorter trainings cost no more than one run. "
            "A reduction is that of the mean over the five measures. Views of single runs are held "
            f"against the same runs, all else against the mean of {len(sets)} sets of as many "
            f"single runs with other seeds: the last row is the set that varies least{again}. "
            f"{_spent(results, shorter)} {CAPTION}"
        ),
    )


def _spent(results: Results, shorter: Mapping[int, Results]) -> str:
    """Say what snapshots and shorter trainings do with the epochs that they have."""
    snapshots = cast(ImageRecipe, results.runs["snapshots"].recipe)
    method = cast(Snapshot, snapshots.method)
    said = (
        f"Snapshots have {method.cycles} cycles here and 5 in the paper, each with a rate that "
        f"rises for {100 * method.warm_up:.0f} % of it"
    )
    lengths = [f"{runs.recipe.warm_up} of their {runs.recipe.epochs}" for runs in shorter.values()]
    if lengths:
        said += f"; in shorter trainings it rises for {' or '.join(lengths)} epochs"
    return f"{said}."


#: Views of test images in words.
_VIEWS = {
    "flip": "flip",
    **{
        name.format(n): words.format(n)
        for n in (25, 81)
        for name, words in (("crop{}", "{} crops"), ("flip_crop{}", "flip and {} crops"))
    },
}
_LESS = "variability below single (%)"
#: Of fewer ensembles nothing can be said of how they vary.
_FEWEST = 5


def _seen(results: Results, row: str, view: str) -> Varied:
    runs, end = results.runs[row], f"_{view}" if view else ""
    return varied(
        runs[f"logits{end}"], results.gold, losses=runs[f"loss{end}"], labels=runs[f"labels{end}"]
    )
