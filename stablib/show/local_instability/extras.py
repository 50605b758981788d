"""Tables beyond the paper's: the temperature ablation, full fine-tuning, disagreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    Interval,
    accuracy,
    centred_interval,
    churn,
    confidence_sd,
    disagreement_of_runs,
    entropy_confidence_replicates,
    label_entropy,
    pairwise_disagreement,
    resampled_label_entropy,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, answered, left_out, record, with_interval
from stablib.show.local_instability.comparison import (
    CLAIMS,
    NOT_LOOKED_AT,
    SEED,
    cells,
    correlation,
    generator,
    mean_and_sd,
    percent_correct,
    reductions,
)
from stablib.show.resamples import Resamples
from stablib.studies.local_instability import CONTROL, NULL, Results, SourceResults, Variant

#: Resamples of runs for the intervals of LI-X4.
_RESAMPLES = 500
RUNS = Resamples(_RESAMPLES, SEED)

_TEACHERS: tuple[Literal["shared", "own"], ...] = ("shared", "own")
_READINGS: Mapping[Literal["printed", "sharpen"], str] = {"printed": "p^T", "sharpen": "p^(1/T)"}


def ablation(many: Sequence[Results]) -> Exhibit:
    """Temperature on and off for TGTSS, and both readings of eq. 2 (LI-A1)."""
    rows: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    findings = []
    for results in many:
        frame, replicates = reductions(results)
        reduced = cells(frame, "reduction", "low", "high")
        for method in frame.index:
            row = rows.setdefault(method.title, {})
            row[f"ΔLE_m (%), {results.split}"] = reduced[method.title]
            row[f"accuracy (%), {results.split}"] = mean_and_sd(percent_correct(results, method))
        if results.split == "val":
            findings = [_gain(frame, teacher) for teacher in _TEACHERS]
            measured = _ablation_answers(results.dataset.name, frame, replicates)
    return record(
        "LI-A1",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=ablation,
        results=many,
        measured=measured,
        finding=(
            f"With a {many[0].model}, on the validation set of {many[0].title}, against no "
            f"temperature {' and '.join(findings)}."
        ),
        caption=(
            "TGTSS with the targets sharpened as p^(1/T), without temperature, and flattened as "
            "eq. 2 prints them (p^T), for a shared teacher and for teachers of one's own; "
            "'Control, other seeds' is what no method at all shows. The paper has it for MASSIVE."
        ),
    )


def _gain(frame: pd.DataFrame, teacher: Literal["shared", "own"]) -> str:
    """Points of reduction that each reading of the temperature adds."""
    without, sharp, printed = (
        frame.loc[Variant("tgtss", teacher, targets), "reduction"]
        for targets in ("none", "sharpen", "printed")
    )
    return (
        f"p^T adds {printed - without:+.1f} points and p^(1/T) {sharp - without:+.1f} "
        f"({teacher} teachers)"
    )


def _ablation_answers(
    dataset: str, frame: pd.DataFrame, replicates: Mapping[Variant, NDArray[np.float64]]
) -> list[Measured]:
    """The reading that eq. 2 prints comes first, and a shared teacher."""
    found = []
    null = float(frame.loc[NULL, "reduction"])

    def add(claim: str, method: Variant, variant: str) -> None:
        value, low, high = frame.loc[method, ["reduction", "low", "high"]]
        name = f"a1-{dataset}-{claim}"
        found.extend(
            answered(CLAIMS, name, (value, Interval(low, high)), variant=variant, null=null)
        )

    for teacher in _TEACHERS:
        without = Variant("tgtss", teacher, "none")
        add("without", without, teacher)
        for targets, reading in _READINGS.items():
            method = Variant("tgtss", teacher, targets)
            variant = f"{reading}, {teacher}"
            add("with", method, variant)
            value = float(frame.loc[method, "reduction"] - frame.loc[without, "reduction"])
            interval = centred_interval(value, replicates[method] - replicates[without])
            name = f"a1-{dataset}-gain"
            found.extend(answered(CLAIMS, name, (value, interval), variant=variant))
    return found


def models(many: Sequence[Results]) -> Exhibit:
    """Control by what is trained, and how fast: accuracy, r and disagreement (LI-X7)."""
    if not many:
        return left_out("LI-X7", NOT_LOOKED_AT)
    rows, strength = {}, {}
    for results in many:
        runs = results.runs[CONTROL]
        labels, confidence = results.labels(CONTROL), results.confidence(CONTROL)
        name = (
            f"{results.title}: {results.model}, "
            f"lr {results.recipe.learning_rate:g}, n = {len(runs)}"
        )
        on_validation = 100.0 * accuracy(runs["labels_val"], results.dataset.gold["val"])
        entropies, spreads = entropy_confidence_replicates(
            labels, confidence, rng=generator(), n_resamples=_RESAMPLES
        )
        r = correlation(confidence_sd(confidence), results.le_m[CONTROL])
        draws = [correlation(s, e) for s, e in zip(spreads, entropies, strict=True)]
        strength[name] = r
        rows[name] = {
            "accuracy, val (%)": mean_and_sd(on_validation),
            "accuracy, test (%)": mean_and_sd(percent_correct(results, CONTROL)),
            "r(LE_m, σ_m)": with_interval(r, centred_interval(r, draws), 2),
            "two runs differ (%)": _disagreeing(labels),
        }
    least, most = min(strength, key=strength.__getitem__), max(strength, key=strength.__getitem__)
    return record(
        "LI-X7",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=models,
        results=many,
        finding=(
            f"r between LE_m and σ_m runs from {strength[least]:.2f} ({least}) to "
            f"{strength[most]:.2f} ({most})."
        ),
        caption=(
            "Control; lr is Adam's learning rate. Mean ± sd over runs (ddof 1); r and "
            "disagreement on the test split, with 95 % bootstrap intervals over runs. With few "
            "runs LE_m takes few values, which lowers r."
        ),
    )


def fine_tuning(results: Results | None) -> Exhibit:
    """The same question with the whole encoder fine-tuned, on fewer seeds (LI-X1)."""
    if results is None:
        return left_out("LI-X1", "no fine-tuned runs on MASSIVE belong to these settings")
    frame, _ = reductions(results)
    reduced = cells(frame, "reduction", "low", "high")
    rows = {
        method.title: {
            "accuracy (%)": mean_and_sd(percent_correct(results, method)),
            "sum of LE_m (nats)": f"{results.le_m[method].sum():.1f}",
            "ΔLE_m (%)": reduced.get(method.title, "–"),
        }
        for method in results.runs
    }
    open_ones = [m.title for m, row in frame.iterrows() if row["low"] <= 0.0 <= row["high"]]
    n_runs = len(results.runs[CONTROL])
    return record(
        "LI-X1",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=fine_tuning,
        results=[results],
        finding=(
            f"With {n_runs} runs a method, the interval contains no effect for "
            f"{len(open_ones)} of {len(frame)} methods"
            + (f" ({'; '.join(open_ones)})." if open_ones else ".")
        ),
        caption=(
            "Full fine-tuning; the students' targets are sharpened, p^(1/T). With few runs the "
            "entropy cannot exceed the logarithm of their number, so its sum must not be compared "
            "with that of 50 runs."
        ),
    )


def disagreement(results: Results) -> Exhibit:
    """Accuracy, confidence, disagreement and churn of every method, with intervals (LI-X4)."""
    rows: dict[str, dict[str, str]] = {}
    values: dict[Variant, float] = {}
    for method in results.runs:
        labels, confidence = results.labels(method), results.confidence(method)
        values[method] = _percent_disagreeing(labels)
        _, spreads = entropy_confidence_replicates(
            labels, confidence, rng=generator(), n_resamples=_RESAMPLES
        )
        sigma = float(confidence_sd(confidence).mean())
        rows[method.title] = {
            "accuracy (%)": _mean(percent_correct(results, method), 2),
            "sum of LE_m (nats)": _summed_entropy(labels),
            "two runs differ (%)": _disagreeing(labels, 2),
            "mean μ_m": _mean(confidence.mean(axis=1), 3),
            "mean σ_m": with_interval(sigma, centred_interval(sigma, spreads.mean(axis=1)), 4),
        }
        if method != CONTROL:
            pairs = [
                churn(old, new, results.gold)
                for old, new in zip(results.labels(CONTROL), labels, strict=True)
            ]
            for name in ("good", "bad"):
                parts = np.array([100.0 * getattr(pair, name) for pair in pairs])
                rows[method.title][f"{name} churn (%)"] = _mean(parts, 2)
    least = min(values, key=lambda method: values[method])
    return record(
        "LI-X4",
        pd.DataFrame.from_dict(rows, orient="index").fillna("–"),
        made_by=disagreement,
        results=[results],
        finding=(
            f"Two control runs differ on {values[CONTROL]:.1f} % of the examples, two runs of "
            f"{least.title} on {values[least]:.1f} %."
        ),
        caption=(
            "Means with 95 % bootstrap intervals over runs. 'Two runs differ': share of examples "
            "with different labels, mean over all pairs of runs of the method. Good churn: "
            "examples that the method's run has right and control's run of the same place wrong; "
            "bad churn: the reverse."
        ),
    )


def _percent_disagreeing(labels: NDArray[np.integer]) -> float:
    return 100.0 * float(pairwise_disagreement(labels).mean())


def _mean(values: NDArray[np.float64], digits: int = 1) -> str:
    """Write the mean of one number a run, with its interval."""
    return with_interval(*RUNS.mean(values), digits)


def _summed_entropy(labels: NDArray[np.integer]) -> str:
    """Write the sum of LE_m over examples, with its interval."""
    replicates = resampled_label_entropy(labels, RUNS.weights(len(labels))).sum(axis=1)
    total = float(label_entropy(labels).sum())
    return with_interval(total, centred_interval(total, replicates))


def _disagreeing(labels: NDArray[np.integer], digits: int = 1) -> str:
    """Write the share of examples on which two runs differ, in percent, with its interval."""
    return with_interval(*RUNS.pairs(100.0 * disagreement_of_runs(labels)), digits)


def _sd(values: NDArray[np.float64]) -> str:
    """Write the standard deviation (ddof 1) of one number a run, with its interval."""
    return with_interval(*RUNS.sd(values), 2)


def sources(results: SourceResults | None) -> Exhibit:
    """Which source of nondeterminism matters? One varied at a time, and all together (LI-X5)."""
    if results is None:
        return left_out("LI-X5", NOT_LOOKED_AT)
    gold = results.dataset.gold[results.split]
    rows, shares = {}, {}
    for name, runs in results.runs.items():
        labels = runs[f"labels_{results.split}"]
        correct = 100.0 * accuracy(labels, gold)
        shares[name] = _percent_disagreeing(labels)
        rows[name] = {
            "sum of LE_m (nats)": _summed_entropy(labels),
            "two runs differ (%)": _disagreeing(labels),
            "accuracy (%)": f"{correct.mean():.1f}",
            "sd of accuracy (points)": _sd(correct),
        }
    *single, together = shares
    most, least = max(single, key=shares.__getitem__), min(single, key=shares.__getitem__)
    return record(
        "LI-X5",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=sources,
        results=[results],
        finding=(
            f"Of one source alone, {most} makes two runs differ most, on {shares[most]:.1f} % of "
            f"the examples, and {least} least, on {shares[least]:.1f} %; {together} make them "
            f"differ on {shares[together]:.1f} %."
        ),
        caption=(
            "Heads of which only the named source of nondeterminism has another seed in each run; "
            "all else has seed 0. Means, sums and standard deviations (ddof 1) over runs, with "
            "95 % bootstrap intervals."
        ),
    )
