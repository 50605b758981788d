"""Metrics of the nondeterminism paper against its published values and independent code."""

import csv
import io

import numpy as np
import pytest
import scipy.stats

from stablib import metrics

SEEDS = range(10)

#: Nondeterminism paper as printed (ICML 2021), its table of mitigations with their variability
#: reductions, as transcribed by Ahmed and Samuel 2022 (ReScience C).
#: In percent, but for the cross-entropy and the correlation.
TABLE = """\
method,accuracy_sd,cross_entropy_sd,disagreement,spearman,ensemble_delta,reduction
single,0.26,0.0072,10.7,0.871,1.82,
accelerated ensemble,0.19,0.0044,6.1,0.957,0.63,48
single + flip,0.24,0.0061,8.2,0.905,1.20,21
single + crop25,0.23,0.0059,9.2,0.893,1.49,16
single + crop81,0.21,0.0055,8.8,0.898,1.39,21
single + flip-crop25,0.21,0.0051,7.2,0.920,0.99,33
single + flip-crop81,0.19,0.0049,6.9,0.922,0.92,37
accelerated ensemble + flip,0.15,0.0039,5.0,0.967,0.45,58
accelerated ensemble + flip-crop81,0.16,0.0033,4.6,0.972,0.38,61
"""
ROWS = {
    row["method"]: (
        metrics.Variability(*(float(row[name]) for name in metrics.Variability._fields)),
        row["reduction"],
    )
    for row in csv.DictReader(io.StringIO(TABLE))
}


@pytest.mark.parametrize("method", [name for name in ROWS if name != "single"])
def test_variability_reduction_is_the_published_one(method):
    measured, published = ROWS[method]
    single, _ = ROWS["single"]
    assert round(metrics.variability_reduction(measured, single)) == int(published)


def test_variability_reduction_of_no_and_of_all_variability():
    single, _ = ROWS["single"]
    assert metrics.variability_reduction(single, single) == 0.0
    none = metrics.Variability(0.0, 0.0, 0.0, 1.0, 0.0)
    assert metrics.variability_reduction(none, single) == 100.0
    assert np.isnan(metrics.variability_reduction(single, none))
    # Of perplexity, where lower is better, an ensemble's delta is negative.
    better = single._replace(ensemble_delta=-0.91)
    assert metrics.variability_reduction(
        better, single._replace(ensemble_delta=-1.82)
    ) == pytest.approx(10.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_spearman_is_that_of_scipy_over_examples_and_classes(seed):
    logits = np.random.default_rng(seed).normal(size=(4, 30, 5)).round(seed % 2)  # Also with ties.
    found = metrics.pairwise_spearman(logits)
    expected = scipy.stats.spearmanr(logits.reshape(4, -1), axis=1).statistic
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(np.diag(found), 1.0)
    # Ranks do not change with the scale of a run.
    np.testing.assert_allclose(metrics.pairwise_spearman(np.exp(logits)), found, rtol=1e-12)


def test_spearman_of_a_run_that_is_constant_is_unknown():
    found = metrics.pairwise_spearman([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]])
    np.testing.assert_array_equal(np.isnan(found[0]), True)
    assert found[1, 2] == pytest.approx(0.5)


def accuracy_percent(gold):
    return lambda logits: 100.0 * (logits.argmax(axis=-1) == gold).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_ensemble_delta_is_the_papers_formula(seed):
    rng = np.random.default_rng(seed)
    logits, gold = rng.normal(size=(5, 40, 3)), rng.integers(3, size=40)
    f = accuracy_percent(gold)
    total, n_pairs = 0.0, 0
    for i in range(5):
        for j in range(i + 1, 5):
            total += f((logits[i] + logits[j]) / 2) - (f(logits[i]) + f(logits[j])) / 2
            n_pairs += 1
    assert n_pairs == 10
    deltas = metrics.pairwise_ensemble_delta(logits, f)
    assert metrics.pair_mean(deltas) == pytest.approx(total / n_pairs)


def test_a_pair_of_unlike_models_wins_and_a_linear_measure_does_not():
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=500)
    logits = 0.8 * np.eye(3)[gold] + rng.normal(size=(4, 500, 3))
    deltas = metrics.pairwise_ensemble_delta(logits, accuracy_percent(gold))
    assert metrics.pair_mean(deltas) > 3.0
    linear = metrics.pairwise_ensemble_delta(logits, lambda run: float(run.sum()))
    np.testing.assert_allclose(linear, 0.0, atol=1e-9)


def hsic_cka(first, second):
    """CKA from centred kernels, after Kornblith et al. 2019, eq. 3 and 4: slow and plain."""
    n = len(first)
    centring = np.eye(n) - np.ones((n, n)) / n

    def hsic(k, m):
        return np.trace(k @ centring @ m @ centring) / (n - 1) ** 2

    k, m = first @ first.T, second @ second.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


@pytest.mark.parametrize("n_examples", [3, 8, 60])
@pytest.mark.parametrize(("p", "q"), [(1, 1), (4, 7), (30, 5), (200, 150)])
def test_cka_is_that_of_centred_kernels_in_both_of_its_forms(n_examples, p, q):
    rng = np.random.default_rng(n_examples + p)
    first, second = rng.normal(3.0, 2.0, (n_examples, p)), rng.normal(size=(n_examples, q))
    assert metrics.linear_cka(first, second) == pytest.approx(hsic_cka(first, second), rel=1e-9)
    turned = metrics.linear_cka(second, first)
    # A product and its transpose may be added up in another order: it depends on the processor.
    assert metrics.linear_cka(first, second) == pytest.approx(turned, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_cka_does_not_see_a_turn_a_scale_or_a_shift(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 6))
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    assert metrics.linear_cka(x, 1e3 * x @ turn + 5.0) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-160, 1e-20, 1.0, 1e160])
@pytest.mark.parametrize("shape", [(2, 3), (3, 100), (64, 2), (64, 500)])
def test_cka_of_itself_is_one_at_any_size_and_scale(shape, scale):
    x = scale * np.random.default_rng(0).normal(size=shape)
    assert metrics.linear_cka(x, x) == pytest.approx(1.0, rel=1e-12)


def test_cka_of_small_batches_is_a_number_and_of_dead_layers_is_not():
    rng = np.random.default_rng(0)
    relu = np.maximum(rng.normal(size=(2, 50, 8, 4)), 0.0)
    for n in (2, 3, 8):
        assert 0.0 <= metrics.linear_cka(relu[0, :n, :, 0], relu[1, :n, :, 0]) <= 1.0
    # A column of .1 has a mean that is not exactly .1.
    dead = np.full((7, 3), 0.1)
    assert np.isnan(metrics.linear_cka(dead, rng.normal(size=(7, 3))))
    part = np.column_stack([dead, rng.normal(size=7)])
    assert metrics.linear_cka(part, part[:, 3:]) == pytest.approx(1.0)


def test_cka_of_pairs_is_that_of_each_pair():
    runs = list(np.random.default_rng(0).normal(size=(4, 20, 7)))
    runs[1] = runs[1][:, :3]  # A run may have other units.
    found = metrics.pairwise_cka(runs)
    expected = [[metrics.linear_cka(a, b) for b in runs] for a in runs]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("n_words", [2, 50, 10_000])
def test_perplexity_of_equally_likely_words_is_their_number(n_words):
    assert metrics.perplexity(np.full(7, np.log(n_words))) == pytest.approx(n_words)


def test_perplexity_is_that_of_torchmetrics():
    torchmetrics = pytest.importorskip("torchmetrics.functional.text")
    torch = pytest.importorskip("torch")
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 9, 30)))
    words = torch.from_numpy(np.random.default_rng(1).integers(30, size=(2, 9)))
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), words.flatten(), reduction="none"
    )
    expected = torchmetrics.perplexity(logits, words)
    assert metrics.perplexity(losses.numpy()) == pytest.approx(float(expected), rel=1e-6)


def test_the_distance_of_one_bit_twins_is_one_bit():
    """The paper's example: -0.0066514308 and its neighbour differ by about 5e-10."""
    weights = np.random.default_rng(0).normal(0.0, 0.1, size=432).astype(np.float32)
    weights[17] = -0.0066514308
    twin = weights.copy()
    twin[17] = np.nextafter(twin[17], np.float32(-1.0))
    norm = np.sqrt((weights.astype(float) ** 2).sum())
    assert abs(float(twin[17]) - float(weights[17])) == 2.0**-31
    found = metrics.relative_weight_distance(weights, twin)
    assert found == pytest.approx(2.0**-31 / norm, rel=1e-6)


def test_the_distance_of_strangers_and_of_opposites():
    first, second = np.random.default_rng(0).normal(size=(2, 3, 100_000))
    found = metrics.relative_weight_distance(first, second)
    np.testing.assert_allclose(found, np.sqrt(2.0), rtol=0.01)
    np.testing.assert_allclose(metrics.relative_weight_distance(first, -first), 2.0)
    assert metrics.relative_weight_distance([0.0, 0.0], [0.0, 0.0]) == 0.0
