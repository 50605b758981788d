"""What every public metric and every plain mitigation function must do, one list for all.

A new metric goes into ``CASES``, or into ``EXEMPT`` with the reason.
"""

import ast
import copy
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from stablib import errors, metrics, mitigation
from stablib.errors import UsageError
from stablib.show.widgets import how_many_seeds, instability_map, seed_explorer
from stablib.training.tagged import Tagged

N_RUNS, N_EXAMPLES, N_CLASSES = 6, 9, 4
SEEDS = range(5)

Arguments = dict[str, Any]
Make = Callable[[np.random.Generator], Arguments]


class Case(NamedTuple):
    """How to call a function, and which of its promises can be checked."""

    call: Callable[..., Any]
    make: Make
    #: Arguments under the rule for labels.
    labels: tuple[str, ...] = ()
    #: Arguments that hold real numbers.
    numbers: tuple[str, ...] = ()
    #: Of these, the ones in which NaN has a documented meaning, and those of any number of axes.
    nan: tuple[str, ...] = ()
    any_axes: tuple[str, ...] = ()
    #: Arguments whose rows are runs; the result must not depend on their order,
    runs: tuple[str, ...] = ()
    #: unless it has one row a run itself.
    per_run: bool = False
    #: Whether the result is about classes, and so changes with their names.
    names_classes: bool = False


def labels(rng, n_runs=N_RUNS, n_examples=N_EXAMPLES, n_classes=N_CLASSES):
    return rng.integers(n_classes, size=(n_runs, n_examples))


def chances(rng, *shape):
    return rng.uniform(0.05, 0.95, size=shape)


def network(rng):
    return [(rng.normal(size=s), rng.normal(size=s[1])) for s in ((5, 4), (4, 3), (3, 1))]


def rows(rng):
    return rng.dirichlet(np.ones(N_CLASSES), size=N_EXAMPLES)


def explained(rng):
    """Explanations of one text: attention of each run."""
    return rng.dirichlet(np.ones(N_EXAMPLES), size=N_RUNS)


def mean_over_pairs(pairwise):
    """The mean of a matrix over pairs, which does not depend on the order of runs."""
    return lambda **arguments: metrics.pair_mean(pairwise(**arguments))


def disagreement(runs):
    return metrics.pairwise_disagreement(runs).mean()


def interval(samples, rng):
    return metrics.bootstrap_interval(disagreement, samples, rng=rng, n_resamples=20)


def replicates(**arguments):
    return metrics.reduction_replicates(**arguments, n_resamples=20)


def mean_of_steps(probabilities):
    mean = mitigation.TemporalMean()
    for step in (probabilities, probabilities):
        mean.update(step)
    return mean.value


CASES = {
    "accuracy": Case(
        metrics.accuracy,
        lambda rng: {"labels": labels(rng), "gold": labels(rng)[0]},
        labels=("labels", "gold"),
        runs=("labels",),
        per_run=True,
    ),
    "accuracy_at_rate": Case(
        metrics.accuracy_at_rate,
        lambda rng: {
            "scores": chances(rng, N_RUNS, N_EXAMPLES),
            "gold": np.arange(N_EXAMPLES) % 2,
            "rate": 0.4,
        },
        labels=("gold",),
        numbers=("scores",),
        runs=("scores",),
        per_run=True,
        names_classes=True,  # 1 is the positive label.
    ),
    "align_units": Case(
        metrics.align_units, lambda rng: {"first": network(rng), "second": network(rng)}
    ),
    "binned_means": Case(  # All scores in one bin: others would be empty, and so nan.
        metrics.binned_means,
        lambda rng: {
            "values": rng.random(N_EXAMPLES),
            "scores": chances(rng, N_EXAMPLES),
            "replicates": rng.random((7, N_EXAMPLES)),
            "n_bins": 1,
        },
        numbers=("values", "scores", "replicates"),
        nan=("replicates",),
    ),
    "bootstrap_interval": Case(
        interval, lambda rng: {"samples": labels(rng), "rng": 3}, any_axes=("samples",)
    ),
    "centred_interval": Case(
        metrics.centred_interval,
        lambda rng: {"estimate": 0.3, "replicates": rng.normal(size=30)},
        numbers=("replicates",),
        nan=("replicates",),
        runs=("replicates",),
    ),
    "churn": Case(
        metrics.churn,
        lambda rng: dict(zip(("old", "new", "gold"), labels(rng), strict=False)),
        labels=("old", "new", "gold"),
    ),
    "centred_products": Case(
        metrics.centred_products,
        lambda rng: {"representation": rng.normal(size=(8, 3))},
        numbers=("representation",),
    ),
    "cka_of_products": Case(
        mean_over_pairs(metrics.cka_of_products),
        lambda rng: {
            "products": np.array(
                [metrics.centred_products(rng.normal(size=(8, 3))) for _ in range(N_RUNS)]
            )
        },
        numbers=("products",),
    ),
    "confidence_mean": Case(
        metrics.confidence_mean,
        lambda rng: {"gold_probability": chances(rng, N_RUNS, N_EXAMPLES)},
        numbers=("gold_probability",),
        runs=("gold_probability",),
    ),
    "confidence_sd": Case(
        metrics.confidence_sd,
        lambda rng: {"gold_probability": chances(rng, N_RUNS, N_EXAMPLES)},
        numbers=("gold_probability",),
        runs=("gold_probability",),
    ),
    "cumulative_label_entropy": Case(  # Its rows are steps, whose order matters.
        metrics.cumulative_label_entropy, lambda rng: {"labels": labels(rng)}, labels=("labels",)
    ),
    "disagreement_of_runs": Case(
        mean_over_pairs(metrics.disagreement_of_runs),
        lambda rng: {"labels": labels(rng)},
        labels=("labels",),
        runs=("labels",),
    ),
    "entropy_confidence_replicates": Case(  # Which runs are drawn depends on their order.
        metrics.entropy_confidence_replicates,
        lambda rng: {
            "labels": labels(rng),
            "gold_probability": chances(rng, N_RUNS, N_EXAMPLES),
            "rng": 3,
        },
        labels=("labels",),
        numbers=("gold_probability",),
    ),
    "equal_runs": Case(
        metrics.equal_runs,
        lambda rng: {"labels": labels(rng), "baseline": labels(rng, n_runs=10), "rng": 3},
        labels=("labels", "baseline"),
        names_classes=True,
    ),
    "error_cosine": Case(
        metrics.error_cosine,
        lambda rng: dict(zip(("first", "second", "truth"), rng.normal(size=(3, 8)), strict=True)),
        numbers=("first", "second", "truth"),
    ),
    "excess_label_loss": Case(
        metrics.excess_label_loss,
        lambda rng: {
            "predictions": chances(rng, N_RUNS, N_EXAMPLES),
            "truth": chances(rng, N_EXAMPLES),
        },
        numbers=("predictions", "truth"),
        any_axes=("predictions",),
        runs=("predictions",),
        per_run=True,
    ),
    "expected_calibration_error": Case(
        metrics.expected_calibration_error,
        lambda rng: {
            "probabilities": rng.dirichlet(np.ones(N_CLASSES), size=(N_RUNS, N_EXAMPLES)),
            "gold": labels(rng)[0],
        },
        labels=("gold",),
        numbers=("probabilities",),
        runs=("probabilities",),
        per_run=True,
        names_classes=True,  # Classes are columns.
    ),
    "explanation_entropy": Case(
        metrics.explanation_entropy,
        lambda rng: {"explanations": explained(rng)},
        numbers=("explanations",),
        runs=("explanations",),
        per_run=True,
    ),
    "hit_rate": Case(
        metrics.hit_rate,
        lambda rng: {
            "positives": rng.random((N_RUNS, N_EXAMPLES)),
            "negatives": rng.random((N_RUNS, N_EXAMPLES, 4)),
            "k": 2,
        },
        any_axes=("positives", "negatives"),
        runs=("positives", "negatives"),
        per_run=True,
    ),
    "hit_rate_of_ranks": Case(
        metrics.hit_rate_of_ranks,
        lambda rng: {"ranks": labels(rng, n_classes=20), "k": 10},
        labels=("ranks",),
        runs=("ranks",),
        per_run=True,
        names_classes=True,
    ),
    "importance_shares": Case(
        metrics.importance_shares,
        lambda rng: {"importance": rng.normal(size=(N_RUNS, N_EXAMPLES))},
        numbers=("importance",),
        runs=("importance",),
        per_run=True,
    ),
    "label_counts": Case(
        metrics.label_counts,
        lambda rng: {"labels": labels(rng), "n_classes": N_CLASSES},
        labels=("labels",),
        runs=("labels",),
        names_classes=True,
    ),
    "label_entropy": Case(
        metrics.label_entropy,
        lambda rng: {"labels": labels(rng)},
        labels=("labels",),
        runs=("labels",),
    ),
    "linear_cka": Case(
        metrics.linear_cka,
        lambda rng: {"first": rng.normal(size=(8, 3)), "second": rng.normal(size=(8, 5))},
        numbers=("first", "second"),
    ),
    "mean_sd": Case(
        metrics.mean_sd,
        lambda rng: {"values": rng.normal(size=N_RUNS)},
        numbers=("values",),
        runs=("values",),
    ),
    "ndcg": Case(
        metrics.ndcg,
        lambda rng: {
            "positives": rng.random((N_RUNS, N_EXAMPLES)),
            "negatives": rng.random((N_RUNS, N_EXAMPLES, 4)),
            "k": 2,
        },
        any_axes=("positives", "negatives"),
        runs=("positives", "negatives"),
        per_run=True,
    ),
    "ndcg_of_ranks": Case(
        metrics.ndcg_of_ranks,
        lambda rng: {"ranks": labels(rng, n_classes=20), "k": 10},
        labels=("ranks",),
        runs=("ranks",),
        per_run=True,
        names_classes=True,
    ),
    "over_examples": Case(
        lambda examples: metrics.over_examples(metrics.pairwise_relative_entropy, examples),
        lambda rng: {"examples": [explained(rng)[:3], explained(rng)[:3]]},
    ),
    "pair_mean": Case(
        metrics.pair_mean,
        lambda rng: {"matrices": rng.random((N_RUNS, N_RUNS))},
        numbers=("matrices",),
        any_axes=("matrices",),
    ),
    "pairwise_cka": Case(
        mean_over_pairs(metrics.pairwise_cka),
        lambda rng: {"representations": rng.normal(size=(N_RUNS, 8, 3))},
        runs=("representations",),
    ),
    "pairwise_disagreement": Case(
        metrics.pairwise_disagreement,
        lambda rng: {"labels": labels(rng)},
        labels=("labels",),
        runs=("labels",),
    ),
    "pairwise_ensemble_delta": Case(
        mean_over_pairs(metrics.pairwise_ensemble_delta),
        lambda rng: {"logits": rng.normal(size=(N_RUNS, N_EXAMPLES, N_CLASSES)), "measure": np.max},
        numbers=("logits",),
        any_axes=("logits",),
        runs=("logits",),
    ),
    "pairwise_jaccard_distance": Case(
        mean_over_pairs(metrics.pairwise_jaccard_distance),
        lambda rng: {"chosen": rng.random((N_RUNS, N_EXAMPLES)) < 0.5},
        runs=("chosen",),
    ),
    "pairwise_jaccard_index": Case(
        mean_over_pairs(metrics.pairwise_jaccard_index),
        lambda rng: {"chosen": rng.random((N_RUNS, N_EXAMPLES)) < 0.5},
        runs=("chosen",),
    ),
    "pairwise_rank_biased_overlap": Case(
        mean_over_pairs(metrics.pairwise_rank_biased_overlap),
        lambda rng: {"rankings": np.argsort(rng.random((N_RUNS, 12)), axis=1)[:, :5]},
        labels=("rankings",),
        runs=("rankings",),
        names_classes=True,  # Items come once in a row, and are not those of another test.
    ),
    "pairwise_relative_entropy": Case(
        mean_over_pairs(metrics.pairwise_relative_entropy),
        lambda rng: {"explanations": explained(rng)},
        numbers=("explanations",),
        runs=("explanations",),
    ),
    "pairwise_spearman": Case(
        mean_over_pairs(metrics.pairwise_spearman),
        lambda rng: {"logits": rng.normal(size=(N_RUNS, N_EXAMPLES, N_CLASSES))},
        numbers=("logits",),
        any_axes=("logits",),
        runs=("logits",),
    ),
    "percentage_reduction": Case(
        metrics.percentage_reduction,
        lambda rng: dict(zip(("values", "baseline"), rng.random((2, N_EXAMPLES)), strict=True)),
        numbers=("values", "baseline"),
    ),
    "perplexity": Case(
        metrics.perplexity,
        lambda rng: {"losses": rng.exponential(size=(N_RUNS, N_EXAMPLES))},
        numbers=("losses",),
        any_axes=("losses",),
        runs=("losses",),
        per_run=True,
    ),
    "positive_ranks": Case(
        metrics.positive_ranks,
        lambda rng: {
            "positives": rng.random((N_RUNS, N_EXAMPLES)),
            "negatives": rng.random((N_RUNS, N_EXAMPLES, 4)),
        },
        any_axes=("positives", "negatives"),
        runs=("positives", "negatives"),
        per_run=True,
    ),
    "reduction_replicates": Case(  # Which runs are drawn depends on their order.
        replicates,
        lambda rng: {"labels": labels(rng), "baseline": labels(rng), "rng": 3},
        labels=("labels", "baseline"),
    ),
    "relative_prediction_difference": Case(  # Its rows are pairs.
        metrics.relative_prediction_difference,
        lambda rng: {
            "predictions": chances(rng, N_RUNS, N_EXAMPLES),
            "truth": chances(rng, N_EXAMPLES),
        },
        numbers=("predictions", "truth"),
    ),
    "relative_weight_distance": Case(
        metrics.relative_weight_distance,
        lambda rng: {"first": rng.normal(size=(5, 8)), "second": rng.normal(size=(5, 8))},
        numbers=("first", "second"),
        any_axes=("first", "second"),
        runs=("first", "second"),
        per_run=True,
    ),
    "reliability_curve": Case(  # One bin: others would be empty, and so nan.
        metrics.reliability_curve,
        lambda rng: {"probabilities": rows(rng), "gold": labels(rng)[0], "n_bins": 1},
        labels=("gold",),
        numbers=("probabilities",),
        names_classes=True,  # Classes are columns.
    ),
    "resample_runs": Case(metrics.resample_runs, lambda rng: {"n_runs": 5, "rng": 3}),
    "resampled_label_entropy": Case(
        metrics.resampled_label_entropy,
        lambda rng: {"labels": labels(rng), "weights": np.eye(N_RUNS, dtype=int) + 1},
        labels=("labels", "weights"),
        names_classes=True,  # Weights are counts, which must not be renamed.
    ),
    "resampled_pair_mean": Case(
        metrics.resampled_pair_mean,
        lambda rng: {
            "matrices": rng.random((N_RUNS, N_RUNS)),
            "weights": np.eye(N_RUNS, dtype=int) + 1,
        },
        labels=("weights",),
        numbers=("matrices",),
        any_axes=("matrices",),
        names_classes=True,  # Weights are counts, which must not be renamed.
    ),
    "resampled_sd": Case(
        metrics.resampled_sd,
        lambda rng: {
            "values": rng.normal(size=(N_RUNS, N_EXAMPLES)),
            "weights": np.eye(N_RUNS, dtype=int) + 1,
        },
        labels=("weights",),
        numbers=("values",),
        any_axes=("values",),
        names_classes=True,
    ),
    "roc_auc": Case(
        metrics.roc_auc,
        lambda rng: {
            "scores": chances(rng, N_RUNS, N_EXAMPLES),
            "gold": np.arange(N_EXAMPLES) % 2,
        },
        labels=("gold",),
        numbers=("scores",),
        runs=("scores",),
        per_run=True,
        names_classes=True,  # 1 is the positive label.
    ),
    "sd_over_runs": Case(
        metrics.sd_over_runs,
        lambda rng: {"values": rng.normal(size=(N_RUNS, N_EXAMPLES))},
        numbers=("values",),
        any_axes=("values",),
        runs=("values",),
    ),
    "sd_with_error": Case(
        metrics.sd_with_error,
        lambda rng: {"values": rng.normal(size=N_RUNS), "rng": 3, "n_resamples": 20},
        numbers=("values",),
    ),
    "share_of_reduction": Case(
        metrics.share_of_reduction, lambda rng: {"reduction": 20.0, "reference": 30.0}
    ),
    "top_count": Case(metrics.top_count, lambda rng: {"n_tokens": 11, "share": 0.2}),
    "top_share": Case(
        metrics.top_share,
        lambda rng: {"explanations": explained(rng), "share": 0.2},
        numbers=("explanations",),
        runs=("explanations",),
        per_run=True,
    ),
    "variability_reduction": Case(
        metrics.variability_reduction,
        lambda rng: {
            "method": metrics.Variability(*rng.random(5)),
            "baseline": metrics.Variability(*rng.random(5)),
        },
    ),
    "weight_correlation": Case(
        metrics.weight_correlation, lambda rng: {"first": network(rng), "second": network(rng)}
    ),
    "weight_difference": Case(
        metrics.weight_difference, lambda rng: {"first": network(rng), "second": network(rng)}
    ),
}

EXEMPT = {
    "Bin": "the type of a result",
    "Churn": "the type of a result",
    "HIGH_ENTROPY": "a constant of the paper",
    "Interval": "the type of a result",
    "ReliabilityBin": "the type of a result",
    "Variability": "the type of an argument",
}

PLAIN = {
    "TemporalMean": Case(
        mean_of_steps, lambda rng: {"probabilities": rows(rng)}, numbers=("probabilities",)
    ),
    "average_weights": Case(
        mitigation.average_weights,
        lambda rng: {"states": [{"w": rng.normal(size=(3, 2))} for _ in range(3)]},
    ),
    "smooth_labels": Case(
        mitigation.smooth_labels,
        lambda rng: {"one_hot": np.eye(N_CLASSES)[labels(rng)[0]], "alpha": 0.1},
        numbers=("one_hot",),
    ),
    "temper": Case(
        mitigation.temper,
        lambda rng: {"probabilities": rows(rng), "temperature": 0.5},
        numbers=("probabilities",),
    ),
    "vanilla_ensembles": Case(
        mitigation.vanilla_ensembles,
        lambda rng: {"logits": rng.normal(size=(N_RUNS, N_EXAMPLES, N_CLASSES)), "members": 2},
        numbers=("logits",),
        any_axes=("logits",),
    ),
}

EVERY = CASES | PLAIN


def every(*fields: str) -> list[Any]:
    """Pairs (function, argument) for the arguments that the fields of a case list."""
    return [
        pytest.param(name, argument, id=f"{name}-{argument}")
        for name, case in EVERY.items()
        for argument in dict.fromkeys(a for field in fields for a in getattr(case, field))
    ]


def made(name: str, seed: int = 0) -> Arguments:
    return EVERY[name].make(np.random.default_rng(seed))


def call(name: str, arguments: Arguments, **replaced: Any) -> Any:
    return EVERY[name].call(**arguments | replaced)


def flat(result: Any) -> np.ndarray:
    """All numbers of a result, whatever holds them."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return np.concatenate([flat(part) for part in result])
    return np.ravel(np.asarray(result))


def assert_refused(name: str, argument: str, value: Any, match: str = "") -> None:
    """One line that names the argument."""
    with pytest.raises(UsageError, match=match) as refusal:
        call(name, made(name), **{argument: value})
    assert argument in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_every_public_metric_is_checked_or_exempt():
    assert set(CASES) | set(EXEMPT) == set(metrics.__all__)
    assert not set(CASES) & set(EXEMPT)


def test_every_plain_mitigation_function_is_checked():
    found = {name: getattr(mitigation, name) for name in mitigation.__all__}
    # Methods and records are settings; what they do in a training is tested with the trainings,
    # and so is what averages the weights of a training.
    settings = {n for n, v in found.items() if inspect.isclass(v) and issubclass(v, Tagged)}
    assert set(PLAIN) == set(found) - settings - {"WeightAverager"}


@pytest.mark.parametrize("name", EVERY)
def test_it_is_documented_with_an_example(name):
    public = getattr(metrics if name in CASES else mitigation, name)
    text = inspect.getdoc(public)
    assert ">>>" in text
    assert name == "TemporalMean" or all(
        f"{s}\n---" in text for s in ("Parameters", "Returns", "Raises")
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", EVERY)
def test_it_repeats_and_leaves_its_input_alone(name, seed):
    arguments = made(name, seed)
    before = copy.deepcopy(arguments)
    first = flat(call(name, arguments))
    np.testing.assert_array_equal(flat(call(name, arguments)), first)
    assert repr(arguments) == repr(before)
    assert np.isfinite(first).all()


@pytest.mark.parametrize("name", EVERY)
def test_its_result_shares_no_memory_with_its_input(name):
    if name == "equal_runs":
        pytest.skip("passes the smaller set on")
    arguments = made(name)
    inputs = [a for a in _arrays(arguments) if a.size]
    outputs = _arrays(call(name, arguments))
    assert not any(np.shares_memory(a, b) for a in inputs for b in outputs)


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [array for part in value for array in _arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", [name for name, case in EVERY.items() if case.labels or case.numbers]
)
def test_lists_are_as_good_as_arrays(name, seed):
    arguments = made(name, seed)
    lists = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    np.testing.assert_array_equal(flat(call(name, lists)), flat(call(name, arguments)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [name for name, case in EVERY.items() if case.runs])
def test_the_order_of_runs_does_not_matter(name, seed):
    arguments, case = made(name, seed), EVERY[name]
    order = np.random.default_rng(seed).permutation(len(arguments[case.runs[0]]))
    shuffled = arguments | {run: arguments[run][order] for run in case.runs}
    expected = np.asarray(call(name, arguments))
    expected = expected[order] if case.per_run else expected
    np.testing.assert_allclose(np.asarray(call(name, shuffled)), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", [name for name, case in EVERY.items() if case.labels and not case.names_classes]
)
def test_the_names_of_classes_do_not_matter(name, seed):
    arguments = made(name, seed)
    names = np.random.default_rng(seed).permutation(10**6)[:N_CLASSES] * 10**9
    renamed = arguments | {argument: names[arguments[argument]] for argument in EVERY[name].labels}
    # The order in which classes are summed up is another.
    np.testing.assert_allclose(
        flat(call(name, renamed)), flat(call(name, arguments)), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.uint8),
        lambda x: x.astype(np.uint64),
        lambda x: x.astype(object),
        lambda x: pd.DataFrame(x) if x.ndim == 2 else pd.Series(x),
        lambda x: pd.DataFrame(x, dtype="Int64") if x.ndim == 2 else pd.Series(x, dtype="Int64"),
        lambda x: torch.from_numpy(x),
        lambda x: np.ma.masked_array(x, mask=False),
    ],
    ids=["float64", "float32", "uint8", "uint64", "object", "frame", "Int64", "torch", "unmasked"],
)
@pytest.mark.parametrize(("name", "argument"), every("labels"))
def test_whole_numbers_are_labels_whatever_holds_them(name, argument, convert):
    arguments = made(name)
    converted = call(name, arguments, **{argument: convert(arguments[argument])})
    np.testing.assert_array_equal(flat(converted), flat(call(name, arguments)))


#: Items of which each comes once a row are not only two.
OF_ITEMS = ("rankings",)


@pytest.mark.parametrize(
    "name", [n for n, case in EVERY.items() if case.labels and case.labels != OF_ITEMS]
)
def test_booleans_are_labels(name):
    two = {k: made(name)[k] % 2 for k in EVERY[name].labels if k != "weights"}
    booleans = {k: v.astype(bool) for k, v in two.items()}
    np.testing.assert_array_equal(
        flat(call(name, made(name), **booleans)), flat(call(name, made(name), **two))
    )


def with_entry(array: np.ndarray, value: Any, dtype: Any = None) -> np.ndarray:
    changed = array.astype(dtype or np.float64)
    changed.flat[0] = value
    return changed


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: with_entry(x, np.nan), "NaN"),
        (lambda x: with_entry(x, np.nan, object), "NaN"),
        (lambda x: with_entry(x, np.inf), "inf"),
        (lambda x: with_entry(x, 0.5), "integers .* got 0.5"),
        (lambda x: with_entry(x, 1e300), "integers .* got 1e[+]300"),
        (lambda x: with_entry(x, -1), ">= 0, got -1"),
        (lambda x: with_entry(x, -1, np.int8), ">= 0, got -1"),
        (lambda x: with_entry(x, None, object), "got None"),
        (lambda x: with_entry(x, pd.NA, object), "got <NA>"),
        (lambda x: x.astype(str), "got strings; .*factorize"),
        (lambda x: x.astype(str).astype(object), "got strings; .*factorize"),
        (lambda x: x.astype(complex), "integers .* complex128"),
    ],
)
@pytest.mark.parametrize(("name", "argument"), every("labels"))
def test_what_is_no_label_is_refused(name, argument, spoil, said):
    assert_refused(name, argument, spoil(made(name)[argument]), said)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: with_entry(x, np.nan), "[nN]a[nN]"),
        (lambda x: with_entry(x, np.inf), "inf"),
        (lambda x: with_entry(x, None, object), "got None"),
        (lambda x: x.astype(str), "numbers.*got strings"),
        (lambda x: x.astype(complex), "real numbers, got dtype complex128"),
    ],
)
@pytest.mark.parametrize(("name", "argument"), every("numbers"))
def test_what_is_no_number_is_refused(name, argument, spoil, said):
    if argument in EVERY[name].nan and said in ("[nN]a[nN]", "inf"):
        pytest.skip("undefined resamples are left out, as documented")
    assert_refused(name, argument, spoil(made(name)[argument]), said)


@pytest.mark.parametrize(
    "hide",
    [
        lambda x: np.ma.masked_array(x, mask=x == x.flat[0]),
        lambda x: [np.ma.masked_array(row, mask=row == row.flat[0]) for row in np.atleast_2d(x)],
    ],
    ids=["array", "list"],
)
@pytest.mark.parametrize(("name", "argument"), every("labels", "numbers", "any_axes"))
def test_masked_entries_are_refused(name, argument, hide):
    assert_refused(name, argument, hide(made(name)[argument]), "masked")


@pytest.mark.parametrize(("name", "argument"), every("numbers", "any_axes"))
def test_an_unmasked_masked_array_is_an_array(name, argument):
    arguments = made(name)
    unmasked = np.ma.masked_array(arguments[argument], mask=False)
    np.testing.assert_array_equal(
        flat(call(name, arguments, **{argument: unmasked})), flat(call(name, arguments))
    )


#: What treats each row for itself does so with any number of rows.
ROW_BY_ROW = [
    ("excess_label_loss", "predictions"),
    ("TemporalMean", "probabilities"),
    ("smooth_labels", "one_hot"),
    ("temper", "probabilities"),
]


@pytest.mark.parametrize(("name", "argument"), every("labels", "numbers", "any_axes"))
def test_other_shapes_are_refused(name, argument):
    array = made(name)[argument]
    assert_refused(name, argument, array.ravel()[0], "shape")
    if (name, argument) not in ROW_BY_ROW:
        assert_refused(name, argument, array[:0], "shape|at least one")
    assert_refused(name, argument, [[1, 0], [1]], "rows of different lengths")
    assert_refused(name, argument, {"Control": array}, "must")
    if argument not in EVERY[name].any_axes and name not in ("temper", "TemporalMean"):
        assert_refused(name, argument, array[None], "shape")


@pytest.mark.parametrize(("name", "argument"), ROW_BY_ROW)
def test_of_no_rows_it_makes_no_rows(name, argument):
    arguments = made(name)
    assert len(call(name, arguments, **{argument: arguments[argument][:0]})) == 0
    assert_refused(name, argument, arguments[argument][:, :0], "shape")


def test_a_tensor_with_a_gradient_is_refused_in_one_line():
    live = torch.full((2, 2), 0.5, requires_grad=True)
    assert_refused("temper", "probabilities", live, "must be an array, got Tensor: .*detach")
    assert_refused("confidence_mean", "gold_probability", live, "must be an array, got Tensor")


SAME = np.tile([[2, 0, 1]], (N_RUNS, 1))
SURE = np.tile([[0.1, 0.7, 1.0]], (N_RUNS, 1))
NET = network(np.random.default_rng(0))
TOLD = np.tile([[0.5, 0.0, 0.5]], (N_RUNS, 1))
ROW = metrics.Variability(0.26, 0.0072, 10.7, 0.871, 1.82)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("accuracy", {"labels": SAME, "gold": [2, 0, 0]}, 2 / 3),
        ("accuracy_at_rate", {"scores": SURE, "gold": [0, 1, 1], "rate": 2 / 3}, 1.0),
        ("align_units", {"first": NET, "second": NET}, flat(NET)),
        ("bootstrap_interval", {"samples": SAME, "rng": 0}, 0.0),
        ("centred_interval", {"estimate": 0.3, "replicates": [0.2] * 9}, 0.3),
        ("churn", {"old": SAME[0], "new": SAME[1], "gold": [0, 0, 0]}, 0.0),
        ("confidence_mean", {"gold_probability": SURE}, SURE[0]),
        ("confidence_sd", {"gold_probability": SURE}, 0.0),
        ("cumulative_label_entropy", {"labels": SAME}, 0.0),
        ("entropy_confidence_replicates", {"labels": SAME, "gold_probability": SURE, "rng": 0}, 0),
        ("equal_runs", {"labels": SAME[:2], "baseline": SAME, "rng": 0}, SAME[:4].ravel()),
        ("error_cosine", {"first": [1.0, 2.0], "second": [1.0, 2.0], "truth": [0.0, 0.0]}, 1.0),
        ("excess_label_loss", {"predictions": SURE, "truth": SURE[0]}, 0.0),
        ("explanation_entropy", {"explanations": TOLD}, np.log(2.0)),
        ("importance_shares", {"importance": -TOLD}, TOLD.ravel()),
        ("label_counts", {"labels": SAME, "n_classes": 3}, N_RUNS * np.eye(3)[SAME[0]].ravel()),
        ("label_entropy", {"labels": SAME}, 0.0),
        ("linear_cka", {"first": NET[0][0], "second": NET[0][0]}, 1.0),
        ("mean_sd", {"values": [0.5] * N_RUNS}, [0.5, 0.0]),
        ("over_examples", {"examples": [TOLD, TOLD]}, 0.0),
        ("cka_of_products", {"products": [np.eye(3)] * 3}, 1.0),
        ("pairwise_cka", {"representations": [NET[0][0]] * 3}, 1.0),
        ("pairwise_disagreement", {"labels": SAME}, 0.0),
        ("pairwise_ensemble_delta", {"logits": SURE, "measure": np.max}, 0.0),
        ("pairwise_jaccard_distance", {"chosen": TOLD > 0.0}, 0.0),
        ("pairwise_jaccard_index", {"chosen": TOLD > 0.0}, 1.0),
        ("pairwise_rank_biased_overlap", {"rankings": SAME}, 1.0),
        ("pairwise_relative_entropy", {"explanations": TOLD}, 0.0),
        ("pairwise_spearman", {"logits": SURE}, 1.0),
        ("percentage_reduction", {"values": [0.2, 0.4], "baseline": [0.2, 0.4]}, 0.0),
        ("relative_prediction_difference", {"predictions": SURE}, 0.0),
        ("relative_weight_distance", {"first": SURE, "second": SURE}, 0.0),
        ("resample_runs", {"n_runs": 1, "rng": 0}, 1),
        ("resampled_label_entropy", {"labels": SAME, "weights": [[1] * N_RUNS]}, 0.0),
        ("resampled_sd", {"values": SURE, "weights": [[1] * N_RUNS]}, 0.0),
        ("sd_over_runs", {"values": SURE}, 0.0),
        ("sd_with_error", {"values": SURE[:, 0], "rng": 0}, 0.0),
        ("share_of_reduction", {"reduction": 20.0, "reference": 20.0}, 100.0),
        ("variability_reduction", {"method": ROW, "baseline": ROW}, 0.0),
        ("weight_correlation", {"first": NET, "second": NET}, 1.0),
        ("weight_difference", {"first": NET, "second": NET}, 0.0),
        ("TemporalMean", {"probabilities": [[0.1, 0.9]]}, [0.1, 0.9]),
        ("average_weights", {"states": [{"w": np.ones(2)}, {"w": np.ones(2)}]}, 1.0),
        ("smooth_labels", {"one_hot": np.eye(3), "alpha": 0.0}, np.eye(3).ravel()),
        ("temper", {"probabilities": [[0.5, 0.5]], "temperature": 0.1}, 0.5),
    ],
)
def test_identical_runs_give_the_known_value(name, arguments, expected):
    # The replicates of sigma_m take a square root of rounding.
    result = flat(EVERY[name].call(**arguments))
    np.testing.assert_allclose(result, np.broadcast_to(expected, result.shape), atol=1e-7)


def test_a_method_that_is_control_reduces_nothing():
    runs = labels(np.random.default_rng(0))
    same = metrics.reduction_replicates(runs, runs, rng=0, paired=True, n_resamples=50)
    np.testing.assert_array_equal(same, 0.0)


ONE = [[2, 0, 1]]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("accuracy", {"labels": ONE, "gold": [2, 0, 1]}, 1.0),
        ("centred_interval", {"estimate": 0.3, "replicates": [0.2]}, 0.3),
        ("confidence_mean", {"gold_probability": [[0.2, 0.3]]}, [0.2, 0.3]),
        ("confidence_sd", {"gold_probability": [[0.2, 0.3]]}, 0.0),
        ("cumulative_label_entropy", {"labels": ONE}, 0.0),
        ("equal_runs", {"labels": ONE, "baseline": ONE, "rng": 0}, [2, 0, 1] * 2),
        ("excess_label_loss", {"predictions": [[0.2, 0.3]], "truth": [0.2, 0.3]}, 0.0),
        ("label_counts", {"labels": ONE, "n_classes": 3}, np.eye(3)[ONE[0]].ravel()),
        ("label_entropy", {"labels": ONE}, 0.0),
        ("mean_sd", {"values": [0.5]}, [0.5, np.nan]),
        ("sd_over_runs", {"values": [0.5]}, 0.0),
        ("sd_with_error", {"values": [0.5], "rng": 0}, 0.0),
        ("reduction_replicates", {"labels": ONE, "baseline": ONE, "rng": 0}, np.nan),
        ("resampled_label_entropy", {"labels": ONE, "weights": [[4]]}, 0.0),
    ],
)
def test_one_run_has_no_instability_or_an_unknown_one(name, arguments, expected):
    result = flat(EVERY[name].call(**arguments))
    np.testing.assert_allclose(result, np.broadcast_to(expected, result.shape), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("pairwise_disagreement", {"labels": ONE}, "at least two runs"),
        ("pairwise_relative_entropy", {"explanations": [[0.5, 0.5]]}, "n_runs >= 2"),
        ("relative_prediction_difference", {"predictions": [[0.5]]}, "even number"),
    ],
)
def test_pairs_need_two_runs(name, arguments, said):
    with pytest.raises(UsageError, match=said):
        EVERY[name].call(**arguments)


RANDOM = [name for name, case in CASES.items() if "rng" in inspect.signature(case.call).parameters]
RANDOM = [*RANDOM, "reduction_replicates"]


def test_every_metric_that_draws_is_known():
    drawing = {n for n in CASES if "rng" in inspect.signature(getattr(metrics, n)).parameters}
    assert drawing == set(RANDOM)


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_is_as_good_as_its_generator(name):
    arguments = made(name)
    for seed in (0, np.int64(7)):
        np.testing.assert_array_equal(
            flat(call(name, arguments, rng=seed)),
            flat(call(name, arguments, rng=np.random.default_rng(seed))),
        )
    drawn = {tuple(flat(call(name, arguments, rng=seed))) for seed in range(8)}
    assert len(drawn) > 1


@pytest.mark.parametrize("rng", [None, -1, 0.5, True, "0", np.random.RandomState(0), np.random])
@pytest.mark.parametrize("name", RANDOM)
def test_what_is_no_source_of_randomness_is_refused(name, rng):
    assert_refused(name, "rng", rng, "Generator or a seed")


@pytest.mark.parametrize("name", ["align_units", "weight_correlation", "weight_difference"])
@pytest.mark.parametrize("argument", ["first", "second"])
@pytest.mark.parametrize(
    ("network", "said"),
    [
        ([], "at least one layer"),
        (None, "sequence of layers"),
        ([(np.ones((5, 4)),)], "sequence of layers"),
        ([(np.ones(4), np.ones(4))], r"\(n_inputs, n_outputs\)"),
        ([(np.ones((5, 4)), np.ones(5))], r"\(n_outputs,\)"),
        ([(np.ones((5, 4)), np.ones(4)), (np.ones((3, 1)), np.ones(1))], "4 inputs"),
        ([(np.full((5, 4), np.nan), np.ones(4))], "finite, got NaN"),
        ([(np.ones((5, 4)), np.full(4, np.inf))], "finite, got inf"),
        ([(np.ma.masked_equal(np.eye(5, 4), 0), np.ones(4))], "masked"),
        ([(np.full((5, 4), "1"), np.ones(4))], "strings"),
    ],
)
def test_what_is_no_network_is_refused(name, argument, network, said):
    assert_refused(name, argument, network, said)


@pytest.mark.parametrize(
    ("name", "argument", "value", "said"),
    [
        ("resample_runs", "n_runs", 2.5, "integer >= 1, got 2.5"),
        ("resample_runs", "n_resamples", "10", "integer >= 1, got '10'"),
        ("label_counts", "n_classes", 3.0, "integer >= 1, got 3.0"),
        ("label_counts", "n_classes", 0, "integer >= 1, got 0"),
        ("confidence_sd", "ddof", 0.5, "integer >= 0, got 0.5"),
        ("centred_interval", "estimate", "0.5", "a number, got '0.5'"),
        ("centred_interval", "estimate", [0.5, 0.5], r"one number, got shape \(2,\)"),
        ("centred_interval", "confidence", "0.95", "a number, got '0.95'"),
        ("centred_interval", "confidence", 95, "between 0 and 1, got 95"),
        ("share_of_reduction", "reduction", "31.4", "a number, got '31.4'"),
        ("share_of_reduction", "reference", None, "a number, got None"),
        ("accuracy_at_rate", "rate", 1.5, "between 0 and 1, got 1.5"),
        ("accuracy_at_rate", "rate", "0.5", "a number, got '0.5'"),
        ("accuracy_at_rate", "gold", [1] * N_EXAMPLES, "labels 0 and 1, both of them"),
        ("roc_auc", "gold", [0] * N_EXAMPLES, "labels 0 and 1, both of them"),
        ("roc_auc", "gold", [0, 2] * 4 + [1], r"labels 0 and 1, both of them, got \[0 1 2\]"),
        ("binned_means", "n_bins", 0, "integer >= 1, got 0"),
        ("binned_means", "scores", [2.0] * N_EXAMPLES, "between 0 and 1, got 2"),
        ("binned_means", "scores", [0.5], r"one shape \(n_examples,\)"),
        ("binned_means", "replicates", [[0.5]], rf"shape \(n_resamples, {N_EXAMPLES}\)"),
        ("expected_calibration_error", "gold", [N_CLASSES] * N_EXAMPLES, "below the 4 classes"),
        ("expected_calibration_error", "probabilities", [[[1.0]]], "n_classes >= 2"),
        ("expected_calibration_error", "probabilities", [[[3.0, 1.0]]], "logits"),
        ("reliability_curve", "n_bins", 2.5, "integer >= 1, got 2.5"),
        ("explanation_entropy", "explanations", [[0.5, 0.6]], "sum to 1 .* sum to 1.1"),
        ("importance_shares", "importance", [[1.0], [0.0]], "only 0 in row 1; .*logit"),
        ("hit_rate", "k", 6, "number of candidates, 5, got 6"),
        ("hit_rate", "k", 0, "integer >= 1, got 0"),
        ("ndcg", "k", 6, "number of candidates, 5, got 6"),
        ("positive_ranks", "negatives", np.full((N_RUNS, N_EXAMPLES, 4), np.nan), "got nan"),
        ("positive_ranks", "negatives", np.full((N_RUNS, N_EXAMPLES, 4), np.inf), "got inf"),
        ("positive_ranks", "positives", np.full((N_RUNS, N_EXAMPLES), -np.inf), "got -inf"),
        ("linear_cka", "second", np.ones((7, 2)), "same examples, got 8 and 7"),
        ("linear_cka", "first", np.ones((1, 2)), "n_examples >= 2"),
        ("over_examples", "examples", [], "at least one array, got none"),
        ("over_examples", "examples", np.ones((2, 3)), "list .* got ndarray"),
        ("over_examples", "examples", [[[1.0]], [[2.0]]], r"examples\[1\]: .* sum to 1"),
        ("over_examples", "examples", [[[1.0]], [[1.0]] * 2], r"one shape, .* examples\[1\]"),
        ("pair_mean", "matrices", np.ones((2, 3)), "n_runs, n_runs"),
        ("pair_mean", "matrices", np.full((2, 2), np.inf), "finite, got inf"),
        ("centred_products", "representation", [[1.0]], "n_examples >= 2"),
        ("cka_of_products", "products", np.ones((2, 3, 4)), r"got shape \(2, 3, 4\)"),
        ("pairwise_cka", "representations", [], "without any"),
        ("pairwise_cka", "representations", 3, "got int"),
        ("pairwise_cka", "representations", [np.eye(3), np.eye(2)], r"got \[2, 3\]"),
        ("pairwise_cka", "representations", [np.eye(3), np.ones(3)], r"representations\[1\]"),
        ("pairwise_ensemble_delta", "measure", 1.0, "callable, got 1.0"),
        ("pairwise_ensemble_delta", "measure", list, "the value of measure"),
        ("pairwise_jaccard_index", "chosen", np.eye(3), "booleans, .* float64"),
        ("pairwise_jaccard_index", "chosen", np.ones(3, dtype=bool), "n_runs, n_items"),
        ("pairwise_rank_biased_overlap", "rankings", [[3, 4, 3]], "once a row, got 3 twice"),
        ("pairwise_rank_biased_overlap", "p", 1.0, "between 0 and 1, got 1"),
        ("perplexity", "losses", [[-0.1]], "0 or more, got -0.1; .*minus"),
        ("resampled_pair_mean", "weights", np.eye(N_RUNS, dtype=int), "at least two runs"),
        ("resampled_pair_mean", "pairs", "lower", "did you mean|unknown pairs 'lower'"),
        ("sd_over_runs", "ddof", N_RUNS, f"more than ddof={N_RUNS} runs"),
        ("top_share", "share", 0.0, "more than 0 and at most 1, got 0"),
        ("top_share", "share", 20, "more than 0 and at most 1, got 20"),
        ("variability_reduction", "method", (1.0, 2.0), "a Variability, got tuple"),
        (
            "variability_reduction",
            "baseline",
            metrics.Variability(1.0, 1.0, 1.0, float("nan"), 1.0),
            "baseline.spearman must be finite, got nan",
        ),
        ("percentage_reduction", "where", np.arange(N_EXAMPLES), "booleans, .* got dtype int"),
        ("percentage_reduction", "where", [[True], []], "different lengths"),
        ("temper", "temperature", "0.5", "a number, got '0.5'"),
        ("temper", "temperature", [0.5], "one number"),
        ("temper", "probabilities", [[2.0, 1.0]], r"sum to 1 .* sum to 3 \(logits"),
        ("temper", "probabilities", [[0.5, 0.502]], "sum to 1 .* sum to 1.002"),
        ("temper", "probabilities", [[-3.0, 4.0]], "0 or more, got -3"),
        ("TemporalMean", "probabilities", [[2.0, 1.0]], "sum to 1"),
        ("TemporalMean", "probabilities", [[-3.0, 4.0]], "0 or more"),
        ("smooth_labels", "alpha", "0.1", "a number, got '0.1'"),
        ("smooth_labels", "alpha", float("nan"), "between 0 and 1"),
        ("smooth_labels", "one_hot", [2, 0, 1], r"numpy.eye\(n_classes\)\[labels\]"),
        ("smooth_labels", "one_hot", [[2, 0], [1, 1]], "sum to 1"),
        ("average_weights", "states", {"w": np.ones(2)}, "sequence of state_dict.* got one dict"),
    ],
)
def test_a_wrong_argument_is_named(name, argument, value, said):
    assert_refused(name, argument, value, said)


def test_sums_within_a_thousandth_of_one_are_probabilities():
    """Rounded to 16 bits a row of probabilities is off by less."""
    rounded = rows(np.random.default_rng(0)).astype(np.float16)
    assert mitigation.temper(rounded, 1.0).sum() == pytest.approx(N_EXAMPLES, rel=1e-6)
    assert mitigation.temper([[0.5, 0.5009]], 1.0).shape == (1, 2)


@pytest.mark.parametrize("value", [[1.0, 2.0], np.ones((1, 1)), None, "1", 1j])
def test_a_statistic_must_return_one_number(value):
    with pytest.raises(UsageError, match="the value of statistic must be (a|one) number"):
        metrics.bootstrap_interval(lambda runs: value, labels(np.random.default_rng(0)), rng=0)
    with pytest.raises(UsageError, match=r"statistic must be callable, got 0\.5"):
        metrics.bootstrap_interval(0.5, [1.0], rng=0)


def test_metrics_import_numpy_scipy_and_errors_alone():
    allowed = {"numpy", "scipy", "stablib.errors", "stablib.metrics"}
    for path in Path(metrics.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                fits = top in sys.stdlib_module_names or top in allowed
                assert fits or ".".join(name.split(".")[:2]) in allowed, f"{path.name}: {name}"


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # What an import of torch finds where it is not installed.
import numpy as np
import stablib.metrics
from stablib.mitigation import TemporalMean, average_weights, smooth_labels, temper
assert temper([[0.8, 0.2]], 0.5).shape == (1, 2)
assert smooth_labels([[1, 0]], 0.5).tolist() == [[0.75, 0.25]]
mean = TemporalMean()
mean.update([[0.8, 0.2]])
assert mean.value.tolist() == [[0.8, 0.2]]
assert average_weights([{"w": np.zeros(1)}, {"w": np.ones(1)}])["w"].tolist() == [0.5]
"""


def test_arrays_need_no_torch():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


GOLD = np.arange(N_EXAMPLES) % N_CLASSES
TEXTS = [f"utterance {k}" for k in range(N_EXAMPLES)]
DESCRIBED = {"gold": GOLD, "label_names": list("abcd"), "texts": TEXTS, "name": "sample"}
RUNS = {method: labels(np.random.default_rng(k)) for k, method in enumerate(("Control", "TGTSS"))}
QUANTITIES = {
    "Control": {key: chances(np.random.default_rng(0), N_EXAMPLES) for key in ("mu_m", "sigma_m")}
    | {"LE_m": metrics.label_entropy(RUNS["Control"])}
}


def widget(which: str, **replaced: Any) -> Any:
    """Make a widget that takes labels."""
    if which == "how_many_seeds":
        arguments = {"labels": RUNS, "baseline": "Control", "gold": GOLD, "name": "sample"}
        return how_many_seeds(**arguments | replaced)
    if which == "seed_explorer":
        return seed_explorer(**{"labels": RUNS} | DESCRIBED | replaced)
    return instability_map(**{"quantities": QUANTITIES} | DESCRIBED | replaced)


GIVEN = [
    ("how_many_seeds", "labels"),
    ("how_many_seeds", "gold"),
    ("seed_explorer", "labels"),
    ("seed_explorer", "gold"),
    ("instability_map", "gold"),
]


def replaced_labels(argument: str, change: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    if argument == "gold":
        return {"gold": change(GOLD)}
    return {"labels": {method: change(runs) for method, runs in RUNS.items()}}


@pytest.mark.parametrize(("which", "argument"), GIVEN)
def test_widgets_take_what_metrics_take(which, argument):
    expected = widget(which).static_html()
    for dtype in (np.float64, np.uint64, object):
        page = widget(which, **replaced_labels(argument, lambda x, d=dtype: x.astype(d)))
        assert page.static_html() == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: with_entry(x, np.nan), "NaN"),
        (lambda x: with_entry(x, 0.5), "got 0.5"),
        (lambda x: with_entry(x, -1), "got -1"),
        (lambda x: x.astype(str), "got strings; .*factorize"),
        (lambda x: np.ma.masked_equal(x, x.flat[0]), "masked"),
    ],
)
@pytest.mark.parametrize(("which", "argument"), GIVEN)
def test_widgets_refuse_what_metrics_refuse(which, argument, change, said):
    with pytest.raises(UsageError, match=rf"{argument}.*{said}"):
        widget(which, **replaced_labels(argument, change))


@pytest.mark.parametrize(
    ("which", "argument", "value", "said"),
    [
        ("how_many_seeds", "labels", RUNS["Control"], "mapping .* got ndarray"),
        ("seed_explorer", "labels", RUNS["Control"], "mapping .* got ndarray"),
        ("seed_explorer", "trajectories", np.ones((3, N_EXAMPLES)), "mapping .* got ndarray"),
        ("seed_explorer", "seeds", [1, 2], "mapping .* got list"),
        ("instability_map", "quantities", np.ones(3), "mapping .* got ndarray"),
        ("instability_map", "quantities", {"A": np.ones(3)}, r"\['A'\] must be a mapping"),
        (
            "seed_explorer",
            "trajectories",
            {"Contrl": np.full((3, N_EXAMPLES), 0.5)},
            "'Contrl'; did you mean 'Control'",
        ),
        (
            "seed_explorer",
            "seeds",
            {method: range(N_RUNS) for method in ("Control", "TGTSS", "TGTS")},
            "'TGTS'; did you mean 'TGTSS'",
        ),
    ],
)
def test_widgets_refuse_what_is_not_by_method(which, argument, value, said):
    with pytest.raises(UsageError, match=f"{argument}.*{said}"):
        widget(which, **{argument: value})


@pytest.mark.parametrize("which", ["how_many_seeds", "seed_explorer"])
def test_widgets_refuse_unequal_numbers_of_runs(which):
    with pytest.raises(UsageError, match=r"same number of runs, got 6 and 4: .*equal_runs"):
        widget(which, labels={"Control": RUNS["Control"], "TGTSS": RUNS["TGTSS"][:4]})


@pytest.mark.parametrize("steps", [["a", "b", "c"], [1, 2.5, 3], [np.nan, 2, 3]])
def test_steps_are_whole_numbers(steps):
    curves = {"Control": np.full((3, N_EXAMPLES), 0.5)}
    with pytest.raises(UsageError, match=r"steps must be integers \(step numbers\)"):
        widget("seed_explorer", trajectories=curves, steps=steps)


def test_every_error_of_the_checks_is_a_value_error():
    assert issubclass(errors.UsageError, ValueError)
