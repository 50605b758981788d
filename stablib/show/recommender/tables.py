"""What recommenders reach, and how much their lists and scores differ over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.recommender.calibration import of_chosen
from stablib.show.recommender.comparison import (
    answer,
    attended_jaccard,
    cell,
    chance_jaccard,
    label_disagreement,
    mean_of,
    overlap_of_tens,
    score_sd,
    sd_of,
    shared_of_tens,
)
from stablib.show.style import figure, line
from stablib.studies.recommender import DEEPICF, NEUMF, THREE, WEIGHTED, Results

#: What claims call the rows of Table 3.2, and the printed values for the reader.
_CLAIMED = {DEEPICF: ("deepicf", "own"), WEIGHTED: ("weighted",), NEUMF: ("neumf",)}


def performance(large: Results, small: Results) -> Exhibit:
    """Hit rate and NDCG of all models (TH-T3.2)."""
    rows, measured = [], list[Measured]()
    for results in (large, small):
        for model in results.runs:
            hits, gains = results.hits[model], results.gains[model]
            rows.append(
                {
                    "data": _named(results),
                    "model": model,
                    "runs": len(hits),
                    "HR@10 (%)": cell(mean_of(hits)),
                    "sd (points)": cell(sd_of(hits), 2),
                    "NDCG@10 (%)": cell(mean_of(gains)),
                    "sd (points) ": cell(sd_of(gains), 2),
                }
            )
    for model, names in _CLAIMED.items():
        hits, gains = large.hits[model], large.gains[model]
        for name in names:
            measured += answer(f"t32-{name}-hits", mean_of(hits))
            measured += answer(f"t32-{name}-gains", mean_of(gains))
            measured += answer(f"t32-{name}-hits-sd", sd_of(hits))
            measured += answer(f"t32-{name}-gains-sd", sd_of(gains))
    few = min(len(large.hits[DEEPICF]), len(large.hits[WEIGHTED]))
    similar = mean_of(large.hits[WEIGHTED][:few] - large.hits[DEEPICF][:few])
    below = mean_of(small.hits[THREE] - small.hits[DEEPICF])
    measured += answer("t32-weighted-similar", similar) + answer("t32-three-below", below)
    return record(
        "TH-T3.2",
        pd.DataFrame(rows),
        made_by=performance,
        results=[large, small],
        caption=(
            "Hit rate and NDCG of the first ten of 100 candidates: mean and standard deviation "
            "(ddof 1) over runs with 95 % bootstrap intervals over runs. No model is pretrained. "
            "Where three outputs are told apart, an item's score is the probability that it was "
            "rated at all."
        ),
        finding=(
            f"Class weighting changes the hit rate by {cell(similar)} points on "
            f"{_named(large)}, three outputs by {cell(below)} on {_named(small)}, seed by seed."
        ),
        measured=measured,
    )


def _named(results: Results) -> str:
    names = {"movielens-1m": "MovieLens-1M", "movielens-100k": "MovieLens-100K"}
    return names.get(results.dataset.name, results.dataset.name)


def learning(many: Sequence[Results]) -> Exhibit:
    """Hit rate along the training (TH-X9)."""
    frames = []
    with figure(width=9.0, height=3.8, columns=len(many), sharey=True) as made:
        for axes, results in zip(made.axes, many, strict=True):
            for number, (model, runs) in enumerate(results.runs.items()):
                curves = 100.0 * runs["hits"]
                found = [mean_of(each) for each in curves.T]
                epochs = np.linspace(0, _epochs(results, model), curves.shape[1] + 1)[1:]
                low, high = zip(*(interval for _, interval in found), strict=True)
                values = [value for value, _ in found]
                line(axes, epochs, values, low, high, number=number, label=model)
                frames.append(
                    pd.DataFrame(
                        {
                            "data": _named(results),
                            "model": model,
                            "epochs": epochs,
                            "hit rate (%)": values,
                            "low": low,
                            "high": high,
                        }
                    )
                )
            axes.set(xlabel="epochs", ylabel="HR@10 (%)", title=_named(results))
        made.axes[-1].legend(fontsize=8)
        main = many[0].runs[DEEPICF]["hits"]
        gain = 100.0 * (main[:, -1] - main[:, -2]) if main.shape[1] > 1 else np.zeros(len(main))
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
                f"Between the last two looks DeepICF changes by {cell(mean_of(gain))} points on "
                f"{_named(many[0])}."
            ),
        )


def _epochs(results: Results, model: str) -> int:
    epochs: int = results.runs[model].recipe.n_epochs
    return epochs


def recommendations(large: Results, small: Results) -> Exhibit:
    """Whether a user would see other recommendations (TH-X8)."""
    rows, said = [], ""
    for results in (large, small):
        for model in results.runs:
            shared = shared_of_tens(results, model)
            rows.append(
                {
                    "data": _named(results),
                    "model": model,
                    "HR@10 (%)": cell(mean_of(results.hits[model])),
                    "shared of the first ten": cell(shared, 2),
                    "rank-biased overlap": cell(overlap_of_tens(results, model), 3),
                    "chosen or not differs (%)": cell(label_disagreement(results, model)),
                }
            )
            if not said:
                said = (
                    f"Two runs of {model} whose hit rates differ by less than a point share "
                    f"{cell(shared, 1)} of the first ten of 100 candidates."
                )
    spread = float(np.ptp(large.hits[DEEPICF]))
    said = said.replace("differ by less than a point", f"span {spread:.1f} points")
    return record(
        "TH-X8",
        pd.DataFrame(rows),
        made_by=recommendations,
        results=[large, small],
        caption=(
            "Two runs compared, mean over pairs of runs with 95 % intervals over runs: items that "
            "both have among their first ten of 100 candidates, rank-biased overlap of these lists "
            "(p .9, first 500 users), and held-out items that one run calls chosen and the other "
            "does not."
        ),
        finding=said,
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
                    "data": _named(results),
                    "loss": "class-weighted" if model == WEIGHTED else "plain",
                    "chosen items found (%)": cell(mean_of(accuracy)),
                    "confidence there (%)": cell(mean_of(sure)),
                    "sd of scores": cell(score_sd(results, model), 3),
                    "chosen or not differs (%)": cell(label_disagreement(results, model)),
                    "shared of the first ten": cell(shared_of_tens(results, model), 2),
                    "Jaccard index of attention": cell(attended_jaccard(results, model), 3),
                }
            )
    by_loss = [attended_jaccard(large, model) for model in (DEEPICF, WEIGHTED)]
    chance = chance_jaccard(large, DEEPICF)
    return record(
        "TH-X1",
        pd.DataFrame(rows),
        made_by=class_weighting,
        results=[large.only(DEEPICF, WEIGHTED), small.only(DEEPICF, WEIGHTED)],
        caption=(
            "Items held out: how many are called chosen, how surely, and how much runs differ. "
            "Means over runs or pairs of runs with 95 % intervals over runs."
        ),
        finding=(
            f"The Jaccard index of the most attended tenth is {cell(by_loss[0], 3)} without class "
            f"weights and {cell(by_loss[1], 3)} with them, on {_named(large)}; tenths drawn at "
            f"random have {chance:.3f}."
        ),
    )
