"""Figures of the random seed paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from stablib.metrics import Interval, binned_means, centred_interval
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
    mean_of,
    percent_correct,
    reading_of,
    reduction,
    reductions,
    said,
    together,
)
from stablib.show.random_seed.tables import NO_RUNS, claimed
from stablib.show.spans import span
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
#: Panels side by side, unless two rows of them are full.
_COLUMNS = 3
#: Fewest texts of which a mean is drawn or said, and fewest that fill the paper's ten bins.
_FEWEST, _MANY = 5, 100
#: Where one model explained twice differs by this share of what two models do, that is noise.
_MOSTLY = 0.8
_BINS = (
    "with 95 % bootstrap intervals over runs. Fewer than "
    f"{_MANY} texts have half as many bins, and a bin of fewer than {_FEWEST} has no mark."
)


def by_score(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """A measure of plain runs in bins of the mean score, by data set and encoder."""
    spreads = {results.title: measure.of(results, PLAIN) for results in many}
    frames, columns = [], [e for e in ENCODERS if any(r.cell.encoder == e for r in many)]
    with figure(width=4.4 * len(columns) + 1.0, height=4.2, columns=len(columns)) as made:
        for axes, encoder in zip(made.axes, columns, strict=True):
            of_encoder = [r for r in many if r.cell.encoder == encoder]
            for number, results in enumerate(of_encoder):
                spread = spreads[results.title]
                frames.append(_draw(axes, results, spread, number, results.title))
            axes.set(
                xlim=(0.0, 1.0),
                xlabel="mean score over runs",
                title={"cnn": "CNN", "bilstm": "BiLSTM"}[encoder],
            )
            axes.legend()
        made.axes[0].set_ylabel(measure.label)
        frame = pd.concat(frames, ignore_index=True)
        finding = _at_scores(spreads, measure)
        return record(
            exhibit,
            made,
            made_by=by_score,
            results=many,
            numbers=frame,
            measured=_of_plain_runs(many, spreads, measure),
            finding=finding,
            alt=f"Lines of the {measure.label} over the mean score, one a data set. {finding}",
            caption=(
                f"Plain training: {measure.label}, mean over test texts ({_n_texts(spreads)}) in "
                f"bins of their mean score, {_BINS}"
            ),
        )


def _at_scores(spreads: Mapping[str, Spread], measure: Measure) -> str:
    """From where to where a measure reaches, where mean scores say much and where they do not."""
    where = ("at mean scores below .2 and from .8", "between .3 and .7")
    reached = []
    for place, chosen in zip(
        where, zip(*map(_edge_and_middle, spreads.values()), strict=True), strict=True
    ):
        of = {
            title: float(spread.values[texts].mean())
            for (title, spread), texts in zip(spreads.items(), chosen, strict=True)
            if texts.sum() >= _FEWEST
        }
        few = [title for title in spreads if title not in of]
        without = f" (too few texts there: {'; '.join(few)})" if of and few else ""
        reached += [f"{span(of, 2)} {place}{without}"] if of else []
    return f"The {measure.label} is {', and '.join(reached)}." if reached else ""


def _n_texts(spreads: Mapping[str, Spread]) -> str:
    """Say over how many texts each panel's or line's mean goes."""
    return ", ".join(f"{title}: {len(spread.values):,}" for title, spread in spreads.items())


def _differing(many: Sequence[Results]) -> list[Measured]:
    """How much of the most important tokens two runs do not have in common, in two readings."""
    measured: list[Measured] = []
    for reading, of in {
        "share of one run's": attention_differing,
        "Jaccard distance": ATTENTION_JACCARD.of,
    }.items():
        spreads = [of(results, PLAIN) for results in many]
        draws = np.mean([100.0 * s.replicates.mean(axis=1) for s in spreads], axis=0)
        value = float(np.mean([100.0 * s.values.mean() for s in spreads]))
        measured += answer(
            "f5-differ",
            (value, centred_interval(value, draws)),
            variant=f"{reading}, {len(spreads)} of the paper's twelve networks",
        )
    return measured


def _edge_and_middle(spread: Spread) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Texts whose mean score says much, and those of which it says little."""
    scores = spread.scores
    return (scores < 0.2) | (scores >= 0.8), (scores >= 0.3) & (scores < 0.7)


def _of_plain_runs(
    many: Sequence[Results], spreads: Mapping[str, Spread], measure: Measure
) -> list[Measured]:
    """Answers to what the paper says of plain runs; what stands in for its data has none."""
    real = [results for results in many if not results.notice]
    if measure == ATTENTION_JACCARD:
        return _differing(real) if real else []
    measured: list[Measured] = []
    for results in real:
        dataset, encoder = results.cell
        spread, of = spreads[results.title], said(results, PLAIN)
        if measure == PREDICTION_SD:
            edge, middle = _edge_and_middle(spread)
            if edge.any() and middle.any():
                claim = f"f3-{dataset}-{encoder}-middle"
                measured += answer(claim, difference(spread, middle, spread, edge), variant=of)
        other = spreads.get(Cell(dataset, "cnn").title)
        if measure == ATTENTION_ENTROPY and encoder == "bilstm" and other is not None:
            apart = difference(spread, ..., other, ...)
            measured += answer(f"f4-{dataset}-bilstm-above", apart, variant=of)
    return measured


def by_method(many: Sequence[Results], measure: Measure, exhibit: str) -> Exhibit:
    """The same with and without averaging of weights, one panel a data set."""
    if not many:
        return left_out(exhibit, NO_RUNS)
    if not measure.looked_at:  # Of the best checkpoint alone are there such explanations.
        many = [results.at_best for results in many]
    frames: list[pd.DataFrame] = []
    measured: list[Measured] = []
    less: dict[str, dict[Variant, tuple[float, Interval]]] = {}
    plain = {}
    details: list[str] = []
    further: dict[Variant, list[NDArray[np.float64]]] = {NASWA_TEXT: [], NASWA_CODE: []}
    columns = min(len(many), _COLUMNS)
    rows = -(-len(many) // columns)
    columns = -(-len(many) // rows)
    # A picture is as wide as its page: one panel alone must not become a poster.
    with figure(max(3.4 * columns + 0.6, 6.4), 3.4 * rows + 1.0, columns, rows=rows) as made:
        panels = list(made.axes)
        for axes in panels[len(many) :]:
            axes.set_axis_off()
        for axes, results in zip(panels, many, strict=False):
            looked_at = [v for v in results.variants if measure.looked_at or not v.beside]
            spreads = {variant: measure.of(results, variant) for variant in looked_at}
            plain[results.title] = spreads[PLAIN]
            for number, variant in enumerate(v for v in _DRAWN if v in spreads):
                frames.append(_draw(axes, results, spreads[variant], number, variant.title))
            axes.set(xlabel="mean score over runs", title=results.title, xlim=(0.0, 1.0))
            less[results.title] = {
                v: reduction(spread, spreads[PLAIN]) for v, spread in spreads.items() if v != PLAIN
            }
            said_less = [
                f"{v.title} {with_interval(*x, 0)}" for v, x in less[results.title].items()
            ]
            for variant, found in further.items():
                if not results.notice and {ASWA_TEXT, variant} <= spreads.keys():
                    found.append(reductions(spreads[variant], spreads[ASWA_TEXT]))
                    below = with_interval(*mean_of(found[-1:]), 0)
                    said_less.append(f"{variant.title}, below ASWA {below}")
            details.append(f"{results.title}: {', '.join(said_less)}")
            judged = True
            if measure == LIME_JACCARD:
                floors = {v: lime_floor(results, v) for v in (PLAIN, ASWA_TEXT)}
                judged = floors[PLAIN] < _MOSTLY * spreads[PLAIN].values.mean()
                axes.axhline(
                    floors[PLAIN], color="#888888", linestyle=":", label="one plain model, twice"
                )
                details[-1] += (
                    f" (one model explained twice has a distance of {floors[PLAIN]:.2f}, "
                    f"two of {spreads[PLAIN].values.mean():.2f}; with {ASWA_TEXT.title} "
                    f"{floors[ASWA_TEXT]:.2f} and {spreads[ASWA_TEXT].values.mean():.2f}"
                    + (")" if judged else "; that is mostly LIME's own noise, and is not judged)")
                )
            if judged:
                measured += _reductions(results, less[results.title], exhibit)
        for axes in panels[::columns]:
            axes.set_ylabel(measure.label)
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=2)
        for variant, found in further.items():
            if found:
                measured += answer(
                    f"{_figure_of(exhibit)}-naswa-below-aswa",
                    mean_of(found),
                    variant=f"{reading_of(variant)}, {together(len(found))}",
                )
        finding = _reached(less, measure)
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
                f"By method, {measure.label}, mean over test texts ({_n_texts(plain)}) in bins "
                f"of their mean score, {_BINS}{_beside(many, measure)}"
            ),
            details=(
                f"Mean {measure.label} below plain training's, in percent, with 95 % intervals. "
                f"{'; '.join(details)}."
            ),
        )


def _reached(less: Mapping[str, Mapping[Variant, tuple[float, Interval]]], measure: Measure) -> str:
    """From where to where averaging lowers a measure, and what does so without it."""
    values = {
        variant: {title: of[variant][0] for title, of in less.items() if variant in of}
        for variant in (ASWA_TEXT, NULL)
    }
    sure = sum(of[ASWA_TEXT][1].low > 0.0 for of in less.values())
    return (
        f"{ASWA_TEXT.title} lowers the {measure.label} by {span(values[ASWA_TEXT], unit=' %')}, "
        f"with the whole interval above 0 in {sure} of {len(less)}; other seeds alone by "
        f"{span(values[NULL], unit=' %')}."
    )


def _beside(many: Sequence[Results], measure: Measure) -> str:
    """What a reader has to know of explanations by sampling, and of networks on pairs."""
    if measure == LIME_JACCARD:
        samples = many[0].study.settings.n_samples
        return f" LIME draws {samples:,} samples a text; the released code draws 5,000."
    if many[0].label is not None:
        right = percent_correct(many[0], PLAIN).mean()
        return f" Plain networks give {right:.0f} % of all test texts their label."
    return ""


def _reductions(
    results: Results, less: Mapping[Variant, tuple[float, Interval]], exhibit: str
) -> list[Measured]:
    """Answers to the claims of by how much each method is below plain training."""
    null, _ = less[NULL]
    return [
        each
        for variant in (ASWA_TEXT, NASWA_TEXT, NASWA_CODE)
        if variant in less
        for each in answer(
            f"{_figure_of(exhibit)}-{results.claimed_as}-{results.cell.encoder}-{claimed(variant)}-reduction",
            less[variant],
            variant=said(results, variant),
            null=null,
        )
    ]


def _figure_of(exhibit: str) -> str:
    """An exhibit in the names of claims."""
    return exhibit.rsplit("-", 1)[-1].lower()


def _draw(axes: Axes, results: Results, spread: Spread, number: int, name: str) -> pd.DataFrame:
    """One line: a mark and an interval for each bin of enough texts, broken where there is none."""
    n_bins = 10 if len(spread.values) >= _MANY else 5
    bins = binned_means(spread.values, spread.scores, spread.replicates, n_bins=n_bins)
    enough = np.array([b.n_examples >= _FEWEST for b in bins])
    middles = np.array([(b.low + b.high) / 2 for b in bins])
    means = np.where(enough, [b.mean for b in bins], np.nan)
    ends = np.where(enough, np.array([b.interval for b in bins]).T, np.nan)
    # Side by side, so that no interval hides another.
    line(axes, middles + 0.008 * number, means, *ends, number=number, label=name)
    frame = pd.DataFrame(
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
    return frame[enough]
