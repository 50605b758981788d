"""Figures of the random seed paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from stablib.metrics import binned_means, pairwise_relative_entropy
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, left_out, record
from stablib.show.random_seed.comparison import (
    LIME_JACCARD,
    Measure,
    answer,
    lime_floor,
    methods,
    reduction,
    with_interval,
)
from stablib.show.random_seed.tables import NO_RUNS, claimed, said
from stablib.show.style import PALETTE, figure
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Results,
    Variant,
)
from stablib.studies.random_seed.settings import ENCODERS

#: Methods that the paper's figures compare.
_DRAWN = (PLAIN, ASWA_TEXT, NASWA_TEXT, NASWA_CODE)
_MARKS = "osD^vX"


def by_score(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """A measure of plain runs in bins of the mean score, by data set and encoder."""
    frames, columns = [], [e for e in ENCODERS if any(r.cell.encoder == e for r in many)]
    with figure(width=4.4 * len(columns) + 1.0, height=4.2, columns=len(columns)) as made:
        for axes, encoder in zip(made.axes, columns, strict=True):
            of_encoder = [r for r in many if r.cell.encoder == encoder]
            for number, results in enumerate(of_encoder):
                frames.append(_draw(axes, results, PLAIN, measure, number, results.title))
            axes.set(
                xlabel="mean score over runs", title={"cnn": "CNN", "bilstm": "BiLSTM"}[encoder]
            )
            axes.legend()
        made.axes[0].set_ylabel(measure.label)
        frame = pd.concat(frames, ignore_index=True)
        middle = frame[frame["low"].between(0.3, 0.6)].groupby("name")["mean"].mean()
        edges = frame[(frame["low"] < 0.15) | (frame["low"] > 0.85)].groupby("name")["mean"].mean()
        finding = "; ".join(
            f"{name}: {edges[name]:.2f} at scores below .2 and from .9, {middle[name]:.2f} between "
            ".3 and .7"
            for name in middle.index.intersection(edges.index)
        )
        return record(
            exhibit,
            made,
            made_by=by_score,
            results=many,
            numbers=frame,
            finding=f"{finding}." if finding else "",
            alt=f"Lines of the {measure.label} over the mean score, one a data set. {finding}.",
            caption=(
                f"Plain training: {measure.label}, mean over the test texts in bins of their "
                "mean score, with 95 % bootstrap intervals over runs. A bin without texts has no "
                "mark."
            ),
        )


def by_method(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """The same with and without averaging of weights, one panel a data set."""
    if not many:
        return left_out(exhibit, NO_RUNS)
    frames: list[pd.DataFrame] = []
    measured: list[Measured] = []
    findings = []
    with figure(width=3.4 * len(many) + 0.6, height=4.4, columns=len(many)) as made:
        for axes, results in zip(made.axes, many, strict=True):
            for number, variant in enumerate(_DRAWN):
                frames.append(_draw(axes, results, variant, measure, number, variant.title))
            axes.set(xlabel="mean score over runs", title=results.title)
            answers, found = _reductions(results, measure, exhibit)
            measured += answers
            findings.append(f"{results.title}: {found}{_floor(results, measure)}")
        made.axes[0].set_ylabel(measure.label)
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
                f"{measure.label.capitalize()}, mean over the test texts in bins of their mean "
                "score, with 95 % bootstrap intervals over runs, by method."
            ),
        )


def _floor(results: Results, measure: Measure) -> str:
    """How far two explanations of one model are apart, where the explainer is random itself."""
    if measure != LIME_JACCARD:
        return ""
    return f" (one model explained twice has a distance of {lime_floor(results, PLAIN):.2f})"


def _reductions(results: Results, measure: Measure, exhibit: str) -> tuple[list[Measured], str]:
    plain = measure.of(results, PLAIN)
    less = {
        v: reduction(measure.of(results, v), plain)
        for v in methods(results)
        if measure.looked_at or not v.beside
    }
    null, _ = less[NULL]
    figure_name = exhibit.rsplit("-", 1)[-1].lower()
    measured = [
        each
        for variant in (ASWA_TEXT, NASWA_TEXT, NASWA_CODE)
        for each in answer(
            f"{figure_name}-{results.dataset.name}-{claimed(variant)}-reduction",
            less[variant],
            variant=said(variant),
            null=null,
        )
    ]
    findings = ", ".join(f"{v.title} {with_interval(*found, 0)}" for v, found in less.items())
    return measured, findings


def _draw(
    axes: Axes, results: Results, variant: Variant, measure: Measure, number: int, name: str
) -> pd.DataFrame:
    """One line: a mark and an interval for each bin with texts."""
    spread = measure.of(results, variant)
    bins = [
        b for b in binned_means(spread.values, spread.scores, spread.replicates) if b.n_examples
    ]
    middles = np.array([(b.low + b.high) / 2 for b in bins])
    means = np.array([b.mean for b in bins])
    ends = np.array([b.interval for b in bins]).T
    axes.errorbar(
        middles + 0.008 * number,  # Side by side, so that no interval hides another.
        means,
        yerr=np.abs(ends - means),
        color=PALETTE[number],
        marker=_MARKS[number],
        markersize=5,
        linewidth=1.5,
        label=name,
    )
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


def two_seeds(results: Results) -> Exhibit:
    """What two runs attend to in the text on which they differ most (RS-F1)."""
    both = [weights[:2] for weights in results.attention[PLAIN]]
    differ = [pairwise_relative_entropy(weights).sum() for weights in both]
    chosen = int(np.argmax(differ))
    weights, place = both[chosen], int(results.places[chosen])
    tokens = _tokens(results, place, weights.shape[1])
    scores = results.scores[PLAIN][:2, place]
    rows = np.arange(len(tokens))
    with figure(width=6.0, height=0.28 * len(tokens) + 1.4) as made:
        axes = made.axes[0]
        for number, (run, score) in enumerate(zip(weights, scores, strict=True)):
            axes.barh(
                rows + 0.4 * number - 0.2,
                run,
                height=0.38,
                color=PALETTE[number],
                label=f"seed {results.runs[PLAIN].plans[number].base}: p = {score:.2f}",
            )
        axes.set(yticks=rows, yticklabels=tokens, xlabel="attention")
        axes.invert_yaxis()
        axes.legend()
        top = [tokens[int(run.argmax())] for run in weights]
        return record(
            "RS-F1",
            made,
            made_by=two_seeds,
            results=[results],
            numbers=pd.DataFrame({"token": tokens, "first": weights[0], "second": weights[1]}),
            alt=f"Bars of attention to each token by two seeds. Highest: {top[0]} and {top[1]}.",
            finding=f"One run attends most to '{top[0]}', the other to '{top[1]}'.",
            caption=(
                "Attention of two plain runs that differ by their seed alone, to the text, of "
                f"those with attention, on which they differ most ({results.title}, test text "
                f"{place})."
            ),
        )


def _tokens(results: Results, place: int, n_tokens: int) -> list[str]:
    """Words of a text, or their places where it is not at hand or must not be shown."""
    text = results.dataset.texts["test"][place] if results.dataset.texts else ""
    words = text.split()
    if len(words) != n_tokens or results.dataset.name == "adr":
        return [f"token {number}" for number in range(1, n_tokens + 1)]
    return words
