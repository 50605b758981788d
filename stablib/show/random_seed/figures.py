"""Figures of the random seed paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from stablib.metrics import binned_means, centred_interval
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, left_out, record, with_interval
from stablib.show.random_seed.comparison import (
    ATTENTION_ENTROPY,
    ATTENTION_JACCARD,
    LIME_JACCARD,
    PREDICTION_SD,
    Measure,
    Spread,
    answer,
    attention_differing,
    difference,
    lime_floor,
    reduction,
)
from stablib.show.random_seed.tables import NO_RUNS, claimed, said
from stablib.show.style import figure, line
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
    Results,
    Variant,
)
from stablib.studies.random_seed.settings import ENCODERS

#: Methods that the paper's figures compare.
_DRAWN = (PLAIN, ASWA_TEXT, NASWA_TEXT, NASWA_CODE)
#: Panels side by side.
_COLUMNS = 3


def by_score(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """A measure of plain runs in bins of the mean score, by data set and encoder."""
    spreads = {results.cell: measure.of(results, PLAIN) for results in many}
    frames, columns = [], [e for e in ENCODERS if any(r.cell.encoder == e for r in many)]
    with figure(width=4.4 * len(columns) + 1.0, height=4.2, columns=len(columns)) as made:
        for axes, encoder in zip(made.axes, columns, strict=True):
            of_encoder = [r for r in many if r.cell.encoder == encoder]
            for number, results in enumerate(of_encoder):
                spread = spreads[results.cell]
                frames.append(_draw(axes, results, spread, number, results.title))
            axes.set(
                xlim=(0.0, 1.0),
                xlabel="mean score over runs",
                title={"cnn": "CNN", "bilstm": "BiLSTM"}[encoder],
            )
            axes.legend()
        made.axes[0].set_ylabel(measure.label)
        frame = pd.concat(frames, ignore_index=True)
        parts = []
        for results in many:
            spread = spreads[results.cell]
            edge, middle = _edge_and_middle(spread)
            if edge.any() and middle.any():
                parts.append(
                    f"{results.title}: {spread.values[edge].mean():.2f} at mean scores below .2 "
                    f"and from .8, {spread.values[middle].mean():.2f} between .3 and .7"
                )
        finding = "; ".join(parts)
        return record(
            exhibit,
            made,
            made_by=by_score,
            results=many,
            numbers=frame,
            measured=_of_plain_runs(many, spreads, measure),
            finding=f"{finding}." if finding else "",
            alt=f"Lines of the {measure.label} over the mean score, one a data set. {finding}.",
            caption=(
                f"Plain training: {measure.label}, mean over {_n_texts(spreads.values())} in bins "
                "of their mean score, with 95 % bootstrap intervals over runs. A bin without "
                "texts has no mark."
            ),
        )


def _n_texts(spreads: Iterable[Spread]) -> str:
    """Say over how many texts each data set's mean goes."""
    counts = dict.fromkeys(len(spread.values) for spread in spreads)
    return f"{' or '.join(f'{count:,}' for count in counts)} test texts"


def _differing(many: Sequence[Results]) -> list[Measured]:
    """Which share of the most important tokens two runs do not have in common."""
    if not many:
        return []
    spreads = [attention_differing(results, PLAIN) for results in many]
    draws = np.mean([100.0 * s.replicates.mean(axis=1) for s in spreads], axis=0)
    value = float(np.mean([100.0 * s.values.mean() for s in spreads]))
    variant = f"{len(spreads)} of the paper's twelve"
    return answer("f5-differ", (value, centred_interval(value, draws)), variant=variant)


def _edge_and_middle(spread: Spread) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Texts whose mean score says much, and those of which it says little."""
    scores = spread.scores
    return (scores < 0.2) | (scores >= 0.8), (scores >= 0.3) & (scores < 0.7)


def _of_plain_runs(
    many: Sequence[Results], spreads: Mapping[Cell, Spread], measure: Measure
) -> list[Measured]:
    """Answers to what the paper says of plain runs; what stands in for its data has none."""
    real = [results for results in many if not results.notice]
    if measure == ATTENTION_JACCARD:
        return _differing(real)
    measured: list[Measured] = []
    for dataset, encoder in (results.cell for results in real):
        spread = spreads[Cell(dataset, encoder)]
        if measure == PREDICTION_SD:
            edge, middle = _edge_and_middle(spread)
            if edge.any() and middle.any():
                claim = f"f3-{dataset}-{encoder}-middle"
                measured += answer(claim, difference(spread, middle, spread, edge))
        other = spreads.get(Cell(dataset, "cnn"))
        if measure == ATTENTION_ENTROPY and encoder == "bilstm" and other is not None:
            measured += answer(f"f4-{dataset}-bilstm-above", difference(spread, ..., other, ...))
    return measured


def by_method(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """The same with and without averaging of weights, one panel a data set."""
    if not many:
        return left_out(exhibit, NO_RUNS)
    if not measure.looked_at:  # Of the best checkpoint alone are there such explanations.
        many = [results.at_best for results in many]
    frames: list[pd.DataFrame] = []
    measured: list[Measured] = []
    findings, plain = [], []
    columns = min(len(many), _COLUMNS)
    rows = -(-len(many) // columns)
    # A picture is as wide as its page: one panel alone must not become a poster.
    with figure(max(3.4 * columns + 0.6, 6.4), 3.4 * rows + 1.0, columns, rows=rows) as made:
        panels = list(made.axes)
        for axes in panels[len(many) :]:
            axes.set_axis_off()
        for axes, results in zip(panels, many, strict=False):
            looked_at = [v for v in results.variants if measure.looked_at or not v.beside]
            spreads = {variant: measure.of(results, variant) for variant in looked_at}
            plain.append(spreads[PLAIN])
            for number, variant in enumerate(v for v in _DRAWN if v in spreads):
                frames.append(_draw(axes, results, spreads[variant], number, variant.title))
            axes.set(xlabel="mean score over runs", title=results.title, xlim=(0.0, 1.0))
            answers, found = _reductions(results, spreads, exhibit)
            measured += answers
            findings.append(f"{results.title}: {found}")
            if measure == LIME_JACCARD:
                floor = lime_floor(results, PLAIN)
                axes.axhline(floor, color="#888888", linestyle=":", label="one model, LIME twice")
                findings[-1] += f" (one model explained twice has a distance of {floor:.2f})"
        for axes in panels[::columns]:
            axes.set_ylabel(measure.label)
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=2)
        finding = f"Mean {measure.label} below plain training's, in percent. {'; '.join(findings)}."
        return record(
            exhibit,
            made,
            made_by=by_method,
            results=many,
            numbers=pd.concat(frames, ignore_index=True),
            measured=measured,
            finding=finding,
            alt=f"One panel a data set, a line a method, over the mean score. {finding}",
            caption=(
                f"By method, {measure.label}, mean over {_n_texts(plain)} in bins of their "
                "mean score, with 95 % bootstrap intervals over runs."
            ),
        )


def _reductions(
    results: Results, spreads: Mapping[Variant, Spread], exhibit: str
) -> tuple[list[Measured], str]:
    """By how much each method is below plain training: answers to claims, and a sentence."""
    less = {v: reduction(spread, spreads[PLAIN]) for v, spread in spreads.items() if v != PLAIN}
    null, _ = less[NULL]
    figure_name = exhibit.rsplit("-", 1)[-1].lower()
    measured = [
        each
        for variant in (ASWA_TEXT, NASWA_TEXT, NASWA_CODE)
        if variant in less
        for each in answer(
            f"{figure_name}-{results.claimed_as}-{results.cell.encoder}-{claimed(variant)}-reduction",
            less[variant],
            variant=said(variant),
            null=null,
        )
    ]
    findings = ", ".join(f"{v.title} {with_interval(*found, 0)}" for v, found in less.items())
    return measured, findings


def _draw(axes: Axes, results: Results, spread: Spread, number: int, name: str) -> pd.DataFrame:
    """One line: a mark and an interval for each bin with texts."""
    bins = [
        b for b in binned_means(spread.values, spread.scores, spread.replicates) if b.n_examples
    ]
    middles = np.array([(b.low + b.high) / 2 for b in bins])
    means = np.array([b.mean for b in bins])
    ends = np.array([b.interval for b in bins]).T
    # Side by side, so that no interval hides another.
    line(axes, middles + 0.008 * number, means, *ends, number=number, label=name)
    return pd.DataFrame(
        {
            "cell": results.title,
            "name": name,
            "low": [b.low for b in bins],
            "high": [b.high for b in bins],
            "texts": [b.n_examples for b in bins],
            "mean": means,
            "interval_low": ends[0],
            "interval_high": ends[1],
        }
    )
