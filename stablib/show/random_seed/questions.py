"""Exhibits of our own about the random seed paper, and the check that a seed decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from stablib.data.sentiment import positions
from stablib.metrics import (
    Interval,
    binned_means,
    centred_interval,
    label_entropy,
    over_examples,
    pair_mean,
    pairwise_relative_entropy,
    percentage_reduction,
    reduction_replicates,
    roc_auc,
)
from stablib.runs import Runs
from stablib.show.exhibit import Exhibit, counted, left_out, record, with_interval
from stablib.show.random_seed.comparison import (
    ATTENTION_ENTROPY,
    CLAIMS,
    PREDICTION_SD,
    RUNS,
    average,
    percent_correct,
    prediction_sd,
    reduction,
    sd_reduction,
)
from stablib.show.style import PALETTE, figure, line
from stablib.studies.random_seed import ASWA_TEXT, NULL, PLAIN, Results, Variant
from stablib.studies.random_seed.outcomes import Again, Matrix


def training_length(by_cell: Sequence[Mapping[int, Results]]) -> Exhibit:
    """When averaging from the first step helps, and when it hurts, by data set (RS-X1)."""
    if not by_cell:
        return left_out("RS-X1", "these settings train no longer than its shortest training")
    frames = [_by_length(by_epochs) for by_epochs in by_cell]
    rows = len(frames)
    with figure(8.8, 3.4 * rows + 0.8, columns=2, rows=rows, sharey=False) as made:
        panels = iter(made.axes)
        for by_epochs, frame in zip(by_cell, frames, strict=True):
            for what in ("AUC (%)", "mean sd of p"):
                axes = next(panels)
                _lines(axes, frame[frame["what"] == what])
                axes.set(
                    xlabel=f"epochs of {_steps(by_epochs):,} steps",
                    ylabel=what,
                    title=_title(by_epochs),
                )
                axes.set_xscale("log", base=2)
                axes.set_xticks(list(by_epochs), labels=[str(epochs) for epochs in by_epochs])
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=4)
        found = "; ".join(
            f"{_title(by_epochs)}, {_about_lengths(frame, ASWA_TEXT.title)}"
            for by_epochs, frame in zip(by_cell, frames, strict=True)
        )
        finding = (
            f"{ASWA_TEXT.title} against plain training of the same length, sd of p lower by, "
            f"accuracy and AUC: {found}."
        )
        return record(
            "RS-X1",
            made,
            made_by=training_length,
            results=[results for by_epochs in by_cell for results in by_epochs.values()],
            numbers=pd.concat(frames, ignore_index=True),
            finding=finding,
            alt=f"AUC and mean sd of p over the length of training by method. {finding}",
            caption=(
                "Last checkpoints of trainings of several lengths: area under the ROC curve, which "
                "unlike accuracy does not depend on where p = 0.5 falls, and sd of a test text's "
                "score over runs (ddof 0), mean over texts, with 95 % bootstrap intervals over "
                f"runs. Always giving the larger class is right on {_larger(by_cell)}. 'SWA from "
                "the first step' averages much the same weights as ASWA, but no epoch begins from "
                "its mean."
            ),
        )


def _title(by_epochs: Mapping[int, Results]) -> str:
    """Data set and encoder of trainings of several lengths."""
    return next(iter(by_epochs.values())).title


def _steps(by_epochs: Mapping[int, Results]) -> int:
    """Optimization steps of an epoch."""
    recipe, gold = (of := next(iter(by_epochs.values()))).recipe, of.dataset.gold["train"]
    return recipe.steps(min(len(gold), recipe.limit or len(gold))) // recipe.epochs


def _larger(by_cell: Sequence[Mapping[int, Results]]) -> str:
    """Share of the larger class by data set."""
    shares = {
        _title(by_epochs): np.bincount(next(iter(by_epochs.values())).gold).max()
        / len(next(iter(by_epochs.values())).gold)
        for by_epochs in by_cell
    }
    return ", ".join(f"{100.0 * share:.0f} % ({title})" for title, share in shares.items())


def _by_length(by_epochs: Mapping[int, Results]) -> pd.DataFrame:
    """Accuracy, AUC and spread of the scores by length of training and method."""
    rows = []
    for epochs, results in by_epochs.items():
        plain = prediction_sd(results, PLAIN)
        for variant in next(iter(by_epochs.values())).variants:
            spread = prediction_sd(results, variant)
            less = reduction(spread, plain)
            for what, (found, interval) in {
                "accuracy (%)": RUNS.mean(percent_correct(results, variant)),
                "AUC (%)": RUNS.mean(100.0 * roc_auc(results.scores[variant], results.gold)),
                "mean sd of p": average(spread),
                "sd of p below plain (%)": less,
            }.items():
                rows.append((results.title, epochs, variant.title, what, found, *interval))
    columns = ["cell", "epochs", "method", "what", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _lines(axes: Axes, frame: pd.DataFrame) -> None:
    """One line a method, side by side so that no interval hides another."""
    for number, (method, rows) in enumerate(frame.groupby("method", sort=False)):
        line(
            axes,
            rows["epochs"] * 1.03 ** (number - 1.5),
            rows["value"],
            rows["low"],
            rows["high"],
            number=number,
            label=str(method),
        )


def _about_lengths(frame: pd.DataFrame, method: str) -> str:
    """What a method does to sd, accuracy and AUC after the shortest and the longest training."""
    cells = frame.set_index(["epochs", "what", "method"])["value"]
    parts = []
    for epochs in (frame["epochs"].min(), frame["epochs"].max()):
        less = cells[epochs, "sd of p below plain (%)", method]
        more, area = (
            cells[epochs, what, method] - cells[epochs, what, PLAIN.title]
            for what in ("accuracy (%)", "AUC (%)")
        )
        parts.append(f"after {epochs} epochs {less:.0f} %, {more:+.1f} and {area:+.1f} points")
    return " and ".join(parts)


def sources(by_source: Mapping[str, Results]) -> Exhibit:
    """Which source of variation averaging removes (RS-X2)."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    findings = []
    for source, results in by_source.items():
        plain = {m: m.of(results, PLAIN) for m in (PREDICTION_SD, ATTENTION_ENTROPY)}
        for variant in (PLAIN, ASWA_TEXT):
            cells = {}
            for measure, of_plain in plain.items():
                found = measure.of(results, variant)
                cells[measure.label] = with_interval(*average(found), 3)
                cells[f"{measure.label}, below plain (%)"] = (
                    "–" if variant == PLAIN else with_interval(*reduction(found, of_plain), 0)
                )
            accuracies = percent_correct(results, variant)
            cells["sd of accuracy (points)"] = with_interval(*RUNS.sd(accuracies), 2)
            rows[source, variant.title] = cells
        less = reduction(prediction_sd(results, ASWA_TEXT), plain[PREDICTION_SD])
        findings.append(f"{source} {with_interval(*less, 0)} %")
    return record(
        "RS-X2",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=sources,
        results=list(by_source.values()),
        finding=f"ASWA lowers the sd of p, by what differs between runs: {'; '.join(findings)}.",
        caption=(
            "Runs of which the seed decides one thing alone, the other having one seed for all, "
            "and runs of which it decides both. Means over texts, with 95 % bootstrap intervals "
            "over runs."
        ),
    )


def known_words(results: Results) -> Exhibit:
    """Do explanations point at the words that decide? (RS-X4)."""
    results = results.at_best  # Of the last checkpoint there is attention alone.
    texts = results.dataset.texts["test"] if results.dataset.texts else ()
    if not texts:
        return left_out("RS-X4", "the generated texts are not at hand")
    rows: dict[tuple[str, str], dict[str, str]] = {}
    means: dict[tuple[str, Variant], float] = {}
    for title, shares_of in _EXPLAINED.items():
        for variant in (PLAIN, ASWA_TEXT):
            shares, places = shares_of(results, variant)
            told = [list(positions(texts[place])) for place in places]
            on_words = np.mean(
                [each[:, words].sum(axis=1) for each, words in zip(shares, told, strict=True)],
                axis=0,
            )
            first = np.mean(
                [
                    np.isin(each.argmax(axis=1), words)
                    for each, words in zip(shares, told, strict=True)
                ],
                axis=0,
            )
            means[title, variant] = float(first.mean())
            rows[title, variant.title] = {
                "share on deciding words (%)": with_interval(*RUNS.mean(100.0 * on_words)),
                "runs, lowest to highest": _range(100.0 * on_words),
                "first word decides (%)": with_interval(*RUNS.mean(100.0 * first)),
                "runs, lowest to highest ": _range(100.0 * first),
                "texts": f"{len(places)}",
            }
    chance = np.mean([len(positions(text)) / len(text.split()) for text in texts])
    first = "; ".join(
        f"{title} {100.0 * means[title, PLAIN]:.0f} %, with ASWA "
        f"{100.0 * means[title, ASWA_TEXT]:.0f} %"
        for title in _EXPLAINED
    )
    return record(
        "RS-X4",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=known_words,
        results=[results],
        finding=(
            f"Deciding words are {100.0 * chance:.0f} % of all. How often the most important "
            f"word of a text is one of them: {first}."
        ),
        caption=(
            "Generated reviews, of which it is known which words decide. Share of an explanation "
            "that lies on these words, and how often the word with the largest share is one: mean "
            "over texts and runs, with 95 % bootstrap intervals over runs, and the runs between "
            "which this varies."
        ),
    )


def _range(of_runs: NDArray[np.float64]) -> str:
    return f"{of_runs.min():.1f}–{of_runs.max():.1f}"


_EXPLAINED: Mapping[
    str,
    Callable[[Results, Variant], tuple[Sequence[NDArray[np.float64]], NDArray[np.integer]]],
] = {
    "attention": lambda results, variant: (results.attention[variant], results.places),
    "gradients": lambda results, variant: results.explained(variant, "gradients"),
    "gradients, cut at attention": lambda results, variant: results.explained(
        variant, "gradients_cut"
    ),
    "LIME": lambda results, variant: results.explained(variant, "lime"),
}


def matrix(found: Matrix) -> Exhibit:
    """Every mitigation on networks that attend and on heads (RS-X5)."""
    columns: dict[tuple[str, str], dict[str, str]] = {}
    findings = []
    for column, labels in found.columns().items():
        plain, gold = labels[PLAIN.title], found.gold(column)
        accuracies = {name: 100.0 * (each == gold).mean(axis=1) for name, each in labels.items()}
        less = {
            name: _entropy_reduction(each, plain, paired=name != NULL.title)
            for name, each in labels.items()
            if name != PLAIN.title
        }
        columns[column, "accuracy (%)"] = {
            name: with_interval(*RUNS.mean(each)) for name, each in accuracies.items()
        }
        columns[column, "ΔLE_m (%)"] = {n: with_interval(*each) for n, each in less.items()}
        columns[column, "sd of accuracy below plain (%)"] = {
            name: with_interval(
                *sd_reduction(each, accuracies[PLAIN.title], paired=name != NULL.title), 0
            )
            for name, each in accuracies.items()
            if name != PLAIN.title
        }
        methods = {name: found for name, (found, _) in less.items() if name != NULL.title}
        best = max(methods, key=lambda name, of=methods: of[name])  # type: ignore[misc]
        findings.append(
            f"{column}: most by {best} ({with_interval(*less[best])} %), by ASWA "
            f"{with_interval(*less[ASWA_TEXT.title])} %, by other seeds alone "
            f"{less[NULL.title][0]:.1f} %"
        )
    frame = pd.DataFrame(columns)
    return record(
        "RS-X5",
        frame,
        made_by=matrix,
        results=[found],
        finding=f"Reduction of label entropy. {'; '.join(findings)}.",
        caption=(
            "Mitigations of two papers on a model of each, last checkpoints: accuracy, reduction "
            "of label entropy over runs (LE_m) and of the sd of accuracy, with 95 % bootstrap "
            "intervals over runs. A dash: not run there. Entropies over different numbers of "
            "runs cannot be compared, so only compare within a column. An ensemble has as many "
            "teachers as there are runs where networks attend, and 200 for the heads."
        ),
    )


def _entropy_reduction(
    labels: NDArray[np.integer], plain: NDArray[np.integer], *, paired: bool
) -> tuple[float, Interval]:
    value = percentage_reduction(label_entropy(labels), label_entropy(plain))
    rng = np.random.default_rng(RUNS.seed)
    return value, centred_interval(
        value, reduction_replicates(labels, plain, rng=rng, paired=paired)
    )


def again(found: Again | None) -> Exhibit:
    """Does the same seed give the same attention in another process? (TH-F4.5)."""
    if found is None:
        return left_out("TH-F4.5", "the data are not at hand to train again")
    curves = {"as kept": found.kept, "trained again": found.now}
    frames = []
    with figure(width=6.4, height=4.0) as made:
        axes = made.axes[0]
        for number, (name, runs) in enumerate(curves.items()):
            frame = _by_score(found, runs).assign(name=name)
            frames.append(frame)
            axes.plot(
                frame["score"],
                frame["mean"],
                marker="ox"[number],
                markersize=(9, 6)[number],
                linestyle=("-", "--")[number],
                color=PALETTE[number],
                label=name,
            )
        axes.set(
            xlim=(0.0, 1.0),
            xlabel="mean score over runs",
            ylabel="relative entropy of attention (nats)",
        )
        axes.legend()
        same = sum(
            np.array_equal(found.kept["scores_last"][run], found.now["scores_last"][run])
            and np.array_equal(
                found.kept["log_attention_last"][run], found.now["log_attention_last"][run]
            )
            for run in range(len(found.kept))
        )
        gap = max(
            float(np.abs(a - b).max())
            for a, b in zip(found.attention(found.kept), found.attention(found.now), strict=True)
        )
        finding = (
            f"{same} of {len(found.kept)} runs have the same bits in all kept scores and "
            f"attention; the largest difference of a token's attention is {gap:.1g}. Kept on: "
            f"{_processors(found.kept)}; trained again on: {_processors(found.now)}."
        )
        alike = _processors(found.kept) == _processors(found.now)
        return record(
            "TH-F4.5",
            made,
            made_by=again,
            results=[found],
            numbers=pd.concat(frames, ignore_index=True),
            # The claim is about one machine.
            measured=counted(CLAIMS, "f4.5-same", 100.0 * same / len(found.kept)) if alike else [],
            finding=finding,
            alt=f"Two lines over the mean score, of kept and of new runs. {finding}",
            caption=(
                "A short training as it is kept, and the same seeds trained again for this page: "
                "relative entropy of attention over pairs of runs, mean over the test texts in "
                "bins of their mean score. The thesis compares two machines."
            ),
        )


def _processors(runs: Runs) -> str:
    return ", ".join(sorted({str(each["hardware"]) for each in runs.provenance}))


def _by_score(found: Again, runs: Runs) -> pd.DataFrame:
    """Mean relative entropy in bins of the mean score."""
    entropies = pair_mean(over_examples(pairwise_relative_entropy, found.attention(runs)))
    bins = [b for b in binned_means(entropies, found.scores(runs), [entropies]) if b.n_examples]
    return pd.DataFrame(
        {"score": [(b.low + b.high) / 2 for b in bins], "mean": [b.mean for b in bins]}
    )
