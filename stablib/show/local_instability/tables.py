"""Tables of the local instability paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    HIGH_ENTROPY,
    Interval,
    bootstrap_interval,
    centred_interval,
    confidence_sd,
    label_counts,
    percentage_reduction,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.local_instability.comparison import (
    CLAIMS,
    answer,
    cells,
    generator,
    mean_and_sd,
    members_note,
    percent_correct,
    reductions,
    reported,
    with_interval,
)
from stablib.studies.local_instability import CONTROL, NULL, Results, Variant

_TGTSS = (Variant("tgtss", "shared"), Variant("tgtss", "own"))

#: The utterances of Table 1, by their place in MASSIVE's validation split.
TABLE_1_IDS = ("val-216", "val-214", "val-1181")


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
    most = int((counts > 0).sum(axis=1).max())
    return record(
        "LI-T1",
        pd.DataFrame(rows),
        made_by=table_1,
        results=[results],
        finding=(
            f"Here up to {most} different labels are given to one utterance; the paper reports "
            "seven."
        ),
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
        columns[f"{results.title} ({data.label})"] = {
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


def table_3(many: Sequence[Results]) -> Exhibit:
    """Accuracy, reduction of LE_m and share of the ensemble's, by method (LI-T3)."""
    findings: list[str] = []
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        data = results.dataset
        frame, replicates = reductions(results)
        accuracies: dict[str, str] = {}
        for method in results.runs:
            values = percent_correct(results, method)
            accuracies[method.title] = mean_and_sd(values)
            interval = bootstrap_interval(np.mean, values, rng=generator())
            measured += answer("t3", results, method, "accuracy", float(values.mean()), interval)
        for method, row in frame.iterrows():
            for quantity, keys in (
                ("reduction", ("reduction", "low", "high")),
                ("share", ("share", "share_low", "share_high")),
            ):
                value, low, high = (float(row[key]) for key in keys)
                null = float(frame.loc[NULL, quantity])
                interval = Interval(low, high)
                measured += answer("t3", results, method, quantity, value, interval, null)
        measured += _ordering(frame, replicates, data.name)
        findings.append(_headline(results.title, data.name, frame))
        columns[results.title, "accuracy (%)"] = accuracies
        columns[results.title, "ΔLE_m (%)"] = cells(frame, "reduction", "low", "high")
        columns[results.title, "% of E_b"] = cells(frame, "share", "share_low", "share_high", 0)
        columns[results.title, "paper ΔLE_m (%)"] = reported("t3", data.name, results.runs)
    table = pd.DataFrame(columns).reindex([m.title for m in many[0].runs]).fillna("–")
    return record(
        "LI-T3",
        table,
        made_by=table_3,
        results=many,
        finding=" ".join(findings),
        measured=measured,
        caption=(
            "Accuracy (mean ± sd over runs, ddof 1), reduction of the summed LE_m against control "
            "and share of the shared ensemble's reduction, with 95 % bootstrap intervals over "
            "runs. 'Shared' and 'own' say whether the students had the same teachers; 'Control, "
            "other seeds' is what a method without any effect shows. " + members_note(many)
        ),
    )


def _headline(title: str, dataset: str, frame: pd.DataFrame) -> str:
    """The paper's headline beside ours, in a sentence."""
    best = frame["reduction"].idxmax()
    shared, own = (frame.loc[tgtss, "share"] for tgtss in _TGTSS)
    claim = CLAIMS.get(f"t3-{dataset}-tgtss-share")
    paper = f" (the paper: {claim.reported} %)" if claim else ""
    return (
        f"On {title}, {best.title} reduces LE_m most, by {frame.loc[best, 'reduction']:.1f} %; "
        f"TGTSS reaches {shared:.0f} % of the ensemble's reduction with a shared teacher and "
        f"{own:.0f} % with teachers of one's own"
        f"{paper}; other seeds of control alone give "
        f"{frame.loc[NULL, 'reduction']:.1f} %."
    )


def _ordering(
    frame: pd.DataFrame, replicates: Mapping[Variant, NDArray[np.float64]], dataset: str
) -> list[Measured]:
    """TGTSS against the best of the methods that know no single example."""
    simple = frame.loc[[Variant("l2"), Variant("swa"), Variant("label_smoothing")], "reduction"]
    best = simple.idxmax()
    found = []
    for method in _TGTSS:
        value = frame.loc[method, "reduction"] - simple.max()
        interval = centred_interval(value, replicates[method] - replicates[best])
        found.append(Measured(f"t3-{dataset}-order", float(value), *interval, method.teacher))
    return found


def table_5(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_m where the control's LE_m is above 0.56 (LI-T5)."""
    findings: list[str] = []
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        subset = results.le_m[CONTROL] > HIGH_ENTROPY
        name = results.dataset.name
        frame, _ = reductions(results, subset=subset)
        for method, row in frame.iterrows():
            interval = Interval(row["low"], row["high"])
            value, null = row["reduction"], float(frame.loc[NULL, "reduction"])
            measured += answer("t5", results, method, "reduction", value, interval, null)
        title = f"ΔLE_m (%), {subset.sum()} examples"
        columns[results.title, title] = cells(frame, "reduction", "low", "high")
        shared, own = (frame.loc[tgtss, "reduction"] for tgtss in _TGTSS)
        null = percentage_reduction(results.le_m[NULL], results.le_m[CONTROL])
        findings.append(
            f"On {results.title}, other seeds of control give "
            f"{frame.loc[NULL, 'reduction']:.1f} % here and {null:.1f} % on all examples; TGTSS "
            f"has {shared:.1f} % with a shared teacher and {own:.1f} % with teachers of one's own."
        )
        columns[results.title, "paper (%)"] = reported("t5", name, results.runs)
    rows = [m.title for m in many[0].runs if m != CONTROL]
    table = pd.DataFrame(columns).reindex(rows).fillna("–")
    return record(
        "LI-T5",
        table,
        made_by=table_5,
        results=many,
        finding=" ".join(findings),
        measured=measured,
        caption=(
            "As LI-T3, only for examples with LE_m above 0.56 in control. They were picked by the "
            "same runs against which the reduction is computed, which flatters every other set of "
            "runs: compare the row 'Control, other seeds' here with the one in LI-T3."
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
        column = {}
        for method, values in sums.items():
            if method == CONTROL:
                continue
            value = _mean_reduction(values, sums[CONTROL])
            interval = bootstrap_interval(_mean_reduction, values, sums[CONTROL], rng=generator())
            measured += answer(table, results, method, "reduction", value, interval)
            column[method.title] = with_interval(value, interval)
        columns[results.title, f"ΔLE_s (%), {len(sums[CONTROL])} runs"] = column
        columns[results.title, "paper (%)"] = reported(table, name, sums)
    return pd.DataFrame(columns).fillna("–"), measured


def _mean_reduction(values: NDArray[np.float64], baseline: NDArray[np.float64]) -> float:
    """Percentage reduction of the mean over runs of the summed LE_s; nan of an empty subset."""
    if not baseline.any():
        return float("nan")
    return 100.0 * (1.0 - float(values.mean()) / float(baseline.mean()))


def _step_finding(measured: Sequence[Measured]) -> str:
    """TGTSS within a run, beside the paper's number."""
    parts = [
        f"on {CLAIMS[m.claim].dataset} with {m.variant} teachers {m.value:.1f} % "
        f"(the paper: {CLAIMS[m.claim].reported} %)"
        for m in measured
        if "-tgtss-" in m.claim
    ]
    return f"TGTSS reduces LE_s {', '.join(parts)}." if parts else ""


def table_4(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s, the entropy over the steps of a run (LI-T4)."""
    caption = (
        "Reduction of the summed LE_s against control, mean over a few watched runs (the paper "
        "watches one), with 95 % bootstrap intervals over them. All steps count, from the first."
    )
    table, measured = _step_table("t4", many, high_only=False)
    return record(
        "LI-T4",
        table,
        made_by=table_4,
        results=many,
        caption=caption,
        measured=measured,
        finding=_step_finding(measured),
    )


def table_6(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s where the control's LE_m is above 0.56 (LI-T6)."""
    caption = "As LI-T4, only for examples with LE_m above 0.56 in control."
    table, measured = _step_table("t6", many, high_only=True)
    return record(
        "LI-T6",
        table,
        made_by=table_6,
        results=many,
        caption=caption,
        measured=measured,
        finding=_step_finding(measured),
    )
