"""The workload of images: the same bits everywhere, every source counts, every hook is honoured."""

from __future__ import annotations

import dataclasses
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from stablib.data import ImageDataset
from stablib.data.image_files import digits
from stablib.errors import DataError, UsageError
from stablib.metrics import centred_products, cka_of_products, linear_cka, pairwise_cka
from stablib.mitigation import ASWA, SWA, LabelSmoothing, Snapshot, TestTime
from stablib.runs import Runs, RunStore, obtain
from stablib.runs.obtain import lacking
from stablib.runs.watch import silent
from stablib.training import Control, Final, Inputs, Request, SeedPlan, Task, seed_plans
from stablib.training.loop import FlatWeights
from stablib.training.seeds import Bit
from stablib.training.state import pack, unpack
from stablib.workloads import Curve, HeadRecipe, ImageRecipe, Logits, Similarity, Trace
from stablib.workloads.images import products
from stablib.workloads.images.device import choose_kernels, kernels
from stablib.workloads.images.network import ImageNetwork
from stablib.workloads.images.observer import cross_entropy
from stablib.workloads.images.training import optimizer, prepare, train_each
from stablib.workloads.text import work_by_step

RECIPE = ImageRecipe(
    dataset="digits",
    limit=120,
    n_test=40,
    model="resnet10",
    crop=1,
    flip=False,
    epochs=4,
    batch_size=32,
    warm_up=1,
)
PLAN = SeedPlan.same(3)
RECORDS = (Logits(), Curve(), Trace(per_decade=6, n_examples=40), Similarity(n_examples=20))


def inputs() -> Inputs:
    data = digits()
    return Inputs(key=data.content_hash, source=data.source, data=data)


def train(recipe: ImageRecipe, *plans: SeedPlan, records: Any = RECORDS, **more: Any) -> list[Any]:
    """Arrays of each run, by record."""
    request = Request(recipe, plans or (PLAN,), tuple(records))
    report, state = more.get("report", lambda done, state=None: None), more.get("state")
    trained = train_each(request, inputs(), lambda plan: None, report=report, state=state)
    return [arrays for finished in trained for _, arrays in finished]


def assert_same_bits(one: Any, other: Any) -> None:
    for ours, theirs in zip(one, other, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def stored(recipe: ImageRecipe, plans: Any, folder: Path, **records: Any) -> Runs:
    return obtain(
        Request(recipe, tuple(plans), (Logits(),)), RunStore(folder / "runs", folder / "none")
    )


def elsewhere(threads: int) -> list[Any]:
    torch.set_num_threads(threads)
    return train(RECIPE)


def test_a_run_has_the_same_bits_alone_among_others_and_in_another_process() -> None:
    alone = train(RECIPE)[0]
    assert_same_bits(alone, train(RECIPE, SeedPlan.same(1), PLAN)[1])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        (other,) = pool.submit(elsewhere, 2).result()
    assert_same_bits(alone, other)


@pytest.mark.parametrize("method", [Control(), ASWA(), Snapshot(cycles=2)])
@pytest.mark.parametrize("step", [1, 4, 9])
def test_a_run_goes_on_from_any_step_to_the_same_bits(step: int, method: Any) -> None:
    recipe = RECIPE.with_method(method)
    states: list[Any] = []

    def keep(done: int, state: Any = None) -> None:
        if state is not None:
            states.append({name: array.copy() for name, array in state().items()})

    whole = train(recipe, report=keep)[0]
    assert_same_bits(whole, train(recipe, state=states[step - 1])[0])


@pytest.mark.parametrize("source", ["init", "shuffle", "augment", "low_level"])
def test_each_source_counts(source: str) -> None:
    one, other = (
        train(RECIPE, plan, records=[Logits()])[0][0]
        for plan in (SeedPlan(), SeedPlan(seeds={source: 1}))
    )
    assert not np.array_equal(one["logits"], other["logits"])


def test_a_repetition_changes_nothing_and_threads_only_how_many_compute() -> None:
    counts: list[int] = []

    def count(done: int, state: Any = None) -> None:
        counts.append(torch.get_num_threads())

    first, again, _ = (
        train(RECIPE.model_copy(update=changed), report=count)[0]
        for changed in ({}, {"attempt": 2}, {"threads": 2})
    )
    assert_same_bits(first, again)
    assert set(counts) == {1, 2}
    assert counts == sorted(counts)


def test_low_level_is_nothing_but_rounding() -> None:
    """After one step the weights are those of the same batch in another order, but for rounding."""
    one, other = (
        train(RECIPE, plan, records=[Trace(n_weights=5000, n_examples=4)])[0][0]
        for plan in (SeedPlan(), SeedPlan(low_level=1))
    )
    first = [arrays["weights"][:3] for arrays in (one, other)]
    assert not np.array_equal(*first)
    np.testing.assert_allclose(*first, atol=1e-5)


def test_without_augmentation_its_seed_changes_nothing() -> None:
    plain = RECIPE.model_copy(update={"crop": 0, "flip": False})
    one, other = (train(plain, plan)[0] for plan in (SeedPlan(), SeedPlan(augment=1)))
    assert_same_bits(one, other)


def test_a_source_begins_at_its_onset() -> None:
    late = SeedPlan(shuffle=1, onset={"shuffle": 3})
    curves = [train(RECIPE, p, records=[Curve()])[0][0] for p in (SeedPlan(), late)]
    same = curves[0]["losses"] == curves[1]["losses"]
    assert same.tolist() == [True, True, False, False]


def test_a_bit_changes_at_its_onset() -> None:
    late = SeedPlan(bit=Bit(tensor="stem.weight", index=5), onset={"bit": 3})
    trace = Trace(per_decade=30, n_weights=100_000, n_examples=4)
    plain, twin = (train(RECIPE, p, records=[trace])[0][0] for p in (SeedPlan(), late))
    same = (plain["weights"] == twin["weights"]).all(axis=1)
    assert same.tolist() == (plain["steps"] <= 2 * 4).tolist()


def test_one_bit_of_a_weight_changes_one_weight_and_then_all() -> None:
    trace = Trace(per_decade=30, n_weights=100_000, n_examples=4)
    bit = Bit(tensor="stem.weight", index=5)
    # The first step has a rate of exactly 0.
    slow = RECIPE.model_copy(update={"warm_up": 3})
    plain, twin = (
        train(slow, p, records=[trace])[0][0]["weights"] for p in (SeedPlan(), SeedPlan(bit=bit))
    )
    task = prepare(RECIPE, digits())
    network = ImageNetwork(RECIPE, SeedPlan(), task, task.one_hot(), pause=lambda: None)
    named = [(name, p) for name, p in network.named().items() if p.requires_grad]
    assert named[0][0] == "stem.weight"
    differing = np.flatnonzero(plain[0][:144] != twin[0][:144])
    assert differing.tolist() == [5]
    assert twin[0][5] == np.nextafter(plain[0][5], np.float32(np.inf))
    assert (plain[-1] != twin[-1]).sum() > 100


def test_training_is_that_of_a_plain_loop() -> None:
    """SGD of torch on the same batches, with rates written out; no augmentation."""
    recipe = RECIPE.model_copy(update={"crop": 0, "model": "hidden_convolution", "slow": 0.1})
    task = prepare(recipe, digits())
    network = ImageNetwork(recipe, PLAN, task, task.one_hot(), pause=lambda: None)
    model = network.model
    biases = [p for p in model.parameters() if p.ndim == 1]
    weights = [p for p in model.parameters() if p.ndim > 1]
    adam = torch.optim.SGD(
        [{"params": weights}, {"params": biases}], lr=1.0, momentum=0.9, weight_decay=5e-4
    )
    images, gold = torch.from_numpy(task.inputs["train"]), torch.from_numpy(task.gold["train"])
    order, done, per_epoch = PLAN.generator("shuffle"), 0, 4
    for epoch in range(4):
        places = order.permutation(120)
        for start in range(0, 120, 32):
            rows = torch.from_numpy(places[start : start + 32])
            cosine = 0.5 * (1 + np.cos(np.pi * epoch / 4))
            rate = 0.4 * (done / per_epoch if epoch < 1 else cosine)
            adam.param_groups[0]["lr"], adam.param_groups[1]["lr"] = rate, rate / 10
            adam.zero_grad()
            torch.nn.functional.cross_entropy(model(images[rows]), gold[rows]).backward()
            adam.step()
            done += 1
    with torch.no_grad():
        expected = model(torch.from_numpy(task.inputs["test"])).numpy()
    found = train(recipe, records=[Logits()])[0][0]
    np.testing.assert_allclose(found["logits"], expected, atol=2e-2)
    assert found["loss"] == pytest.approx(cross_entropy(expected, task.gold["test"]), abs=1e-4)


def test_biases_and_norms_learn_slowly_but_for_those_of_shortcuts() -> None:
    task = prepare(RECIPE, digits())
    network = ImageNetwork(RECIPE, PLAN, task, task.one_hot(), pause=lambda: None)
    slow, fast = sorted(optimizer(RECIPE, network).param_groups, key=lambda group: group["lr"])
    assert (slow["lr"], fast["lr"]) == (pytest.approx(0.04), 0.4)
    names = {id(p): name for name, p in network.named().items()}
    vectors = [names[id(p)] for p in fast["params"] if p.ndim == 1]
    assert vectors == ["blocks.2.shortcut.weight"]
    assert all(p.requires_grad for group in (slow, fast) for p in group["params"])


def test_it_learns() -> None:
    """Digits of 8 x 8 pixels are easy: nearly all after a few epochs."""
    recipe = RECIPE.model_copy(update={"limit": None, "n_test": None, "epochs": 8})
    curve = train(recipe, records=[Curve()])[0][0]
    assert curve["correct"][-1] > 0.95 * 449
    assert curve["losses"][-1] < 0.2


def test_the_loss_is_that_of_the_logits() -> None:
    logits, gold = np.random.default_rng(0).normal(size=(9, 4)) * 3, np.arange(9) % 4
    expected = -log_softmax(logits, axis=1)[np.arange(9), gold].mean()
    assert cross_entropy(logits, gold) == pytest.approx(expected, rel=1e-12)
    found = train(RECIPE)[0]
    assert found[0]["loss"] == pytest.approx(found[1]["losses"][-1], rel=1e-12)
    of_logits = cross_entropy(found[0]["logits"], inputs().data.gold["test"][:40])
    assert found[0]["loss"] == pytest.approx(of_logits, abs=5e-3)


def test_a_snapshot_ensemble_averages_the_logits_of_the_ends_of_its_cycles() -> None:
    """Those of a training that is looked at there: without snapshots, with the same rates."""

    class Cyclic(Control):
        kind: Any = "toy_cyclic"  # type: ignore[assignment]

        def rate(self, step: int, n_steps: int) -> float:
            return Snapshot(cycles=2).rate(step, n_steps)

    whole = train(RECIPE.with_method(Snapshot(cycles=2)), records=[Logits()])[0][0]["logits"]
    trace = train(RECIPE.with_method(Cyclic()), records=[Trace(per_decade=30)])[0][0]
    at = dict(zip(trace["steps"].tolist(), trace["logits"], strict=True))
    np.testing.assert_allclose(whole[:4], (at[8] + at[16]) / 2, atol=2e-2)


def test_views_are_averaged_whether_kept_beside_or_as_a_method() -> None:
    """Kept beside plain training they cost no other training."""
    view = TestTime(flip=True, crops=25)
    beside = train(RECIPE, records=[Logits(views=(view,))])[0][0]
    method = train(RECIPE.with_method(view), records=[Logits()])[0][0]
    np.testing.assert_allclose(beside["logits_flip_crop25"], method["logits"], atol=2e-2)
    assert not np.allclose(beside["logits"], method["logits"], atol=2e-2)


def test_products_are_enough_for_cka() -> None:
    rng = np.random.default_rng(0)
    runs = rng.normal(size=(3, 20, 50))
    upper = np.triu_indices(20)
    kept = np.array([100 * centred_products(run)[upper] for run in runs]).astype(np.float16)
    found = cka_of_products(products(kept))
    np.testing.assert_allclose(found, pairwise_cka(runs), atol=1e-3)
    assert found[0, 1] == pytest.approx(linear_cka(runs[0], runs[1]), abs=1e-3)
    arrays = train(RECIPE)[0][3]
    assert len(arrays) == 7  # The first convolution, four blocks, the pool and the logits.
    assert all(array.shape == (210,) for array in arrays.values())


def test_methods_of_other_papers_work_here(tmp_path: Path) -> None:
    """And running statistics are averaged with the weights: predictions stay sane."""
    for method in (SWA(last_epochs=2), LabelSmoothing(alpha=0.1), ASWA()):
        found = train(RECIPE.with_method(method), records=[Logits()])[0][0]
        assert np.isfinite(found["logits"]).all()


def test_test_time_augmentation_of_texts_is_refused_by_name() -> None:
    recipe = HeadRecipe(dataset="massive", label="domain", method=TestTime())
    with pytest.raises(UsageError, match="'head' cannot honour the method 'test_time': .* images"):
        Request(recipe, seed_plans(2))


def test_cycles_that_do_not_fit_are_refused_before_anything_runs() -> None:
    for cycles in (3, 5):
        with pytest.raises(UsageError, match=f"got {cycles} cycles in 4 epochs"):
            Request(RECIPE.with_method(Snapshot(cycles=cycles)), (PLAN,))


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="index must be between 0 and 143 in stem.weight, got 144"):
        train(RECIPE, SeedPlan(bit=Bit(tensor="stem.weight", index=144)))
    done: list[int] = []
    with pytest.raises(UsageError, match="index must be between 0 and 143 in stem.weight, got 144"):
        # Not after the first of the two has been trained.
        train(
            RECIPE,
            PLAN,
            SeedPlan(bit=Bit(tensor="stem.weight", index=144)),
            report=lambda steps, state=None: done.append(steps),
        )
    assert sum(done) == 0
    with pytest.raises(DataError, match=r"must have shape \(1, 28, 28\), .* got \(1, 8, 8\) from"):
        prepare(
            RECIPE.model_copy(update={"dataset": "mnist"}),
            dataclasses.replace(digits(), name="mnist"),
        )
    with pytest.raises(UsageError, match="onset of 'shuffle' is epoch 5, but images trains 4"):
        Request(RECIPE, (SeedPlan(shuffle=1, onset={"shuffle": 5}),), RECORDS)
    with pytest.raises(UsageError, match="unknown source of images 'dropout'"):
        Request(RECIPE, (SeedPlan(dropout=1),), RECORDS)
    with pytest.raises(UsageError, match="warm_up must be less than the epochs, got 4 of 4"):
        Request(RECIPE.model_copy(update={"warm_up": 4}), (PLAN,), RECORDS)
    with pytest.raises(UsageError, match="side must divide"):
        train(RECIPE.model_copy(update={"side": 5}))
    with pytest.raises(UsageError, match="n_examples must be at most 40"):
        train(RECIPE, records=[Similarity(n_examples=41)])


@pytest.mark.parametrize("onset", [1, 3])
def test_of_several_runs_none_is_trained_if_one_has_a_bit_that_is_not_there(
    onset: int, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    bit = Bit(tensor="stem.weight", index=144)
    plans = (PLAN, SeedPlan(bit=bit, onset={"bit": onset}))
    request = Request(RECIPE, plans, RECORDS)
    with pytest.raises(UsageError, match="index must be between 0 and 143 in stem.weight"):
        obtain(request, store, inputs=inputs(), watch=silent)
    assert lacking(request, store, inputs()) == request


def test_a_trace_has_trained_weights_alone() -> None:
    """Running statistics, which begin at 0 and 1 and grow large, would hide what weights do."""
    whole = Trace(n_weights=100_000, n_examples=4)
    found = train(RECIPE, records=[whole])[0][0]["weights"]
    task = prepare(RECIPE, digits())
    network = ImageNetwork(RECIPE, PLAN, task, task.one_hot(), pause=lambda: None)
    trained = [p for p in network.named().values() if p.requires_grad]
    assert found.shape[1] == sum(p.numel() for p in trained)


def test_work_adds_up_to_what_is_reported() -> None:
    told: list[int] = []
    train(RECIPE, report=lambda done, state=None: told.append(done))
    workload = RECIPE.workload
    assert sum(told) == workload.work(Request(RECIPE, (PLAN,), RECORDS), inputs())
    sizes = {"train": 120, "test": 40}
    assert sum(told) == sum(work_by_step(RECIPE, sizes, RECORDS))


def test_runs_are_found_again(tmp_path: Path) -> None:
    first = stored(RECIPE, seed_plans(2), tmp_path)
    again = stored(RECIPE, seed_plans(2)[::-1], tmp_path)
    np.testing.assert_array_equal(first["logits"], again["logits"][::-1])
    assert isinstance(inputs().data, ImageDataset)
    assert isinstance(prepare(RECIPE, digits()), Task)
    assert len(obtain(Request(RECIPE, seed_plans(1), (Final(),)), RunStore(tmp_path / "x"))) == 1


# On an accelerator. This is what can be told without one.

META = torch.device("meta")  # Has shapes and no numbers.


def test_an_accelerator_that_is_not_there_is_refused_before_anything_is_read() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(UsageError, match="device 'cuda' is asked for, and torch sees no acceler"):
        train(RECIPE.model_copy(update={"device": "cuda"}))


@pytest.mark.parametrize("free", [False, True])
def test_only_an_accelerator_may_add_up_in_any_order_and_only_inside(free: bool) -> None:
    backend = torch.backends.cudnn

    def flags() -> tuple[bool, ...]:
        return backend.enabled, backend.deterministic, backend.benchmark, backend.allow_tf32

    before = flags()
    for device in (torch.device("cpu"), torch.device("cuda")):
        with kernels(device):
            fixed = (True, True, False, False)
            assert flags() == (before if device.type == "cpu" else fixed)
            choose_kernels(device, free=free)
            chosen = (True, not free, free, False)
            assert flags() == (before if device.type == "cpu" else chosen)
        assert flags() == before


@pytest.mark.parametrize(
    ("plan", "free"),
    [
        (SeedPlan(base=1), [False, False, False]),
        (SeedPlan(low_level=1), [True, True, True]),
        (SeedPlan(low_level=1, onset={"low_level": 3}), [False, False, True]),
    ],
)
def test_an_accelerator_adds_up_in_any_order_from_the_onset_on(
    plan: SeedPlan, free: list[bool]
) -> None:
    task = prepare(RECIPE, digits())
    network = ImageNetwork(RECIPE, plan, task, task.one_hot(), META, pause=lambda: None)
    with kernels(META):
        for epoch, expected in enumerate(free, start=1):
            network.start_epoch(epoch)
            assert torch.backends.cudnn.benchmark is expected


@pytest.mark.parametrize("model", ["resnet10", "vgg11", "shufflenet", "hidden_dense", "linear"])
def test_all_of_a_step_happens_where_the_weights_are(model: Any) -> None:
    """Tensors of two devices cannot be added, with or without numbers."""
    recipe = RECIPE.model_copy(update={"model": model, "flip": True})
    task = prepare(recipe, digits())
    if model == "vgg11":  # Halves its images five times.
        task = Task(
            {k: v.repeat(4, -1).repeat(4, -2) for k, v in task.inputs.items()}, task.gold, 10
        )
    network = ImageNetwork(recipe, PLAN, task, task.one_hot(), META, pause=lambda: None)
    flat = FlatWeights(network)
    assert {parameter.device for parameter in network.named().values()} == {META}
    network.start_epoch(1)
    network.loss(np.arange(8)).backward()
    learnt = [p.grad for p in network.named().values() if p.requires_grad]
    assert {gradient.device for gradient in learnt if gradient is not None} == {META}
    assert flat.weights.device == META
    assert network.model.eval()(torch.zeros(2, *task.inputs["test"].shape[1:], device=META)).shape


def test_a_state_is_told_where_to_go_on() -> None:
    packed = pack({"weights": torch.ones(3), "names": ["a"]})
    assert unpack(packed, META)["weights"].device == META
    assert unpack(packed)["weights"].device.type == "cpu"
