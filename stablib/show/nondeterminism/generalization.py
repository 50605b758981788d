"""Tables of section 6 and of appendix A, and whether the same training is the same twice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import Interval
from stablib.papers.claims import Measured
from stablib.runs import Runs
from stablib.show.exhibit import Exhibit, record, with_interval
from stablib.show.nondeterminism.comparison import (
    ACCURACY,
    MEASURES,
    Varied,
    answer,
    answer_of_all,
    by_luck,
    less_in_percent,
    level,
    ratios,
    single_runs,
)
from stablib.show.nondeterminism.shallow import DIVERGED, n_diverged
from stablib.show.nondeterminism.tables import CAPTION, rows_of
from stablib.show.spans import span
from stablib.studies.nondeterminism import ALL, BIT, Results, Trainings
from stablib.studies.nondeterminism.elsewhere import DIGITS, INIT, SNAPSHOTS
from stablib.workloads import ImageRecipe

_DISAGREEMENT = 2
#: The sds of accuracy and of cross-entropy.
_SDS = (0, 1)
_RATIO, _LESS = "disagreement, times {} (95 %)", "disagreement below all (%)"
Ratio = tuple[float, Interval]


def architectures(by_model: Mapping[str, Results], pool: Results) -> Exhibit:
    """Other networks, and MNIST: initial weights, everything, one bit, snapshots (ND-T6).

    The first network is that of Table 1; ``pool`` has runs of which everything varies in it, with
    two sets of seeds.
    """
    table: dict[tuple[str, str], dict[str, str]] = {}
    # By network: one bit against initial weights, and snapshots below plain runs, by measure.
    bits: dict[str, list[Ratio]] = {}
    snapshots: dict[str, list[Ratio]] = {}
    measured: list[Measured] = []
    for results in by_model.values():
        title = results.recipe.model_name
        found = _converged(results)
        for row in results.runs:
            table[title, row] = {
                "runs": f"{len(results.losses[row])}",
                **_cells(results, found, row),
            }
        if {INIT, BIT} <= found.keys():
            bits[title] = ratios(found[BIT], found[INIT])
            table[title, BIT][_RATIO.format(INIT)] = with_interval(*bits[title][_DISAGREEMENT], 2)
        if {ALL, SNAPSHOTS} <= found.keys():
            below = ratios(found[SNAPSHOTS], found[ALL])
            snapshots[title] = [less_in_percent(ratio) for ratio in below]
            table[title, SNAPSHOTS][_LESS] = with_interval(*snapshots[title][_DISAGREEMENT], 0)
        if results.recipe.model == DIGITS and results.recipe.limit is None and ALL in found:
            measured += answer("t6-mnist-baseline-accuracy", level(found[ALL]))
    titles = {model: results.recipe.model_name for model, results in by_model.items()}
    first, digits = next(iter(titles.values())), titles[DIGITS]
    others = [title for title in titles.values() if title not in (first, digits)]
    nulls = by_luck(pool, len(next(iter(by_model.values())).labels[ALL]))
    for number, measure in enumerate(MEASURES):
        of_bits = {title: bits[title][number] for title in others if title in bits}
        less = {title: snapshots[title][number] for title in others if title in snapshots}
        measured += answer_of_all(f"t6-other-bit-{measure.name}", of_bits)
        name = f"t6-other-snapshots-{measure.name}"
        measured += answer_of_all(name, less, null=nulls[number])
        if digits in bits:
            measured += answer(f"t6-mnist-bit-{measure.name}", bits[digits][number])
        if digits in snapshots:
            measured += answer(f"t6-mnist-snapshots-{measure.name}", snapshots[digits][number])
        if first in snapshots and number in _SDS:
            smallest = snapshots[first][number]
            measured += answer(f"t6-smallest-{measure.name}", smallest)
            gained = {title: _apart(one, smallest) for title, one in less.items()}
            measured += answer_of_all(f"t6-size-{measure.name}", gained)
    bit_times, snapshot_less = (
        {title: each[_DISAGREEMENT][0] for title, each in found.items()}
        for found in (bits, snapshots)
    )
    return record(
        "ND-T6",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=architectures,
        results=[*by_model.values(), pool],
        measured=measured,
        finding=(
            "Runs that differ by one bit disagree so many times as often as runs with other "
            f"initial weights: {span(bit_times, 2)}. Snapshots disagree less often than plain runs "
            f"of which everything varies, by {span(snapshot_less, unit=' %')}; luck alone up to "
            f"{nulls[_DISAGREEMENT]:.0f} %."
        ),
        caption=(
            "Other networks, and a small one on MNIST. The largest networks train for fewer "
            f"epochs, and without snapshots. {DIVERGED} A row with such a run has no numbers. "
            f"{CAPTION}"
        ),
    )


def lengths(results: Results, pool: Results) -> Exhibit:
    """Longer, shorter, faster and slower trainings, the usual ones first (ND-T7).

    ``pool`` has usual runs of which everything varies, with two sets of seeds.
    """
    found = _converged(results)
    recipes = {row: cast(ImageRecipe, runs.recipe) for row, runs in results.runs.items()}
    usual, *_ = results.runs
    base = recipes[usual]
    table = {row: _cells(results, found, row) for row in results.runs}
    nulls = by_luck(pool, len(results.labels[usual]))
    others = [row for row in found if row.startswith(ALL) and row != usual and usual in found]
    usually, sets = single_runs(pool, len(results.labels[usual]))
    against = {row: ratios(found[row], usually) for row in others}
    for row, each in against.items():
        table[row][_RATIO.format("the usual")] = with_interval(*each[_DISAGREEMENT], 2)
    measured: list[Measured] = []
    for number, measure in enumerate(MEASURES):
        of_measure = {row: each[number] for row, each in against.items()}
        at_rates = {r: v for r, v in of_measure.items() if recipes[r].epochs == base.epochs}
        longer = {
            row: less_in_percent(ratio, sign=-1.0)
            for row, ratio in of_measure.items()
            if recipes[row].epochs > base.epochs
        }
        by_length = {r: v for r, v in of_measure.items() if r not in at_rates}
        measured += answer_of_all(f"t7-rate-{measure.name}", at_rates)
        measured += answer_of_all(f"t7-length-{measure.name}", by_length)
        name = f"t7-longer-{measure.name}"
        measured += answer_of_all(name, longer, null=nulls[number])
    said = (
        f"Two runs disagree so many times as often as usual ones ({usual}): "
        f"{span({row: each[_DISAGREEMENT][0] for row, each in against.items()}, 2)}."
    )
    bit, snapshots = (
        next(row for row in results.runs if row.startswith(kind)) for kind in (BIT, SNAPSHOTS)
    )
    same = bit.replace(BIT, ALL, 1)  # As fast and as long.
    if {bit, snapshots, same} <= found.keys():
        of_bit = ratios(found[bit], found[same])
        less = [less_in_percent(ratio) for ratio in ratios(found[snapshots], found[same])]
        for number, measure in enumerate(MEASURES):
            measured += answer(f"t7-bit-{measure.name}", of_bit[number])
            name = f"t7-snapshots-{measure.name}"
            measured += answer(name, less[number], null=nulls[number])
        table[snapshots][_LESS] = with_interval(*less[_DISAGREEMENT], 0)
        said += (
            f" At {recipes[same].epochs} epochs one bit does "
            f"{with_interval(*of_bit[_DISAGREEMENT], 2)} times what everything does, and snapshots "
            f"take {with_interval(*less[_DISAGREEMENT], 0)} % of the disagreement."
        )
    return record(
        "ND-T7",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=lengths,
        results=[results, pool],
        measured=measured,
        finding=said,
        caption=(
            "What varies / largest learning rate / epochs. Rows are held against the mean of "
            f"{len(sets)} sets of as many usual runs with other seeds, which is steadier than that "
            f"of the first row alone. {DIVERGED} {CAPTION}"
        ),
    )


def in_vain(results: Results) -> Exhibit:
    """Optimizers, momentum, weight augmentation and ASWA (ND-A1)."""
    found = _converged(results)
    usual, *_ = results.runs
    table = {row: _cells(results, found, row) for row in results.runs}
    attempts = [row for row in found if row != usual and usual in found]
    against = {row: ratios(found[row], found[usual])[_DISAGREEMENT] for row in attempts}
    by_attempt: dict[str, dict[str, Ratio]] = {}
    for name, ratio in against.items():
        table[name][_RATIO.format("the usual")] = with_interval(*ratio, 2)
        by_attempt.setdefault(_attempt(name), {})[name] = ratio
    measured = [
        each
        for attempt, ratio_of in by_attempt.items()
        for each in answer_of_all(f"a1-{attempt}", ratio_of)
    ]
    correct = {name: float(one.levels.mean()) for name, one in found.items()}
    return record(
        "ND-A1",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=in_vain,
        results=[results],
        measured=measured,
        finding=(
            f"Runs that differ by one bit disagree so many times as often as with {usual}: "
            f"{span({name: ratio[0] for name, ratio in against.items()}, 2)}. Accuracy is "
            f"{span(correct, 1, ' %')}, with {usual} {correct.get(usual, math.nan):.1f} %."
        ),
        caption=(
            "Runs of the same network that differ by one bit of one weight, by how they are "
            "optimized. With another momentum the learning rate is scaled so that a constant "
            "gradient moves the weights as far. Weight augmentation takes the gradient at weights "
            f"moved at random; ASWA is that of the random seed paper. {CAPTION}"
        ),
    )


def again(by_model: Mapping[str, Trainings], twice: Results) -> Exhibit:
    """The same training once more, by what the machine is told (ND-X3).

    ``twice`` has the same trainings as they were published for two exhibits, maybe from two
    machines.
    """
    table: dict[tuple[str, str], dict[str, str]] = {}
    changed: dict[str, dict[str, float]] = {}
    for model, trainings in by_model.items():
        first, *others = trainings.runs
        base = trainings.runs[first]
        for row in others:
            runs = trainings.runs[row]
            same = all(np.array_equal(runs[name], base[name]) for name in _KEPT)
            apart = np.abs(runs["weights"][0] - base["weights"][0]).max(axis=-1)
            seen = runs["steps"][0][apart > 0.0]
            differ = 100.0 * float((runs["labels"][0, -1] != base["labels"][0, -1]).mean())
            loss_gap = abs(float(runs["losses"][0, -1] - base["losses"][0, -1]))
            table[model, row] = {
                "process": _process(base, runs),
                "same bits": "yes" if same else "no",
                "weights apart from step": f"{seen[0]:,}" if seen.size else "–",
                "largest difference of a weight": _apart_by(apart[-1]),
                "difference of cross-entropy (nats)": _apart_by(loss_gap),
                "labels that differ (%)": f"{differ:.1f}",
            }
            changed.setdefault(row, {})[model] = differ
    said = "; ".join(f"{row} {span(of, 1, ' %')}" for row, of in changed.items())
    elsewhere = ""
    processors = _processors(twice)
    if len(set(processors)) > 1:
        name = f"{twice.recipe.model_name}, {SNAPSHOTS}"
        one, other = twice.labels.values()
        first_losses, other_losses = twice.losses.values()
        differ = 100.0 * (one != other).mean(axis=1)
        gap: NDArray[np.float64] = np.abs(first_losses - other_losses)
        table[name, "another processor"] = {
            "same bits": "yes" if np.array_equal(one, other) and not gap.any() else "no",
            "difference of cross-entropy (nats)": _apart_by(gap.mean()),
            "labels that differ (%)": f"{differ.mean():.1f}",
        }
        elsewhere = (
            f" On another processor ({' and '.join(processors)}) {differ.mean():.1f} % do "
            f"({differ.min():.1f} to {differ.max():.1f} in {len(differ)} pairs)."
        )
    return record(
        "ND-X3",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=again,
        results=[*by_model.values(), twice],
        finding=f"Labels that differ from those of the first training: {said}.{elsewhere}",
        caption=(
            "One training, and the same with the same seeds: once more, with another number of "
            "threads, and with another seed of low level alone. A process is another if it says "
            "so, or on another day. Bits are those of 256 weights, of "
            "the labels of the first test images, of the logits of four and of the cross-entropy, "
            "at steps that lie evenly on a logarithmic scale; differences are those at the end."
        ),
    )


def _process(base: Runs, runs: Runs) -> str:
    """Whether the process that trained runs is the one that trained the others, as far as known.

    Of some runs only the day and the machine are.
    """
    one, other = base.provenance[0], runs.provenance[0]
    if "process" in one and "process" in other:
        return "the same" if one["process"] == other["process"] else "another"
    return "another" if one.get("date") != other.get("date") else "–"


def _apart_by(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


def _processors(twice: Results) -> list[str]:
    """What the runs of each exhibit were trained on."""
    runs = twice.provenance()["runs"].values()
    return [" or ".join(map(str, made["hardware"])) for made in runs]


#: What is compared bit by bit.
_KEPT = ("weights", "labels", "logits", "losses")


def _converged(results: Results) -> dict[str, Varied]:
    """How the runs of each row vary, of rows of which no run has diverged."""
    found = rows_of(results)
    return {row: found[row] for row, x in results.losses.items() if not n_diverged(results, x)}


def _cells(results: Results, found: Mapping[str, Varied], row: str) -> dict[str, str]:
    """What the table says of a row: how its runs vary, or how many have diverged."""
    if row in found:
        return dict(found[row].cells)
    losses = results.losses[row]
    return {ACCURACY: f"{n_diverged(results, losses)} of {len(losses)} diverged"}


def _apart(one: Ratio, other: Ratio) -> Ratio:
    """Difference of two numbers with intervals, as of independent runs."""
    (a, of_a), (b, of_b) = one, other
    value = a - b
    low = value - float(np.hypot(a - of_a.low, of_b.high - b))
    high = value + float(np.hypot(of_a.high - a, b - of_b.low))
    return value, Interval(low, high)


def _attempt(name: str) -> str:
    """What was tried, in the names of claims."""
    return "momentum" if name.startswith("SGD") else name.lower().replace(" ", "-")
