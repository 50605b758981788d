"""Recommenders: attention against plain torch, data, the same bits everywhere, what is kept."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score, roc_auc_score
from torch import Tensor

from stablib import files
from stablib.data import Interactions, load, notices
from stablib.data.interactions import from_tables, negatives_for
from stablib.data.movielens import read_1m
from stablib.data.movielens_files import convert
from stablib.data.sheets import write_sheet
from stablib.data.tastes import generate
from stablib.errors import DataError, UsageError
from stablib.metrics import hit_rate_of_ranks, ndcg, ndcg_of_ranks
from stablib.mitigation import ASWA, SWA, TGTSS, Ensemble, LabelSmoothing, Snapshot
from stablib.models.factor_model import FactorModel
from stablib.models.item_attention import attention, pool
from stablib.models.item_model import ItemModel
from stablib.runs import RunStore
from stablib.runs import train as train_own
from stablib.training import Final, Inputs, Request, SeedPlan, seed_plans
from stablib.training.record import Record
from stablib.training.seeds import Bit
from stablib.workloads import Attended, FactorRecipe, HitCurve, ItemRecipe, Ranked, Vectors
from stablib.workloads.ranking.attended import logits_with
from stablib.workloads.ranking.network import ItemNetwork
from stablib.workloads.ranking.task import prepare
from stablib.workloads.ranking.training import build, train_each

ITEMS = ItemRecipe(
    dataset="tastes",
    limit=30,
    embedding=4,
    attention=3,
    layers=(6, 4),
    epochs=2,
    learning_rate=0.05,
    tower_penalty=0.1,
)
FACTORS = FactorRecipe(
    dataset="tastes", limit=30, factors=4, layers=(8, 4), epochs=2, batch_size=64
)
PLAN = SeedPlan.same(3)
RECORDS: tuple[Record, ...] = (Ranked(n_users=5), HitCurve(), Vectors())
LOOKS = (*RECORDS, Attended(n_permutations=5, n_shown=3))


def nobody(plan: SeedPlan) -> None:
    """Has no teacher."""


def train(
    recipe: Any, *plans: SeedPlan, records: Any = RECORDS, taught: Any = nobody, **more: Any
) -> list[Any]:
    """Arrays of each run, of all records together."""
    data = generate()
    inputs = Inputs(key=data.content_hash, source=data.source, data=data)
    request = Request(recipe, plans or (PLAN,), records)
    report, state = more.get("report", lambda done, state=None: None), more.get("state")
    trained = train_each(request, inputs, taught, report=report, state=state)
    return [
        {name: array for part in parts for name, array in part.items()}
        for finished in trained
        for _, parts in finished
    ]


def assert_same_bits(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def elsewhere(recipe: Any, threads: int) -> Any:
    torch.set_num_threads(threads)
    return train(recipe)[0]


# The attention.


def plain_pool(
    history: Tensor,
    targets: Tensor,
    own: NDArray[np.int64],
    weight: Tensor,
    bias: Tensor,
    top: Tensor,
    beta: float,
) -> Tensor:
    """The equations by torch alone, with the products of all targets and items laid out."""
    products = history[None] * targets[:, None]
    scores = torch.relu(products @ weight.T + bias) @ top
    taken = torch.zeros_like(scores, dtype=torch.bool)
    for target, place in enumerate(own):
        if place >= 0:
            taken[target, place] = True
    powers = torch.exp(scores).masked_fill(taken, 0.0)
    weights = powers / powers.sum(dim=1, keepdim=True) ** beta
    return (weights[..., None] * products).sum(dim=1)


def parts(n_items: int, n_targets: int) -> tuple[Any, NDArray[np.int64]]:
    rng = np.random.default_rng(n_items)
    shapes = [(n_items, 5), (n_targets, 5), (7, 5), (7,), (7,)]
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    own = np.full(n_targets, -1)
    own[: min(n_items, n_targets)] = np.arange(min(n_items, n_targets))
    return [torch.from_numpy(array).requires_grad_() for array in arrays], own


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize(("n_items", "n_targets"), [(2, 3), (40, 200), (6_000, 3)])
def test_attention_is_that_of_the_equations_and_so_are_its_gradients(
    beta: float, n_items: int, n_targets: int
) -> None:
    (ours, own), (theirs, _) = parts(n_items, n_targets), parts(n_items, n_targets)
    results = []
    for how, (history, targets, weight, bias, top) in ((pool, ours), (plain_pool, theirs)):
        layer = (weight, bias, top)
        found = how(history, targets, own, *layer, beta)
        (found * torch.linspace(-1.0, 1.0, 5)).sum().backward()
        results.append([found.detach(), *(each.grad for each in (history, targets, *layer))])
    for mine, other in zip(*results, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine, other, rtol=0.0, atol=2e-4 * scale)


def test_large_scores_do_not_overflow() -> None:
    """Powers of e above 88 are infinite in single precision; weights of such scores are not."""
    (history, targets, weight, bias, _), _ = parts(5, 4)
    layer = (history, targets, np.full(4, -1), weight, bias + 1.0)
    ones = torch.ones(7)
    scores = torch.relu((history * targets[3]) @ weight.T + bias + 1.0) @ ones
    highest = float(scores.detach().max())
    top = torch.full((7,), 120.0 / highest)
    for beta in (0.5, 1.0):
        weights = attention(*layer, top, beta)[3]
        assert np.isfinite(weights).all()
        assert np.log(weights.max()) == pytest.approx(120.0 * (1.0 - beta), abs=1.0)
    assert attention(*layer, torch.full((7,), 1e6), 1.0)[3].sum() == pytest.approx(1.0)


def test_the_target_takes_no_part_and_an_only_item_leaves_nothing() -> None:
    (history, targets, weight, bias, top), own = parts(5, 5)
    layer = (weight, bias, top)
    weights = attention(history, targets, own, *layer, 0.8)
    assert (np.diag(weights) == 0.0).all()
    assert (weights.sum(axis=1) > 0.0).all()
    alone = pool(history[:1], targets[:1], np.array([0]), *layer, 0.8)
    assert (alone == 0.0).all()


# Models.


def test_models_have_as_many_parameters_as_their_sizes_say() -> None:
    model = ItemModel(3_706, 16, 16, (64, 32, 16), 2, np.random.default_rng(0))
    tower = (16 * 64 + 64) + (64 * 32 + 32) + (32 * 16 + 16) + 2 * (64 + 32 + 16)
    expected = 3_706 * (16 + 16 + 2) + (16 * 16 + 16 + 16) + tower + 16 * 2
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == expected
    neumf = FactorModel(6_040, 3_706, 8, (64, 32, 16, 8), 1, np.random.default_rng(0))
    above = (64 * 32 + 32) + (32 * 16 + 16) + (16 * 8 + 8) + (8 + 8) + 1
    assert sum(p.numel() for p in neumf.parameters()) == (6_040 + 3_706) * (8 + 32) + above
    gmf = FactorModel(6_040, 3_706, 8, (), 1, np.random.default_rng(0))
    assert sum(p.numel() for p in gmf.parameters()) == (6_040 + 3_706) * 8 + 8 + 1


def test_without_attention_and_layers_it_is_fism() -> None:
    model = ItemModel(9, 3, None, (), 1, np.random.default_rng(0), alpha=0.5)
    history, targets = torch.tensor([1, 2, 3]), torch.tensor([2, 8])
    p, q = model.targets, model.history
    expected = [p[2] @ (q[1] + q[3]) / 2**0.5, p[8] @ (q[1] + q[2] + q[3]) / 3**0.5]
    found = model(history, targets, np.array([1, -1]))[:, 0]
    torch.testing.assert_close(found, torch.stack(expected))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 1.5}, "beta must be between 0 and 1, got 1.5"),
        ({"alpha": -0.1}, "alpha must be between 0 and 1, got -0.1"),
        ({"layers": ()}, "a model without layers has one output, got n_outputs=2"),
    ],
)
def test_models_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    fields = {"embedding": 3, "attention": 2, "layers": (4,), "n_outputs": 2, **changes}
    with pytest.raises(UsageError, match=message):
        ItemModel(9, rng=np.random.default_rng(0), **fields)


# Data.


def test_movielens_1m_has_the_counts_of_table_3_1(real_data: Path) -> None:
    data = load("movielens-1m", strict=True)
    assert isinstance(data, Interactions)
    assert data.notice == ""
    assert len(data.history) + data.n_users == 1_000_209
    assert len(data.history) == 994_169
    assert (data.n_users, data.n_items) == (6_040, 3_706)
    held_out = data.candidates[:, 0]
    assert len(np.unique(held_out)) == 1_921
    assert data.candidates.shape == (6_040, 100)
    assert int((data.candidates < 0).sum()) == 156
    for user in (0, 17, 6_039):
        chosen = np.append(data.items_of(user), held_out[user])
        assert not np.isin(data.candidates[user, 1:], chosen).any()
    assert np.diff(data.starts).min() >= 19  # "each user has at least 20 ratings"


def test_movielens_100k_knows_every_rating(real_data: Path) -> None:
    data = load("movielens-100k", "rating", strict=True)
    assert isinstance(data, Interactions)
    counts = np.bincount(data.ratings, minlength=6)
    assert counts.sum() == 100_000 - 943
    assert counts[0] == 0
    liked = (data.gold["test"] == 2).sum()
    assert liked + counts[3:].sum() == 27_145 + 34_174 + 21_201
    assert data.label_names == ("not chosen", "disliked", "liked")


def test_what_stands_in_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(notices, "SAID", set())
    with pytest.warns(UserWarning, match="Made with a generated stand-in"):
        data = load("movielens-1m")
    assert isinstance(data, Interactions)
    assert data.notice
    task = prepare(ItemRecipe(dataset="movielens-1m"), data)
    assert task.n_classes == 2  # Its ratings are not asked for.
    assert set(task.classes) == {1}


def test_tastes_are_known() -> None:
    data = generate()
    genre = np.array([of[0] for of in data.genres])
    same = [
        (genre[data.items_of(u)] == genre[data.candidates[u, 0]]).mean()
        for u in range(data.n_users)
    ]
    others = [
        (genre[data.items_of(u)][:, None] == genre[data.candidates[u, 1:]]).mean()
        for u in range(data.n_users)
    ]
    labels = np.repeat([1, 0], data.n_users)
    assert roc_auc_score(labels, [*same, *others]) > 0.8
    assert generate().content_hash == data.content_hash != generate(seed=1).content_hash


TABLES = {
    "user": [0, 0, 1],
    "item": [2, 0, 1],
    "rating": [5, 1, 3],
    "held_out": [1, 2],
    "held_rating": [4, 2],
    "negatives": [[3], [3]],
    "n_items": 4,
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user": [0, 0, 0], "item": [2, 0, 3]}, "user 1 has no history"),
        ({"user": [0, 1, 2]}, "user 2 has no item held out"),
        ({"item": [2, 0, 4]}, "items must be between 0 and 3, got 4 of user 1"),
        ({"negatives": [[3], [9]]}, "items must be between 0 and 3, got 9 of user 1"),
        ({"rating": [5, 1, 6]}, "ratings must be from 1 to 5, .* got 6 of user 1"),
        ({"rating": [5, -1, 3]}, "got -1 of user 0"),
        ({"rating": [5, 0, 3]}, "ratings of 1 interactions are not known"),
        ({"item": [2, 0, -1]}, "items must be between 0 and 3, got -1 of user 1"),
        ({"held_out": [1, -1]}, "items must be between 0 and 3, got -1 of user 1"),
        ({"negatives": [[2], [3]]}, "user 0 has chosen item 2, which is among the negatives"),
        ({"negatives": [[1], [3]]}, "user 0 has chosen item 1, which is among the negatives"),
        ({"item": [2, 2, 1]}, "user 0 has item 2 twice"),
        ({"held_out": [0, 2]}, "user 0 has item 0 twice"),
        ({"rating": [5, 2.5, 3]}, r"rating must hold whole numbers, got .*2\.5\)? at 1"),
        ({"rating": [5, float("nan"), 3]}, r"rating must hold whole numbers, got .*nan\)? at 1"),
        ({"item": [2, 0, 1.5]}, "item must hold whole numbers"),
        ({"item": ["a", "b", "c"]}, "item must hold whole numbers, got .*'a'.* at 0"),
        ({"item": [2, 0]}, "as many as each other, got 3 of user, 2 of item, 3 of rating"),
        ({"negatives": [[3]]}, "as many as each other, got 2 of held_out, 2 of held_rating, 1 of"),
        ({"user": [0, 0, -1]}, "users must be counted from 0, .* got user -1"),
        ({"held_out": [], "held_rating": [], "negatives": []}, "got no user"),
    ],
)
def test_interactions_that_make_no_sense_are_refused_by_name(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        from_tables({**TABLES, **changes}, name="films", label="rating", source="made up")


def test_a_label_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="unknown label 'choise'; did you mean 'choice'"):
        from_tables(TABLES, name="films", label="choise", source="made up")


def test_a_published_sheet_does_not_tell_how_items_were_rated(tmp_path: Path) -> None:
    data = from_tables(TABLES, name="movielens-100k", label="rating", source="made up")
    assert set(data.gold["test"]) == {1, 2}
    arrays, _ = files.read(write_sheet(data, tmp_path))
    assert all((labels == 1).all() for labels in arrays.values())


def test_users_and_items_that_are_not_there_are_refused() -> None:
    data = generate()
    with pytest.raises(UsageError, match="user must be between 0 and 399, got 400"):
        data.items_of(400)
    with pytest.raises(UsageError, match="item must be between 0 and 299, got -1"):
        data.describe_item(-1)
    with pytest.raises(UsageError, match="user 0 has not chosen 1 of 3 items: too few to draw 2"):
        negatives_for(np.random.default_rng(0), [np.array([0, 2])], 3, 2)


@pytest.mark.parametrize("held_out", [False, True])
def test_negatives_are_never_of_the_history(held_out: bool) -> None:
    data = generate().head(20)
    task = prepare(FACTORS.model_copy(update={"held_out": held_out}), data)
    users = np.repeat(np.arange(20), 200)
    drawn = task.negatives(np.random.default_rng(0), users)
    assert not task.chosen[users, drawn].any()
    assert len(np.unique(drawn[:200])) > 100
    tested = task.inputs["test"].values
    assert not task.chosen[tested[:, 0], tested[:, 1]].any()
    if held_out:
        first = tested[task.inputs["test"].starts[:-1], 1]
        for user, item in enumerate(first):
            assert item in data.items_of(user)
            assert data.candidates[user, 0] not in tested[tested[:, 0] == user, 1]
        assert len(task.classes) == len(data.history) - 20


# Training.


@pytest.mark.parametrize("recipe", [ITEMS, FACTORS])
def test_a_run_has_the_same_bits_alone_among_others_and_in_another_process(recipe: Any) -> None:
    alone = train(recipe)[0]
    assert_same_bits(alone, train(recipe, SeedPlan.same(1), PLAN)[1])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool_of_one:
        assert_same_bits(alone, pool_of_one.submit(elsewhere, recipe, 2).result())


@pytest.mark.parametrize(
    "recipe",
    [
        ITEMS,
        ITEMS.with_method(ASWA()),
        ITEMS.with_method(Snapshot(cycles=2)),
        ITEMS.model_copy(update={"start": "own", "start_epochs": 1}),
        FACTORS,
    ],
)
def test_a_run_goes_on_from_any_step_to_the_same_bits(recipe: Any) -> None:
    states: list[Any] = []

    def keep(done: int, state: Any = None) -> None:
        if state is not None:
            states.append({name: array.copy() for name, array in state().items()})

    whole = train(recipe, report=keep)[0]
    for step in (1, len(states) // 2, len(states) // 2 + 1, len(states)):
        assert_same_bits(whole, train(recipe, state=states[step - 1])[0])


@pytest.mark.parametrize("recipe", [ITEMS, FACTORS])
@pytest.mark.parametrize("source", ["init", "shuffle", "negatives"])
def test_each_source_counts(recipe: Any, source: str) -> None:
    one, other = train(recipe, SeedPlan(), SeedPlan(seeds={source: 1}))
    assert not np.array_equal(one["scores"], other["scores"])


def test_a_bit_of_the_attention_is_changed() -> None:
    bit = SeedPlan(bit=Bit(tensor="attention_weight", index=5))
    plain, twin = train(ITEMS, SeedPlan(), bit)
    gap = np.abs(plain["attention_weight"] - twin["attention_weight"])
    assert 0.0 < gap.max() < 1e-2


@pytest.mark.parametrize("class_weights", [False, True])
def test_training_is_that_of_a_plain_loop(class_weights: bool) -> None:
    """The same negatives and order, with plain tensors, torch's batch norm and Adagrad by hand."""
    recipe = ITEMS.model_copy(update={"epochs": 1, "class_weights": class_weights})
    task = prepare(recipe, generate())
    network = build(recipe, PLAN, task, pause=lambda: None)
    assert isinstance(network, ItemNetwork)
    named = {
        n: p.detach().clone().requires_grad_(p.requires_grad) for n, p in network.named().items()
    }
    sums = {n: torch.full_like(p, 1e-8) for n, p in named.items()}
    rng = PLAN.generator("negatives")
    weights = torch.tensor([0.625, 2.5] if class_weights else [1.0, 1.0])
    losses = []
    for user in PLAN.generator("shuffle").permutation(30):
        items = generate().items_of(int(user)).astype(np.int64)
        others = task.negatives(rng, np.full(4 * len(items), user))
        targets = np.concatenate([items, others])
        own = np.concatenate([np.arange(len(items)), np.full(len(others), -1)])
        layer = (named["attention_weight"], named["attention_bias"], named["attention_top"])
        state = plain_pool(named["history"][items], named["targets"][targets], own, *layer, 0.8)
        for k in range(2):
            state = state @ named[f"weights.{k}"].T + named[f"biases.{k}"]
            mean, variance = state.mean(dim=0), state.var(dim=0, correction=0)
            state = (state - mean) / torch.sqrt(variance + 1e-3)
            state = torch.relu(state * named[f"norms.{k}.weight"] + named[f"norms.{k}.bias"])
        logits = state @ named["top"].T + named["item_bias"][targets]
        gold = torch.tensor([1] * len(items) + [0] * len(others))
        each = torch.nn.functional.cross_entropy(logits, gold, reduction="none")
        loss = (weights[gold] * each).mean()
        losses.append(float(loss.detach()))
        for parameter in named.values():
            parameter.grad = None
        loss.backward()
        with torch.no_grad():
            for name, parameter in named.items():
                if parameter.grad is None:
                    continue
                penalty = {"history": 1e-6, "targets": 1e-6}.get(
                    name, 0.1 if name.startswith("weights.") else 0.0
                )
                gradient = parameter.grad + penalty * parameter
                sums[name] += gradient**2
                parameter -= 0.05 * gradient / (torch.sqrt(sums[name]) + 1e-10)
    rows = PLAN.generator("shuffle").permutation(30)
    made, network.rng = network.optimizer(), PLAN.generator("negatives")
    # Later on, single precision has let them part.
    for expected, user in zip(losses[:6], rows, strict=False):
        loss = network.loss(np.array([user]))
        made.zero_grad()
        loss.backward()
        made.step()
        assert float(loss.detach()) == pytest.approx(expected, rel=2e-3)


def test_several_users_may_share_a_step() -> None:
    task = prepare(ITEMS, generate())
    network = build(ITEMS, PLAN, task, pause=lambda: None)
    network.rng = PLAN.generator("negatives")
    together = float(network.loss(np.array([4, 7])).detach())
    network.rng = PLAN.generator("negatives")
    counts = [len(generate().items_of(user)) for user in (4, 7)]
    alone = [float(network.loss(np.array([user])).detach()) for user in (4, 7)]
    # Norms are taken of the examples of one user, whoever is in the same step.
    assert together == pytest.approx(np.average(alone, weights=counts), rel=1e-5)


def test_class_weights_let_all_classes_contribute_alike() -> None:
    for label, n_classes in (("choice", 2), ("rating", 3)):
        recipe = ITEMS.model_copy(update={"label": label, "class_weights": True})
        task = prepare(recipe, generate())
        network = build(recipe, PLAN, task, pause=lambda: None)
        weights = network.class_weights.numpy()
        counts = np.bincount(task.classes, minlength=n_classes).astype(float)
        counts[0] = 4 * len(task.classes)
        contributed = weights * counts / counts.sum()
        assert contributed == pytest.approx(1.0 / n_classes, rel=1e-5)


def test_methods_are_honoured() -> None:
    smooth = train(ITEMS.with_method(LabelSmoothing(alpha=0.2)))[0]
    averaged = train(ITEMS.with_method(SWA()))[0]
    plain = train(ITEMS)[0]
    assert not np.array_equal(plain["scores"], smooth["scores"])
    assert not np.array_equal(plain["scores"], averaged["scores"])


@pytest.mark.parametrize("recipe", [ITEMS, FACTORS])
@pytest.mark.parametrize("class_weights", [False, True])
def test_who_learns_the_truth_from_a_teacher_learns_it(recipe: Any, class_weights: bool) -> None:
    recipe = recipe.model_copy(update={"class_weights": class_weights})
    data = generate().head(30)
    chosen = np.zeros((30, data.n_items), dtype=np.int64)
    for user in range(30):
        chosen[user, data.items_of(user)] = 1
    truth = np.eye(2, dtype=np.float32)[chosen.ravel()]
    student = recipe.with_method(Ensemble(members=1, temperature=1.0))
    assert_same_bits(train(student, taught=lambda plan: truth)[0], train(recipe)[0])


def test_a_teacher_is_asked_about_an_item_as_if_it_were_not_in_the_history() -> None:
    task = prepare(ITEMS, generate())
    network = build(ITEMS, PLAN, task, pause=lambda: None)
    assert isinstance(network, ItemNetwork)
    with torch.no_grad():
        said = network.logits(task.lesson).reshape(30, task.n_items, 2)
        for user in (0, 7):
            items, _ = network.history(user)
            for item in items[:2]:
                rest = torch.from_numpy(items[items != item])
                alone = network.model(rest, torch.tensor([item]), np.array([-1]))
                torch.testing.assert_close(said[user, item], alone[0])


@pytest.mark.parametrize("teacher", ["shared", "own"])
@pytest.mark.parametrize("recipe", [ITEMS, FACTORS])
def test_students_learn_what_their_teachers_say_of_all_pairs(
    recipe: Any, teacher: Any, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    task = prepare(recipe, generate())
    for method in (
        Ensemble(members=2, teacher=teacher),
        TGTSS(after_step=task.sizes["train"] // recipe.batch_size, every=5, teacher=teacher),
    ):
        means = [
            one["mean"] for one in train(recipe, *method.teachers(PLAN), records=(method.lesson,))
        ]
        mean = np.mean(means, axis=0, dtype=np.float64).astype(np.float32)
        assert mean.shape == (30 * task.n_items, 2)
        np.testing.assert_allclose(mean.sum(axis=1), 1.0, atol=2e-3)
        student = recipe.with_method(method)
        by_hand = train(student, taught=lambda plan, mean=mean: mean)[0]
        runs = train_own(student, (PLAN,), task, RECORDS, store=store)
        np.testing.assert_array_equal(runs["scores"][0], by_hand["scores"])
        assert not np.array_equal(by_hand["scores"], train(recipe)[0]["scores"])


def test_a_shared_start_is_the_same_for_all_runs_and_an_own_one_is_not() -> None:
    plans = seed_plans(2)
    for start, same in (("shared", True), ("own", False)):
        recipe = ITEMS.model_copy(
            update={"start": start, "start_epochs": 1, "learning_rate": 1e-30, "epochs": 1}
        )
        one, other = train(recipe, *plans, records=(Vectors(),))
        assert np.array_equal(one["history"], other["history"]) == same
        assert not np.array_equal(one["weights.0"], other["weights.0"])


def test_three_outputs_need_a_softmax_and_ratings() -> None:
    with pytest.raises(UsageError, match="output 'sigmoid' tells two classes"):
        Request(ITEMS.model_copy(update={"label": "rating", "output": "sigmoid"}), (PLAN,))
    kept = train(ITEMS.model_copy(update={"label": "rating"}))[0]
    assert kept["scores"].shape == (30, 2)


def test_arrays_of_ones_own_are_trained_on() -> None:
    task = prepare(ITEMS, generate())
    runs = train_own(ITEMS, seed_plans(2), task, RECORDS)
    assert runs["ranks"].shape == (2, 30)
    assert task.key != prepare(ITEMS, generate(seed=1)).key


# What is kept.


def test_what_is_kept_fits_together() -> None:
    kept = train(ITEMS, records=LOOKS)[0]
    assert kept["ranks"].shape == (30,)
    assert kept["candidates"].shape == (5, 100, 1)
    odds = kept["candidates"][..., 0].astype(np.float64)
    # In half precision some scores are equal: the rank is between those that they allow.
    above, equal = (odds[:, 1:] > odds[:, :1]).sum(1), (odds[:, 1:] == odds[:, :1]).sum(1)
    assert ((above <= kept["ranks"][:5]) & (kept["ranks"][:5] <= above + equal)).all()
    in_front = (kept["first"] == 0).argmax(axis=1)
    hit = kept["ranks"] < 10
    assert ((kept["first"] == 0).any(axis=1) == hit).all()
    assert (in_front[hit] == kept["ranks"][hit]).all()
    assert kept["hits"][-1] == pytest.approx(hit.mean())
    assert kept["gains"][-1] == pytest.approx(float(ndcg_of_ranks(kept["ranks"][None])[0]))


def test_ndcg_is_that_of_scikit_learn() -> None:
    scores = np.random.default_rng(0).normal(size=(50, 20))
    truth = np.zeros((50, 20))
    truth[:, 0] = 1.0
    expected = ndcg_score(truth, scores, k=10)
    assert ndcg(scores[:, 0], scores[:, 1:]) == pytest.approx(expected)
    ranks = (scores[:, 1:] >= scores[:, :1]).sum(axis=1)[None]
    assert ndcg_of_ranks(ranks) == pytest.approx(expected)
    assert hit_rate_of_ranks(ranks) == pytest.approx((ranks < 10).mean())
    with pytest.raises(UsageError, match="ranks must be integers"):
        hit_rate_of_ranks([[0.5]])


def test_a_candidate_that_does_not_count_is_never_in_front() -> None:
    data = generate()
    candidates = data.candidates.copy()
    candidates[:, 3] = -1
    import dataclasses

    lacking = dataclasses.replace(data, candidates=candidates)
    inputs = Inputs(key="x", source="", data=lacking)
    request = Request(ITEMS, (PLAN,), (Ranked(k=99),))
    ((_, (kept,)),) = next(
        iter(train_each(request, inputs, nobody, report=lambda *_: None, state=None))
    )
    assert np.isnan(kept["candidates"][:, 3]).all()
    assert not (kept["first"] == 3).any()


def test_the_most_attended_are_those_with_the_most_attention() -> None:
    kept = train(ITEMS, records=LOOKS)[0]
    ends = np.cumsum(kept["lengths"][:3].astype(int))
    shares = np.split(kept["shown"].astype(np.float64), ends[:-1])
    start = 0
    for share, length in zip(shares, kept["lengths"], strict=False):
        count = -(-int(length) // 10)
        top = kept["top"][start : start + count]
        start += count
        assert share.sum() == pytest.approx(1.0, abs=0.01)
        assert share[top].min() >= np.delete(share, top).max() - 1e-3
    assert ((kept["entropy"] > 0.0) & (kept["entropy"] <= 1.001)).all()


def test_permuting_equal_attention_changes_nothing_and_unequal_attention_something() -> None:
    task = prepare(ITEMS, generate())
    network = build(ITEMS, PLAN, task, pause=lambda: None)
    assert isinstance(network, ItemNetwork)
    network.model.eval()
    with torch.no_grad():
        network.model.history.mul_(100.0)
        network.model.targets.mul_(100.0)
        items, _ = network.history(0)
        history, targets = torch.from_numpy(items), torch.tensor([5])
        rng, n = np.random.default_rng(0), len(items)
        orders = rng.permuted(np.tile(np.arange(n), (4, 1)), axis=1)
        weights = network.model.attention(history, targets, np.array([-1]))
        plain, others = logits_with(network, history, targets, weights, orders)
        expected = network.by_class(network.model(history, targets, np.array([-1])))
        assert plain[0] == pytest.approx(float(expected[0, 1] - expected[0, 0]), rel=1e-4)
        assert np.abs(others - plain).max() > 1e-4
        same = np.full((1, n), 1.0 / n, np.float32)
        plain, others = logits_with(network, history, targets, same, orders)
        assert others == pytest.approx(np.tile(plain, (4, 1)), abs=1e-5)


def test_records_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="only a model with attention attends"):
        train(FACTORS, records=LOOKS)
    with pytest.raises(UsageError, match="only a model with attention attends"):
        train(ITEMS.model_copy(update={"attention": None}), records=LOOKS)
    with pytest.raises(
        UsageError, match="k must be at most 100, the candidates of a user, got 101"
    ):
        train(ITEMS, records=(Ranked(k=101),))
    with pytest.raises(UsageError, match="a recommender keeps no record of the kind 'final'"):
        train(ITEMS, records=(Final(),))


# The archives of MovieLens.


def written_100k(folder: Path) -> None:
    ratings = ["1\t10\t5\t3", "1\t20\t1\t9", "2\t20\t3\t4", "2\t30\t4\t4", "1\t30\t2\t5"]
    genres = ["unknown|0", "Action|1", "Horror|2"]
    films = [
        f"{k}|Film {k} (1999)|d||u|{flags}" for k, flags in zip((10, 20, 30), FLAGS, strict=True)
    ]
    (folder / "u.data").write_text("\n".join(ratings))
    (folder / "u.genre").write_text("\n".join(genres))
    (folder / "u.item").write_text("\n".join(films), encoding="latin-1")
    (folder / "u.user").write_text("1|24|M|writer|0\n2|53|F|other|0")


FLAGS = ("0|1|1", "0|0|1", "1|0|0")


def test_the_archive_of_100k_becomes_the_files_that_are_read(tmp_path: Path) -> None:
    written_100k(tmp_path)
    (ratings, items, users) = convert(tmp_path, tmp_path / "made")
    rated = pd.read_parquet(ratings)
    assert rated[rated["loo_test"]][["user", "item"]].to_numpy().tolist() == [[1, 20], [2, 30]]
    films = pd.read_parquet(items)
    assert films["genres"].tolist() == ["Action|Horror", "Horror", "unknown"]
    assert pd.read_parquet(users)["age"].tolist() == [24, 53]
    (tmp_path / "u.genre").unlink()
    with pytest.raises(DataError, match=r"u\.genre: this file of the archive is missing"):
        convert(tmp_path, tmp_path / "made")


def test_the_archive_of_1m_becomes_the_files_that_are_read(tmp_path: Path) -> None:
    ratings = ["1::30::5::3", "1::10::1::9", "2::20::3::4", "2::30::4::4"]
    (tmp_path / "ratings.dat").write_text("\n".join(ratings))
    (tmp_path / "movies.dat").write_text(
        "\n".join(f"{k}::Caf\xe9 {k} (1999)::Drama|War" for k in (10, 20, 30)), encoding="latin-1"
    )
    (tmp_path / "users.dat").write_text("1::F::1::10::0\n2::M::56::16::0")
    # Items are numbered as ratings name them: 30, 10, 20.
    (tmp_path / "ml-1m.test.rating").write_text("0\t1\t1\t9\n1\t2\t3\t4")
    (tmp_path / "ml-1m.test.negative").write_text("(0,1)\t2\n(1,2)\t1")
    interactions = convert(tmp_path, tmp_path / "made")[0]
    data = from_tables(read_1m(interactions), name="movielens-1m", label="choice", source="made up")
    assert data.titles == ("Caf\xe9 10 (1999)", "Caf\xe9 20 (1999)", "Caf\xe9 30 (1999)")
    assert data.candidates.tolist() == [[0, 1], [1, 0]]
    assert [data.items_of(u).tolist() for u in range(2)] == [[2], [2]]
    assert data.ages.tolist() == [1, 56]
    (tmp_path / "ml-1m.test.rating").write_text("0\t2\t1\t9\n1\t2\t3\t4")
    with pytest.raises(DataError, match="its pairs are not among those"):
        convert(tmp_path, tmp_path / "made")
    (tmp_path / "users.dat").write_text("1::F")
    (tmp_path / "ml-1m.test.rating").write_text("0\t1\t1\t9\n1\t2\t3\t4")
    with pytest.raises(DataError, match=r"users\.dat: line 1 must have 5 fields"):
        convert(tmp_path, tmp_path / "made")


def test_a_folder_without_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither u.data"):
        convert(tmp_path, tmp_path / "made")


def test_a_file_of_other_columns_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"user": [1]}).to_parquet(tmp_path / "ml100k_ratings.parquet")
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="column 'item' is missing"):
        load("movielens-100k")
