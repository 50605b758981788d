"""Metrics against worked examples of the paper, other libraries and brute force."""

import itertools
import time
import tracemalloc

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
import sklearn.metrics

from stablib import metrics
from stablib.errors import UsageError

RNG = np.random.default_rng(0)


def random_labels(seed, n_runs=20, n_examples=40, n_classes=6):
    return np.random.default_rng(seed).integers(n_classes, size=(n_runs, n_examples))


def reference_entropy(labels):
    labels = np.asarray(labels)
    return np.array(
        [scipy.stats.entropy(np.unique(column, return_counts=True)[1]) for column in labels.T]
    )


def test_label_entropy_worked_example():
    labels = [[0]] * 18 + [[1]] + [[2]]
    assert metrics.label_entropy(labels).round(2) == [0.39]


def test_high_entropy_threshold_is_three_to_one():
    assert metrics.label_entropy([[0], [0], [1], [0]]).round(2) == [metrics.HIGH_ENTROPY]


@pytest.mark.parametrize("seed", range(20))
def test_label_entropy_agrees_with_scipy(seed):
    rng = np.random.default_rng(1000 + seed)
    n_runs, n_examples, n_classes = rng.integers(1, 60), rng.integers(1, 50), rng.integers(1, 300)
    labels = random_labels(seed, n_runs, n_examples, n_classes)
    np.testing.assert_allclose(
        metrics.label_entropy(labels), reference_entropy(labels), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.uint64])
def test_label_entropy_of_any_integer_type(dtype):
    labels = random_labels(3)
    np.testing.assert_array_equal(
        metrics.label_entropy(labels.astype(dtype)), metrics.label_entropy(labels)
    )


@pytest.mark.parametrize("n_runs", [1, 2, 3, 7, 23, 50, 433])
def test_identical_runs_have_exactly_zero_entropy(n_runs):
    labels = np.tile(random_labels(0, n_runs=1), (n_runs, 1))
    assert (metrics.label_entropy(labels) == 0.0).all()
    assert (metrics.cumulative_label_entropy(labels) == 0.0).all()


def test_resamples_of_one_run_only_have_exactly_zero_entropy():
    labels = np.array([[0]] * 22 + [[1]])
    weights = [[23] + [0] * 22, [0] * 22 + [23]]
    assert (metrics.resampled_label_entropy(labels, weights) == 0.0).all()


def test_cumulative_entropy_is_zero_exactly_as_long_as_all_labels_agree():
    labels = np.repeat([[3], [5]], [600, 400], axis=0)
    cumulative = metrics.cumulative_label_entropy(labels)
    assert (cumulative[:600] == 0.0).all()
    # One in n is the least entropy that differs from zero.
    assert cumulative[600, 0] == pytest.approx(scipy.stats.entropy([600, 1]), abs=1e-12)
    assert (cumulative[600:] > 0.0).all()


def test_entropy_is_at_most_log_n_runs():
    labels = np.tile(np.arange(9)[:, None], (1, 4))
    np.testing.assert_allclose(metrics.label_entropy(labels), np.log(9), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_run_order_and_class_names_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(seed)
    expected = metrics.label_entropy(labels)
    np.testing.assert_array_equal(metrics.label_entropy(rng.permutation(labels)), expected)
    renamed = rng.permutation(1000)[:6][labels]
    np.testing.assert_allclose(metrics.label_entropy(renamed), expected, rtol=0, atol=1e-12)


def test_examples_do_not_influence_each_other():
    labels = random_labels(4)
    alone = [metrics.label_entropy(labels[:, [i]])[0] for i in range(labels.shape[1])]
    np.testing.assert_array_equal(metrics.label_entropy(labels), alone)


def test_no_examples():
    empty = np.zeros((3, 0), dtype=int)
    assert metrics.label_entropy(empty).shape == (0,)
    assert metrics.cumulative_label_entropy(empty).shape == (3, 0)


@pytest.mark.parametrize("seed", range(5))
def test_cumulative_entropy_is_the_entropy_of_the_first_rows(seed):
    labels = random_labels(seed)
    cumulative = metrics.cumulative_label_entropy(labels)
    assert cumulative.shape == labels.shape
    for t, row in enumerate(cumulative):
        np.testing.assert_allclose(row, metrics.label_entropy(labels[: t + 1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_both_entropies_are_exactly_zero_at_the_same_examples(seed):
    rng = np.random.default_rng(seed)
    n_runs = int(rng.integers(2, 200))
    labels = np.where(rng.random((n_runs, 50)) < 1.0 / n_runs, rng.integers(2, 9, 50), 1)
    last = metrics.cumulative_label_entropy(labels)[-1]
    agree = (labels == labels[0]).all(axis=0)
    assert 0 < agree.sum() < 50
    np.testing.assert_array_equal(last == 0.0, agree)
    np.testing.assert_array_equal(metrics.label_entropy(labels) == 0.0, agree)


@pytest.mark.parametrize("largest", [10**12, 2**63 + 1])
def test_the_size_of_a_label_costs_nothing(largest):
    """Labels may be hashes, which leave most numbers unused."""
    labels = np.array([[0, largest], [largest, largest], [0, 1]], dtype=np.uint64)
    expected = [scipy.stats.entropy([2, 1]), scipy.stats.entropy([2, 1])]
    np.testing.assert_allclose(metrics.label_entropy(labels), expected)
    np.testing.assert_allclose(metrics.cumulative_label_entropy(labels)[-1], expected)
    np.testing.assert_allclose(metrics.resampled_label_entropy(labels, [[1, 1, 1]])[0], expected)
    assert metrics.pairwise_disagreement(labels) == pytest.approx([2 / 3, 2 / 3])
    assert metrics.churn(labels[0], labels[2], labels[1]).bad == 0.5
    with pytest.raises(UsageError, match="below n_classes=9"):
        metrics.label_counts(labels, 9)


@pytest.mark.parametrize("seed", range(5))
def test_resampled_entropy_equals_repeated_rows(seed):
    labels = random_labels(seed, n_runs=12)
    labels[:, :5] = labels[0, :5]
    weights = metrics.resample_runs(12, rng=np.random.default_rng(seed), n_resamples=15)
    resampled = metrics.resampled_label_entropy(labels, weights)
    for row, multiplicity in zip(resampled, weights, strict=True):
        repeated = np.repeat(labels, multiplicity, axis=0)
        np.testing.assert_allclose(row, metrics.label_entropy(repeated), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.uint64])
def test_label_counts_against_a_loop(dtype):
    labels = random_labels(1).astype(dtype)
    counts = metrics.label_counts(labels, 6)
    for example, klass in itertools.product(range(labels.shape[1]), range(6)):
        assert counts[example, klass] == (labels[:, example] == klass).sum()


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_agrees_with_sklearn(seed):
    labels = random_labels(seed)
    gold = np.random.default_rng(100 + seed).integers(6, size=labels.shape[1])
    expected = [sklearn.metrics.accuracy_score(gold, run) for run in labels]
    np.testing.assert_allclose(metrics.accuracy(labels, gold), expected, rtol=1e-12)


def test_mean_sd():
    values = np.random.default_rng(0).normal(size=50)
    assert metrics.mean_sd(values) == pytest.approx((values.mean(), values.std(ddof=1)))
    mean, sd = metrics.mean_sd([0.9])
    assert mean == 0.9
    assert np.isnan(sd)


def test_confidence_mean_and_sd():
    values = np.random.default_rng(0).random((7, 5))
    np.testing.assert_allclose(metrics.confidence_mean(values), values.mean(axis=0))
    np.testing.assert_allclose(metrics.confidence_sd(values), values.std(axis=0))
    np.testing.assert_allclose(metrics.confidence_sd(values, ddof=1), values.std(axis=0, ddof=1))
    assert (metrics.confidence_sd(values[:1]) == 0.0).all()


@pytest.mark.parametrize("seed", range(5))
def test_pairwise_disagreement_against_all_pairs(seed):
    labels = random_labels(seed, n_runs=9)
    pairs = [a != b for a, b in itertools.combinations(labels, 2)]
    np.testing.assert_allclose(
        metrics.pairwise_disagreement(labels), np.mean(pairs, axis=0), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_churn_parts_sum(seed):
    labels = random_labels(seed, n_classes=4)
    gold = labels[2]
    parts = metrics.churn(labels[0], labels[1], gold)
    assert parts.total == pytest.approx(parts.good + parts.bad + parts.neutral, abs=1e-12)
    assert parts.total == pytest.approx(metrics.pairwise_disagreement(labels[:2]).mean())
    gain = metrics.accuracy(labels[:2], gold)
    assert parts.good - parts.bad == pytest.approx(gain[1] - gain[0], abs=1e-12)
    assert parts == metrics.churn(labels[0].astype(np.uint64), labels[1].astype(np.int8), gold)
    back = metrics.churn(labels[1], labels[0], gold)
    assert (back.good, back.bad, back.neutral) == (parts.bad, parts.good, parts.neutral)


def test_percentage_reduction():
    assert metrics.percentage_reduction([1.0, 0.5], [2.0, 1.0]) == 50.0
    assert metrics.percentage_reduction([3.0, 1.5], [2.0, 1.0]) == -50.0
    assert metrics.percentage_reduction([0.0], [2.0]) == 100.0
    assert np.isnan(metrics.percentage_reduction([1.0], [0.0]))
    where = np.array([True, False])
    assert metrics.percentage_reduction([1.0, 9.0], [4.0, 1.0], where=where) == 75.0


@pytest.mark.parametrize(("ours", "reference", "share"), [(31.4, 34.5, 91), (26.7, 31.1, 86)])
def test_share_of_reduction_of_the_paper(ours, reference, share):
    assert round(metrics.share_of_reduction(ours, reference)) == share


def test_share_of_no_reduction_is_nan():
    assert np.isnan(metrics.share_of_reduction(1.0, 0.0))


def test_bootstrap_repeats_with_the_same_generator():
    labels = random_labels(0)

    def interval(seed):
        return metrics.bootstrap_interval(
            lambda x: metrics.label_entropy(x).sum(),
            labels,
            rng=np.random.default_rng(seed),
            n_resamples=50,
        )

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_centred_interval_covers_the_mean():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        values = rng.normal(loc=3.0, size=50)
        low, high = metrics.bootstrap_interval(np.mean, values, rng=rng, n_resamples=200)
        covered += low <= 3.0 <= high
    assert 0.88 <= covered / 300 <= 0.99


def test_interval_of_disagreement_covers_the_truth():
    """Labels that are 1 with probability p differ in a share 2 p (1 - p) of the pairs of runs."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(150):
        labels = (rng.random((12, 20)) < 0.2).astype(int)
        low, high = metrics.bootstrap_interval(
            lambda runs: metrics.pairwise_disagreement(runs).mean(),
            labels,
            rng=rng,
            n_resamples=100,
        )
        covered += low <= 2 * 0.2 * 0.8 <= high
    assert 0.85 <= covered / 150 <= 0.99


GOLD = np.arange(30) % 4


def noisy_gold(error_rate, n_runs):
    rng = np.random.default_rng(int(100 * error_rate))
    wrong = rng.random((n_runs, len(GOLD))) < error_rate
    return np.where(wrong, rng.integers(4, size=wrong.shape), GOLD)


def reduction(baseline, labels):
    return metrics.percentage_reduction(
        metrics.label_entropy(labels), metrics.label_entropy(baseline)
    )


def first(n_samples):
    return lambda three: three[:n_samples]


def paired(three):
    return [np.stack(three[:2], axis=1)]


def mean_churn(kind):
    return lambda pairs: np.mean([getattr(metrics.churn(*pair, GOLD), kind) for pair in pairs])


@pytest.mark.parametrize(
    ("statistic", "arrange"),
    [
        (lambda runs: metrics.label_entropy(runs).sum(), first(1)),
        (lambda runs: metrics.confidence_mean(runs / 3).mean(), first(1)),
        (lambda runs: metrics.confidence_sd(runs / 3).mean(), first(1)),
        (lambda runs: metrics.accuracy(runs, GOLD).mean(), first(1)),
        (lambda runs: metrics.pairwise_disagreement(runs).mean(), first(1)),
        (reduction, first(2)),
        (lambda a, b, c: metrics.share_of_reduction(reduction(a, b), reduction(a, c)), first(3)),
        (mean_churn("good"), paired),
        (mean_churn("bad"), paired),
    ],
)
def test_every_metric_has_an_interval_that_narrows_with_more_runs(statistic, arrange):
    def width(n_runs):
        three = [noisy_gold(rate, n_runs) for rate in (0.6, 0.3, 0.1)]
        rng = np.random.default_rng(0)
        low, high = metrics.bootstrap_interval(statistic, *arrange(three), rng=rng, n_resamples=100)
        return high - low

    assert 0.0 < width(100) < width(6)


def test_wider_confidence_is_a_wider_interval_around_the_estimate():
    replicates = np.random.default_rng(0).normal(size=500)
    narrow = metrics.centred_interval(2.0, replicates, confidence=0.5)
    wide = metrics.centred_interval(2.0, replicates, confidence=0.99)
    assert wide.low < narrow.low < 2.0 < narrow.high < wide.high


def test_reduction_replicates_against_repeated_rows():
    ours, theirs = random_labels(0, n_classes=2), random_labels(1, n_classes=6)
    where = np.arange(ours.shape[1]) % 2 == 0
    replicates = metrics.reduction_replicates(
        ours, theirs, rng=np.random.default_rng(5), where=where, n_resamples=10
    )
    rng = np.random.default_rng(5)
    weights = [metrics.resample_runs(20, rng=rng, n_resamples=10) for _ in range(2)]
    for value, a, b in zip(replicates, *weights, strict=True):
        expected = metrics.percentage_reduction(
            metrics.label_entropy(np.repeat(ours, a, axis=0)),
            metrics.label_entropy(np.repeat(theirs, b, axis=0)),
            where=where,
        )
        assert value == pytest.approx(expected, abs=1e-9)


def test_control_against_fewer_runs_of_itself_reduces_nothing():
    """Five runs of control show less entropy than twenty: by their number, not by any effect."""
    control = random_labels(0, n_runs=20, n_classes=3)
    with pytest.raises(UsageError, match=r"same number of runs, got 5 and 20: .*equal_runs"):
        metrics.reduction_replicates(control[:5], control, rng=0)
    with pytest.raises(UsageError, match="got 20 and 5"):
        metrics.reduction_replicates(control, control[:5], rng=0, paired=True)
    naive, fair = [], []
    for seed in range(200):
        labels, baseline = random_labels(seed, 5, 40, 3), random_labels(500 + seed, 20, 40, 3)
        naive.append(reduction(baseline, labels))
        fair.append(reduction(*metrics.equal_runs(baseline, labels, rng=seed)))
    assert np.mean(naive) > 15.0
    assert abs(np.mean(fair)) < 3.0 * np.std(fair) / np.sqrt(len(fair)) + 1.0


@pytest.mark.parametrize("seed", range(5))
def test_equal_runs_draws_runs_without_replacement_in_their_order(seed):
    few, many = random_labels(seed, n_runs=4), np.arange(10)[:, None] + np.zeros((1, 40), int)
    ours, theirs = metrics.equal_runs(few, many, rng=seed)
    np.testing.assert_array_equal(ours, few)
    assert theirs.shape == few.shape
    assert (np.diff(theirs, axis=0) > 0).all()
    swapped = metrics.equal_runs(many, few, rng=seed)
    np.testing.assert_array_equal(swapped[0], theirs)
    generator = np.random.default_rng(seed)
    before = generator.bit_generator.state
    same = metrics.equal_runs(few, few[::-1], rng=generator)
    np.testing.assert_array_equal(same, [few, few[::-1]])
    assert generator.bit_generator.state == before


def test_equal_runs_draws_every_run_equally_often():
    many = np.arange(6)[:, None]
    drawn = [metrics.equal_runs([[0], [0]], many, rng=seed)[1].ravel() for seed in range(3000)]
    counts = np.bincount(np.concatenate(drawn))
    assert scipy.stats.chisquare(counts).pvalue > 0.001


def test_the_two_sets_of_a_reduction_are_resampled_apart_from_a_seed_too():
    """One seed for both would resample them as pairs."""
    runs = random_labels(0, n_classes=2)
    paired = metrics.reduction_replicates(runs, runs, rng=0, paired=True, n_resamples=50)
    apart = metrics.reduction_replicates(runs, runs, rng=0, n_resamples=50)
    assert (paired == 0.0).all()
    assert (apart != 0.0).any()
    both = metrics.bootstrap_interval(
        lambda a, b: (a == b).mean(), runs, runs, rng=0, n_resamples=50
    )
    assert both.low < both.high


def test_entropy_confidence_replicates_against_repeated_rows():
    labels = random_labels(0)
    gold = np.random.default_rng(9).random(labels.shape)
    entropy, sd = metrics.entropy_confidence_replicates(
        labels, gold, rng=np.random.default_rng(5), n_resamples=8
    )
    weights = metrics.resample_runs(20, rng=np.random.default_rng(5), n_resamples=8)
    for row, multiplicity in enumerate(weights):
        repeat = np.repeat(np.arange(20), multiplicity)
        np.testing.assert_allclose(
            entropy[row], metrics.label_entropy(labels[repeat]), rtol=0, atol=1e-12
        )
        np.testing.assert_allclose(sd[row], metrics.confidence_sd(gold[repeat]), atol=1e-7)


MIXED = [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("labels", lambda: metrics.label_entropy([0, 1])),
        ("labels", lambda: metrics.label_entropy([[0.5, 1.0]])),
        ("labels", lambda: metrics.label_entropy([[0, -1]])),
        ("labels", lambda: metrics.label_entropy(np.zeros((0, 3), dtype=int))),
        ("labels", lambda: metrics.cumulative_label_entropy([0, 1])),
        ("n_classes", lambda: metrics.label_counts([[0, 3]], 3)),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [[1, 1, 1]])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [[1, 1], [1, 0]])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [[3, -1]])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [[0.5, 1.5]])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [[0, 0]])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], [1, 1])),
        ("weights", lambda: metrics.resampled_label_entropy([[0], [1]], np.ones((0, 2), int))),
        ("gold", lambda: metrics.accuracy([[0, 1]], [0, 1, 2])),
        ("gold", lambda: metrics.accuracy([[0, 1]], [0.5, 1.0])),
        ("gold", lambda: metrics.accuracy([[0, 1]], [0, -1])),
        ("gold", lambda: metrics.accuracy(np.zeros((2, 0), int), [])),
        ("gold", lambda: metrics.churn([0, 1], [0, 1], [0])),
        ("gold", lambda: metrics.churn([0, 1], [0, 1], [0.5, 1.0])),
        ("old and new", lambda: metrics.churn([0, 1], [0], [0, 1])),
        ("new", lambda: metrics.churn([0, 1], [0.5, 1.0], [0, 1])),
        ("old", lambda: metrics.churn([], [], [])),
        ("values", lambda: metrics.mean_sd([])),
        ("labels", lambda: metrics.pairwise_disagreement([[0, 1]])),
        ("gold_probability", lambda: metrics.confidence_mean([0.1, 0.2])),
        ("gold_probability", lambda: metrics.confidence_sd([[0.1]], ddof=1)),
        ("gold_probability", lambda: metrics.confidence_mean([[0.1, np.nan]])),
        ("gold_probability", lambda: metrics.confidence_mean([[0.1, 1.1]])),
        ("gold_probability", lambda: metrics.confidence_sd([[0.1, -0.1]])),
        ("gold_probability", lambda: metrics.confidence_sd([[np.nan, 0.1]])),
        ("baseline", lambda: metrics.percentage_reduction([1.0], [1.0, 2.0])),
        ("where", lambda: metrics.percentage_reduction([1.0], [1.0], where=[True, True])),
        ("where", lambda: metrics.reduction_replicates(MIXED, MIXED, rng=RNG, where=[True])),
        ("baseline", lambda: metrics.reduction_replicates(MIXED, [[0], [1]], rng=RNG)),
        ("baseline", lambda: metrics.reduction_replicates(MIXED, [0, 1], rng=RNG)),
        (
            "gold_probability",
            lambda: metrics.entropy_confidence_replicates(MIXED, [[0.1], [0.2]], rng=RNG),
        ),
        (
            "gold_probability",
            lambda: metrics.entropy_confidence_replicates(MIXED, [[0.1, 0.2]], rng=RNG),
        ),
        ("replicates", lambda: metrics.centred_interval(0.0, [])),
        ("samples", lambda: metrics.bootstrap_interval(np.mean, [], rng=RNG)),
        ("samples", lambda: metrics.bootstrap_interval(np.mean, [1.0], 2.0, rng=RNG)),
        ("samples", lambda: metrics.bootstrap_interval(np.mean, rng=RNG)),
        ("confidence", lambda: metrics.centred_interval(0.0, [0.0], confidence=1.0)),
        ("n_runs", lambda: metrics.resample_runs(0, rng=RNG)),
        ("n_resamples", lambda: metrics.resample_runs(3, rng=RNG, n_resamples=0)),
    ],
)
def test_errors_name_the_argument(name, call):
    with pytest.raises(UsageError, match=rf"\b{name}\b"):
        call()


def test_the_error_of_unequal_lengths_names_both_shapes():
    with pytest.raises(UsageError, match=r"\(2,\) and \(3,\)"):
        metrics.churn([0, 1], [0, 1, 1], [0, 1])
    with pytest.raises(UsageError, match=r"\(2, 2\) and \(2, 1\)"):
        metrics.entropy_confidence_replicates(MIXED, [[0.1], [0.2]], rng=RNG)


def test_label_entropy_of_a_large_study_is_fast_and_small():
    labels = random_labels(0, n_runs=50, n_examples=100_000, n_classes=150)
    start = time.process_time()  # Its own work, whatever else the machine does meanwhile.
    entropy = metrics.label_entropy(labels)
    assert time.process_time() - start < 5.0
    tracemalloc.start()
    try:
        again = metrics.label_entropy(labels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6
    np.testing.assert_array_equal(entropy, again)
    np.testing.assert_allclose(entropy[:50], reference_entropy(labels[:, :50]), atol=1e-12)


def test_undefined_resamples_are_left_out_of_an_interval():
    from stablib.metrics import centred_interval

    with_nan = centred_interval(1.0, [0.5, 1.5, np.nan, np.inf, -np.inf])
    assert with_nan == centred_interval(1.0, [0.5, 1.5])
    assert np.isnan(centred_interval(1.0, [np.nan]).low)


def test_relative_prediction_difference_is_equation_3_by_hand() -> None:
    rng = np.random.default_rng(0)
    p, truth = rng.random((4, 7)), rng.uniform(0.1, 1.0, 7)
    total = 0.0
    for k in (1, 2):
        for n in range(7):
            total += abs(p[2 * k - 1, n] - p[2 * k - 2, n]) / truth[n]
    assert metrics.relative_prediction_difference(p, truth).mean() == pytest.approx(
        2 / 4 * total / 7
    )
    assert metrics.relative_prediction_difference(p[[1, 0, 3, 2]], truth) == pytest.approx(
        metrics.relative_prediction_difference(p, truth)
    )
    assert (metrics.relative_prediction_difference(np.repeat(p[:2], 2, axis=0)) == 0.0).all()


@pytest.mark.parametrize(
    ("predictions", "truth", "hint"),
    [
        (np.full((3, 2), 0.5), None, "even number"),
        (np.full((2, 2), 0.5), [0.5], r"shape \(2,\)"),
        (np.full((2, 2), 0.5), [0.5, 0.0], "truth must be greater than 0"),
        (np.zeros((2, 2)), None, "the mean prediction of a pair must be greater than 0"),
        (np.full((2, 2), 1.5), [0.5, 0.5], "predictions must be probabilities .* got 1.5"),
        (np.full((2, 2), np.nan), [0.5, 0.5], "predictions must be probabilities .* got nan"),
        (np.full((2, 2), 0.5), [0.5, 5.0], "truth must be probabilities .* got 5"),
    ],
)
def test_prediction_differences_refuse_what_does_not_fit(predictions, truth, hint) -> None:
    with pytest.raises(UsageError, match=hint):
        metrics.relative_prediction_difference(predictions, truth)


def test_excess_loss_is_cross_entropy_minus_entropy() -> None:
    rng = np.random.default_rng(1)
    truth, q = rng.uniform(0.05, 0.95, (2, 50))
    expected = np.mean(
        [scipy.stats.entropy([p, 1 - p], [g, 1 - g]) for p, g in zip(truth, q, strict=True)]
    )
    assert metrics.excess_label_loss(q, truth) == pytest.approx(expected)
    assert metrics.excess_label_loss(truth, truth) == 0.0


def test_error_cosine_is_scipys() -> None:
    rng = np.random.default_rng(2)
    a, b, truth = rng.normal(size=(3, 32))
    assert metrics.error_cosine(a, b, truth) == pytest.approx(
        1.0 - scipy.spatial.distance.cosine(a - truth, b - truth)
    )


@pytest.mark.parametrize("signs", [False, True])
def test_alignment_undoes_permutations_and_signs(signs: bool) -> None:
    rng = np.random.default_rng(3)
    shapes = [(32, 16), (16, 8), (8, 1)]
    first = [(rng.normal(size=s), rng.normal(size=s[1])) for s in shapes]
    second = [(w.copy(), b.copy()) for w, b in first]
    for layer in (0, 1):
        order = rng.permutation(shapes[layer][1])
        flip = rng.choice([-1.0, 1.0], len(order)) if signs else np.ones(len(order))
        w, b = second[layer]
        second[layer] = (w[:, order] * flip, b[order] * flip)
        w, b = second[layer + 1]
        second[layer + 1] = (w[order] * flip[:, None], b)
    for (w, b), (v, c) in zip(first, metrics.align_units(first, second, signs=signs), strict=True):
        assert np.array_equal(w, v)
        assert np.array_equal(b, c)
    align = "units and signs" if signs else "units"
    assert metrics.weight_difference(first, second, align=align) == 0.0
    assert metrics.weight_correlation(first, second, align=align) == pytest.approx(1.0)
    flat = [
        np.concatenate([part.ravel() for layer in n for part in layer]) for n in (first, second)
    ]
    assert metrics.weight_difference(first, second) == pytest.approx(
        np.linalg.norm(flat[0] - flat[1]) / np.sqrt(flat[0].size)
    )
    assert metrics.weight_correlation(first, second) == pytest.approx(
        scipy.stats.pearsonr(*flat).statistic
    )
    with pytest.raises(UsageError, match="did you mean 'units'"):
        metrics.weight_difference(first, second, align="unit")
