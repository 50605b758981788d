"""Tables of language models (section 3.3 and 4.1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import (
    pair_mean,
    pairwise_ensemble_delta,
    perplexity,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
)
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import (
    RUNS,
    Measure,
    Varied,
    answer,
    disagreement,
    largest_ratios,
    level,
    ratios,
    said_of,
)
from stablib.studies.nondeterminism import ALL, BIT, OTHER_SEEDS, Readings
from stablib.studies.nondeterminism.language import WORD_ROWS

#: In the order of the paper's columns; a lower perplexity is better.
WORD_MEASURES = (
    Measure("ppl-sd", "sd of perplexity", 2, is_sd=True),
    Measure("disagreement", "disagreement (%)", 1),
    Measure("delta", "change by a pair (perplexity)", 2, falls_from=0.0),
)
#: Units a layer of the paper's model.
_HIDDEN = 512
_CAPTION = (
    "Mean perplexity on the test text; its standard deviation over runs (ddof 0) ± the sd of that "
    "(bootstrap over runs); share of the first test words of which two runs think another word the "
    "likeliest, and by how much the perplexity of two runs' mean probabilities differs from the "
    "mean of theirs: means over pairs of runs, with 95 % bootstrap intervals."
)


def readings_of(results: Readings) -> dict[str, Varied]:
    """How the runs of each row vary."""
    return {
        row: _varied(
            results.perplexities[row],
            results.labels[row],
            np.exp(-results.losses[row]),
            other_seeds=row == OTHER_SEEDS,
        )
        for row in results.runs
    }


def _varied(
    perplexities: NDArray[np.float64],
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float64],
    *,
    other_seeds: bool,
) -> Varied:
    weights = RUNS.weights(len(labels), other_seeds=other_seeds)
    of_runs = perplexities[:, None]
    matrices = np.stack(
        [
            disagreement(labels),
            pairwise_ensemble_delta(
                probabilities, lambda run: float(perplexity(-np.log(np.clip(run, None, 1.0))))
            ),
        ]
    )
    return Varied(
        perplexities,
        np.concatenate([sd_over_runs(of_runs), pair_mean(matrices)]),
        np.concatenate(
            [resampled_sd(of_runs, weights), resampled_pair_mean(matrices, weights)], axis=1
        ),
        WORD_MEASURES,
        "perplexity",
    )


def language_sources(results: Readings) -> Exhibit:
    """What each source does to a language model (ND-T2)."""
    found = {row: one for row, one in readings_of(results).items() if row != BIT}
    most = largest_ratios([found[row] for row in WORD_ROWS])
    measured: list[Measured] = []
    for measure, ratio in zip(WORD_MEASURES, most, strict=True):
        measured += answer(f"t2-ratio-{measure.name}", ratio)
    if results.recipe.limit is None and results.recipe.hidden == _HIDDEN:
        measured += answer("t2-baseline-ppl", level(found[ALL]))
    return record(
        "ND-T2",
        _table(found),
        made_by=language_sources,
        results=[results],
        measured=measured,
        finding=(
            "The most variable row is so many times as variable as the least: "
            f"{said_of(WORD_MEASURES, most)}."
        ),
        caption=(
            "Language models by what varies between runs, all else being the same. Stochastic "
            "operations are dropout and the lengths of mini-batches. 'All, other seeds' is what "
            f"other seeds of everything give. {_CAPTION}"
        ),
    )


def language_bit(results: Readings) -> Exhibit:
    """What one bit of one initial weight does to a language model (ND-T4)."""
    found = readings_of(results)
    shown = {row: found[row] for row in (BIT, "initial weights", ALL, OTHER_SEEDS)}
    compared = ratios(found[BIT], found["initial weights"])
    nulls = [value for value, _ in ratios(found[OTHER_SEEDS], found[ALL])]
    measured: list[Measured] = []
    for measure, ratio in zip(WORD_MEASURES, compared, strict=True):
        measured += answer(f"t4-ratio-{measure.name}", ratio)
    return record(
        "ND-T4",
        _table(shown),
        made_by=language_bit,
        results=[results],
        measured=measured,
        finding=(
            "Runs that differ by one bit of one weight are so many times as variable as runs with "
            f"other initial weights: {said_of(WORD_MEASURES, compared, nulls)}."
        ),
        caption=(
            "Language models in which one weight of the first recurrent layer was moved to the "
            "next number that single precision has, another weight in each, beside runs in which "
            f"more differs. {_CAPTION}"
        ),
    )


def _table(found: Mapping[str, Varied]) -> pd.DataFrame:
    return pd.DataFrame.from_dict({row: one.cells for row, one in found.items()}, orient="index")
