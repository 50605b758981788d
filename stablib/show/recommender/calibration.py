"""Whether a recommender is right as often as it is sure, and what permuting attention changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from stablib.metrics import Interval, expected_calibration_error
from stablib.show.exhibit import Exhibit, record
from stablib.show.recommender.comparison import (
    CONFIDENCE,
    answer,
    by_bin,
    cell,
    confidence,
    curve,
    mean_of,
    named,
    over_runs,
)
from stablib.show.resamples import NO_INTERVAL
from stablib.show.style import PALETTE, figure, line
from stablib.studies.recommender import DEEPICF, WEIGHTED, Results

#: Confidence above which the thesis's sentences call a prediction sure.
_SURE = 0.7
#: Negatives of an item that was chosen in training.
_MIX = 4
_AXIS = "confidence in the prediction"


class Judged(NamedTuple):
    """Predictions of one true class by run: confidence and whether they are right."""

    confidence: NDArray[np.float64]
    right: NDArray[np.float64]


def of_chosen(results: Results, row: str) -> Judged:
    """Items held out, all of which were chosen: (n_runs, n_users)."""
    chances = results.chosen(row)
    return Judged(confidence(chances), (chances > 0.5).astype(float))


def of_others(results: Results, row: str) -> Judged:
    """Negatives of the first users: (n_runs, n_negatives)."""
    chances = results.candidates(row)[:, :, 1:]
    chances = chances[:, ~np.isnan(chances[0])]
    return Judged(confidence(chances), (chances < 0.5).astype(float))


def reliability(results: Results) -> Exhibit:
    """Accuracy by confidence, for items that were chosen and that were not (TH-F3.7)."""
    classes = {"chosen": of_chosen(results, DEEPICF), "not chosen": of_others(results, DEEPICF)}
    honest = _if_scores_were_chances(results)
    frames, measured, said = [], [], []
    with figure(width=6.4, height=4.4) as made:
        (axes,) = made.axes
        axes.plot(CONFIDENCE[[0, -1]], CONFIDENCE[[0, -1]], color="#888888", label="as often")
        for number, (name, judged) in enumerate(classes.items()):
            found = curve(by_bin(judged.right, judged.confidence, CONFIDENCE), CONFIDENCE)
            _draw(axes, found, number, f"items {name}")
            axes.plot(
                _middles(CONFIDENCE),
                honest[name],
                color=PALETTE[number],
                linestyle=":",
                label=f"{name}, if scores were probabilities",
            )
            frames.append(found.assign(items=name))
            gap = _over_confidence(judged)
            null = _null_gap(results, name)
            claim = {"chosen": "f37-positive", "not chosen": "f37-negative"}[name]
            beyond = (gap[0] - null, Interval(gap[1].low - null, gap[1].high - null))
            measured += answer(claim, gap)
            measured += answer(claim, beyond, variant="beyond what the same scores would give")
            said.append(f"{cell(gap)} points (items {name}; {null:.1f} if scores were chances)")
        axes.set(xlabel=_AXIS, ylabel="predictions that are right (fraction)", ylim=(0.0, 1.02))
        axes.legend()
        error = mean_of(calibration_errors(results, DEEPICF))
        return record(
            "TH-F3.7",
            made,
            made_by=reliability,
            results=[results.only(DEEPICF)],
            numbers=pd.concat(frames, ignore_index=True),
            alt=(
                "Accuracy over confidence, a line for items that were chosen and one for those "
                "that were not, with the diagonal and what the same scores would give."
            ),
            caption=(
                "Share of predictions that are right, in bins of their confidence, by true class: "
                "mean over runs with 95 % intervals over runs. Dotted: what the same scores would "
                "give if they were true probabilities in a mix of one chosen item to four others, "
                "as in training: the true class alone bends the curves. Negatives are those of the "
                f"first {len(results.candidates(DEEPICF)[0]):,} users, of whom the calibration "
                "error takes four each."
            ),
            finding=(
                f"Above a confidence of {_SURE} predictions are surer than they are right by "
                f"{' and '.join(said)}. Expected calibration error, with classes mixed as in "
                f"training: {cell(error)} %."
            ),
            measured=measured,
        )


def _draw(axes: Axes, found: pd.DataFrame, number: int, label: str) -> None:
    """Draw a curve, if any bin has a value."""
    if not found.empty:
        parts = (found[name] for name in ("middle", "mean", "low", "high"))
        line(axes, *parts, number=number, label=label)


def _middles(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return (edges[:-1] + edges[1:]) / 2.0


def _gaps(sure: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Confidence minus accuracy of the sure predictions, mean over runs, in points."""
    gaps = [
        100.0 * (c[c > _SURE].mean() - r[c > _SURE].mean())
        for c, r in zip(sure, right, strict=True)
        if (c > _SURE).any()
    ]
    return float(np.mean(gaps)) if gaps else float("nan")


def _over_confidence(judged: Judged) -> tuple[float, Interval]:
    by_run = np.array(
        [_gaps(c[None], r[None]) for c, r in zip(judged.confidence, judged.right, strict=True)]
    )
    return over_runs(np.nanmean, by_run)


def _mixed(results: Results) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of all candidates of the first users and runs, and what each weighs in the mix."""
    chances = results.candidates(DEEPICF)
    weights = np.full(chances.shape, _MIX / (chances.shape[2] - 1.0))
    weights[:, :, 0] = 1.0
    known = ~np.isnan(chances)
    return chances[known], weights[known]


def _if_scores_were_chances(results: Results) -> dict[str, NDArray[np.float64]]:
    """Accuracy by bin within each true class, if items were chosen as likely as scores say."""
    chances, weights = _mixed(results)
    sure, bins = confidence(chances), len(CONFIDENCE) - 1
    place = np.searchsorted(CONFIDENCE[1:-1], sure, side="left")
    found = {}
    for name, chance in (("chosen", chances), ("not chosen", 1.0 - chances)):
        true = weights * chance
        right = np.bincount(place, weights=true * (chance > 0.5), minlength=bins)
        every = np.bincount(place, weights=true, minlength=bins)
        found[name] = np.divide(right, every, out=np.full(bins, np.nan), where=every > 0)
    return found


def _null_gap(results: Results, name: str) -> float:
    """Confidence minus accuracy above the limit, if items were chosen as likely as scores say."""
    chances, weights = _mixed(results)
    sure = confidence(chances)
    chance = chances if name == "chosen" else 1.0 - chances
    true = weights * chance * (sure > _SURE)
    if not true.sum():
        return float("nan")
    return 100.0 * float((true * (sure - (chance > 0.5))).sum() / true.sum())


def calibration_errors(results: Results, row: str) -> NDArray[np.float64]:
    """Expected calibration error of each run in the mix of training, in percent.

    Negatives of the first users are taken by fours, so that candidates are as frequent as there.
    """
    chances = results.candidates(row)
    few = chances[:, :, : 1 + _MIX]
    known = ~np.isnan(few[0])
    gold = np.broadcast_to(np.arange(1 + _MIX) == 0, known.shape)[known].astype(int)
    of_runs = few[:, known]
    both = np.stack([1.0 - of_runs, of_runs], axis=-1)
    return 100.0 * expected_calibration_error(both, gold)


class Permuted(NamedTuple):
    """Effects of permuting attention by run, on wrong predictions of one true class."""

    confidence: list[NDArray[np.float64]]
    effect: list[NDArray[np.float64]]


def missed(results: Results, row: str, *, negatives: bool = False, odds: bool = False) -> Permuted:
    """Wrong predictions: chosen items that were missed, or others that were taken."""
    runs = results.runs[row]
    which = 1 if negatives else 0
    chances = runs["chosen"][..., which].astype(np.float64)
    effects = runs["effect_logit" if odds else "effect"][..., which].astype(np.float64)
    wrong = (chances > 0.5) if negatives else (chances <= 0.5)
    sure = confidence(chances)
    return Permuted(
        [c[w] for c, w in zip(sure, wrong, strict=True)],
        [e[w] for e, w in zip(effects, wrong, strict=True)],
    )


def by_confidence(permuted: Permuted) -> NDArray[np.float64]:
    """Mean effect of each run by bin of confidence: (n_runs, n_bins)."""
    return np.stack(
        [
            by_bin(e[None], c[None], CONFIDENCE)[0]
            for c, e in zip(permuted.confidence, permuted.effect, strict=True)
        ]
    )


def permutation(results: Results) -> Exhibit:
    """Effect of permuting attention on chosen items that were missed (TH-F3.8)."""
    effects = by_confidence(missed(results, DEEPICF))
    others = by_confidence(missed(results, DEEPICF, negatives=True))
    odds = curve(by_confidence(missed(results, DEEPICF, odds=True)), CONFIDENCE)
    judged = of_chosen(results, DEEPICF)
    right = curve(by_bin(judged.right, judged.confidence, CONFIDENCE), CONFIDENCE)
    frames = []
    with figure(width=9.8, height=4.0, columns=3, sharey=False) as made:
        parts = (
            ("predictions that are right (fraction)", {"items chosen": right}),
            (
                "mean change of the score",
                {
                    "chosen, missed": curve(effects, CONFIDENCE),
                    "not chosen, taken": curve(others, CONFIDENCE),
                },
            ),
            ("mean change of the log-odds", {"chosen, missed": odds}),
        )
        for axes, (label, lines) in zip(made.axes, parts, strict=True):
            for number, (name, found) in enumerate(lines.items()):
                _draw(axes, found, number, name)
                frames.append(found.assign(what=label, items=name))
            axes.set(xlabel=_AXIS, ylabel=label, ylim=(0.0, None), xlim=(0.5, 1.0))
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="lower left")
        falls, surest = _falls(effects), _surest(effects)
        return record(
            "TH-F3.8",
            made,
            made_by=permutation,
            results=[results.only(DEEPICF)],
            numbers=pd.concat(frames, ignore_index=True),
            alt=(
                "Three panels over confidence: accuracy, the mean change of the score when the "
                f"attention is permuted, and that of the log-odds: {_ends(odds)}."
            ),
            caption=(
                "Mean absolute change when the attention is permuted, over 100 permutations, in "
                "bins of confidence: of the score (middle) and of its log-odds (right), for wrong "
                "predictions; with the reliability of chosen items (left). Looked at are the first "
                f"{_looked_at(results):,} users. Means over runs with 95 % intervals over runs."
            ),
            finding=(
                f"From the least sure to the surest predictions the effect on missed items falls "
                f"by {cell(falls, 2)}, to {cell(surest, 3)}; in log-odds it is {_ends(odds)}. On "
                f"items that were taken and not chosen it falls by {cell(_falls(others), 2)}."
            ),
            measured=[
                *answer("f38-falls", falls),
                *answer("f38-barely", surest),
                *answer("f38-false-positives", _falls(others)),
            ],
        )


def _looked_at(results: Results) -> int:
    """Users whose attention is kept."""
    return int(results.runs[DEEPICF]["lengths"].shape[1])


def _ends(found: pd.DataFrame) -> str:
    if found.empty:
        return "no wrong prediction is left to look at"
    first, last = found["mean"].iloc[0], found["mean"].iloc[-1]
    return f"{first:.2f} in the first bin and {last:.2f} in the last"


def _falls(by_run: NDArray[np.float64]) -> tuple[float, Interval]:
    """Effect in the least sure bin minus that in the surest one."""
    return _of_complete(by_run[:, 0] - by_run[:, -1])


def _surest(by_run: NDArray[np.float64]) -> tuple[float, Interval]:
    return _of_complete(by_run[:, -1])


def _of_complete(values: NDArray[np.float64]) -> tuple[float, Interval]:
    """Mean over the runs that have a value."""
    there = ~np.isnan(values)
    if not there.any():
        return float("nan"), NO_INTERVAL
    return mean_of(values[there])


def class_balance(large: Results, small: Results) -> Exhibit:
    """Effect of permuting attention with a class-balanced loss and without (TH-F3.9)."""
    rows = {"plain": DEEPICF, "class-weighted": WEIGHTED}
    frames, measured, said = [], [], []
    with figure(width=8.6, height=4.0, columns=2) as made:
        for axes, results in zip(made.axes, (large, small), strict=True):
            effects, odds = (
                {n: by_confidence(missed(results, row, odds=way)) for n, row in rows.items()}
                for way in (False, True)
            )
            for number, (name, by_run) in enumerate(effects.items()):
                found = curve(by_run, CONFIDENCE)
                _draw(axes, found, number, name)
                frames.append(found.assign(data=named(results), loss=name))
            axes.set(
                xlabel=_AXIS,
                ylabel="mean change of the score",
                ylim=(0.0, None),
                xlim=(0.5, 1.0),
                title=named(results),
            )
            ratio = _ratio(effects)
            measured += answer("f39-more-sensitive", ratio, variant=named(results))
            said.append(
                f"{cell(ratio, 2)} times as much on {named(results)} "
                f"({cell(_ratio(odds), 2)} times in log-odds)"
            )
        made.axes[0].legend()
        return record(
            "TH-F3.9",
            made,
            made_by=class_balance,
            results=[large.only(DEEPICF, WEIGHTED), small.only(DEEPICF, WEIGHTED)],
            numbers=pd.concat(frames, ignore_index=True),
            alt="A panel for each data set over confidence, with a line for either loss.",
            caption=(
                "As the middle of TH-F3.8 for chosen items that were missed, with a loss in which "
                "both classes contribute alike, and without. Means over runs with 95 % intervals "
                "over runs; of fewer than five runs none is given."
            ),
            finding=(
                "In the same bins permuting changes the score, with the class-balanced loss, "
                f"{' and '.join(said)}."
            ),
            measured=measured,
        )


def _ratio(by_loss: Mapping[str, NDArray[np.float64]]) -> tuple[float, Interval]:
    """How many times as large effects are, mean over the bins that all have."""
    plain, weighted = by_loss["plain"], by_loss["class-weighted"]

    def ratio(of_plain: NDArray[np.float64], of_weighted: NDArray[np.float64]) -> float:
        with np.errstate(invalid="ignore", divide="ignore"):
            below, above = _means(of_plain), _means(of_weighted)
        both = ~np.isnan(below) & ~np.isnan(above)
        if not both.any() or not below[both].mean():
            return float("nan")
        return float(above[both].mean() / below[both].mean())

    return over_runs(ratio, plain, weighted)


def _means(by_run: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each bin over the runs that have a value there; nan where none has."""
    counts = (~np.isnan(by_run)).sum(axis=0)
    sums = np.nansum(by_run, axis=0)
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def flat_or_sure(results: Results) -> Exhibit:
    """What the effect of permuting goes with: confidence, or evenness of attention (TH-X2)."""
    runs = results.runs[DEEPICF]
    entropy = runs["entropy"].astype(np.float64)
    measures = {
        "confidence": confidence(runs["chosen"][..., 0].astype(np.float64)),
        "evenness of attention": entropy,
        "length of the history": np.broadcast_to(runs["lengths"][0], entropy.shape),
    }
    effects = {"change of the log-odds": "effect_logit", "change of the score": "effect"}
    found = {
        name: {
            title: _rank_correlations(values, runs[effect][..., 0].astype(np.float64))
            for title, effect in effects.items()
        }
        for name, values in measures.items()
    }
    rows = {
        name: {title: cell(_of_complete(one), 2) for title, one in of.items()}
        for name, of in found.items()
    }
    # Of each run, how much more the effect goes with confidence: both fall as it rises.
    more = {
        title: _of_complete(
            np.abs(found["confidence"][title]) - np.abs(found["evenness of attention"][title])
        )
        for title in effects
    }
    even = mean_of(entropy.mean(axis=1))
    effect = mean_of(runs["effect"][..., 0].astype(np.float64).mean(axis=1))
    return record(
        "TH-X2",
        pd.DataFrame(rows).T,
        made_by=flat_or_sure,
        results=[results.only(DEEPICF)],
        caption=(
            "Spearman's rank correlation over users between the effect of permuting attention on "
            "the item held out and what it may depend on, over the first "
            f"{_looked_at(results):,} users; mean over runs, with 95 % intervals. "
            "Evenness is the entropy of the attention over that of equal shares."
        ),
        finding=(
            f"Attention has {cell(even, 3)} of the entropy of equal shares, and permuting it still "
            f"changes a score by {cell(effect, 2)} on average. The effect's rank correlation with "
            "confidence is larger in size than that with evenness by "
            + " and ".join(f"{cell(one, 2)} ({title})" for title, one in more.items())
            + "."
        ),
    )


def _rank_correlations(
    first: NDArray[np.floating], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spearman's correlation over users of each run; nan of one in which either does not vary."""
    from scipy.stats import spearmanr

    return np.array(
        [
            float(spearmanr(one, other).statistic) if np.ptp(one) and np.ptp(other) else np.nan
            for one, other in zip(first, second, strict=True)
        ]
    )
