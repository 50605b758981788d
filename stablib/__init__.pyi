"""What stablib offers, for type checkers: at run time names are imported when first used."""

from stablib import data as data
from stablib import explain as explain
from stablib import metrics as metrics
from stablib import mitigation as mitigation
from stablib import models as models
from stablib import papers as papers
from stablib import reproduce as reproduce
from stablib import runs as runs
from stablib import show as show
from stablib import studies as studies
from stablib import training as training
from stablib import workloads as workloads
from stablib.errors import StablibError
from stablib.explain import input_gradients, lime_weights, noise_floor
from stablib.metrics import (
    accuracy,
    binned_means,
    bootstrap_interval,
    churn,
    confidence_mean,
    confidence_sd,
    cumulative_label_entropy,
    equal_runs,
    excess_label_loss,
    expected_calibration_error,
    label_entropy,
    pair_mean,
    pairwise_disagreement,
    pairwise_jaccard_distance,
    pairwise_relative_entropy,
    percentage_reduction,
    relative_prediction_difference,
    resampled_label_entropy,
    sd_over_runs,
    share_of_reduction,
    top_share,
)
from stablib.mitigation import (
    ASWA,
    EMA,
    L2,
    NASWA,
    SWA,
    TGTSS,
    Averaged,
    Ensemble,
    LabelSmoothing,
    StepSWA,
    TemporalMean,
    WeightAverager,
    average_weights,
    smooth_labels,
    temper,
)
from stablib.runs import train
from stablib.studies import open_study
from stablib.training import Final, SeedPlan, Steps, Task, seed_plans
from stablib.workloads import FineTuneRecipe, HeadRecipe, TopLayerRecipe

__version__: str
__all__ = [
    "ASWA",
    "EMA",
    "L2",
    "NASWA",
    "SWA",
    "TGTSS",
    "Averaged",
    "Ensemble",
    "Final",
    "FineTuneRecipe",
    "HeadRecipe",
    "LabelSmoothing",
    "SeedPlan",
    "StablibError",
    "StepSWA",
    "Steps",
    "Task",
    "TemporalMean",
    "TopLayerRecipe",
    "WeightAverager",
    "__version__",
    "accuracy",
    "average_weights",
    "binned_means",
    "bootstrap_interval",
    "churn",
    "confidence_mean",
    "confidence_sd",
    "cumulative_label_entropy",
    "equal_runs",
    "excess_label_loss",
    "expected_calibration_error",
    "input_gradients",
    "label_entropy",
    "lime_weights",
    "noise_floor",
    "open_study",
    "pair_mean",
    "pairwise_disagreement",
    "pairwise_jaccard_distance",
    "pairwise_relative_entropy",
    "percentage_reduction",
    "relative_prediction_difference",
    "resampled_label_entropy",
    "sd_over_runs",
    "seed_plans",
    "share_of_reduction",
    "smooth_labels",
    "temper",
    "top_share",
    "train",
]
