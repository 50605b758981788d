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
from stablib.metrics.bootstrap import Interval, bootstrap_interval, centred_interval, resample_runs
from stablib.metrics.churn import Churn, churn, pairwise_disagreement
from stablib.metrics.confidence import confidence_mean, confidence_sd
from stablib.metrics.entropy import (
    cumulative_label_entropy,
    label_counts,
    label_entropy,
    resampled_label_entropy,
)
from stablib.metrics.intervals import entropy_confidence_replicates, reduction_replicates
from stablib.metrics.prediction_difference import (
    error_cosine,
    excess_label_loss,
    relative_prediction_difference,
)
from stablib.metrics.reduction import HIGH_ENTROPY, percentage_reduction, share_of_reduction
from stablib.metrics.subsampling import equal_runs

__all__ = [
    "HIGH_ENTROPY",
    "Churn",
    "Interval",
    "accuracy",
    "align_units",
    "bootstrap_interval",
    "centred_interval",
    "churn",
    "confidence_mean",
    "confidence_sd",
    "cumulative_label_entropy",
    "entropy_confidence_replicates",
    "equal_runs",
    "error_cosine",
    "excess_label_loss",
    "label_counts",
    "label_entropy",
    "mean_sd",
    "pairwise_disagreement",
    "percentage_reduction",
    "reduction_replicates",
    "relative_prediction_difference",
    "resample_runs",
    "resampled_label_entropy",
    "share_of_reduction",
    "weight_correlation",
    "weight_difference",
]
