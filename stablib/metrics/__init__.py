"""Metrics of instability: arrays of predictions in, numbers out; numpy and scipy only.

**Labels** are class indices: whole numbers, 0 or more, in any order, not necessarily all of them in
use. Integers of any type and booleans are taken as they are, and so are floats without a fraction,
such as a pivoted table holds. Refused are NaN, other floats, negative numbers and strings: number
strings first, those of all runs and of gold together, for instance by :func:`pandas.factorize`.

**Masked arrays** are refused if an entry is masked, as are rows of different lengths and, unless a
metric says otherwise, numbers that are not finite. No input is modified.

**Randomness** comes from ``rng``, a :class:`numpy.random.Generator` or the seed of a new one.

**Runs** must be equally many where label entropies are compared: see :func:`equal_runs`.
"""

from stablib.metrics.accuracy import accuracy, mean_sd
from stablib.metrics.alignment import align_units, weight_correlation, weight_difference
from stablib.metrics.bins import Bin, binned_means
from stablib.metrics.bootstrap import Interval, bootstrap_interval, centred_interval, resample_runs
from stablib.metrics.calibration import (
    ReliabilityBin,
    expected_calibration_error,
    reliability_curve,
)
from stablib.metrics.churn import (
    Churn,
    churn,
    disagreement_of_runs,
    pairwise_disagreement,
)
from stablib.metrics.cka import centred_products, cka_of_products, linear_cka, pairwise_cka
from stablib.metrics.confidence import confidence_mean, confidence_sd
from stablib.metrics.discrimination import accuracy_at_rate, roc_auc
from stablib.metrics.entropy import (
    cumulative_label_entropy,
    label_counts,
    label_entropy,
    resampled_label_entropy,
)
from stablib.metrics.examples import over_examples
from stablib.metrics.explanations import explanation_entropy, importance_shares
from stablib.metrics.intervals import entropy_confidence_replicates, reduction_replicates
from stablib.metrics.jaccard import pairwise_jaccard_distance, pairwise_jaccard_index
from stablib.metrics.pair_ensemble import pairwise_ensemble_delta
from stablib.metrics.pairs import pair_mean, resampled_pair_mean
from stablib.metrics.perplexity import perplexity
from stablib.metrics.prediction_difference import (
    error_cosine,
    excess_label_loss,
    relative_prediction_difference,
)
from stablib.metrics.rank_biased_overlap import pairwise_rank_biased_overlap
from stablib.metrics.ranking import (
    hit_rate,
    hit_rate_of_ranks,
    ndcg,
    ndcg_of_ranks,
    positive_ranks,
)
from stablib.metrics.reduction import HIGH_ENTROPY, percentage_reduction, share_of_reduction
from stablib.metrics.relative_entropy import pairwise_relative_entropy
from stablib.metrics.spearman import pairwise_spearman
from stablib.metrics.spread import resampled_sd, sd_over_runs, sd_with_error
from stablib.metrics.subsampling import equal_runs
from stablib.metrics.top_share import top_count, top_share
from stablib.metrics.variability import Variability, variability_reduction
from stablib.metrics.weight_distance import relative_weight_distance

__all__ = [
    "HIGH_ENTROPY",
    "Bin",
    "Churn",
    "Interval",
    "ReliabilityBin",
    "Variability",
    "accuracy",
    "accuracy_at_rate",
    "align_units",
    "binned_means",
    "bootstrap_interval",
    "centred_interval",
    "centred_products",
    "churn",
    "cka_of_products",
    "confidence_mean",
    "confidence_sd",
    "cumulative_label_entropy",
    "disagreement_of_runs",
    "entropy_confidence_replicates",
    "equal_runs",
    "error_cosine",
    "excess_label_loss",
    "expected_calibration_error",
    "explanation_entropy",
    "hit_rate",
    "hit_rate_of_ranks",
    "importance_shares",
    "label_counts",
    "label_entropy",
    "linear_cka",
    "mean_sd",
    "ndcg",
    "ndcg_of_ranks",
    "over_examples",
    "pair_mean",
    "pairwise_cka",
    "pairwise_disagreement",
    "pairwise_ensemble_delta",
    "pairwise_jaccard_distance",
    "pairwise_jaccard_index",
    "pairwise_rank_biased_overlap",
    "pairwise_relative_entropy",
    "pairwise_spearman",
    "percentage_reduction",
    "perplexity",
    "positive_ranks",
    "reduction_replicates",
    "relative_prediction_difference",
    "relative_weight_distance",
    "reliability_curve",
    "resample_runs",
    "resampled_label_entropy",
    "resampled_pair_mean",
    "resampled_sd",
    "roc_auc",
    "sd_over_runs",
    "sd_with_error",
    "share_of_reduction",
    "top_count",
    "top_share",
    "variability_reduction",
    "weight_correlation",
    "weight_difference",
]
