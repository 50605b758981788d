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
    confidence_sd,
    label_counts,
    mean_sd,
    percentage_reduction,
    share_of_reduction,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, counted, record, with_interval
from stablib.show.local_instability import answers
from stablib.show.local_instability.comparison import (
    CLAIMS,
    answer,
    cells,
    claim_name,
    generator,
    mean_and_sd,
    members_note,
    percent_correct,
    reductions,
    reported,
)
from stablib.studies.local_instability import CONTROL, NULL, Results, Variant

#: The utterances of Table 1, by their place in MASSIVE's validation split.
TABLE_1_IDS = {"val-216": "joke", "val-214": "cleanup", "val-1181": "menus"}


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
    measured = [
        answer
        for place in places
        for answer in answers.of_utterance(
            TABLE_1_IDS.get(ids[place], ""), results.labels(CONTROL)[:, place], confidence[:, place]
        )
    ]
    return record(
        "LI-T1",
        pd.DataFrame(rows),
        made_by=table_1,
        results=[results],
        finding=(
            f"Here up to {most} different labels are given to one utterance; the paper reports "
            "seven."
        ),
        measured=measured,
        caption=(
            "Predictions over runs that differ only by their seed. First the paper's three "
            "utterances, then the two of these runs with LE_m above 0.56 and the largest and the "
            "smallest spread of confidence."
        ),
    )


def table_2(many: Sequence[Results]) -> Exhibit:
    """Statistics of the data sets (LI-T2)."""
    columns = {}
    measured: list[Measured] = []
    for results in many:
        data = results.dataset
        for what, count in (
            ("classes", data.n_classes),
            ("train", len(data.gold["train"])),
            ("holdout", len(results.gold)),
        ):
            measured += counted(CLAIMS, f"t2-{data.name}-{what}", count)
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
        measured=measured,
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
        percent = {method: percent_correct(results, method) for method in results.runs}
        accuracies = {method.title: mean_and_sd(values) for method, values in percent.items()}
        for method, values in percent.items():
            for quantity, statistic in (
                ("accuracy", np.mean),
                ("sd", lambda runs: mean_sd(runs)[1]),
            ):
                claim = claim_name("t3", data.name, method, quantity)
                measured += answers.over_runs(claim, statistic, values, variant=method.teacher)
        measured += answers.most_accurate(results, percent)
        for method, row in frame.iterrows():
            for quantity, keys in (
                ("reduction", ("reduction", "low", "high")),
                ("share", ("share", "share_low", "share_high")),
            ):
                value, low, high = (float(row[key]) for key in keys)
                null = float(frame.loc[NULL, quantity])
                interval = Interval(low, high)
                measured += answer("t3", results, method, quantity, value, interval, null)
        name = f"t3-{data.name}"
        others = (*answers.SIMPLE, *answers.TGTSS)
        measured += answers.leads(f"{name}-order", frame, replicates, answers.TGTSS, answers.SIMPLE)
        measured += answers.leads(
            f"{name}-ensemble-best", frame, replicates, answers.ENSEMBLES, others
        )
        value, low, high = frame.loc[Variant("label_smoothing"), ["reduction", "low", "high"]]
        null = frame.loc[NULL, "reduction"]
        measured.append(Measured(f"{name}-smoothing-in-words", value, low, high, null=null))
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
    shared, own = (frame.loc[tgtss, "share"] for tgtss in answers.TGTSS)
    among_own = share_of_reduction(
        *(frame.loc[variants[1], "reduction"] for variants in (answers.TGTSS, answers.ENSEMBLES))
    )
    claim = CLAIMS.get(f"t3-{dataset}-tgtss-share")
    paper = f" (the paper: {claim.reported} %)" if claim else ""
    return (
        f"On {title}, {best.title} reduces LE_m most, by {frame.loc[best, 'reduction']:.1f} %; "
        f"TGTSS reaches {shared:.0f} % of the ensemble's reduction with a shared teacher and "
        f"{own:.0f} % with teachers of one's own"
        f"{paper}, which is {among_own:.0f} % of what an ensemble of one's own reaches; other "
        f"seeds of control alone give {frame.loc[NULL, 'reduction']:.1f} %."
    )


def table_5(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_m where the control's LE_m is above 0.56 (LI-T5)."""
    findings: list[str] = []
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    for results in many:
        subset = results.le_m[CONTROL] > HIGH_ENTROPY
        name = results.dataset.name
        frame, replicates = reductions(results, subset=subset)
        measured += answers.leads(
            f"t5-{name}-order", frame, replicates, answers.TGTSS, answers.SIMPLE
        )
        for method, row in frame.iterrows():
            interval = Interval(row["low"], row["high"])
            value, null = row["reduction"], float(frame.loc[NULL, "reduction"])
            measured += answer("t5", results, method, "reduction", value, interval, null)
        title = f"ΔLE_m (%), {subset.sum()} examples"
        columns[results.title, title] = cells(frame, "reduction", "low", "high")
        shared, own = (frame.loc[tgtss, "reduction"] for tgtss in answers.TGTSS)
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
) -> tuple[pd.DataFrame, list[Measured], str]:
    """Reductions of LE_s, over all examples or those with high LE_m in control; and a finding."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    said: list[str] = []
    for results in many:
        name = results.dataset.name
        chosen = results.le_m[CONTROL] > HIGH_ENTROPY if high_only else slice(None)
        all_steps = _step_reductions(results.le_s, chosen)
        null, _ = all_steps[NULL]
        for method, (value, interval) in all_steps.items():
            measured += answer(table, results, method, "reduction", value, interval, null)
        measured += _against_tgtss(table, results, chosen)
        parts, after = {"all steps": all_steps}, results.after_step
        if results.traces[CONTROL]["steps"].max() > after:  # Runs may be watched at few steps.
            later = _step_reductions(results.le_s_after(after), chosen)
            parts[f"after step {after}"] = later
        for steps, reduced in parts.items():
            columns[results.title, f"ΔLE_s (%), {steps}"] = {
                method.title: with_interval(*each) for method, each in reduced.items()
            }
        paper = reported(table, name, all_steps)
        columns[results.title, "paper (%)"] = paper
        if paper:
            tgtss = paper[answers.TGTSS[0].title]
            said.append(f"on {results.title} {_step_finding(parts)}, in the paper by {tgtss} %")
    finding = f"TGTSS reduces LE_s {'; '.join(said)}." if said else ""
    return pd.DataFrame(columns).fillna("–"), measured, finding


def _step_reductions(
    le_s: Mapping[Variant, NDArray[np.float64]], chosen: NDArray[np.bool_] | slice
) -> dict[Variant, tuple[float, Interval]]:
    """Reduction of LE_s against control by every other method, with its interval over runs."""
    sums = {method: entropies[:, chosen].sum(axis=1) for method, entropies in le_s.items()}
    baseline = sums.pop(CONTROL)
    return {
        method: (
            _mean_reduction(values, baseline),
            bootstrap_interval(_mean_reduction, values, baseline, rng=generator()),
        )
        for method, values in sums.items()
    }


def _against_tgtss(
    table: str, results: Results, chosen: NDArray[np.bool_] | slice
) -> list[Measured]:
    """Points by which TGTSS is above label smoothing, and its share of the ensemble's reduction."""
    sums = {m: le_s[:, chosen].sum(axis=1) for m, le_s in results.le_s.items()}
    smoothing, name = sums[Variant("label_smoothing")], results.dataset.name

    def ahead(*runs: NDArray[np.float64]) -> float:
        return _mean_reduction(runs[0], runs[2]) - _mean_reduction(runs[1], runs[2])

    def share(*runs: NDArray[np.float64]) -> float:
        return share_of_reduction(*(_mean_reduction(values, runs[2]) for values in runs[:2]))

    return [
        measured
        for tgtss, ensemble in zip(answers.TGTSS, answers.ENSEMBLES, strict=True)
        for claim, statistic, other in (
            (f"{table}-{name}-order", ahead, smoothing),
            (f"{table}-{name}-tgtss-of-ensemble", share, sums[ensemble]),
        )
        for measured in answers.over_runs(
            claim, statistic, sums[tgtss], other, sums[CONTROL], variant=tgtss.teacher
        )
    ]


def _mean_reduction(values: NDArray[np.float64], baseline: NDArray[np.float64]) -> float:
    """Percentage reduction of the mean over runs of the summed LE_s; nan of an empty subset."""
    if not baseline.any():
        return float("nan")
    return 100.0 * (1.0 - float(values.mean()) / float(baseline.mean()))


def _step_finding(parts: Mapping[str, Mapping[Variant, tuple[float, Interval]]]) -> str:
    """What TGTSS reduces within a run, by the steps looked at."""
    return ", ".join(
        f"with {tgtss.teacher} teachers by "
        + " and ".join(f"{reduced[tgtss][0]:.1f} % ({steps})" for steps, reduced in parts.items())
        for tgtss in answers.TGTSS
    )


def table_4(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s, the entropy over the steps of a run (LI-T4)."""
    n_runs = len(many[0].traces[CONTROL])
    caption = (
        f"Reduction of the summed LE_s against control, mean over {n_runs} watched runs (the paper "
        "watches one), with 95 % bootstrap intervals over them: over all steps, as in the paper, "
        "and over those after N of TGTSS alone."
    )
    table, measured, finding = _step_table("t4", many, high_only=False)
    return record(
        "LI-T4",
        table,
        made_by=table_4,
        results=many,
        caption=caption,
        measured=measured,
        finding=finding,
    )


def table_6(many: Sequence[Results]) -> Exhibit:
    """Reduction of LE_s where the control's LE_m is above 0.56 (LI-T6)."""
    caption = "As LI-T4, only for examples with LE_m above 0.56 in control."
    table, measured, finding = _step_table("t6", many, high_only=True)
    return record(
        "LI-T6",
        table,
        made_by=table_6,
        results=many,
        caption=caption,
        measured=measured,
        finding=finding,
    )
