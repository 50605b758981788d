"""How much scores and attention differ over seeds (section 3.4.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from stablib.metrics import (
    Interval,
    binned_means,
    centred_interval,
    pair_mean,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.show.exhibit import Exhibit, record
from stablib.show.recommender.comparison import (
    HIGH,
    RUNS,
    SAID_AT_HIGH,
    answer,
    attended_matrices,
    cell,
    chance_jaccard,
)
from stablib.show.resamples import NO_INTERVAL
from stablib.show.style import figure, line
from stablib.studies.recommender import DEEPICF, Results

#: Half precision, in which scores are kept, has no probabilities closer to 1.
_LEAST = 2.0**-11
#: Mean scores of the bins in which the thesis's sentences are judged.
_MIDDLE, _ENDS = (0.4, 0.6), (0.1, 0.9)


def scores(results: Results) -> Exhibit:
    """Deviation of scores over seeds by mean score (TH-F3.10)."""
    chances = results.chosen(DEEPICF)
    weights = RUNS.weights(len(chances))
    mean = chances.mean(axis=0)
    sds, sd_draws = sd_over_runs(chances), resampled_sd(chances, weights)
    deviations = np.abs(chances - mean).mean(axis=0)
    deviation_draws = _mean_deviations(chances, weights)
    panels = {
        "mean absolute deviation": binned_means(deviations, mean, deviation_draws),
        "standard deviation": binned_means(sds, mean, sd_draws),
    }
    frames = []
    with figure(width=6.4, height=4.0) as made:
        (axes,) = made.axes
        for number, (name, bins) in enumerate(panels.items()):
            there = [b for b in bins if b.n_examples]
            line(
                axes,
                [(b.low + b.high) / 2.0 for b in there],
                [b.mean for b in there],
                [b.interval.low for b in there],
                [b.interval.high for b in there],
                number=number,
                label=name,
            )
            frames.append(
                pd.DataFrame(
                    [
                        {"from": b.low, "to": b.high, "items": b.n_examples, "value": b.mean}
                        for b in there
                    ]
                ).assign(measure=name)
            )
        axes.set(
            xlabel="mean score over runs", ylabel="deviation over runs", xlim=(0, 1), ylim=(0, None)
        )
        axes.legend()
        ratio = _middle_to_ends(mean, sds, sd_draws)
        odds = logit(np.clip(chances, _LEAST, 1.0 - _LEAST))
        of_odds = _middle_to_ends(mean, sd_over_runs(odds), resampled_sd(odds, weights))
        worst = max(
            (b for b in panels["mean absolute deviation"] if b.n_examples), key=lambda b: b.mean
        )
        return record(
            "TH-F3.10",
            made,
            made_by=scores,
            results=[results.only(DEEPICF)],
            numbers=pd.concat(frames, ignore_index=True),
            alt="Deviation of scores over their mean: low at both ends and high in the middle.",
            caption=(
                "Deviation over runs of the score of the item held out, mean in bins of its mean "
                "score, with 95 % intervals over runs; the thesis shows the mean absolute one."
            ),
            finding=(
                f"Scores in the middle vary {cell(ratio, 1)} times as much as those at the ends; "
                f"their log-odds {cell(of_odds, 2)} times: near 0 and 1 a score has little room. "
                f"The largest mean deviation of a bin is {worst.mean:.3f}."
            ),
            measured=answer("f310-middle", ratio),
        )


def _mean_deviations(
    chances: NDArray[np.float64], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean absolute deviation of each item in resamples of the runs."""
    found = np.empty((len(weights), chances.shape[1]))
    for number, counts in enumerate(weights):
        shares = counts / counts.sum()
        found[number] = shares @ np.abs(chances - shares @ chances)
    return found


def _middle_to_ends(
    mean: NDArray[np.float64], sds: NDArray[np.float64], draws: NDArray[np.float64]
) -> tuple[float, Interval]:
    middle = (mean >= _MIDDLE[0]) & (mean < _MIDDLE[1])
    ends = (mean < _ENDS[0]) | (mean >= _ENDS[1])
    if not middle.any() or not ends.any():
        return float("nan"), NO_INTERVAL
    value = float(sds[middle].mean() / sds[ends].mean())
    return value, centred_interval(value, draws[:, middle].mean(1) / draws[:, ends].mean(1))


def attention(results: Results) -> Exhibit:
    """Jaccard index of the most attended tenth by mean score (TH-F3.11)."""
    matrices = attended_matrices(results, DEEPICF)
    weights = RUNS.weights(matrices.shape[-1])
    values, draws = pair_mean(matrices), resampled_pair_mean(matrices, weights)
    mean = results.chosen(DEEPICF).mean(axis=0)[: len(values)]
    bins = [b for b in binned_means(values, mean, draws) if b.n_examples]
    chance = chance_jaccard(results, DEEPICF)
    high = mean > HIGH
    with figure(width=6.4, height=4.0) as made:
        (axes,) = made.axes
        line(
            axes,
            [(b.low + b.high) / 2.0 for b in bins],
            [b.mean for b in bins],
            [b.interval.low for b in bins],
            [b.interval.high for b in bins],
            number=0,
            label="two runs",
        )
        if SAID_AT_HIGH.target is not None:
            axes.axhline(
                SAID_AT_HIGH.target,
                color="#888888",
                linestyle="--",
                label="the thesis, high scores",
            )
        axes.axhline(chance, color="#888888", linestyle=":", label="tenths drawn at random")
        axes.set(
            xlabel="mean score over runs", ylabel="Jaccard index", xlim=(0, 1), ylim=(0.0, 1.0)
        )
        axes.legend()
        found = (float("nan"), NO_INTERVAL)
        if high.any():
            value = float(values[high].mean())
            found = (value, centred_interval(value, draws[:, high].mean(axis=1)))
        return record(
            "TH-F3.11",
            made,
            made_by=attention,
            results=[results.only(DEEPICF)],
            numbers=pd.DataFrame(
                [
                    {
                        "from": b.low,
                        "to": b.high,
                        "items": b.n_examples,
                        "Jaccard index": b.mean,
                        "low": b.interval.low,
                        "high": b.interval.high,
                    }
                    for b in bins
                ]
            ),
            alt="Jaccard index over the mean score, with lines at one half and at chance.",
            caption=(
                "Jaccard index of the tenth of the history that two runs attend to most when they "
                "score the item held out: mean over pairs of runs and items in bins of the mean "
                f"score, of the first {len(values):,} users, with 95 % intervals over runs."
            ),
            finding=(
                f"Where the mean score is above {HIGH} the index is {cell(found, 3)}; tenths "
                f"drawn at random have {chance:.3f}, and the thesis reports "
                f"{SAID_AT_HIGH.reported}."
            ),
            measured=answer("f311-jaccard", found),
        )
