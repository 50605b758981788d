"""What recommenders reach, and how much their lists and scores differ over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.recommender.calibration import calibration_errors, of_chosen
from stablib.show.recommender.comparison import (
    CLAIMS,
    RUNS,
    answer,
    attended_jaccard,
    cell,
    chance_jaccard,
    hit_disagreement,
    label_disagreement,
    mean_of,
    named,
    overlap_of_tens,
    score_sd,
    shared_of_tens,
)
from stablib.show.style import figure, line
from stablib.studies.recommender import DEEPICF, THREE, WEIGHTED, Recommender, Results

#: What claims call the rows of Table 3.2. NeuMF is printed with pretraining alone.
_CLAIMED = {DEEPICF: ("deepicf", "own"), WEIGHTED: ("weighted",)}


def performance(large: Results, small: Results) -> Exhibit:
    """Hit rate and NDCG of all models (TH-T3.2)."""
    rows, measured = [], list[Measured]()
    for results in (large, small):
        for model in results.runs:
            hits, gains = results.hits[model], results.gains[model]
            rows.append(
                {
                    "data": named(results),
                    "model": model,
                    "runs": len(hits),
                    "HR@10 (%)": cell(mean_of(hits)),
                    "sd of HR@10 (points)": cell(RUNS.sd(hits), 2),
                    "NDCG@10 (%)": cell(mean_of(gains)),
                    "sd of NDCG@10 (points)": cell(RUNS.sd(gains), 2),
                }
            )
    for model, names in _CLAIMED.items():
        hits, gains = large.hits[model], large.gains[model]
        for name in names:
            how = "with a softmax" if name == "own" else ""
            measured += answer(f"t32-{name}-hits", mean_of(hits), variant=how)
            measured += answer(f"t32-{name}-gains", mean_of(gains), variant=how)
            measured += answer(f"t32-{name}-hits-sd", RUNS.sd(hits))
            measured += answer(f"t32-{name}-gains-sd", RUNS.sd(gains))
    similar = mean_of(large.hits[WEIGHTED] - large.hits[DEEPICF])
    below = mean_of(small.hits[THREE] - small.hits[DEEPICF])
    measured += answer("t32-weighted-similar", similar) + answer("t32-three-below", below)
    return record(
        "TH-T3.2",
        pd.DataFrame(rows),
        made_by=performance,
        results=[large, small],
        caption=(
            "Hit rate and NDCG of the first ten of 100 candidates: mean and standard deviation "
            "(ddof 1) over runs with 95 % bootstrap intervals over runs; of fewer than five runs "
            "none is given. No model is pretrained, and only DeepICF's learning rate was chosen. "
            "Where three outputs are told apart, an item's score is the probability that it was "
            "rated at all."
        ),
        finding=(
            f"Class weighting changes the hit rate by {cell(similar)} points on "
            f"{named(large)}, three outputs by {cell(below)} on {named(small)}, seed by seed."
        ),
        measured=measured,
    )


def _last_gain(hits: NDArray[np.floating]) -> NDArray[np.float64]:
    """By how many points each run's hit rate rose from the last look but one to the last."""
    looks = 100.0 * hits.astype(np.float64)
    return looks[:, -1] - looks[:, -2] if looks.shape[1] > 1 else np.zeros(len(looks))


def learning(many: Sequence[Results]) -> Exhibit:
    """Hit rate along the training (TH-X9)."""
    frames = []
    with figure(width=9.0, height=3.8, columns=len(many), sharey=True) as made:
        for axes, results in zip(made.axes, many, strict=True):
            for number, (model, runs) in enumerate(results.runs.items()):
                curves = 100.0 * runs["hits"]
                found = [mean_of(each) for each in curves.T]
                every = cast(Recommender, results.study).design.curve(_asked(results)).every
                epochs = every * np.arange(1, curves.shape[1] + 1)
                low, high = zip(*(interval for _, interval in found), strict=True)
                values = [value for value, _ in found]
                line(axes, epochs, values, low, high, number=number, label=model)
                frames.append(
                    pd.DataFrame(
                        {
                            "data": named(results),
                            "model": model,
                            "epochs": epochs,
                            "hit rate (%)": values,
                            "low": low,
                            "high": high,
                        }
                    )
                )
            axes.set(xlabel="epochs", ylabel="HR@10 (%)", title=named(results))
        made.axes[-1].legend(fontsize=8)
        main = many[0].runs[DEEPICF]["hits"]
        late = "; ".join(
            f"{model} {cell(mean_of(_last_gain(runs['hits'])))}"
            for model, runs in many[-1].runs.items()
        )
        return record(
            "TH-X9",
            made,
            made_by=learning,
            results=list(many),
            numbers=pd.concat(frames, ignore_index=True),
            alt="Hit rate over epochs: curves that rise steeply and flatten.",
            caption=(
                "Hit rate on the test items along the training: mean over runs with 95 % intervals "
                "over runs. The length of the training was fixed before; nothing is picked here."
            ),
            finding=(
                f"On {named(many[0])} DeepICF ends at {cell(mean_of(100.0 * main[:, -1]))} %, "
                f"{cell(mean_of(_last_gain(main)))} points above the look before; its own paper "
                f"reports {CLAIMS['t32-own-hits'].said} without pretraining. The last look adds "
                f"on {named(many[-1])}, in points: {late}."
            ),
        )


def _asked(results: Results) -> str:
    """The data set that was asked for, whatever stands in."""
    return results.recipe.dataset


def recommendations(large: Results, small: Results) -> Exhibit:
    """Whether a user would see other recommendations (TH-X8)."""
    rows = []
    for results in (large, small):
        for model in results.runs:
            rows.append(
                {
                    "data": named(results),
                    "model": model,
                    "HR@10 (%)": cell(mean_of(results.hits[model])),
                    "shared of the first ten": cell(shared_of_tens(results, model), 2),
                    "rank-biased overlap": cell(overlap_of_tens(results, model), 3),
                    "hit or miss differs (%)": cell(hit_disagreement(results, model)),
                }
            )
    spread, shared = np.ptp(large.hits[DEEPICF]), shared_of_tens(large, DEEPICF)
    return record(
        "TH-X8",
        pd.DataFrame(rows),
        made_by=recommendations,
        results=[large, small],
        caption=(
            "Two runs compared, mean over pairs of runs with 95 % intervals over runs: items that "
            "both have among their first ten of 100 candidates, rank-biased overlap of these lists "
            "(p .9, first 500 users), and held-out items that one run has among its first ten and "
            "the other has not."
        ),
        finding=(
            f"Runs of DeepICF on {named(large)} whose hit rates span {spread:.1f} points share "
            f"{cell(shared)} of the first ten of 100 candidates, two by two."
        ),
    )


def class_weighting(large: Results, small: Results) -> Exhibit:
    """Whether class weighting changes stability, or only calibration (TH-X1)."""
    rows = []
    for results in (large, small):
        for model in (DEEPICF, WEIGHTED):
            judged = of_chosen(results, model)
            accuracy = 100.0 * judged.right.mean(axis=1)
            sure = 100.0 * judged.confidence.mean(axis=1)
            rows.append(
                {
                    "data": named(results),
                    "loss": "class-weighted" if model == WEIGHTED else "plain",
                    "chosen items found (%)": cell(mean_of(accuracy)),
                    "confidence there (%)": cell(mean_of(sure)),
                    "calibration error (%)": cell(mean_of(calibration_errors(results, model))),
                    "sd of scores": cell(score_sd(results, model), 3),
                    "chosen or not differs (%)": cell(label_disagreement(results, model)),
                    "shared of the first ten": cell(shared_of_tens(results, model), 2),
                    "Jaccard index of attention": cell(attended_jaccard(results, model), 3),
                }
            )
    changes = []
    for results in (large, small):
        errors = [calibration_errors(results, model) for model in (DEEPICF, WEIGHTED)]
        change = mean_of(errors[1] - errors[0])  # Run by run: the seeds are the same.
        differ = [cell(label_disagreement(results, model)) for model in (DEEPICF, WEIGHTED)]
        changes.append(
            f"on {named(results)} by {cell(change)} points, and two runs differ on "
            f"{differ[1]} % of the items in place of {differ[0]}"
        )
    indices = [attended_jaccard(small, model) for model in (DEEPICF, WEIGHTED)]
    chance = chance_jaccard(small, DEEPICF)
    return record(
        "TH-X1",
        pd.DataFrame(rows),
        made_by=class_weighting,
        results=[large.only(DEEPICF, WEIGHTED), small.only(DEEPICF, WEIGHTED)],
        caption=(
            "Items held out: how many are called chosen, how surely, and how much runs differ. The "
            "calibration error is that of the first users' held-out items, each with four of its "
            "negatives. Means over runs or pairs of runs with 95 % intervals over runs; of fewer "
            "than five runs none is given."
        ),
        finding=(
            f"Class weights change the calibration error, seed by seed, {'; '.join(changes)}. On "
            f"{named(small)} the Jaccard index of the most attended tenth is "
            f"{cell(indices[0], 3)} without and {cell(indices[1], 3)} with them (chance: "
            f"{chance:.3f})."
        ),
    )
