"""Compare methods by the spread of their runs: what the exhibits of the paper share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.metrics import (
    Interval,
    centred_interval,
    over_examples,
    pair_mean,
    pairwise_jaccard_distance,
    pairwise_relative_entropy,
    resampled_pair_mean,
    resampled_sd,
    sd_over_runs,
    top_share,
)
from stablib.show.exhibit import answered
from stablib.show.resamples import Resamples
from stablib.studies.random_seed import NULL, PLAIN, RandomSeed, Results, Variant

#: The paper's claims.
CLAIMS = RandomSeed.claims()

#: Resamples of runs for every interval. The null has other seeds: it is not paired with plain runs.
RUNS = Resamples(500, 20191104)

#: Splits whose texts the paper counts as those for training.
_TAUGHT = ("train", "val")

#: Tokens that count as the most important ones in Figures 5, 7 and 10.
TOP = 0.2


class Spread(NamedTuple):
    """A measure of disagreement between runs.

    Parameters
    ----------
    values : ndarray of float64, shape (n_examples,)
        Of each example.
    replicates : ndarray of float64, shape (n_resamples, n_examples)
        The same in resamples of the runs.
    scores : ndarray of float64, shape (n_examples,)
        Mean probability of the positive class, by which examples are binned.
    """

    values: NDArray[np.float64]
    replicates: NDArray[np.float64]
    scores: NDArray[np.float64]


def resamples_of(variant: Variant, n_runs: int) -> NDArray[np.int64]:
    """How often each run of a variant counts in each resample, see :class:`Resamples`."""
    return RUNS.weights(n_runs, other_seeds=variant == NULL)


def prediction_sd(results: Results, variant: Variant) -> Spread:
    """Standard deviation of each test text's score over runs (ddof 0), a probability."""
    scores = results.scores[variant]
    draws = resampled_sd(scores, resamples_of(variant, len(scores)))
    return Spread(sd_over_runs(scores), draws, scores.mean(axis=0))


def attention_entropy(results: Results, variant: Variant) -> Spread:
    """Relative entropy of the attention of two runs to a text, mean over ordered pairs, in nats."""
    attention = results.attention[variant]
    return _of_pairs(results, variant, pairwise_relative_entropy, attention, results.places)


def attention_jaccard(results: Results, variant: Variant) -> Spread:
    """Jaccard distance of two runs' most attended tokens of a text, mean over pairs, fraction."""
    return _of_pairs(results, variant, _top_distance, results.attention[variant], results.places)


def attention_differing(results: Results, variant: Variant) -> Spread:
    """Share of one run's most attended tokens that are not another's, mean over pairs, fraction."""
    return _of_pairs(results, variant, _top_share_apart, results.attention[variant], results.places)


def gradient_jaccard(results: Results, variant: Variant) -> Spread:
    """The same for input gradients of the whole graph."""
    shares, places = results.explained(variant, "gradients")
    return _of_pairs(results, variant, _top_distance, shares, places)


def lime_jaccard(results: Results, variant: Variant) -> Spread:
    """The same for LIME, with one seed of the explainer for all runs."""
    shares, places = results.explained(variant, "lime")
    return _of_pairs(results, variant, _top_distance, shares, places)


def lime_floor(results: Results, variant: Variant) -> float:
    """Jaccard distance where LIME explains one model twice, mean over texts and runs."""
    pairs = zip(
        *(results.explained(variant, kind)[0] for kind in ("lime", "lime_again")), strict=True
    )
    return float(
        np.mean(
            [
                _top_distance(np.stack(twice))[0, 1]
                for first, second in pairs
                for twice in zip(first, second, strict=True)
            ]
        )
    )


def _top_distance(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return pairwise_jaccard_distance(top_share(weights, TOP))


def _top_share_apart(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # Of two sets of k, with a Jaccard distance d, k d / (2 - d) are in one alone.
    distances = _top_distance(weights)
    return distances / (2.0 - distances)


def _of_pairs(
    results: Results,
    variant: Variant,
    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    texts: Sequence[NDArray[np.float64]],
    places: NDArray[np.integer],
) -> Spread:
    matrices = over_examples(measure, texts)
    scores = results.scores[variant][:, places].mean(axis=0)
    draws = resampled_pair_mean(matrices, resamples_of(variant, matrices.shape[-1]))
    return Spread(pair_mean(matrices), draws, scores)


class Measure(NamedTuple):
    """A measure of disagreement: what an axis says of it, and how it is computed.

    ``looked_at`` is False where weights that were only looked at, such as EMA's, have none.
    """

    label: str
    of: Callable[[Results, Variant], Spread]
    looked_at: bool = True


PREDICTION_SD = Measure("sd of p over runs", prediction_sd)
ATTENTION_ENTROPY = Measure("relative entropy of attention (nats)", attention_entropy)
ATTENTION_JACCARD = Measure("Jaccard distance, top 20 % of tokens", attention_jaccard)
GRADIENT_JACCARD = Measure("Jaccard distance of gradients, top 20 %", gradient_jaccard, False)
LIME_JACCARD = Measure("Jaccard distance of LIME, top 20 %", lime_jaccard, False)


def average(spread: Spread) -> tuple[float, Interval]:
    """Mean over examples, with its interval."""
    value = float(spread.values.mean())
    return value, centred_interval(value, spread.replicates.mean(axis=1))


def reductions(spread: Spread, plain: Spread) -> NDArray[np.float64]:
    """By how many percent the mean over examples is below plain training's.

    Returns
    -------
    ndarray of float64, shape (1 + n_resamples,)
        Of the runs themselves, then of resamples of them.
    """
    of, base = (np.r_[s.values.mean(), s.replicates.mean(axis=1)] for s in (spread, plain))
    return percent_below(of, base)


def reduction(spread: Spread, plain: Spread) -> tuple[float, Interval]:
    """The same with its interval."""
    return mean_of([reductions(spread, plain)])


Chosen = NDArray[np.bool_] | EllipsisType


def difference(
    spread: Spread, chosen: Chosen, other: Spread, among: Chosen
) -> tuple[float, Interval]:
    """Mean over some examples less the mean over others, with its interval."""
    value = float(spread.values[chosen].mean() - other.values[among].mean())
    draws = spread.replicates[:, chosen].mean(axis=1) - other.replicates[:, among].mean(axis=1)
    return value, centred_interval(value, draws)


def percent_below(
    value: np.floating | NDArray[np.float64], baseline: np.floating | NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how many percent a value is below a baseline; nan where the baseline is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):  # A resample of one run has no spread.
        percent = np.asarray(100.0 * (1.0 - value / baseline), dtype=np.float64)
    return np.where(np.isfinite(percent), percent, np.nan)


def sds(of: NDArray[np.float64], *, other_seeds: bool = False) -> NDArray[np.float64]:
    """Standard deviation (ddof 1) of one number a run, (n_runs,), then those of resamples.

    Returns
    -------
    ndarray of float64, shape (1 + n_resamples,)
    """
    return np.r_[of.std(ddof=1), RUNS.sds(of, other_seeds=other_seeds)]


def means(of: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of one number a run, (n_runs,), then those of resamples: (1 + n_resamples,)."""
    return np.r_[of.mean(), RUNS.means(of)]


def sd_reductions(
    of: NDArray[np.float64], plain: NDArray[np.float64], *, paired: bool = True
) -> NDArray[np.float64]:
    """By how many percent the sd over runs of one number a run is below plain training's.

    Returns
    -------
    ndarray of float64, shape (1 + n_resamples,)
        Of the runs themselves, then of resamples of them; a resample of one plain run has none.
    """
    return percent_below(sds(of, other_seeds=not paired), sds(plain))


def sd_reduction(
    of: NDArray[np.float64], plain: NDArray[np.float64], *, paired: bool = True
) -> tuple[float, Interval]:
    """The same with its interval."""
    return mean_of([sd_reductions(of, plain, paired=paired)])


def mean_of(resampled: Sequence[NDArray[np.float64]]) -> tuple[float, Interval]:
    """Mean of several numbers, each followed by those of resamples, with its interval."""
    value, *draws = np.mean(resampled, axis=0)
    return float(value), centred_interval(float(value), draws)


def percent_correct(results: Results, variant: Variant) -> NDArray[np.float64]:
    """Accuracy of each run, of two classes at p > 0.5, in percent."""
    return 100.0 * (results.labels(variant) == results.gold).mean(axis=1)


#: The answer to a claim of the paper, see :func:`stablib.show.exhibit.answered`.
answer = functools.partial(answered, CLAIMS)


def training_texts(data: Dataset, limit: int | None = None) -> tuple[int, int]:
    """On how many texts networks train and choose an epoch, here and in the paper, or 0."""
    here = sum(min(len(data.gold[split]), limit or len(data.gold[split])) for split in _TAUGHT)
    papers = [claim for name, claim in CLAIMS.items() if name.startswith(f"t1-{data.name}-train-")]
    return here, sum(int(claim.target or 0) for claim in papers)


def is_sample(data: Dataset, limit: int | None = None) -> bool:
    """Whether fewer than half of the paper's training texts are trained on."""
    here, papers = training_texts(data, limit)
    return here < papers / 2


def said(results: Results, variant: Variant) -> str:
    """Which reading of the paper an answer is about, and whether its texts are but a sample."""
    sampled = "on a sample" if is_sample(results.dataset, results.recipe.limit) else ""
    return ", ".join(filter(None, (reading_of(variant), sampled)))


def reading_of(variant: Variant) -> str:
    """Which reading of the paper a variant is, where there are several."""
    return variant.title.partition(", ")[2]


def together(number: int) -> str:
    """Say of how many of the paper's six data sets an answer is the mean."""
    return f"{number} of the paper's six data sets"


def methods(results: Results) -> list[Variant]:
    """All variants but plain training."""
    return [variant for variant in results.variants if variant != PLAIN]
