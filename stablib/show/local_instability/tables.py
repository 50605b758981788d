"""Tables of the local instability paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    HIGH_ENTROPY,
    Interval,
    accuracy,
    bootstrap_interval,
    centred_interval,
    confidence_sd,
    label_counts,
    mean_sd,
    percentage_reduction,
    reduction_replicates,
    share_of_reduction,
)
from stablib.papers.claims import Measured, read_claims
from stablib.runs.results import Results
from stablib.show.exhibit import Exhibit, record

#: The utterances of Table 1, by their place in MASSIVE's validation split.
TABLE_1_IDS = ("val-216", "val-214", "val-1181")

CONTROL = "Control"

#: Readings of a method under which it answers the paper's claims.
VARIANTS = ("", "shared", "own")


def _rng() -> np.random.Generator:
    """The bootstrap's generator: fixed, so that a rebuilt page shows the same intervals."""
    return np.random.default_rng(20230710)


def _claim_name(table: str, dataset: str, method: str, quantity: str) -> tuple[str, str]:
    """Claim identifier and variant of a method such as ``"TGTSS, own"``."""
    base, _, variant = method.partition(", ")
    return f"{table}-{dataset}-{base.lower().replace(' ', '-')}-{quantity}", variant


def _answers(measured: Sequence[Measured]) -> list[Measured]:
    """Keep what answers a claim; the rest, the null row too, is in the table alone."""
    known = read_claims()
    return [m for m in measured if m.claim in known and m.variant in VARIANTS]


def _range(value: float, interval: Interval, digits: int = 1) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def table_1(results: Results) -> Exhibit:
    """Predictions of a stable and two unstable utterances over all runs (LI-T1)."""
    le_m, confidence = results.le_m[CONTROL], results.confidence(CONTROL)
    sigma = confidence_sd(confidence)
    ids = results.dataset.ids[results.split]
    places = [ids.index(i) for i in TABLE_1_IDS if i in ids and results.dataset.name == "massive"]
    # Beside the paper's own utterances: the extremes of these runs, picked by rule.
    unstable = le_m > HIGH_ENTROPY
    places += [
        int(np.argmax(np.where(unstable, sigma, -1.0))),
        int(np.argmin(np.where(unstable, sigma, 2.0))),
    ]
    texts, names = results.texts(), results.dataset.label_names
    counts = label_counts(results.labels(CONTROL), len(names))
    rows = []
    for place in dict.fromkeys(places):
        order = np.argsort(-counts[place], kind="stable")
        said = [f"{names[k]}: {counts[place, k]}" for k in order if counts[place, k]]
        rows.append(
            {
                "utterance (gold label)": f"{texts[place]} ({names[results.gold[place]]})",
                "gold-label probability [min–max]": (
                    f"[{confidence[:, place].min():.3f}–{confidence[:, place].max():.3f}]"
                ),
                "σ_m (fraction)": f"{sigma[place]:.3f}",
                "LE_m (nats)": f"{le_m[place]:.2f}",
                f"labels over {len(results.runs[CONTROL])} runs": ", ".join(said),
            }
        )
    return record(
        "LI-T1",
        pd.DataFrame(rows),
        made_by=table_1,
        results=[results],
        caption=(
            "Predictions over runs that differ only by their seed. First the paper's three "
            "utterances, then the two of these runs with LE_m above 0.56 and the largest and the "
            "smallest spread of confidence."
        ),
    )


def table_2(many: Sequence[Results]) -> Exhibit:
    """Statistics of the data sets (LI-T2)."""
    columns = {}
    for results in many:
        data = results.dataset
        counts = np.bincount(data.gold["train"], minlength=data.n_classes)
        columns[f"{data.name} ({data.label})"] = {
            "classes": str(data.n_classes),
            **{
                f"{split} examples": f"{len(data.gold[split]):,}"
                for split in ("train", "val", "test")
            },
            "holdout here": results.split,
            "balanced?": "yes" if counts.min() == counts.max() else "no",
            "examples a class, train": f"{counts.min():,} to {counts.max():,}",
            "majority class, train": f"{100 * counts.max() / counts.sum():.1f} %",
        }
    return record(
        "LI-T2",
        pd.DataFrame(columns),
        made_by=table_2,
        results=many,
        caption=(
            "Data sets as they were used. The paper's CLINC150 holdout of 3,000 has the size of "
            "the val split."
        ),
    )


def reductions(
    results: Results, *, subset: NDArray[np.bool_] | None = None
) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    """Reduction of LE_m by each method, with intervals.

    Returns
    -------
    frame : DataFrame
        Columns ``reduction``, ``low``, ``high`` (percent), ``share`` (percent of the shared
        ensemble's reduction), ``share_low``, ``share_high``; one row a method but control.
    replicates : dict of str to ndarray, shape (n_resamples,)
        Of the reduction.
    """
    rng, control = _rng(), results.labels(CONTROL)
    replicates, rows = {}, {}
    for method in results.runs:
        if method == CONTROL:
            continue
        value = percentage_reduction(results.le_m[method], results.le_m[CONTROL], where=subset)
        draws = reduction_replicates(results.labels(method), control, rng=rng, where=subset)
        replicates[method] = draws
        rows[method] = {"reduction": value, **centred_interval(value, draws)._asdict()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    best = next((str(m) for m in frame.index if str(m).startswith("Ensemble")), None)
    if best is None:
        return frame, replicates
    for method in frame.index:
        share = share_of_reduction(frame.loc[method, "reduction"], frame.loc[best, "reduction"])
        # Shares are ratios of two centred quantities: their replicates are centred likewise.
        ratio = 100.0 * _centred(replicates, frame, method) / _centred(replicates, frame, best)
        interval = centred_interval(share, ratio) if np.isfinite(share) else Interval(share, share)
        frame.loc[method, ["share", "share_low", "share_high"]] = share, *interval
    return frame, replicates


def _centred(
    replicates: Mapping[str, NDArray[np.float64]], frame: pd.DataFrame, method: str
) -> NDArray[np.float64]:
    draws = replicates[method]
    shifted: NDArray[np.float64] = draws - draws.mean() + frame.loc[method, "reduction"]
    return shifted


def table_3(many: Sequence[Results]) -> Exhibit:
    """Accuracy, reduction of LE_m and share of the ensemble's, by method (LI-T3)."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        data = results.dataset
        frame, replicates = reductions(results)
        accuracies: dict[str, str] = {}
        for method in results.runs:
            values = 100.0 * accuracy(results.labels(method), results.gold)
            mean, sd = mean_sd(values)
            accuracies[method] = f"{mean:.1f} ± {sd:.1f}"
            claim, variant = _claim_name("t3", data.name, method, "accuracy")
            interval = bootstrap_interval(np.mean, values, rng=_rng())
            measured.append(Measured(claim, mean, *interval, variant))
        for method, row in frame.iterrows():
            for quantity, keys in (
                ("reduction", ("reduction", "low", "high")),
                ("share", ("share", "share_low", "share_high")),
            ):
                claim, variant = _claim_name("t3", data.name, str(method), quantity)
                value, low, high = (float(row[key]) for key in keys)
                measured.append(Measured(claim, value, low, high, variant))
        measured += _ordering(frame, replicates, data.name)
        columns[data.name, "accuracy (%)"] = accuracies
        columns[data.name, "ΔLE_m (%)"] = _cells(frame, "reduction", "low", "high")
        columns[data.name, "% of E_b"] = _cells(frame, "share", "share_low", "share_high", 0)
        columns[data.name, "paper ΔLE_m (%)"] = _reported("t3", data.name, results.runs)
    table = pd.DataFrame(columns).reindex(list(many[0].runs)).fillna("–")
    return record(
        "LI-T3",
        table,
        made_by=table_3,
        results=many,
        measured=_answers(measured),
        caption=(
            "Accuracy (mean ± sd over runs, ddof 1), reduction of the summed LE_m against control "
            "and share of the shared ensemble's reduction, with 95 % bootstrap intervals over "
            "runs. 'Shared' and 'own' say whether the students had the same teachers; 'Control, "
            "other seeds' is what a method without any effect shows."
        ),
    )


def _cells(frame: pd.DataFrame, value: str, low: str, high: str, digits: int = 1) -> dict[str, str]:
    return {
        str(method): _range(row[value], Interval(row[low], row[high]), digits)
        for method, row in frame.iterrows()
    }


def _reported(table: str, dataset: str, methods: Mapping[str, object]) -> dict[str, str]:
    """The paper's own numbers, by our row names."""
    known = read_claims()
    cells = {}
    for method in methods:
        claim, variant = _claim_name(table, dataset, method, "reduction")
        if claim in known and variant in VARIANTS:
            cells[method] = known[claim].reported
    return cells


def _ordering(
    frame: pd.DataFrame, replicates: Mapping[str, NDArray[np.float64]], dataset: str
) -> list[Measured]:
    """TGTSS against the best of the methods that know no single example."""
    simple = frame.loc[["L2", "SWA", "Label smoothing"], "reduction"]
    best = str(simple.idxmax())
    answers = []
    for variant in ("shared", "own"):
        method = f"TGTSS, {variant}"
        value = frame.loc[method, "reduction"] - simple.max()
        interval = centred_interval(value, replicates[method] - replicates[best])
        answers.append(Measured(f"t3-{dataset}-order", float(value), *interval, variant))
    return answers


def table_5(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_m where the control's LE_m is above 0.56 (LI-T5)."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        subset = results.le_m[CONTROL] > HIGH_ENTROPY
        name = results.dataset.name
        frame, _ = reductions(results, subset=subset)
        for method, row in frame.iterrows():
            claim, variant = _claim_name("t5", name, str(method), "reduction")
            measured.append(Measured(claim, row["reduction"], row["low"], row["high"], variant))
        title = f"ΔLE_m (%), {subset.sum()} examples"
        columns[name, title] = _cells(frame, "reduction", "low", "high")
        columns[name, "paper (%)"] = _reported("t5", name, results.runs)
    table = pd.DataFrame(columns).reindex([m for m in many[0].runs if m != CONTROL]).fillna("–")
    return record(
        "LI-T5",
        table,
        made_by=table_5,
        results=many,
        measured=_answers(measured),
        caption=(
            "As LI-T3, only for examples with LE_m above 0.56 in control. They were picked by the "
            "same runs against which the reduction is computed, so even other seeds of control "
            "show one: that row is the regression to the mean in every other row."
        ),
    )


def _step_table(
    table: str, many: Sequence[Results], *, high_only: bool
) -> tuple[pd.DataFrame, list[Measured]]:
    """Reductions of LE_s, over all examples or those with high LE_m in control."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        name = results.dataset.name
        chosen = results.le_m[CONTROL] > HIGH_ENTROPY if high_only else slice(None)
        sums = {method: le_s[:, chosen].sum(axis=1) for method, le_s in results.le_s.items()}
        cells = {}
        for method, values in sums.items():
            if method == CONTROL:
                continue
            value = _mean_reduction(values, sums[CONTROL])
            interval = bootstrap_interval(_mean_reduction, values, sums[CONTROL], rng=_rng())
            claim, variant = _claim_name(table, name, method, "reduction")
            measured.append(Measured(claim, value, *interval, variant))
            cells[method] = _range(value, interval)
        columns[name, f"ΔLE_s (%), {len(sums[CONTROL])} runs"] = cells
        columns[name, "paper (%)"] = _reported(table, name, sums)
    return pd.DataFrame(columns).fillna("–"), _answers(measured)


def _mean_reduction(values: NDArray[np.float64], baseline: NDArray[np.float64]) -> float:
    """Percentage reduction of the mean over runs of the summed LE_s."""
    return 100.0 * (1.0 - float(values.mean()) / float(baseline.mean()))


def table_4(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s, the entropy over the steps of a run (LI-T4)."""
    caption = (
        "Reduction of the summed LE_s against control, mean over a few watched runs (the paper "
        "watches one), with 95 % bootstrap intervals over them. All steps count, from the first."
    )
    table, measured = _step_table("t4", many, high_only=False)
    return record("LI-T4", table, made_by=table_4, results=many, caption=caption, measured=measured)


def table_6(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s where the control's LE_m is above 0.56 (LI-T6)."""
    caption = "As LI-T4, only for examples with LE_m above 0.56 in control."
    table, measured = _step_table("t6", many, high_only=True)
    return record("LI-T6", table, made_by=table_6, results=many, caption=caption, measured=measured)


def ablation(many: Sequence[Results]) -> Exhibit:
    """Temperature on and off for TGTSS, and both readings of eq. 2 (LI-A1)."""
    columns: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        frame, replicates = reductions(results)
        columns[f"ΔLE_m (%), {results.split}"] = _cells(frame, "reduction", "low", "high")
        columns[f"accuracy (%), {results.split}"] = {
            method: "{:.1f} ± {:.1f}".format(
                *mean_sd(100.0 * accuracy(results.labels(method), results.gold))
            )
            for method in frame.index
        }
        if results.split == "val":
            measured = _ablation_answers(frame, replicates)
    return record(
        "LI-A1",
        pd.DataFrame(columns),
        made_by=ablation,
        results=many,
        measured=measured,
        caption=(
            "TGTSS with the targets sharpened as p^(1/T), without temperature, and flattened as "
            "eq. 2 prints them (p^T), for a shared teacher and for teachers of one's own."
        ),
    )


def _ablation_answers(
    frame: pd.DataFrame, replicates: Mapping[str, NDArray[np.float64]]
) -> list[Measured]:
    answers = []
    for variant in ("shared", "own"):
        without, sharp, printed = (
            f"{targets}, {variant}" for targets in ("no temperature", "p^(1/T)", "p^T, as printed")
        )
        for claim, method in (("a1-massive-without", without), ("a1-massive-with", sharp)):
            row = frame.loc[method]
            answers.append(Measured(claim, row["reduction"], row["low"], row["high"], variant))
        for claim, method in (("a1-massive-gain", sharp), ("a1-massive-gain-printed", printed)):
            value = float(frame.loc[method, "reduction"] - frame.loc[without, "reduction"])
            interval = centred_interval(value, replicates[method] - replicates[without])
            answers.append(Measured(claim, value, *interval, variant))
    return answers


def fine_tuning(results: Results) -> Exhibit:
    """The same question with the whole encoder fine-tuned, on fewer seeds (LI-X1)."""
    frame, _ = reductions(results)
    rows = {}
    for method in results.runs:
        mean, sd = mean_sd(100.0 * accuracy(results.labels(method), results.gold))
        rows[method] = {"accuracy (%)": f"{mean:.1f} ± {sd:.1f}"}
        rows[method]["sum of LE_m (nats)"] = f"{results.le_m[method].sum():.1f}"
        rows[method]["ΔLE_m (%)"] = _cells(frame, "reduction", "low", "high").get(method, "–")
    return record(
        "LI-X1",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=fine_tuning,
        results=[results],
        caption=(
            "Full fine-tuning. With few runs the entropy cannot exceed the logarithm of their "
            "number, so its sum must not be compared with that of 50 runs."
        ),
    )
