"""Tables of the nondeterminism paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    centred_interval,
    pair_mean,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.mitigation import vanilla_ensembles
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.nondeterminism.comparison import (
    CLAIMS,
    MEASURES,
    Varied,
    answer,
    disagreement,
    drawn,
    finite,
    if_equal,
    largest_ratios,
    of_measure,
    ratios,
    reduction,
    varied,
)
from stablib.studies.nondeterminism import BIT, ROWS, Across, Results

#: Rows in the names of claims.
_CLAIMED = {row: row.replace(", ", "-").replace(" ", "-") for row in (*ROWS, BIT)}
_ALL, _OTHERS = "all", "all, other seeds"
#: Members of the ordinary ensembles that are compared with snapshots.
_MEMBERS = (2, 3, 4, 5)
_REPLICATED = "replication (disagreement %, ρ)"

_CAPTION = (
    "Standard deviations over runs (ddof 0) ± the sd of that (bootstrap over runs); share of the "
    "test images on which two runs disagree, rank correlation of their logits, and what a mean of "
    "two runs' logits gains over the two: means over pairs of runs, with 95 % bootstrap intervals."
)


def rows_of(results: Results) -> dict[str, Varied]:
    """How the runs of each row vary."""
    return {
        row: varied(
            logits,
            results.gold,
            losses=results.losses[row],
            labels=results.labels[row],
            other_seeds=row == _OTHERS,
        )
        for row, logits in results.logits.items()
    }


def sources(results: Results) -> Exhibit:
    """What each source of nondeterminism does (ND-T1)."""
    found = {row: one for row, one in rows_of(results).items() if row != BIT}
    most = largest_ratios([found[row] for row in ROWS])
    measured = [
        each
        for (name, _, _), ratio in zip(MEASURES, most, strict=True)
        for each in answer(f"t1-ratio-{name}", ratio)
    ]
    for row in ROWS:
        measured += _of_row(results, "t1", row, found[row])
    usual, high = if_equal([found[row] for row in ROWS])
    said = ", ".join(
        f"{column} {with_interval(*ratio, 2)}"
        for (_, column, _), ratio in zip(MEASURES, most, strict=True)
    )
    return record(
        "ND-T1",
        pd.DataFrame.from_dict(
            {row: {**one.cells, _REPLICATED: _replicated("t1", row)} for row, one in found.items()},
            orient="index",
        ),
        made_by=sources,
        results=[results],
        measured=measured,
        finding=(
            "The most variable row is so many times as variable as the least, of the correlation "
            f"1 - ρ: {said}. Of so few runs, the sds of accuracy of equally variable rows would "
            f"differ {usual:.1f}-fold on average, and up to {high:.1f}-fold."
        ),
        caption=(
            f"By what varies between runs, all else being the same. {_CAPTION} 'Low level' is the "
            "order in which a mini-batch is added up; the paper varies what cuDNN leaves open. "
            "'All, other seeds' is what other seeds of everything give."
        ),
    )


def one_bit(results: Results) -> Exhibit:
    """What one bit of one initial weight does (ND-T3)."""
    found = rows_of(results)
    shown = {row: found[row] for row in (BIT, "initial weights", _ALL, _OTHERS)}
    compared = ratios(found[BIT], found["initial weights"])
    nulls = [value for value, _ in ratios(found[_OTHERS], found[_ALL])]
    measured = [
        each
        for (name, _, _), ratio in zip(MEASURES, compared, strict=True)
        for each in answer(f"t3-ratio-{name}", ratio)
    ] + _of_row(results, "t3", BIT, found[BIT])
    said = ", ".join(
        f"{column} {with_interval(*ratio, 2)} (other seeds {null:.2f})"
        for (_, column, _), ratio, null in zip(MEASURES, compared, nulls, strict=True)
    )
    return record(
        "ND-T3",
        pd.DataFrame.from_dict(
            {
                row: {**one.cells, _REPLICATED: _replicated("t3" if row == BIT else "t1", row)}
                for row, one in shown.items()
            },
            orient="index",
        ),
        made_by=one_bit,
        results=[results],
        measured=measured,
        finding=(
            "Runs that differ by one bit of one weight are so many times as variable as runs with "
            f"other initial weights, of the correlation 1 - ρ: {said}."
        ),
        caption=(
            "Runs in which one weight of the first convolution was moved to the next number that "
            "single precision has, another weight in each, beside runs in which more differs. "
            f"{_CAPTION}"
        ),
    )


def _of_row(results: Results, table: str, row: str, one: Varied) -> list[Measured]:
    """Answers to the replicated cells, of the network that was replicated alone."""
    if results.recipe.model != "resnet14" or results.recipe.limit is not None:
        return []
    return [
        each
        for number, (name, _, _) in enumerate(MEASURES)
        for each in answer(f"{table}-{_CLAIMED[row]}-{name}", of_measure(one, number))
    ]


def _replicated(table: str, row: str) -> str:
    """Disagreement and correlation of a replication, of the paper's own network."""
    names = (f"{table}-{_CLAIMED.get(row, row)}-{name}" for name in ("disagreement", "spearman"))
    cells = [CLAIMS[name].reported for name in names if name in CLAIMS]
    return ", ".join(cells) or "–"


class _Row(NamedTuple):
    """A row of Table 5: its title, its name in claims, what one of its predictions costs."""

    title: str
    claim: str
    trainings: int
    varied: Varied


def mitigations(results: Results, pool: Results) -> Exhibit:
    """Snapshot ensembles, views of the test images, and ordinary ensembles (ND-T5)."""
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
    n_runs = len(rows[0].varied.accuracies)
    everything = np.concatenate([pool.logits[_ALL], pool.logits[_OTHERS]])
    for members in _MEMBERS:
        ensembles = vanilla_ensembles(everything, members)[:n_runs]
        if len(ensembles) >= _FEWEST:
            one = varied(ensembles, gold, other_seeds=True)
            rows.append(_Row(f"ensemble of {members}", f"ensemble-{members}", members, one))
    others = varied(pool.logits[_OTHERS][:n_runs], gold, other_seeds=True)
    rows.append(_Row("single, other seeds", "null", 1, others))
    null, _ = reduction(others, rows[0].varied)
    table: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    for row in rows:
        # An sd over fewer runs is smaller by itself.
        single = _first(results, len(row.varied.accuracies))
        less = reduction(row.varied, single)
        table[row.title] = {
            "predictors": f"{len(row.varied.accuracies)}",
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
        for (name, _, _), ratio in zip(MEASURES, against, strict=True):
            measured += answer(f"t5-against-2-{name}", ratio)
    return record(
        "ND-T5",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=mitigations,
        results=[results, pool],
        measured=measured,
        finding=(
            f"Variability below that of single runs, mean over the five measures: {said}; other "
            f"seeds alone {null:.0f} %."
        ),
        caption=(
            "Runs in which everything varies. Snapshots are members of one training whose learning "
            "rate falls to 0 several times; views are means of the logits of mirrored test images "
            "and of 25 shifts by up to two pixels; ordinary ensembles share no run, and are made "
            "of twice as many runs. A reduction is that below as many single runs. "
            f"{_CAPTION}"
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


def shallow(by_model: Mapping[str, Results]) -> Exhibit:
    """Networks without depth: what everything does, and one bit (ND-T8)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    bits: dict[str, Varied] = {}
    for model, results in by_model.items():
        title = results.recipe.model_name
        if not all(has_learned(results, losses) for losses in results.losses.values()):
            table |= {(title, row): {"accuracy (%)": "diverged"} for row in results.runs}
            continue
        found = rows_of(results)
        bits[model] = found[BIT]
        for row, one in found.items():
            table[title, row] = one.cells
        name = model.replace("_", "-")
        measured += answer(f"t8-{name}-bit-accuracy-sd", of_measure(found[BIT], 0))
        measured += answer(f"t8-{name}-bit-ce-sd", of_measure(found[BIT], 1))
    for model, one in bits.items():
        if model != "linear" and "linear" in bits:
            measured += answer(
                f"t8-{model.replace('_', '-')}-above-linear", ratios(one, bits["linear"])[1]
            )
    said = ", ".join(
        f"{by_model[model].recipe.model_name} {one.values[1]:.1e}" for model, one in bits.items()
    )
    return record(
        "ND-T8",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=shallow,
        results=list(by_model.values()),
        measured=measured,
        finding=f"Sd of cross-entropy over runs that differ by one bit, in nats: {said}.",
        caption=(
            "A linear model and networks with one hidden layer. A loss ten times that of guessing "
            f"is called diverged. {_CAPTION}"
        ),
    )


def has_learned(results: Results, losses: NDArray[np.float64]) -> bool:
    """Whether no run has diverged: has a loss ten times that of guessing, or none at all."""
    return bool((losses < 10.0 * np.log(results.dataset.n_classes)).all())


def by_rate(by_model: Mapping[str, Results]) -> Exhibit:
    """What one bit does at several learning rates, with and without depth (ND-X2)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    apart: dict[str, dict[str, str]] = {}
    for results in by_model.values():
        for rate, labels in results.labels.items():
            name, losses = results.runs[rate].recipe.model_name, results.losses[rate]
            said_of = apart.setdefault(name, {})
            if not has_learned(results, losses):
                table[name, rate] = dict.fromkeys(_OF_RATE, "diverged")
                said_of[rate] = "diverged"
                continue
            differ = 100.0 * (labels[1:] != labels[0]).mean(axis=1)
            correct = 100.0 * float((labels[0] == results.gold).mean())
            cells = (
                f"{correct:.1f}",
                _range(differ, ".1f"),
                _range(np.abs(losses[1:] - losses[0]), ".1e"),
            )
            table[name, rate] = dict(zip(_OF_RATE, cells, strict=True))
            said_of[rate] = f"{differ.mean():.1f}"
    said = "; ".join(f"{name} {', '.join(of.values())}" for name, of in apart.items())
    rates = ", ".join(next(iter(apart.values())))
    return record(
        "ND-X2",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=by_rate,
        results=list(by_model.values()),
        finding=f"Mean disagreement in percent at learning rates of {rates}: {said}.",
        caption=(
            "Twins that differ from one run by one bit of one weight: mean, and from the smallest "
            "to the largest, of the share of test images that get another label, and of the "
            "difference of the test loss. Rows differ by network and by the largest learning rate; "
            "a loss ten times that of guessing is called diverged."
        ),
    )


_OF_RATE = (
    "accuracy (%)",
    "disagreement with the unchanged run (%)",
    "difference of cross-entropy (nats)",
)


def _range(values: NDArray[np.float64], form: str) -> str:
    return f"{values.mean():{form}} ({values.min():{form}} to {values.max():{form}})"


def across(outcome: Across) -> Exhibit:
    """Do all sources do the same on the networks of other papers too? (ND-X1)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    findings = []
    for workload, rows in outcome.runs.items():
        gold = outcome.datasets[workload].gold["test"]
        means, draws = {}, {}
        for row in rows:
            labels = outcome.labels(workload, row)
            weights = drawn(len(labels))
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
            if row != _ALL:
                with np.errstate(divide="ignore", invalid="ignore"):  # Runs may all agree.
                    share = 100.0 * means[row] / means[_ALL]
                    shares = 100.0 * draws[row] / draws[_ALL]
                found = finite(float(share), shares)
                table[workload, row]["of that of all (%)"] = with_interval(*found, 0)
        least = min((row for row in rows if row != _ALL), key=lambda row: means[row])
        share_of_least = table[workload, least]["of that of all (%)"]
        findings.append(f"{workload}: {least} least, {share_of_least} % of what all do together")
    return record(
        "ND-X1",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=across,
        results=[outcome],
        finding=f"Disagreement of two runs: {'; '.join(findings)}.",
        caption=(
            "Share of the test examples on which two runs disagree, mean over pairs, and standard "
            "deviation of accuracy (ddof 0), by what varies between runs, for the networks of this "
            "paper and of others, with 95 % bootstrap intervals over runs. 'All' is all sources "
            "that a network has: images are augmented, heads have dropout. The CNN is looked at at "
            "its best checkpoint, as in RS-X2."
        ),
    )
