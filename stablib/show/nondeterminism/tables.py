"""What each source of nondeterminism does, and one bit (section 3.2 and 4.1)."""

from __future__ import annotations

import pandas as pd

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import (
    CLAIMS,
    MEASURES,
    Varied,
    answer,
    if_equal,
    largest_ratios,
    level,
    of_measure,
    ratios,
    said_of,
    varied,
)
from stablib.studies.nondeterminism import ALL, BIT, OTHER_SEEDS, ROWS, Results

#: Rows in the names of claims.
_CLAIMED = {row: row.replace(", ", "-").replace(" ", "-") for row in (*ROWS, BIT)}
_REPLICATED = "replication (disagreement %, ρ)"

#: Of the columns that say how runs vary.
CAPTION = (
    "Standard deviations over runs (ddof 0) ± the sd of that (bootstrap over runs); share of the "
    "test images on which two runs disagree, rank correlation of their logits, and what a mean of "
    "two runs' logits gains over the two: means over pairs of runs, with 95 % bootstrap intervals."
)


def rows_of(results: Results) -> dict[str, Varied]:
    """How the runs of each row vary: logits are those of images of which every row has them."""
    return {
        row: varied(
            logits[:, : results.n_logits],
            results.gold,
            losses=results.losses[row],
            labels=results.labels[row],
            other_seeds=row == OTHER_SEEDS,
        )
        for row, logits in results.logits.items()
    }


def sources(results: Results) -> Exhibit:
    """What each source of nondeterminism does (ND-T1)."""
    found = {row: one for row, one in rows_of(results).items() if row != BIT}
    most = largest_ratios([found[row] for row in ROWS])
    measured = [
        each
        for measure, ratio in zip(MEASURES, most, strict=True)
        for each in answer(f"t1-ratio-{measure.name}", ratio)
    ]
    for row in ROWS:
        measured += _of_row(results, "t1", row, found[row])
    if _is_the_papers(results):
        losses = found[ALL]._replace(levels=results.losses[ALL])
        measured += answer("t1-baseline-accuracy", level(found[ALL]))
        measured += answer("t1-baseline-ce", level(losses))
    usual, high = if_equal([found[row] for row in ROWS])
    said = said_of(MEASURES, most)
    return record(
        "ND-T1",
        pd.DataFrame.from_dict(
            {row: {**one.cells, _REPLICATED: _replicated("t1", row)} for row, one in found.items()},
            orient="index",
        ),
        made_by=sources,
        results=[results],
        measured=measured,
        finding=(
            "The most variable row is so many times as variable as the least, of the correlation "
            f"1 \u2212 ρ: {said}. Of so few runs, the sds of accuracy of equally variable rows "
            f"would differ {usual:.1f}-fold on average, and up to {high:.1f}-fold."
        ),
        caption=(
            f"By what varies between runs, all else being the same. {CAPTION} 'Low level' is the "
            "order in which a mini-batch is added up; the paper varies what cuDNN leaves open. "
            "'All, other seeds' is what other seeds of everything give."
        ),
    )


def one_bit(results: Results) -> Exhibit:
    """What one bit of one initial weight does (ND-T3)."""
    found = rows_of(results)
    shown = {row: found[row] for row in (BIT, "initial weights", ALL, OTHER_SEEDS)}
    compared = ratios(found[BIT], found["initial weights"])
    nulls = [value for value, _ in ratios(found[OTHER_SEEDS], found[ALL])]
    measured = [
        each
        for measure, ratio in zip(MEASURES, compared, strict=True)
        for each in answer(f"t3-ratio-{measure.name}", ratio)
    ] + _of_row(results, "t3", BIT, found[BIT])
    said = said_of(MEASURES, compared, nulls)
    return record(
        "ND-T3",
        pd.DataFrame.from_dict(
            {
                row: {**one.cells, _REPLICATED: _replicated("t3" if row == BIT else "t1", row)}
                for row, one in shown.items()
            },
            orient="index",
        ),
        made_by=one_bit,
        results=[results],
        measured=measured,
        finding=(
            "Runs that differ by one bit of one weight are so many times as variable as runs with "
            f"other initial weights, of the correlation 1 \u2212 ρ: {said}."
        ),
        caption=(
            "Runs in which one weight of the first convolution was moved to the next number that "
            "single precision has, another weight in each, beside runs in which more differs. "
            f"{CAPTION}"
        ),
    )


def _of_row(results: Results, table: str, row: str, one: Varied) -> list[Measured]:
    """Answers to the replicated cells, of the network that was replicated alone."""
    if not _is_the_papers(results):
        return []
    return [
        each
        for number, measure in enumerate(MEASURES)
        for each in answer(f"{table}-{_CLAIMED[row]}-{measure.name}", of_measure(one, number))
    ]


def _is_the_papers(results: Results) -> bool:
    return results.recipe.model == "resnet14" and results.recipe.limit is None


def _replicated(table: str, row: str) -> str:
    """Disagreement and correlation of a replication, of the paper's own network."""
    names = (f"{table}-{_CLAIMED.get(row, row)}-{name}" for name in ("disagreement", "spearman"))
    cells = [CLAIMS[name].reported for name in names if name in CLAIMS]
    return ", ".join(cells) or "–"
