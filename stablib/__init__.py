"""Train the same network twice: measure, explain and reduce how much the answers differ.

The names that users need most are here: ``stablib.label_entropy`` is
:func:`stablib.metrics.label_entropy`. They are imported when they are first used, so that
``import stablib`` costs nothing.

The subpackages, from the inside out (imports go one way only):

``metrics``
    Numbers from arrays of predictions; numpy and scipy only.
``data``, ``models``
    Named data sets; one architecture family a file.
``papers``
    What the papers report, and how a reproduced value is judged.
``training``
    Seed plans, recipes, methods, records, and what a workload is.
``explain``
    Input gradients and LIME.
``mitigation``
    One method a file: L2, SWA, ASWA, label smoothing, ensemble soft labels, TGTSS.
``runs``
    The store of finished runs, and how runs are got.
``workloads``
    Ways of training runs: heads, fine-tuning, texts with attention, synthetic streams.
``studies``
    Which runs each exhibit of a paper needs; the registry of papers.
``show``
    Tables, figures and widgets.
``reproduce``
    The command line: plan, train, execute notebooks, build the book.
"""

import importlib

__version__ = "0.1.0"

#: Where the public names are defined. ``__init__.pyi`` says the same to type checkers.
_HOMES = {
    "stablib.errors": ("StablibError",),
    "stablib.explain": ("input_gradients", "lime_weights", "noise_floor"),
    "stablib.metrics": (
        "accuracy",
        "binned_means",
        "bootstrap_interval",
        "churn",
        "confidence_mean",
        "confidence_sd",
        "cumulative_label_entropy",
        "equal_runs",
        "excess_label_loss",
        "expected_calibration_error",
        "label_entropy",
        "pair_mean",
        "pairwise_disagreement",
        "pairwise_jaccard_distance",
        "pairwise_relative_entropy",
        "percentage_reduction",
        "relative_prediction_difference",
        "resampled_label_entropy",
        "sd_over_runs",
        "share_of_reduction",
        "top_share",
    ),
    "stablib.mitigation": (
        "ASWA",
        "EMA",
        "L2",
        "NASWA",
        "SWA",
        "TGTSS",
        "Averaged",
        "Ensemble",
        "LabelSmoothing",
        "StepSWA",
        "TemporalMean",
        "WeightAverager",
        "average_weights",
        "smooth_labels",
        "temper",
    ),
    "stablib.runs": ("train",),
    "stablib.studies": ("open_study",),
    "stablib.training": ("Final", "SeedPlan", "Steps", "Task", "seed_plans"),
    "stablib.workloads": ("FineTuneRecipe", "HeadRecipe", "TopLayerRecipe"),
}
_SUBPACKAGES = (
    "data",
    "explain",
    "metrics",
    "mitigation",
    "models",
    "papers",
    "reproduce",
    "runs",
    "show",
    "studies",
    "training",
    "workloads",
)
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    """Import a public name, or a subpackage, when it is first used."""
    if name in _HOME:
        found = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _SUBPACKAGES:
        found = importlib.import_module(f"stablib.{name}")
    else:
        raise AttributeError(f"module 'stablib' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
