"""The head trainer: same bits anywhere, right gradients, right records."""

import contextlib
import math
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from stablib.errors import UsageError
from stablib.mitigation import SWA, WeightAverager
from stablib.models.head import HeadStack
from stablib.training import (
    Bit,
    Final,
    Inputs,
    Probabilities,
    Request,
    SeedPlan,
    Steps,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.training.threads import one_thread, threads
from stablib.workloads import HeadRecipe
from stablib.workloads.heads import training
from stablib.workloads.heads.training import DropoutMasks

RECIPE = HeadRecipe(dataset="massive", label="domain", hidden=8, epochs=2, batch_size=64)
RECORDS = (Final(), TrainMean(after_step=2), Probabilities(split="test"), Steps(split="val"))
SEED = 7


def make_task(n_examples=300, n_features=16, n_classes=4):
    """Noisy linear classes, hard enough that seeds disagree."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(n_features, n_classes))
    inputs, gold = {}, {}
    for split in ("train", "val", "test"):
        x = rng.normal(size=(n_examples, n_features)).astype(np.float32)
        inputs[split] = x
        gold[split] = (x @ weights + rng.normal(size=(n_examples, n_classes)) * 2).argmax(axis=1)
    return Task(inputs=inputs, gold=gold, n_classes=n_classes)


def train(recipe, plans, task, records, *, report=lambda done, state=None: None):
    """What the workload keeps: ``result[run][record]``."""
    request = Request(recipe, tuple(plans), tuple(records))
    inputs = Inputs(key="own", source="own", data=task)
    finished = recipe.workload.train(request, inputs, lambda _: None, report=report, state=None)
    done = [one for part in finished for one in part]
    assert [plan for plan, _ in done] == list(plans)
    return [run for _, run in done]


def run_alone(plan, recipe=RECIPE, records=RECORDS):
    return train(recipe, [plan], make_task(), records)[0]


def flat(run):
    return {f"{k}_{name}": array for k, arrays in enumerate(run) for name, array in arrays.items()}


def assert_same_bits(one, other):
    one, other = flat(one), flat(other)
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        assert array.tobytes() == other[name].tobytes(), name


@pytest.fixture(scope="module")
def alone():
    return run_alone(SeedPlan.same(SEED))


@pytest.mark.parametrize("stack", [5, 50])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_run_has_the_same_bits_alone_and_in_a_stack(alone, stack, place):
    position = {"first": 0, "middle": stack // 2, "last": stack - 1}[place]
    plans = list(seed_plans(stack, first_seed=100))
    plans[position] = SeedPlan.same(SEED)
    assert_same_bits(alone, train(RECIPE, plans, make_task(), RECORDS)[position])


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_number_of_threads_changes_no_bit_and_is_put_back(alone, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        plans = seed_plans(10)
        stack = train(RECIPE, plans, make_task(), RECORDS)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert_same_bits(alone, stack[SEED])


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE.model_copy(update={"hidden": 7, "dropout": 0.3, "batch_size": 37}),
        RECIPE.model_copy(update={"hidden": 33, "dropout": 0.0}),
        RECIPE.with_method(SWA(last_epochs=2)),
    ],
)
def test_odd_sizes_and_methods_have_the_same_bits_too(recipe):
    one = run_alone(SeedPlan.same(SEED), recipe)
    assert_same_bits(one, train(recipe, seed_plans(11), make_task(), RECORDS)[SEED])


VARIED = (
    SeedPlan.same(SEED),
    SeedPlan(base=SEED, shuffle=8, onset={"shuffle": 2}),
    SeedPlan(base=SEED, dropout=8, onset={"dropout": 2}),
    SeedPlan(base=SEED, bit=Bit(tensor="output.weight", index=31)),
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_onsets_and_bits_stay_with_their_run(order):
    stack = train(RECIPE, [VARIED[k] for k in order], make_task(), RECORDS)
    for k, run in zip(order, stack, strict=True):
        assert_same_bits(run, run_alone(VARIED[k]))


@pytest.mark.parametrize("memory", [1, 40_000])
def test_chunks_change_no_bit(alone, monkeypatch, memory):
    monkeypatch.setattr(training, "STACK_MEMORY", memory)
    assert_same_bits(alone, train(RECIPE, seed_plans(9), make_task(), RECORDS)[SEED])


def test_another_process_gives_the_same_bits(alone, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, test_training as t\n"
        "plan = t.SeedPlan.same(t.SEED)\n"
        "np.savez(sys.argv[2], **t.flat(t.run_alone(plan)))\n"
    )
    path = tmp_path / "run.npz"
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(path)]
    subprocess.run(command, check=True, timeout=120)
    with np.load(path) as file:
        other = {name: file[name] for name in file.files}
    assert_same_bits(alone, _unflat(other, len(alone)))


def _unflat(arrays, n_records):
    runs = [{} for _ in range(n_records)]
    for name, array in arrays.items():
        number, rest = name.split("_", 1)
        runs[int(number)][rest] = array
    return runs


def test_seeds_differ():
    runs = train(RECIPE, seed_plans(3), make_task(), [Final()])
    gold = [run[0]["gold_test"] for run in runs]
    assert (gold[0] != gold[1]).any()
    assert (gold[1] != gold[2]).any()


@pytest.mark.parametrize("dropout", [0.0, 0.1, 0.5])
def test_backward_equals_autograd(dropout):
    rng = np.random.default_rng(0)
    n_heads, n_batch, n_features, hidden, n_classes = 3, 20, 16, 8, 4
    plans = seed_plans(n_heads)
    stack = HeadStack(
        [plan.generator("init") for plan in plans],
        n_features=n_features,
        hidden=hidden,
        n_classes=n_classes,
    )
    x = torch.from_numpy(rng.normal(size=(n_heads, n_batch, n_features)).astype(np.float32))
    soft = rng.dirichlet(np.ones(n_classes), size=(n_heads, n_batch)).astype(np.float32)
    masks = DropoutMasks(plans, HeadRecipe(hidden=hidden, dropout=dropout))
    keep = masks.draw(n_batch)
    stack.backward(x, torch.from_numpy(soft), keep, scale=masks.scale)
    for head in range(n_heads):
        leaves = [view[head].clone().requires_grad_(True) for view in stack._views(stack.weights)]
        w1, b1, w2, b2 = leaves
        active = torch.relu(x[head] @ w1 + b1) * keep[head]
        loss = torch.nn.functional.cross_entropy(active @ w2 + b2, torch.from_numpy(soft[head]))
        loss.backward()
        for leaf, view in zip(leaves, stack._views(stack.gradients), strict=True):
            torch.testing.assert_close(view[head], leaf.grad, rtol=1e-5, atol=1e-6)


def order_by_hand(plan, n_train, epochs):
    """Permutations of all epochs: of the base's stream, then of the source's own from its onset."""

    def stream(seed):
        sequence = np.random.SeedSequence([zlib.crc32(b"shuffle"), seed])
        return np.random.Generator(np.random.SFC64(sequence))

    onset = dict(plan.onset).get("shuffle", 1)
    before, after = stream(plan.base), stream(dict(plan.seeds).get("shuffle", plan.base))
    rngs = [before if epoch < onset else after for epoch in range(1, epochs + 1)]
    return [torch.from_numpy(rng.permutation(n_train)) for rng in rngs]


def by_hand(plan, recipe, task, *, rate=lambda step: 1.0, shrink=1.0, method=None):
    """Weights after each epoch, with torch autograd and Adam; each step scales the weights.

    With a method they are what it makes of them, and the next epoch begins there if it writes.
    """
    stack = HeadStack(
        [plan.generator("init")],
        n_features=task.inputs["train"].shape[1],
        hidden=recipe.hidden,
        n_classes=task.n_classes,
    )
    layers = [view[0].clone().requires_grad_(True) for view in stack._views(stack.weights)]
    adam = torch.optim.Adam(layers, lr=recipe.learning_rate, weight_decay=recipe.method.decay)
    x, y = torch.from_numpy(task.inputs["train"]), torch.from_numpy(task.gold["train"])
    masks, epochs, step = DropoutMasks([plan], recipe), [], 0
    named = {
        half: torch.nn.ParameterDict({"weight": weight, "bias": bias})
        for half, weight, bias in (("hidden", *layers[:2]), ("output", *layers[2:]))
    }
    averager = None if method is None else WeightAverager(method, torch.nn.ModuleDict(named))
    for order in order_by_hand(plan, len(x), recipe.epochs):
        for rows in order.split(recipe.batch_size):
            step += 1
            w1, b1, w2, b2 = layers
            active = torch.relu(x[rows] @ w1 + b1) * masks.draw(len(rows))[0]
            adam.param_groups[0]["lr"] = recipe.learning_rate * rate(step)
            adam.zero_grad()
            torch.nn.functional.cross_entropy(active @ w2 + b2, y[rows]).backward()
            adam.step()
            with torch.no_grad():
                for layer in layers:
                    layer.mul_(shrink)
            if averager is not None:
                averager.step()
        if averager is not None:
            averager.restart()
        beside = averager is not None and not method.writes_back
        with averager.averaged() if beside else contextlib.nullcontext():
            epochs.append([layer.detach().clone() for layer in layers])
    return epochs


def predict(layers, x):
    w1, b1, w2, b2 = layers
    return torch.softmax(torch.relu(torch.from_numpy(x) @ w1 + b1) @ w2 + b2, dim=-1).numpy()


@pytest.mark.parametrize("onset", [1, 2, 3, 4])
def test_training_equals_torch_adam_by_hand(onset):
    """Also where the order's own seed begins to rule in a later epoch."""
    task, plan = make_task(), SeedPlan(base=SEED, shuffle=8, onset={"shuffle": onset})
    recipe = RECIPE.model_copy(update={"epochs": 4, "learning_rate": 0.02})
    expected, others = (
        predict(by_hand(p, recipe, task)[-1], task.inputs["test"])
        for p in (plan, SeedPlan.same(SEED))
    )
    (arrays,) = train(recipe, [plan], task, [Probabilities(split="test")])[0]
    np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-3)
    assert np.abs(others - expected).max() > 0.01


@pytest.mark.parametrize("last_epochs", [1, 2, 3, 4, 9])
def test_swa_equals_the_mean_of_the_weights_by_hand(last_epochs):
    task, plan = make_task(), SeedPlan.same(SEED)
    recipe = RECIPE.with_method(SWA(last_epochs=last_epochs)).model_copy(
        update={"epochs": 4, "learning_rate": 0.02}
    )
    epochs = by_hand(plan, recipe, task)[-last_epochs:]
    mean = [torch.stack(layer).mean(dim=0) for layer in zip(*epochs, strict=True)]
    expected = predict(mean, task.inputs["test"])
    (arrays,) = train(recipe, [plan], task, [Probabilities(split="test")])[0]
    np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-3)
    if last_epochs > 1:
        assert np.abs(predict(epochs[-1], task.inputs["test"]) - expected).max() > 0.01


@pytest.mark.parametrize("split", ["val", "test"])
def test_last_step_equals_final(split):
    final, steps = run_alone(
        SeedPlan.same(SEED), records=(Final(), Steps(split=split, confidence=True))
    )
    assert steps["steps"].tolist() == list(range(1, RECIPE.steps(300) + 1))
    assert steps["labels"].shape == steps["gold"].shape == (RECIPE.steps(300), 300)
    np.testing.assert_array_equal(steps["labels"][-1], final[f"labels_{split}"])
    np.testing.assert_array_equal(steps["gold"][-1], final[f"gold_{split}"])


def test_steps_keep_the_confidence_only_if_asked():
    (plain,) = run_alone(SeedPlan.same(SEED), records=[Steps(split="val")])
    assert plain.keys() == {"labels", "steps"}


def test_read_only_data_trains_without_a_warning():
    """Gold labels of the registry's data sets are read-only, and torch warns about those."""
    code = (
        "import sys, warnings; sys.path.insert(0, sys.argv[1]); warnings.simplefilter('error')\n"
        "import test_training as t\n"
        "task = t.make_task()\n"
        "for array in task.gold.values(): array.flags.writeable = False\n"
        "t.train(t.RECIPE, [t.SeedPlan.same(0)], task, t.RECORDS)\n"
    )  # In a process of its own: torch warns once in each.
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-600:]


def test_every_second_step_is_a_subset():
    every, second = run_alone(
        SeedPlan.same(SEED), records=(Steps(split="val"), Steps(split="val", every=2))
    )
    assert second["steps"].tolist() == [2, 4, 6, 8, 10]
    np.testing.assert_array_equal(second["labels"], every["labels"][1::2])


def test_final_fits_the_probabilities():
    task = make_task()
    final, full = run_alone(SeedPlan.same(SEED), records=(Final(), Probabilities(split="test")))
    probabilities = full["probabilities"]
    assert probabilities.dtype == np.float16
    np.testing.assert_array_equal(
        final["gold_test"], probabilities[np.arange(300), task.gold["test"]]
    )
    assert (probabilities.max(axis=1) == probabilities[np.arange(300), final["labels_test"]]).all()


def with_train_as_test():
    task = make_task()
    return Task(
        inputs={**task.inputs, "test": task.inputs["train"]},
        gold={**task.gold, "test": task.gold["train"]},
        n_classes=task.n_classes,
    )


def test_train_mean_of_the_trained_model():
    records = (TrainMean(after_step=None), Probabilities(split="test"))
    mean, final = train(RECIPE, [SeedPlan.same(SEED)], with_train_as_test(), records)[0]
    np.testing.assert_array_equal(mean["mean"], final["probabilities"])


def test_train_mean_of_the_steps_after_one():
    task = with_train_as_test()
    watched = Steps(split="test", confidence=True)
    records = (TrainMean(after_step=6, every=2), TrainMean(after_step=8), watched)
    sparse, dense, steps = train(RECIPE, [SeedPlan.same(SEED)], task, records)[0]
    rows = np.arange(300)
    gold = steps["gold"].astype(np.float64)
    for got, chosen in ((sparse["mean"], [7, 9]), (dense["mean"], [8, 9])):
        np.testing.assert_allclose(
            got[rows, task.gold["train"]], gold[chosen].mean(axis=0), atol=1e-3
        )


def test_train_mean_of_no_step_is_an_error():
    with pytest.raises(ValueError, match="after_step=10"):
        run_alone(SeedPlan.same(SEED), records=[TrainMean(after_step=10)])


@pytest.mark.parametrize(
    ("records", "predicted"),
    [
        ([Final()], 600),
        ([Steps(split="val", every=3)], 3 * 300),
        ([TrainMean(after_step=7, every=2), TrainMean()], 300 + 300),
        (RECORDS, 600 + 8 * 300 + 300 + 10 * 300),
    ],
)
@pytest.mark.parametrize("memory", [1, 2**30])
def test_progress_counts_every_example_of_every_model(monkeypatch, records, predicted, memory):
    """A training step's three times, and each that a record looks at."""
    monkeypatch.setattr(training, "STACK_MEMORY", memory)
    done = []
    train(RECIPE, seed_plans(3), make_task(), records, report=lambda n, state=None: done.append(n))
    assert sum(done) == 3 * (3 * RECIPE.epochs * 300 + predicted)
    request = Request(RECIPE, seed_plans(3), tuple(records))
    assert sum(done) == RECIPE.workload.work(request, Inputs("own", "own", make_task()))
    parts = 3 if memory == 1 else min(3, torch.get_num_threads())
    assert len(done) == parts * RECIPE.steps(300)
    assert RECIPE.steps(300) == RECIPE.epochs * math.ceil(300 / RECIPE.batch_size) == 10


@pytest.mark.parametrize("source", ["init", "shuffle", "dropout"])
def test_each_source_matters_and_nothing_else(source):
    base = SeedPlan.same(SEED)
    other = SeedPlan(base=SEED, seeds={source: SEED + 1})
    probabilities = [
        run_alone(plan, records=[Probabilities(split="test")])[0]["probabilities"]
        for plan in (base, base, other)
    ]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert (probabilities[0] != probabilities[2]).any()
    for name in ("init", "shuffle", "dropout", "augment"):
        same = base.generator(name).random(8) == other.generator(name).random(8)
        assert same.all() == (name != source)


def test_an_unused_source_is_refused_and_the_base_serves_it_alone(alone):
    with pytest.raises(UsageError, match="unknown source of head 'augment'"):
        run_alone(SeedPlan(base=SEED, augment=99))
    assert_same_bits(alone, run_alone(SeedPlan(base=99, init=SEED, shuffle=SEED, dropout=SEED)))


def test_without_dropout_its_seed_changes_nothing():
    recipe = RECIPE.model_copy(update={"dropout": 0.0})
    base, other = SeedPlan.same(SEED), SeedPlan(base=SEED, dropout=99)
    assert_same_bits(run_alone(base, recipe), run_alone(other, recipe))


def test_dropout_masks_drop_the_right_share():
    masks = DropoutMasks(seed_plans(2), HeadRecipe(hidden=100, dropout=0.1))
    drawn = masks.draw(1000).numpy()
    assert drawn.shape == (2, 1000, 100)
    assert set(np.unique(drawn)) == {0.0, np.float32(masks.scale)}
    assert (drawn == 0.0).mean() == pytest.approx(0.1, abs=0.005)
    assert drawn.mean() == pytest.approx(1.0, abs=0.01)


def test_one_thread_is_one_for_every_library_of_matrix_products() -> None:
    """Those that numba calls are not torch's, and add up in another order with more threads."""

    def counts() -> list[int]:
        return [
            torch.get_num_threads(),
            *(x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"),
        ]

    with threads(2):
        assert set(counts()) == {2}
        with one_thread():
            assert set(counts()) == {1}
        assert set(counts()) == {2}
