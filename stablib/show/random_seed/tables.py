"""Tables of the random seed paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.data import Dataset, entry
from stablib.data.texts import BETWEEN
from stablib.metrics import (
    accuracy_at_rate,
    explanation_entropy,
    over_examples,
    roc_auc,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, counted, left_out, record, with_interval
from stablib.show.random_seed.comparison import (
    CLAIMS,
    RUNS,
    answer,
    attention_entropy,
    is_sample,
    mean_of,
    means,
    methods,
    percent_correct,
    reading_of,
    reduction,
    said,
    sd_reduction,
    sd_reductions,
    sds,
    together,
    training_texts,
)
from stablib.show.spans import span
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
    Results,
    Variant,
)
from stablib.studies.random_seed.settings import DATASETS, PAIRS

#: Methods of the paper, the reading that is judged before the other.
_JUDGED = (ASWA_TEXT, NASWA_TEXT, NASWA_CODE)

#: Why an exhibit is left out.
NO_RUNS = "no runs with this encoder belong to these settings"


def data(many: Sequence[Results], others: Mapping[str, Dataset]) -> Exhibit:
    """Length and size of the data sets, of those too on which nothing was run (RS-T1)."""
    looked_at = {results.cell.dataset: results.dataset for results in many}
    kept = {results.cell.dataset: _kept_tokens(results) for results in many}
    rows: dict[str, dict[str, str]] = {}
    measured: list[Measured] = []
    for name in (*DATASETS, PAIRS):
        found = looked_at.get(name) or others.get(name)
        if found is None:
            licence = entry(name).licence
            rows[Cell.named(name)] = {
                "train": licence if licence.startswith("needs") else "not at hand"
            }
            continue
        counts = {s: np.bincount(found.gold[s], minlength=found.n_classes) for s in _COUNTED}
        title = Cell.named(name) if found.name == name else f"stand-in for {Cell.named(name)}"
        rows[title] = {
            **{split: " / ".join(f"{count:,}" for count in of) for split, of in counts.items()},
            "validation": f"{len(found.gold['val']):,}",
            "tokens a test text": f"{_tokens(found) or kept[name]:.0f}",
            "copy": found.source,
        }
        measured += counted(CLAIMS, f"t1-{found.name}-tokens", _tokens(found) or kept[name])
        measured += _class_sizes(found.name, "test", counts["test"])
        if not is_sample(found):  # The size of a sample says nothing about the paper.
            measured += _class_sizes(found.name, "train", counts["train"])
            # Of some sets the paper counts the validation texts among those for training.
            whole = counts["train"] + np.bincount(found.gold["val"], minlength=found.n_classes)
            measured += _class_sizes(found.name, "train", whole, variant="with validation")
    return record(
        "RS-T1",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=data,
        results=many,
        measured=measured,
        caption=(
            "Texts of each class after the paper's length filter, and their mean number of tokens, "
            "of a pair that of the first sentence. Where only labels are at hand, tokens are those "
            "of the texts whose attention is kept. Where fewer than half of the paper's training "
            "texts are at hand, their number is not judged."
        ),
    )


_COUNTED = ("train", "test")
_RANKS = {2: ("smaller", "larger"), 3: ("smallest", "middle", "largest")}


def _class_sizes(
    name: str, split: str, counts: NDArray[np.integer], variant: str = ""
) -> list[Measured]:
    """Answers to the claims of how many texts each class has, from the smallest to the largest."""
    return [
        measured
        for rank, count in zip(_RANKS[len(counts)], sorted(counts), strict=True)
        for measured in counted(CLAIMS, f"t1-{name}-{split}-{rank}", float(count), variant=variant)
    ]


def _tokens(found: Dataset) -> float:
    """Mean number of tokens of the test texts, 0 where they are not at hand."""
    lengths = [len(text.split(BETWEEN)[0].split()) for text in (found.texts or {}).get("test", ())]
    return float(np.mean(lengths)) if lengths else 0.0


def _kept_tokens(results: Results) -> float:
    return float(np.mean([weights.shape[1] for weights in results.attention[PLAIN]]))


def accuracy(many: Sequence[Results], exhibit: str) -> Exhibit:
    """Accuracy and its standard deviation by method (RS-T2, RS-T3)."""
    if not many:
        return left_out(exhibit, NO_RUNS)
    table = exhibit.removeprefix("RS-").lower()
    rows: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    samples = []
    lower: dict[str, float] = {}
    by_luck: dict[str, float] = {}
    for results in many:
        comparable = not is_sample(results.dataset, results.recipe.limit)
        if not comparable:
            trained, papers = training_texts(results.dataset, results.recipe.limit)
            samples.append(f"{trained:,} of {papers:,} of {results.title}")
        plain = percent_correct(results, PLAIN)
        others = percent_correct(results, NULL)
        nothing, _ = sd_reduction(others, plain, paired=False)
        for variant in results.variants:
            correct = percent_correct(results, variant)
            mean, sd = RUNS.mean(correct), RUNS.sd(correct)
            name = f"{table}-{results.dataset.name}-{claimed(variant)}"
            if comparable:
                measured += answer(f"{name}-accuracy", mean, variant=said(results, variant))
                measured += answer(f"{name}-sd", sd, variant=said(results, variant))
            rows[results.title, variant.title] = {
                "accuracy (%)": with_interval(*mean),
                "sd (points)": with_interval(*sd, 2),
                "sd below plain (%)": "–",
                "paper (%)": _reported(name),
                "epoch": _epoch(results, variant),
            }
            if variant != PLAIN:
                less = sd_reduction(correct, plain, paired=variant != NULL)
                rows[results.title, variant.title]["sd below plain (%)"] = with_interval(*less, 0)
                measured += answer(
                    f"{name}-sd-reduction", less, variant=said(results, variant), null=nothing
                )
            if variant != PLAIN and comparable:
                measured += answer(
                    f"{name}-gain",
                    RUNS.mean(correct - plain),  # Run by run: the seeds are the same.
                    variant=said(results, variant),
                    null=float(others.mean() - plain.mean()),
                )
        lower[results.title] = sd_reduction(percent_correct(results, ASWA_TEXT), plain)[0]
        by_luck[results.title] = nothing
    for dataset in DATASETS:
        cell = Cell(dataset, many[0].cell.encoder)
        if cell not in [results.cell for results in many]:
            licence = entry(dataset).licence
            rows[cell.title, PLAIN.title] = {
                "accuracy (%)": licence if licence.startswith("needs") else "not run",
                "paper (%)": _reported(f"{table}-{dataset}-{claimed(PLAIN)}"),
            }
    measured += _over_data_sets(table, [r for r in many if not r.notice])
    return record(
        exhibit,
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=accuracy,
        results=many,
        measured=measured,
        finding=(
            f"ASWA lowers the sd of accuracy by {span(lower, unit=' %')}, other seeds alone by "
            f"{span(by_luck, unit=' %')}."
        ),
        caption=(
            "Accuracy at p > 0.5 on the test texts: mean, sd over runs (ddof 1) and by how much "
            "the sd is below that of plain training, with 95 % bootstrap intervals over runs. "
            "'SWA from the first step' and 'EMA' are means of the plain runs' weights that are "
            "never written back; 'Plain, other seeds' is what no method at all shows. 'epoch': "
            "median over runs of the one that the validation texts chose, or the last."
            + (
                " Where fewer than half of the paper's training texts are at hand "
                f"({'; '.join(samples)}), accuracies, gains and sds are not judged."
                if samples
                else ""
            )
        ),
    )


def _over_data_sets(table: str, many: Sequence[Results]) -> list[Measured]:
    """Answers to what the paper says of its data sets on average."""
    if not many:
        return []
    correct = {v: [percent_correct(r, v) for r in many] for v in (PLAIN, *_JUDGED, NULL)}
    below = {
        variant: mean_of(
            [
                sd_reductions(of, plain, paired=variant != NULL)
                for of, plain in zip(correct[variant], correct[PLAIN], strict=True)
            ]
        )
        for variant in (*_JUDGED, NULL)
    }
    measured = []
    for variant in _JUDGED:
        reading = ", ".join(filter(None, (reading_of(variant), together(len(many)))))
        measured += answer(
            f"{table}-mean-{claimed(variant)}", below[variant], variant=reading, null=below[NULL][0]
        )
        if variant != ASWA_TEXT:
            further = [
                means(of - aswa)
                for of, aswa in zip(correct[variant], correct[ASWA_TEXT], strict=True)
            ]
            measured += answer(f"{table}-similar", mean_of(further), variant=reading)
    plain_sds = mean_of([sds(of) for of in correct[PLAIN]])
    return measured + answer(f"{table}-mean-plain-sd", plain_sds, variant=together(len(many)))


def _epoch(results: Results, variant: Variant) -> str:
    """After how many epochs a network is looked at, in the middle over runs."""
    if variant.beside:
        return "–"
    if results.checkpoint == "last":
        return f"{results.recipe.epochs}"
    return f"{np.median(results.runs[variant]['best_epoch']):g}"


def claimed(variant: Variant) -> str:
    """The paper's name of a method in the names of claims: one NASWA, of which we have two."""
    return variant.name.removesuffix("-code")


def _reported(name: str) -> str:
    mean, sd = (CLAIMS.get(f"{name}-{quantity}") for quantity in ("accuracy", "sd"))
    return f"{mean.reported} ± {sd.reported}" if mean and sd else "–"


def thresholds(many: Sequence[Results]) -> Exhibit:
    """Is the steadier accuracy a steadier threshold? (RS-X3)."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    # How much less the sd is with ASWA, by column and data.
    lower: dict[str, dict[str, float]] = {}
    for results in many:
        rate = float(results.gold.mean())
        held, correct = {}, {}
        for variant in results.variants:
            scores = results.scores[variant]
            correct[variant] = percent_correct(results, variant)
            positive = 100.0 * (scores > 0.5).mean(axis=1)
            area = 100.0 * roc_auc(scores, results.gold)
            fixed = 100.0 * accuracy_at_rate(scores, results.gold, rate)
            held[variant] = fixed
            rows[results.title, variant.title] = {
                "called positive (%), range": f"{positive.min():.1f}–{positive.max():.1f}",
                "sd of accuracy (points)": with_interval(*RUNS.sd(correct[variant]), 2),
                "sd at a fixed rate (points)": with_interval(*RUNS.sd(fixed), 2),
                "AUC (%)": with_interval(*RUNS.mean(area), 2),
                "sd of AUC (points)": with_interval(*RUNS.sd(area), 2),
            }
        for column, of in (("below plain (%)", correct), ("fixed rate, below plain (%)", held)):
            for variant in methods(results):
                less = sd_reduction(of[variant], of[PLAIN], paired=variant != NULL)
                rows[results.title, variant.title][column] = with_interval(*less, 0)
                if variant == ASWA_TEXT:
                    lower.setdefault(column, {})[results.title] = less[0]
    at_half, at_rate = (span(of, unit=" %") for of in lower.values())
    return record(
        "RS-X3",
        pd.DataFrame.from_dict(rows, orient="index").fillna("–"),
        made_by=thresholds,
        results=many,
        finding=(
            f"ASWA lowers the sd of accuracy by {at_half} at p > 0.5, and by {at_rate} if all runs "
            "call equally many texts positive."
        ),
        caption=(
            "Accuracy depends on where p = 0.5 falls, which differs between runs. 'Fixed rate': "
            "each run calls as many texts positive as there are positive ones, those with the "
            "highest scores. Sds over runs (ddof 1), and by how much either is below that of plain "
            "training, with 95 % bootstrap intervals."
        ),
    )


def sharpness(many: Sequence[Results]) -> Exhibit:
    """Does attention agree because it is flatter? (RS-X6)."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    flatness: dict[Variant, dict[str, float]] = {PLAIN: {}, ASWA_TEXT: {}}
    for results in many:
        plain = attention_entropy(results, PLAIN)
        for variant in results.variants:
            entropies = over_examples(
                lambda weights: explanation_entropy(weights, normalised=True),
                [text for text in results.attention[variant] if text.shape[1] > 1],
            )
            if variant in flatness:
                flatness[variant][results.title] = float(entropies.mean())
            less = reduction(attention_entropy(results, variant), plain)
            rows[results.title, variant.title] = {
                "flatness (0 to 1)": with_interval(*RUNS.mean(entropies.mean(axis=0)), 3),
                "relative entropy below plain (%)": (
                    with_interval(*less, 0) if variant in methods(results) else "–"
                ),
            }
    return record(
        "RS-X6",
        pd.DataFrame.from_dict(rows, orient="index"),
        made_by=sharpness,
        results=many,
        finding=(
            f"Attention has {span(flatness[PLAIN], 2)} of the entropy of equal weights in plain "
            f"runs, and {span(flatness[ASWA_TEXT], 2)} with ASWA."
        ),
        caption=(
            "Flatness: entropy of attention over that of equal weights, mean over texts and runs. "
            "Flat distributions resemble each other whatever they say."
        ),
    )
