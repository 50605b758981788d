"""Synthetic streams: the data, the windows, and the trainers against plain torch."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats
from scipy.special import expit

from stablib.errors import UsageError
from stablib.training import Final, Inputs, Request, SeedPlan
from stablib.workloads.streams import (
    DataModel,
    PairRecord,
    StreamRecipe,
    kernels,
    network,
    shuffle,
    training,
    wide,
)
from stablib.workloads.streams.data import generate, mix, stream_key
from stablib.workloads.streams.recipe import BATCH
from stablib.workloads.streams.shuffle import order

LINEAR, QUADRATIC = DataModel(kind="linear"), DataModel(kind="quadratic")
KEY, ORDER = stream_key("examples", 0), stream_key("order", 0, 0)
N = 1 << 18


def draw(model: DataModel, key: np.uint64 = KEY, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    return generate(model, key, np.arange(n, dtype=np.uint64))


@pytest.mark.parametrize("model", [LINEAR, QUADRATIC])
def test_features_have_the_papers_frequencies_and_are_independent(model: DataModel) -> None:
    features, _ = draw(model)
    p = model.feature_probabilities()
    z = (features.mean(axis=0) - p) / np.sqrt(p * (1 - p) / N)
    assert np.abs(z).max() < 4.5
    assert stats.kstest(z, "norm").pvalue > 1e-3
    covariance = np.cov(features.T) / np.sqrt(np.outer(p * (1 - p), p * (1 - p)))
    off = covariance[~np.eye(32, dtype=bool)] * np.sqrt(N)
    assert np.abs(off).max() < 5.0


def test_feature_probabilities_are_the_formulas() -> None:
    assert LINEAR.feature_probabilities()[[0, 15, 16]] == pytest.approx(
        [0.6079, 6 / (16 * np.pi) ** 2, 0.6079], abs=1e-4
    )
    assert QUADRATIC.feature_probabilities()[[0, 3, 4]] == pytest.approx(
        [90 / np.pi**4, 90 / (4 * np.pi) ** 4, 90 / np.pi**4]
    )


@pytest.mark.parametrize("model", [LINEAR, QUADRATIC])
def test_labels_follow_the_true_probability(model: DataModel) -> None:
    features, labels = draw(model)
    if model.kind == "linear":
        odds = features @ model.weights()
    else:
        theta = np.zeros((32, 32))
        for block, lower in enumerate(model.weights()):
            theta[4 * block : 4 * block + 4, 4 * block : 4 * block + 4] = lower
            assert np.array_equal(lower, np.tril(lower))
        odds = np.einsum("ni,ij,nj->n", features, theta, features)
    p = expit(odds)
    assert model.log_odds(features) == pytest.approx(odds)
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        if inside.sum() > 100:
            z = (labels[inside] - p[inside]).sum() / np.sqrt((p * (1 - p))[inside].sum())
            assert abs(z) < 4.5


def test_weights_are_a_mixture_of_three_normals() -> None:
    drawn = np.concatenate([DataModel(kind="linear", seed=s).weights() for s in range(200)])

    def mixture(x: np.ndarray) -> np.ndarray:
        return np.mean([stats.norm.cdf(x, loc=m) for m in (-2, 0, 2)], axis=0)

    assert stats.kstest(drawn, mixture).pvalue > 1e-3


def test_streams_of_two_pairs_are_unrelated() -> None:
    first, second = draw(LINEAR, n=1 << 14), draw(LINEAR, stream_key("examples", 1), n=1 << 14)
    p = LINEAR.feature_probabilities()
    centred = [(features - p) / np.sqrt(p * (1 - p)) for features, _ in (first, second)]
    correlation = (centred[0] * centred[1]).mean(axis=0) * np.sqrt(1 << 14)
    assert np.abs(correlation).max() < 4.5
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize("log2_window", [5, 6, 9, 13])
def test_a_window_is_a_bijection_and_stays_inside(log2_window: int) -> None:
    size = 1 << log2_window
    for window in (0, 1, 12345):
        met = order(window * size, size, log2_window=log2_window, key=ORDER)
        assert np.array_equal(np.sort(met), np.arange(window * size, (window + 1) * size))


@pytest.mark.parametrize("log2_window", [20, 26])
def test_the_papers_windows_are_bijections(log2_window: int) -> None:
    """Undoing the rounds gives every place of a sample back, so no two are sent to one place."""
    rng = np.random.default_rng(0)
    for start in rng.integers(2**log2_window, size=2000, dtype=np.uint64):
        (met,) = order(int(start), 1, log2_window=log2_window, key=ORDER)
        assert met < 2**log2_window
        assert undone(int(met), log2_window, int(mix(ORDER))) == start


def undone(place: int, bits: int, key: int) -> int:
    """The Feistel rounds of window 0 in reverse, in Python's integers."""
    right_bits, left_bits = bits - bits // 2, bits // 2
    left, right = place >> right_bits, place & (2**right_bits - 1)
    keys = [(key + (k + 1) * int(shuffle._STEP)) % 2**64 for k in range(shuffle.ROUNDS)]
    for number in reversed(range(shuffle.ROUNDS)):
        if number % 2:
            right ^= int(shuffle._scramble(np.uint64(left ^ keys[number]))) % 2**right_bits
        else:
            left ^= int(shuffle._scramble(np.uint64(right ^ keys[number]))) % 2**left_bits
    return left << right_bits | right


def test_orders_look_random_and_differ_between_keys() -> None:
    size = 1 << 14
    one = order(0, size, log2_window=14, key=ORDER)
    other = order(0, size, log2_window=14, key=stream_key("order", 0, 1))
    assert (one == other).sum() < 12
    assert (one == np.arange(size)).sum() < 12
    assert abs(stats.spearmanr(one, np.arange(size)).statistic) < 5 / np.sqrt(size)
    assert abs(stats.spearmanr(one, other).statistic) < 5 / np.sqrt(size)
    assert abs(stats.spearmanr(one[1:], one[:-1]).statistic) < 5 / np.sqrt(size)


def test_every_place_of_a_small_window_is_equally_likely() -> None:
    met = order(0, 32 * 4096, log2_window=5, key=ORDER).reshape(4096, 32) % np.uint64(32)
    counts = np.stack([np.bincount(column.astype(int), minlength=32) for column in met.T])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


class Plain(torch.nn.Module):
    """The network in the plainest torch: the oracle."""

    def __init__(self, recipe: StreamRecipe, parameters: np.ndarray) -> None:
        super().__init__()
        self.recipe = recipe
        self.parts = torch.nn.ParameterList()
        for weight, bias in network.layers(recipe, parameters.copy()):
            self.parts.append(torch.nn.Parameter(torch.from_numpy(weight)))
            self.parts.append(torch.nn.Parameter(torch.from_numpy(bias)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        r = self.recipe
        for layer in range(len(self.parts) // 2):
            weight, bias = self.parts[2 * layer], self.parts[2 * layer + 1]
            if r.embedding and layer == 0:
                x = x @ (weight * torch.from_numpy(network.embedding_mask()))
                continue
            x = x @ weight + bias
            if layer < len(self.parts) // 2 - 1:
                x = self.activate(x)
        return x[:, 0]

    def activate(self, z: torch.Tensor) -> torch.Tensor:
        r = self.recipe
        if r.activation == "smelu":
            bent = (z + r.beta) ** 2 / (4 * r.beta)
            return torch.where(z <= -r.beta, 0 * z, torch.where(z >= r.beta, z, bent))
        if r.activation == "swish":
            return z * torch.sigmoid(r.beta * z)
        return torch.relu(z) if r.activation == "relu" else z


def plain(recipe: StreamRecipe, parameters: np.ndarray, n_batches: int) -> np.ndarray:
    """Train with autograd and the optimizers' formulas."""
    model = Plain(recipe, parameters)
    tensors = list(model.parts)
    adagrad = recipe.optimizer == "adagrad"
    if adagrad:
        optimizer = torch.optim.Adagrad(
            tensors, lr=recipe.learning_rate, initial_accumulator_value=0.1, eps=1e-7
        )
    velocity = [torch.zeros_like(t) for t in tensors]
    for batch in range(n_batches):
        met = order(batch * BATCH, BATCH, log2_window=recipe.log2_window + 5, key=ORDER)
        features, labels = generate(recipe.data, KEY, met)
        x, y = torch.from_numpy(features).float(), torch.from_numpy(labels).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
        for tensor in tensors:
            tensor.grad = None
        loss.backward()
        if adagrad:
            optimizer.step()
            continue
        with torch.no_grad():
            for tensor, v in zip(tensors, velocity, strict=True):
                if tensor.grad is not None:
                    v.mul_(0.9).sub_(tensor.grad * (recipe.learning_rate / (1 + 0.001 * batch)))
                    tensor.add_(v)
    return np.concatenate([t.detach().numpy().ravel() for t in tensors])


def recipe(**fields: object) -> StreamRecipe:
    return StreamRecipe(**{"data": LINEAR, "log2_examples": 12, "log2_window": 3, **fields})


def trained(r: StreamRecipe, engine: object = kernels, n_batches: int = 64) -> np.ndarray:
    parameters = network.first_parameters(r, np.random.default_rng(0))
    memory = np.full_like(parameters, 0.1 if r.optimizer == "adagrad" else 0.0)
    engine.advance(  # type: ignore[attr-defined]
        r, parameters, memory, first_batch=0, n_batches=n_batches, data_key=KEY, shuffle_key=ORDER
    )
    return parameters


MODELS = [
    {},
    {"hidden": (1,)},
    {"hidden": (2,)},
    {"hidden": (16, 8, 4, 2)},
    {"hidden": (1000,), "embedding": True},
    {"hidden": (64, 48), "data": QUADRATIC},
]
OPTIMIZERS = [
    {"optimizer": "adagrad", "learning_rate": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.01},
]
#: Large rates as in the paper: elsewhere they blow rounding up to 1e-5 within 64 steps.
LARGE_RATES = [
    {"optimizer": "adagrad", "learning_rate": 1.0},
    {"optimizer": "sgd", "learning_rate": 0.1},
]
ACTIVATIONS = ["identity", "relu", "smelu", "swish"]
#: Every activation with one optimizer and one with every optimizer: each has code of its own.
CASES = [{**m, "activation": a} for m in MODELS for a in (ACTIVATIONS if m else ["identity"])]
CASES += [{**m, **o, "activation": "swish"} for m in MODELS for o in OPTIMIZERS[1:]]
CASES += [
    {**m, **o, "activation": "smelu"} for m in MODELS if "embedding" in m for o in LARGE_RATES
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_equal_plain_torch(case: dict) -> None:
    r = recipe(beta=0.7, **OPTIMIZERS[0] | case)
    n_batches = 16 if r.embedding else 32  # Each takes plain torch tens of times as long.
    expected = plain(r, network.first_parameters(r, np.random.default_rng(0)), n_batches)
    assert np.abs(expected - network.first_parameters(r, np.random.default_rng(0))).max() > 1e-3
    for engine in (kernels, wide) if not r.embedding else (kernels,):
        found = trained(r, engine, n_batches)
        assert found == pytest.approx(expected, abs=1e-6, rel=0), engine.__name__


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "smelu", "swish"])
def test_the_wide_networks_weights_equal_plain_torch(activation: str) -> None:
    r = recipe(hidden=(1024, 512), data=QUADRATIC, activation=activation, beta=2.0)
    expected = plain(r, network.first_parameters(r, np.random.default_rng(0)), 64)
    assert trained(r, wide) == pytest.approx(expected, abs=1e-6, rel=0)


def test_a_wide_pair_has_the_same_bits_for_any_number_of_threads() -> None:
    r = recipe(hidden=(128, 64), data=QUADRATIC, log2_examples=10)
    found = []
    threads = torch.get_num_threads()
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(training.train_pair(r, SeedPlan.same(0)))
        assert torch.get_num_threads() == count
    torch.set_num_threads(threads)
    assert np.array_equal(found[0]["weights"], found[1]["weights"])


@pytest.mark.parametrize("model", MODELS[:5], ids=lambda m: str(m.get("hidden", "linear")))
def test_training_in_parts_gives_the_same_bits(model: dict) -> None:
    r = recipe(**model)
    whole = trained(r)
    parameters = network.first_parameters(r, np.random.default_rng(0))
    memory = np.full_like(parameters, 0.1)
    for first in range(0, 64, 16):
        kernels.advance(
            r, parameters, memory, first_batch=first, n_batches=16, data_key=KEY, shuffle_key=ORDER
        )
    assert np.array_equal(whole, parameters)


def test_log_odds_equal_plain_torch() -> None:
    for model in MODELS:
        r = recipe(activation="smelu", beta=0.3, **model)
        parameters = network.first_parameters(r, np.random.default_rng(1))
        features, _ = draw(r.data, n=100)
        with torch.no_grad():
            expected = Plain(r, parameters)(torch.from_numpy(features).float()).numpy()
        assert network.log_odds(r, parameters, features) == pytest.approx(expected, abs=1e-5)


def test_a_model_that_is_too_sure_has_a_finite_loss() -> None:
    examples = training.evaluation_set(recipe(), SeedPlan.same(0))
    weights = np.zeros((2, 33), dtype=np.float32)
    weights[:, 32] = 3.0, 100.0  # Biases: with 100, 1 - q is 0 in double precision.
    _, _, first, second = training._measure(recipe(), examples, weights)
    entropy = stats.entropy(np.stack([examples.truth, 1 - examples.truth])).mean()
    assert first == pytest.approx(np.log1p(np.exp(3.0)) - 3.0 * examples.truth.mean() - entropy)
    assert second == pytest.approx(100.0 * (1.0 - examples.truth.mean()) - entropy)


def test_a_pair_without_any_difference_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "stream_key", lambda name, *seeds: stream_key(name, seeds[0]))
    pair = training.train_pair(recipe(hidden=(2,)), SeedPlan.same(0))
    assert (pair["pd"] == 0.0).all()
    assert np.array_equal(*pair["weights"])


def test_the_smallest_window_leaves_only_rounding() -> None:
    pair = training.train_pair(
        recipe(hidden=(2,), activation="identity", log2_window=0), SeedPlan.same(0)
    )
    assert 0.0 < pair["pd"][-1] < 1e-4
    wider = training.train_pair(
        recipe(hidden=(2,), activation="identity", log2_window=5), SeedPlan.same(0)
    )
    assert wider["pd"][-1] > 100 * pair["pd"][-1]


def test_a_checkpoint_is_what_a_shorter_stream_gives() -> None:
    long = training.train_pair(recipe(log2_examples=14), SeedPlan.same(2))
    short = training.train_pair(recipe(log2_examples=13), SeedPlan.same(2))
    assert np.array_equal(long["pd"][:-1], short["pd"])
    assert np.array_equal(long["loss"][:-1], short["loss"])


def test_the_linear_model_finds_the_truth() -> None:
    r = recipe(log2_examples=20, log2_window=0)
    pair = training.train_pair(r, SeedPlan.same(0))
    assert (np.diff(pair["loss"].mean(axis=1))[:5] < 0).all()
    frequent = LINEAR.feature_probabilities() > 0.01
    assert pair["weights"][0][:32][frequent] == pytest.approx(LINEAR.weights()[frequent], abs=0.3)


def test_a_warm_start_is_better_at_the_beginning() -> None:
    cold = training.train_pair(recipe(hidden=(16, 8)), SeedPlan.same(1))
    warm = training.train_pair(
        recipe(hidden=(16, 8), learning_rate=0.01, warm_start=0.1), SeedPlan.same(1)
    )
    assert warm["loss"][0].mean() < cold["loss"][0].mean()


def workload_runs(r: StreamRecipe, *records: object, report: object = None, state: object = None):
    request = Request(r, (SeedPlan.same(0),), records)  # type: ignore[arg-type]
    (inputs,) = r.workload.inputs(r, strict=True)
    tell = report or (lambda done, state=None: None)
    ((one,),) = r.workload.train(request, inputs, lambda _: None, report=tell, state=state)
    return one


@pytest.mark.parametrize("warm_start", [None, 0.1])
def test_reports_add_up_to_the_work_and_each_is_a_place_to_go_on_from(warm_start) -> None:
    r = recipe(hidden=(128, 64), data=QUADRATIC, log2_examples=13, warm_start=warm_start)
    whole, done, states = training.train_pair(r, SeedPlan.same(0)), [], []

    def report(n: int, state: object = None) -> None:
        done.append(n)
        states.append(state and state())

    workload_runs(r, PairRecord(), report=report)
    models = 2 if warm_start is None else 3
    request = Request(r, (SeedPlan.same(0),), (PairRecord(),))
    assert sum(done) == models * 2**13 == r.workload.work(request, Inputs("", ""))
    for state in states[1:]:
        plan, (again,) = workload_runs(r, PairRecord(weights="all"), state=state)
        assert plan == SeedPlan.same(0)
        assert again.keys() == whole.keys()
        for name, array in whole.items():
            np.testing.assert_array_equal(again[name], array)


@pytest.mark.parametrize(("hidden", "few"), [((16, 8), (2, 673)), ((32,), (2, 0))])
def test_many_weights_are_kept_only_where_they_are_asked_for(hidden, few) -> None:
    r = recipe(hidden=hidden)
    _, (short, whole) = workload_runs(r, PairRecord(), PairRecord(weights="all"))
    assert r.n_parameters == {(16, 8): 673, (32,): 1089}[hidden]
    assert short["weights"].shape == few
    assert whole["weights"].shape == (2, r.n_parameters)
    np.testing.assert_array_equal(short["pd"], whole["pd"])


def test_a_pair_has_no_classifiers_record() -> None:
    with pytest.raises(UsageError, match="streams keep records of pairs, got .*'final'"):
        workload_runs(recipe(), Final())


SCRIPT = """
import hashlib
from concurrent.futures import ThreadPoolExecutor
from stablib.training import SeedPlan
from stablib.workloads.streams import DataModel, StreamRecipe
from stablib.workloads.streams.training import train_pair
r = StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=13, log2_window=4)
with ThreadPoolExecutor(3) as pool:
    runs = list(pool.map(lambda k: train_pair(r, SeedPlan.same(k)), range(3)))
print(hashlib.sha256(runs[1]["weights"].tobytes()).hexdigest())
"""


def test_same_bits_in_another_process_and_beside_others() -> None:
    r = recipe(hidden=(2,), log2_examples=13, log2_window=4)
    alone = training.train_pair(r, SeedPlan.same(1))["weights"]
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert outcome.stdout.strip() == hashlib.sha256(alone.tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"log2_window": 8}, "between 0 and 7"),
        ({"log2_window": -1}, "greater than or equal to 0"),
        ({"beta": 0.0}, "greater than 0"),
        ({"log2_examples": 4}, "greater than or equal to 5"),
        ({"activation": "rellu"}, "identity"),
        ({"hidden": (0,)}, "at least 1"),
        ({"embedding": True}, "needs a hidden layer"),
        ({"learning_rate": -1.0}, "greater than 0"),
        ({"warm_start": 0.1, "same_init": False}, "start from the same weights"),
    ],
)
def test_bad_recipes_are_refused(fields: dict, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        recipe(**fields)
