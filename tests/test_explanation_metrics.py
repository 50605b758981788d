"""Metrics of explanations against the papers' worked examples, scipy and scikit-learn."""

import itertools

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics

from stablib import metrics
from stablib.errors import UsageError

SEEDS = range(10)


def attention(seed, n_runs=6, n_tokens=17):
    return np.random.default_rng(seed).dirichlet(np.full(n_tokens, 0.5), size=n_runs)


# Relative entropy and the Jaccard distance.


def test_figure_4_3_of_the_thesis_has_the_same_top_tokens_and_other_weights():
    """Ten items of which both models weigh items 4 and 5 most: H = 0.66 and J = 0.

    The figure prints no weights. These are the simplest that have its two numbers: .53 and .11,
    the other way around in the second model, and .045 for each other item.
    """
    first = np.full(10, 0.045)
    first[[3, 4]] = 0.53, 0.11
    second = first.copy()
    second[[3, 4]] = 0.11, 0.53
    both = np.array([first, second])
    relative_entropy = metrics.pair_mean(metrics.pairwise_relative_entropy(both))
    assert relative_entropy == pytest.approx(0.42 * np.log(0.53 / 0.11), rel=1e-12)
    assert relative_entropy == pytest.approx(scipy.stats.entropy(first, second), rel=1e-12)
    assert relative_entropy.round(2) == 0.66
    top = metrics.top_share(both, 0.2)
    np.testing.assert_array_equal(np.flatnonzero(top[0]), [3, 4])
    assert metrics.pair_mean(metrics.pairwise_jaccard_distance(top)) == 0.0


def test_listing_4_1_of_the_thesis():
    """The printed example: one of four items is the top 10 %, another one in each model."""
    top = metrics.top_share([[0.2, 0.1, 0.1, 0.6], [0.4, 0.1, 0.4 + 1e-9, 0.1]], 0.1)
    np.testing.assert_array_equal(top.argmax(axis=1), [3, 2])
    assert metrics.pair_mean(100 * metrics.pairwise_jaccard_distance(top)) == 100.0


@pytest.mark.parametrize("seed", SEEDS)
def test_relative_entropy_is_that_of_scipy(seed):
    runs = attention(seed)
    matrix = metrics.pairwise_relative_entropy(runs)
    for i, j in itertools.product(range(len(runs)), repeat=2):
        expected = scipy.special.rel_entr(runs[i], runs[j]).sum()
        assert matrix[i, j] == pytest.approx(expected, rel=1e-12, abs=1e-15)
        assert matrix[i, j] == pytest.approx(
            scipy.stats.entropy(runs[i], runs[j]), rel=1e-12, abs=1e-15
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_relative_entropy_is_never_negative_even_of_rounded_rows(seed):
    runs = attention(seed)
    rounded = np.vstack([runs, runs.astype(np.float16), runs.astype(np.float32)])
    matrix = metrics.pairwise_relative_entropy(rounded)
    assert (matrix >= 0.0).all()
    assert (np.diag(matrix) == 0.0).all()
    for i, j in itertools.permutations(range(len(rounded)), 2):
        expected = scipy.stats.entropy(rounded[i], rounded[j])  # It divides rows by their sums too.
        assert matrix[i, j] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_token_that_no_run_uses_does_not_count_and_one_that_a_run_rules_out_is_infinite():
    matrix = metrics.pairwise_relative_entropy([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(matrix, [[0.0, np.inf], [np.log(2.0), 0.0]])
    with pytest.raises(UsageError, match="matrices must be finite, got inf"):
        metrics.pair_mean(matrix)


@pytest.mark.parametrize("seed", SEEDS)
def test_jaccard_index_is_that_of_scikit_learn(seed):
    chosen = np.random.default_rng(seed).random((5, 12)) < 0.4
    chosen[:, seed % 12] = True  # scikit-learn warns of two empty sets.
    index = metrics.pairwise_jaccard_index(chosen)
    for i, j in itertools.product(range(5), repeat=2):
        assert index[i, j] == pytest.approx(sklearn.metrics.jaccard_score(chosen[i], chosen[j]))
    np.testing.assert_array_equal(metrics.pairwise_jaccard_distance(chosen), 1.0 - index)


def test_empty_sets_are_equal_and_disjoint_ones_are_not():
    nothing, first, second = [False] * 2, [True, False], [False, True]
    index = metrics.pairwise_jaccard_index([nothing, nothing, first, second])
    assert index[0, 1] == 1.0
    assert index[2, 3] == index[0, 2] == 0.0


def test_random_sets_have_the_index_that_the_docstring_says():
    importance = np.random.default_rng(0).random((200, 1000))
    for share in (0.1, 0.2):
        index = metrics.pairwise_jaccard_index(metrics.top_share(importance, share))
        assert metrics.pair_mean(index) == pytest.approx(share / (2 - share), rel=0.02)


@pytest.mark.parametrize(
    ("n_tokens", "share", "count"),
    [
        (10, 0.2, 2),
        (11, 0.2, 3),
        (1, 0.1, 1),
        (70, 0.1, 7),
        (21, 0.1, 3),
        (100, 0.07, 7),
        (4, 1, 4),
    ],
)
def test_a_share_of_the_tokens_is_rounded_up_and_no_further(n_tokens, share, count):
    top = metrics.top_share(attention(0, n_tokens=n_tokens), share)
    np.testing.assert_array_equal(top.sum(axis=1), count)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_top_share_is_what_the_listing_takes(seed):
    """np.argpartition, as in Listing 4.1; without ties both choose the same."""
    runs = attention(seed)
    for run, top in zip(runs, metrics.top_share(runs, 0.2), strict=True):
        assert set(np.flatnonzero(top)) == set(np.argpartition(run, -4)[-4:])


# Pairs, texts and bins.


@pytest.mark.parametrize("seed", SEEDS)
def test_means_over_pairs_are_means_over_the_pairs(seed):
    rng = np.random.default_rng(seed)
    matrices = rng.random((3, 5, 5))
    for pairs, chosen in (
        ("ordered", list(itertools.permutations(range(5), 2))),
        ("upper", list(itertools.combinations(range(5), 2))),
    ):
        expected = [np.mean([m[i, j] for i, j in chosen]) for m in matrices]
        np.testing.assert_allclose(metrics.pair_mean(matrices, pairs=pairs), expected)


@pytest.mark.parametrize("pairs", ["ordered", "upper"])
@pytest.mark.parametrize("seed", SEEDS)
def test_resampled_means_over_pairs_are_those_of_pairs_of_different_runs(seed, pairs):
    rng = np.random.default_rng(seed)
    matrices = rng.random((3, 5, 5))
    weights = metrics.resample_runs(5, rng=seed, n_resamples=20)
    resampled = metrics.resampled_pair_mean(matrices, weights, pairs=pairs)
    assert resampled.shape == (20, 3)
    chosen = itertools.permutations if pairs == "ordered" else itertools.combinations
    for row, weight in zip(resampled, weights, strict=True):
        drawn = np.repeat(np.arange(5), weight)
        different = [(i, j) for i, j in chosen(drawn, 2) if i != j]
        if not different:
            assert np.isnan(row).all()
            continue
        expected = [np.mean([m[i, j] for i, j in different]) for m in matrices]
        np.testing.assert_allclose(row, expected, rtol=1e-12)


@pytest.mark.parametrize("diagonal", [0.0, 1.0], ids=["distance", "similarity"])
def test_runs_that_are_equally_far_apart_leave_no_doubt(diagonal):
    """However few there are: nothing is known of other distances."""
    matrix = np.full((5, 5), 0.225)
    np.fill_diagonal(matrix, diagonal)
    draws = metrics.resampled_pair_mean(matrix, metrics.resample_runs(5, rng=0, n_resamples=500))
    low, high = metrics.centred_interval(0.225, draws)
    assert low == pytest.approx(0.225)
    assert high == pytest.approx(0.225)


def test_a_resample_of_one_run_has_no_pairs_and_is_left_out():
    matrices = np.random.default_rng(0).random((4, 3, 3))
    draws = metrics.resampled_pair_mean(matrices, [[3, 0, 0], [1, 1, 1], [2, 1, 0]])
    assert np.isnan(draws[0]).all()
    assert np.isfinite(draws[1:]).all()
    values = metrics.pair_mean(matrices)
    kept = metrics.binned_means(values, np.full(4, 0.5), draws[1:], n_bins=1)
    assert metrics.binned_means(values, np.full(4, 0.5), draws, n_bins=1) == kept


def test_which_pairs_does_not_matter_for_a_symmetric_measure_nor_the_order_for_ordered_ones():
    matrix = metrics.pairwise_relative_entropy(attention(0))
    distance = matrix + matrix.T
    assert metrics.pair_mean(distance) == pytest.approx(metrics.pair_mean(distance, pairs="upper"))
    order = np.random.default_rng(0).permutation(len(matrix))
    shuffled = matrix[np.ix_(order, order)]
    assert metrics.pair_mean(shuffled) == pytest.approx(metrics.pair_mean(matrix), rel=1e-12)
    upper = metrics.pair_mean(matrix, pairs="upper")
    assert metrics.pair_mean(matrix.T, pairs="upper") != pytest.approx(upper)


def test_texts_of_any_length_are_measured_one_by_one():
    texts = [attention(k, n_tokens=n) for k, n in enumerate((3, 9, 40))]
    matrices = metrics.over_examples(metrics.pairwise_relative_entropy, texts)
    for matrix, text in zip(matrices, texts, strict=True):
        np.testing.assert_array_equal(matrix, metrics.pairwise_relative_entropy(text))
    flat = metrics.over_examples(metrics.explanation_entropy, texts)
    assert flat.shape == (3, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_means_in_bins_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    values, scores = rng.random(300), rng.random(300)
    replicates = rng.random((4, 300))
    bins = metrics.binned_means(values, scores, replicates)
    expected, _, number = scipy.stats.binned_statistic(scores, values, bins=10, range=(0, 1))
    np.testing.assert_allclose([b.mean for b in bins], expected)
    assert [b.n_examples for b in bins] == np.bincount(number, minlength=11)[1:].tolist()


def test_scores_on_an_edge_are_in_the_bin_above_and_one_is_in_the_last():
    """As the paper's bins: starting from 0, (containing predictions from 0 to 0.1), until 0.9."""
    scores = np.array([0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 1.0])
    bins = metrics.binned_means(np.arange(8.0), scores, np.zeros((2, 8)))
    assert [b.n_examples for b in bins] == [1, 1, 1, 1, 0, 0, 1, 1, 0, 2]
    assert bins[-1].mean == 6.5
    assert np.isnan(bins[4].mean)
    assert np.isnan(bins[4].interval).all()


def test_intervals_of_bins_cover_what_is_expected_of_new_runs():
    """Predictions of 10 runs, whose expected sd is known: of 95 % intervals, most cover it."""
    rng = np.random.default_rng(0)
    n_runs, covered = 10, 0
    # What 10 normal values with an sd of .05 have on average, with the divisor 10.
    expected = np.mean(rng.normal(0.5, 0.05, size=(20_000, n_runs)).std(axis=1))
    for trial in range(100):
        shared = rng.normal(0.0, 0.05, size=(n_runs, 1))  # Seeds move all examples together.
        p = np.clip(0.55 + np.tile(shared, (1, 20)), 0.0, 1.0)
        replicates = metrics.resampled_sd(p, metrics.resample_runs(n_runs, rng=trial))
        values, scores = metrics.sd_over_runs(p), p.mean(axis=0)
        (only,) = metrics.binned_means(values, scores, replicates, n_bins=1)
        covered += only.interval.low < expected < only.interval.high
    assert covered >= 75


# Spread.


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sd_of_each_token_is_that_of_numpy(seed):
    runs = attention(seed)
    np.testing.assert_allclose(metrics.sd_over_runs(runs), runs.std(axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        metrics.sd_over_runs(runs, ddof=1), scipy.stats.tstd(runs, axis=0), rtol=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_resampled_sds_are_those_of_the_repeated_runs(seed):
    values = np.random.default_rng(seed).normal(90.0, 0.2, size=(7, 3, 2))
    weights = metrics.resample_runs(7, rng=seed, n_resamples=20)
    resampled = metrics.resampled_sd(values, weights)
    for row, weight in zip(resampled, weights, strict=True):
        expected = np.repeat(values, weight, axis=0).std(axis=0)
        np.testing.assert_allclose(row, expected, atol=1e-8)


def test_an_sd_far_below_the_values_is_seen():
    """A linear model's loss after one bit was changed varies by about 3e-8."""
    losses = 1.8 + 3e-9 * np.random.default_rng(0).normal(size=100)
    sd, error = metrics.sd_with_error(losses, rng=0)
    assert sd == pytest.approx(3e-9, rel=0.2)
    assert 0.03 * sd < error < 0.15 * sd
    assert metrics.sd_over_runs(np.full(7, 0.1)) == 0.0


def test_the_error_of_an_sd_is_what_normal_theory_says():
    """sd / sqrt(2 n), and the paper's own .02 for an sd of .26 over 100 runs."""
    accuracy = np.random.default_rng(1).normal(90.0, 0.26, size=100)
    sd, error = metrics.sd_with_error(accuracy, rng=0)
    assert sd == pytest.approx(0.26, rel=0.15)
    assert error == pytest.approx(sd / np.sqrt(200), rel=0.2)
    assert round(error, 2) == 0.02


# One explanation.


@pytest.mark.parametrize("seed", SEEDS)
def test_entropy_is_that_of_scipy_and_at_most_that_of_equal_weights(seed):
    runs = attention(seed)
    entropy = metrics.explanation_entropy(runs)
    np.testing.assert_allclose(entropy, scipy.stats.entropy(runs, axis=1), rtol=1e-12)
    shares = metrics.explanation_entropy(runs, normalised=True)
    np.testing.assert_allclose(shares, scipy.stats.entropy(runs, axis=1, base=17), rtol=1e-12)
    assert metrics.explanation_entropy([np.full(17, 1 / 17)], normalised=True) == pytest.approx(1)
    assert np.isnan(metrics.explanation_entropy([[1.0]], normalised=True)).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1.0, 7e307])
def test_shares_do_not_depend_on_scale_or_sign(scale):
    gradient = np.random.default_rng(0).normal(size=(3, 8))
    shares = metrics.importance_shares(gradient)
    np.testing.assert_allclose(shares, np.abs(gradient) / np.abs(gradient).sum(1, keepdims=True))
    np.testing.assert_allclose(metrics.importance_shares(-scale * gradient), shares)
    assert metrics.pair_mean(metrics.pairwise_relative_entropy(shares)) > 0.0


# Binary models.


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_is_that_of_scikit_learn_also_with_ties(seed):
    rng = np.random.default_rng(seed)
    scores, gold = rng.random((4, 60)).round(1), rng.integers(2, size=60)
    expected = [sklearn.metrics.roc_auc_score(gold, run) for run in scores]
    np.testing.assert_allclose(metrics.roc_auc(scores, gold), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_accuracy_at_a_fixed_rate_is_that_of_the_highest_scores(seed):
    rng = np.random.default_rng(seed)
    scores, gold = rng.random((4, 30)), rng.integers(2, size=30)
    for called in (0, 1, 12, 30):
        labels = np.argsort(np.argsort(-scores, axis=1), axis=1) < called
        expected = metrics.accuracy(labels, gold)
        np.testing.assert_allclose(metrics.accuracy_at_rate(scores, gold, called / 30), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_ties_at_the_threshold_count_as_all_choices_do_on_average(seed):
    rng = np.random.default_rng(seed)
    scores, gold = rng.integers(3, size=6).astype(float), np.array([0, 0, 0, 1, 1, 1])
    choices = [
        c
        for c in itertools.combinations(range(6), 3)
        if min(scores[list(c)]) >= max(np.delete(scores, c))
    ]
    accuracies = [np.mean(np.isin(np.arange(6), c) == gold) for c in choices]
    found = metrics.accuracy_at_rate([scores], gold, 0.5)
    assert found == pytest.approx(np.mean(accuracies))


def test_moving_the_threshold_alone_changes_neither():
    """Accuracy at p > .5 varies, the order of the examples does not."""
    rng = np.random.default_rng(0)
    logits, gold = rng.normal(size=200), rng.integers(2, size=200)
    p = scipy.special.expit(logits + rng.normal(0.0, 0.5, size=(10, 1)))
    assert metrics.accuracy(p > 0.5, gold).std() > 0.005
    assert metrics.sd_over_runs(metrics.roc_auc(p, gold)) == 0.0
    assert metrics.sd_over_runs(metrics.accuracy_at_rate(p, gold, 0.4)) == 0.0
