"""Metrics of instability: arrays of predictions in, numbers out; numpy only."""

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
