"""What the thesis does not ask: methods, starts, sources, known tastes, and the learning rate."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import roc_auc
from stablib.mitigation import TGTSS, Ensemble
from stablib.show.exhibit import Exhibit, record
from stablib.show.recommender.comparison import (
    HIGH,
    RUNS,
    SAID_AT_HIGH,
    attended_jaccard,
    cell,
    chance_jaccard,
    hit_disagreement,
    mean_jaccards,
    mean_of,
    score_sd,
    shared_of_tens,
)
from stablib.show.resamples import NO_INTERVAL
from stablib.show.style import figure, line
from stablib.studies.recommender import BIT, DEEPICF, OTHER_SEEDS, WEIGHTED, Results
from stablib.studies.recommender.design import STARTS, TASTES_PENALTY
from stablib.workloads import ItemRecipe

#: The method whose models are several.
_SNAPSHOT = "Snapshot"
#: Averages that are looked at beside plain training, by their names in its runs.
_BESIDE = {"SWA of every step": "step_swa", "EMA": "ema"}


def _compared(results: Results, row: str, *, attends: bool = True) -> dict[str, str]:
    """Cells of a row: what runs reach, and how much they differ."""
    index = cell(attended_jaccard(results, row), 3) if attends else "–"
    return {
        "HR@10 (%)": cell(mean_of(results.hits[row])),
        "sd of scores": cell(score_sd(results, row), 3),
        "hit or miss differs (%)": cell(hit_disagreement(results, row)),
        "shared of the first ten": cell(shared_of_tens(results, row), 2),
        "Jaccard index of attention": index,
    }


def methods(results: Results, small: Results) -> Exhibit:
    """Mitigations of the other texts on a recommender (TH-X3)."""
    beside = {
        title: small.averaged(DEEPICF, name, len(results.runs[DEEPICF]))
        for title, name in _BESIDE.items()
    }
    rows = {row: _compared(results, row, attends=row != _SNAPSHOT) for row in results.runs}
    rows |= {
        title: _compared(beside[title], name, attends=False) for title, name in _BESIDE.items()
    }
    order = [DEEPICF, OTHER_SEEDS, *(r for r in rows if r not in (DEEPICF, OTHER_SEEDS))]
    apart = {row: hit_disagreement(results, row)[0] for row in results.runs}
    apart |= {title: hit_disagreement(beside[title], name)[0] for title, name in _BESIDE.items()}
    plain = apart.pop(DEEPICF)
    fallen = {row: _fall(value, plain) for row, value in apart.items()}
    others = fallen.pop(OTHER_SEEDS)
    best = max(fallen, key=lambda row: fallen[row])
    ensemble = cast(Ensemble, results.runs["Ensemble, own"].recipe.method)
    recipe = cast(ItemRecipe, results.runs["TGTSS, own"].recipe)
    tgtss, n_steps = cast(TGTSS, recipe.method), recipe.steps(results.n_users)
    return record(
        "TH-X3",
        pd.DataFrame({row: rows[row] for row in order}).T,
        made_by=methods,
        results=[results],
        caption=(
            "DeepICF with each method, seed by seed the same: means over runs or pairs of runs "
            "with 95 % intervals over runs. The averages of the last two rows are taken beside "
            "plain training, at no cost. Teachers of soft labels are asked about every user and "
            "item, since negatives are drawn anew each time; an ensemble has "
            f"{ensemble.members} of them, and TGTSS averages one step in {tgtss.every} "
            f"after {tgtss.after_step:,} of a teacher's {n_steps:,}. Snapshots have several "
            "attentions, and attention was not kept of the averages beside."
        ),
        finding=(
            f"Whether the held-out item is among the first ten differs least with {best}: "
            f"{fallen[best]:.0f} % less often than between plain runs; other seeds alone change "
            f"that by {others:.0f} %.{_blind(results)}"
        ),
    )


def _blind(results: Results) -> str:
    """Name methods of which some runs do not look at the history any more."""
    said = []
    for row, runs in results.runs.items():
        if row != _SNAPSHOT:
            effects = runs["effect"].astype(np.float64)
            unmoved = int((np.nanmax(effects, axis=(1, 2)) == 0.0).sum())
            said += [f"{unmoved} of {len(runs)} with {row}"] * (unmoved > 0)
    if not said:
        return ""
    return (
        f" Of some runs permuting attention changes no score ({', '.join(said)}): they rank items "
        "whatever the user has chosen."
    )


def _fall(value: float, plain: float) -> float:
    """By how many percent a value lies below that of plain runs; nan where these all agree."""
    return 100.0 * (1.0 - value / plain) if plain else float("nan")


def starts(results: Results) -> Exhibit:
    """Whether a shared start explains the thesis's Jaccard index (TH-X4)."""
    titles = {row: "drawn at random" if row == DEEPICF else row for row in results.runs}
    found = {row: attended_jaccard(results, row, above=HIGH) for row in titles}
    rows = {
        title: {
            **_compared(results, row),
            f"the same, mean score above {HIGH}": cell(found[row], 3),
        }
        for row, title in titles.items()
    }
    said = ", ".join(f"{cell(found[row], 3)} ({title})" for row, title in titles.items())
    hits = ", ".join(f"{row['HR@10 (%)']} ({title})" for title, row in rows.items())
    own, shared = (mean_jaccards(results, STARTS[kind], above=HIGH) for kind in ("own", "shared"))
    added = (float("nan"), NO_INTERVAL)
    if own is not None and shared is not None:
        added = RUNS.pairs(shared - own)  # Pair by pair: the seeds are the same.
    return record(
        "TH-X4",
        pd.DataFrame(rows).T,
        made_by=starts,
        results=[results],
        caption=(
            "DeepICF whose vectors of items are drawn at random, or begin as those of FISM "
            "(Kabbur et al. 2013), which is trained before and so in addition: with the run's own "
            "seeds, or once for all runs. Means over runs or pairs of runs with 95 % intervals "
            "over runs."
        ),
        finding=(
            f"Jaccard index of the most attended tenth where the mean score is above {HIGH}: "
            f"{said}; tenths drawn at random have {chance_jaccard(results, DEEPICF):.3f}, and the "
            f"thesis reports {SAID_AT_HIGH.reported} on the larger data. That vectors are shared "
            f"adds {cell(added, 3)} to what vectors of one's own reach. HR@10 in percent: {hits}."
        ),
    )


def sources(results: Results) -> Exhibit:
    """What each source of randomness does to a recommender (TH-X5)."""
    rows = {("all" if row == DEEPICF else row): _compared(results, row) for row in results.runs}
    every = hit_disagreement(results, DEEPICF)[0]
    bit = hit_disagreement(results, BIT)[0]
    return record(
        "TH-X5",
        pd.DataFrame(rows).T,
        made_by=sources,
        results=[results],
        caption=(
            "DeepICF where one source varies and all others are held fixed, and where runs differ "
            "by one bit of one weight of the attention: means over runs or pairs of runs with "
            "95 % intervals over runs."
        ),
        finding=(
            f"One bit changes whether {bit:.1f} % of the held-out items are among the first ten, "
            f"everything together {every:.1f} %."
        ),
    )


def known_tastes(results: Results) -> Exhibit:
    """Whether attention points at what decided, where that is known (TH-X6)."""
    data = results.interactions
    assert data is not None  # It is generated.
    genre = np.array([of[0] for of in data.genres])
    same = [
        genre[data.items_of(user)] == genre[data.candidates[user, 0]]
        for user in range(data.n_users)
    ]
    rows, said = {}, ""
    for row in (DEEPICF, WEIGHTED):
        runs = results.runs[row]
        starts = np.concatenate([[0], np.cumsum(runs["lengths"][0].astype(np.int64))])
        shares = runs["shown"].astype(np.float64)
        hits = np.stack([_found(each, starts, same) for each in shares])
        mass = np.stack([_on(each, starts, same) for each in shares])
        base = np.array([of.mean() for of in same])
        area, index = mean_of(hits), cell(attended_jaccard(results, row), 3)
        rows[row] = {
            "HR@10 (%)": cell(mean_of(results.hits[row])),
            "share on the same genre (%)": cell(mean_of(100.0 * mass.mean(axis=1))),
            "their share of the history (%)": f"{100.0 * base.mean():.1f}",
            "AUC of attention": cell(area, 3),
            "Jaccard index of attention": index,
        }
        if row == DEEPICF:
            said = (
                f"An item of the right genre is attended to more than one of another with a chance "
                f"of {cell(area, 3)} (.5 is a coin), but by little: these items, "
                f"{100.0 * base.mean():.1f} % of a history, have "
                f"{cell(mean_of(100.0 * mass.mean(axis=1)))} % of the attention. So it is in runs "
                f"whose most attended tenths have an index of {index} "
                f"(chance: {chance_jaccard(results, row):.3f})."
            )
    return record(
        "TH-X6",
        pd.DataFrame(rows).T,
        made_by=known_tastes,
        results=[results.only(DEEPICF, WEIGHTED)],
        caption=(
            "Generated choices, where only items of the same genre tell about an item: attention "
            "to these when the item held out is scored, and the area under the curve with which "
            "attention tells them from the others, mean over users. Means over runs with 95 % "
            f"intervals over runs. The tower's L2 penalty is {TASTES_PENALTY} here, as with the "
            "usual one nothing is learnt from so few choices."
        ),
        finding=said,
    )


def _found(
    shares: NDArray[np.float64], starts: NDArray[np.int64], same: list[NDArray[np.bool_]]
) -> float:
    """Area under the curve by user, mean over the users with items of both kinds."""
    areas = []
    for user, right in enumerate(same[: len(starts) - 1]):
        own = shares[starts[user] : starts[user + 1]]
        if right.any() and not right.all():
            # Attention that is even to the last digit tells nothing apart.
            spread = own if np.ptp(own) else np.full(len(own), 0.5)
            areas.append(float(roc_auc(np.clip(spread, 0.0, 1.0)[None], right.astype(int))[0]))
    return float(np.mean(areas))


def _on(
    shares: NDArray[np.float64], starts: NDArray[np.int64], same: list[NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Share of the attention on items of the same genre by user."""
    return np.array(
        [
            shares[starts[u] : starts[u + 1]][right].sum() / shares[starts[u] : starts[u + 1]].sum()
            for u, right in enumerate(same[: len(starts) - 1])
        ]
    )


def learning_rates(results: Results) -> Exhibit:
    """The grid on which the learning rate was chosen (TH-X7)."""
    frames, best = [], {}
    with figure(width=6.4, height=4.0) as made:
        (axes,) = made.axes
        for number, (rate, runs) in enumerate(results.runs.items()):
            curves = 100.0 * runs["hits"]
            means = curves.mean(axis=0)
            epochs = np.arange(1, len(means) + 1)
            line(axes, epochs, means, curves.min(0), curves.max(0), number=number, label=rate)
            gains = results.gains[rate].mean()
            best[rate] = gains
            frames.append(
                pd.DataFrame({"rate": rate, "epoch": epochs, "hit rate (%)": means, "NDCG": gains})
            )
        axes.set(xlabel="epochs", ylabel="HR@10 on items held out (%)", ylim=(0.0, 100.0))
        axes.legend(title="learning rate")
        chosen = max(best, key=lambda rate: best[rate])
        used = results.study.settings.learning_rate
        said = ", ".join(f"{value:.1f} at {rate}" for rate, value in best.items())
        return record(
            "TH-X7",
            made,
            made_by=learning_rates,
            results=[results],
            numbers=pd.concat(frames, ignore_index=True),
            alt="Hit rate over epochs, a line a learning rate.",
            caption=(
                "Hit rate on one item of each history that was held out of the training and ranked "
                "among 99 others, by learning rate: one run each. The test items are not looked at."
            ),
            finding=(
                f"NDCG at the end: {said} %. The largest is that of {chosen}; the runs use "
                f"{used:g}, {_off(best, chosen, used)}. One run a rate does not tell close ones "
                "apart."
            ),
        )


def _off(best: dict[str, float], chosen: str, used: float) -> str:
    """How far the rate that is used is from the best, in points."""
    mine = best.get(f"{used:g}")
    if mine is None:
        return "which is none of these"
    below = f"{best[chosen] - mine:.1f}"
    return "which is as good to a tenth of a point" if below == "0.0" else f"{below} points below"
