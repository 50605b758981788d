"""Ranking and calibration against the thesis's formulas, scikit-learn and plain sums."""

import itertools

import numpy as np
import pytest
import sklearn.calibration
import sklearn.metrics

from stablib import metrics

SEEDS = range(10)


def candidates(seed, n_cases=25, n_negatives=99):
    rng = np.random.default_rng(seed)
    return rng.normal(1.0, 1.0, n_cases), rng.normal(size=(n_cases, n_negatives))


@pytest.mark.parametrize("k", [1, 3, 10, 100])
@pytest.mark.parametrize("seed", SEEDS)
def test_ndcg_is_that_of_scikit_learn(seed, k):
    positives, negatives = candidates(seed)
    scores = np.column_stack([positives, negatives])
    relevance = np.zeros_like(scores)
    relevance[:, 0] = 1.0
    expected = sklearn.metrics.ndcg_score(relevance, scores, k=k, ignore_ties=True)
    assert metrics.ndcg(positives, negatives, k=k) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("seed", SEEDS)
def test_hit_rate_is_the_top_k_accuracy_of_scikit_learn(seed, k):
    positives, negatives = candidates(seed)
    scores = np.column_stack([positives, negatives])
    expected = sklearn.metrics.top_k_accuracy_score(
        np.zeros(len(scores), dtype=int), scores, k=k, labels=np.arange(scores.shape[1])
    )
    assert metrics.hit_rate(positives, negatives, k=k) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_ties_the_positive_loses(seed):
    """As if it scored a little less, which scikit-learn can rank."""
    rng = np.random.default_rng(seed)
    positives = rng.integers(4, size=25).astype(float)
    negatives = rng.integers(4, size=(25, 20)).astype(float)
    assert (
        metrics.positive_ranks(positives, negatives)
        == metrics.positive_ranks(positives - 0.5, negatives)
    ).all()
    scores = np.column_stack([positives - 0.5, negatives])
    relevance = np.eye(21)[np.zeros(25, dtype=int)]
    expected = sklearn.metrics.ndcg_score(relevance, scores, k=10)
    assert metrics.ndcg(positives, negatives) == pytest.approx(expected)


def test_a_model_that_knows_nothing_does_not_hit():
    assert metrics.hit_rate(np.zeros(5), np.zeros((5, 99))) == 0.0
    assert metrics.hit_rate(np.zeros(5), np.zeros((5, 99)), k=100) == 1.0


def test_the_worked_formula_of_the_thesis():
    """1 / log2(k + 1) for a positive in place k, 0 below place K."""
    for place in range(1, 12):
        negatives = np.concatenate([np.ones(place - 1), np.zeros(99 - place + 1)])
        expected = 1.0 / np.log2(place + 1) if place <= 10 else 0.0
        assert metrics.ndcg([0.5], [negatives]) == pytest.approx(expected)
        assert metrics.hit_rate([0.5], [negatives]) == float(place <= 10)


def test_chance_hits_as_often_as_places_count():
    rng = np.random.default_rng(0)
    hits = metrics.hit_rate(rng.random((4, 5000)), rng.random((4, 5000, 99)))
    np.testing.assert_allclose(hits, 0.1, atol=0.02)


def test_a_negative_that_is_left_out_does_not_count():
    assert metrics.positive_ranks([0.5], [[0.9, -np.inf, 0.5]]) == [2]
    assert metrics.positive_ranks([0.5], [[0.9, 0.5]]) == [2]


# Calibration.


def binary(seed, n=400):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return np.column_stack([1.0 - p, p]), (rng.random(n) < p**2).astype(int)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_curve_is_that_of_scikit_learn_over_confidences(seed):
    probabilities, gold = binary(seed)
    confidence = probabilities.max(axis=1)
    correct = (probabilities[:, 1] > 0.5) == gold
    # Its bins start from 0, ours from .5.
    accuracy, mean = sklearn.calibration.calibration_curve(correct, confidence, n_bins=10)
    curve = metrics.reliability_curve(probabilities, gold)
    np.testing.assert_allclose([b.low for b in curve], [0.5, 0.6, 0.7, 0.8, 0.9])
    np.testing.assert_allclose([b.accuracy for b in curve], accuracy)
    np.testing.assert_allclose([b.confidence for b in curve], mean)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_curve_of_a_true_class_is_made_as_the_thesis_says(seed):
    """Positive and p > .5: right. Negative and p < .5: right, with 1 - p as what is binned."""
    probabilities, gold = binary(seed)
    for true_class in (0, 1):
        right, size = np.zeros(5), np.zeros(5)
        for p, label in zip(probabilities[:, 1], gold, strict=True):
            if label != true_class:
                continue
            bucket = int((max(p, 1.0 - p) - 0.5) * 10)
            size[bucket] += 1
            right[bucket] += (p > 0.5) == (label == 1)
        curve = metrics.reliability_curve(probabilities, gold, true_class=true_class)
        np.testing.assert_array_equal([b.n_examples for b in curve], size)
        np.testing.assert_allclose([b.accuracy for b in curve], right / size)
    both = metrics.reliability_curve(probabilities, gold)
    assert sum(b.n_examples for b in both) == len(gold)


def test_three_classes_start_from_a_third_and_empty_bins_are_shown():
    (*rest, last) = metrics.reliability_curve(np.eye(3), [0, 1, 1], n_bins=4)
    assert (last.n_examples, last.accuracy, last.confidence) == (3, pytest.approx(2 / 3), 1.0)
    assert rest[0].low == pytest.approx(1 / 3)
    assert all(b.n_examples == 0 and np.isnan(b.accuracy) for b in rest)


@pytest.mark.parametrize("seed", SEEDS)
def test_ece_is_the_weighted_gap_of_the_bins(seed):
    rng = np.random.default_rng(seed)
    probabilities, gold = rng.dirichlet(np.ones(4), size=(3, 200)), rng.integers(4, size=200)
    for run, found in zip(
        probabilities, metrics.expected_calibration_error(probabilities, gold), strict=True
    ):
        confidence, correct = run.max(axis=1), run.argmax(axis=1) == gold
        total = 0.0
        for m in range(15):
            inside = (m / 15 < confidence) & (confidence <= (m + 1) / 15)
            if inside.any():
                gap = abs(correct[inside].mean() - confidence[inside].mean())
                total += inside.mean() * gap
        assert found == pytest.approx(total)


@pytest.mark.parametrize("n_bins", [5, 15])
def test_ece_is_that_of_torchmetrics(n_bins):
    classification = pytest.importorskip("torchmetrics.functional.classification")
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    probabilities, gold = rng.dirichlet(np.ones(4), size=300), rng.integers(4, size=300)
    expected = classification.multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(gold), num_classes=4, n_bins=n_bins
    )
    found = metrics.expected_calibration_error([probabilities], gold, n_bins=n_bins)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_a_confidence_on_an_edge_is_in_the_bin_below():
    """Guo et al. 2017: bin m takes in ((m - 1) / M, m / M]."""
    probabilities = np.array([[0.6, 0.4], [0.8, 0.2], [1.0, 0.0]])
    curve = metrics.reliability_curve(probabilities, [0, 0, 0])
    assert [b.n_examples for b in curve] == [1, 0, 1, 0, 1]
    # In one bin the errors of .75 and .85 would cancel; an edge at .75 keeps them apart.
    pair = [[[0.75, 0.25], [0.875, 0.125]]]
    found = metrics.expected_calibration_error(pair, [0, 1], n_bins=4)
    assert found == pytest.approx((0.25 + 0.875) / 2)


def test_ece_of_a_calibrated_and_of_a_sure_model():
    # Of ten examples at .9, nine are right; a model that is sure is off by its share of errors.
    nine = np.tile([0.9, 0.1], (1, 10, 1))
    gold = [0] * 9 + [1]
    assert metrics.expected_calibration_error(nine, gold) == pytest.approx(0.0, abs=1e-12)
    sure = np.tile([1.0, 0.0], (1, 10, 1))
    assert metrics.expected_calibration_error(sure, gold) == pytest.approx(0.1)


# Rank-biased overlap.


def endless_overlap(first, second, p):
    """(1 - p) sum p^(d - 1) A_d, where below the lists' end they agree as they do at it."""
    total = 0.0
    for d in range(1, 5000):
        depth = min(d, len(first))
        agreement = len(set(first[:depth]) & set(second[:depth])) / depth
        total += (1.0 - p) * p ** (d - 1) * agreement
    return total


@pytest.mark.parametrize("p", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("seed", SEEDS)
def test_overlap_is_the_endless_sum_of_agreements(seed, p):
    rng = np.random.default_rng(seed)
    rankings = np.array([rng.permutation(14)[:10] for _ in range(4)])
    found = metrics.pairwise_rank_biased_overlap(rankings, p=p)
    for i, j in itertools.product(range(4), repeat=2):
        assert found[i, j] == pytest.approx(endless_overlap(rankings[i], rankings[j], p))


def test_overlap_counts_the_first_places_most():
    ranked = np.arange(10)
    first, last = ranked.copy(), ranked.copy()
    first[0], last[9] = 99, 99
    overlap = metrics.pairwise_rank_biased_overlap([ranked, first, last])
    assert overlap[0, 1] < overlap[0, 2] < 1.0
    apart = metrics.pairwise_rank_biased_overlap([ranked, ranked + 10])
    np.testing.assert_array_equal(apart, np.eye(2))
