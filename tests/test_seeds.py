"""Seed plans: one form for one meaning, onsets, bits, children."""

from __future__ import annotations

import json
import pickle
import zlib
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from pydantic import ValidationError

from stablib.errors import UsageError
from stablib.runs import RunStore
from stablib.runs import train as train_into
from stablib.runs.group import plans_key
from stablib.training import (
    Bit,
    Method,
    Probabilities,
    Request,
    SeedPlan,
    Steps,
    seed_plans,
)
from stablib.training.method import Averager
from stablib.training.seeds import change_bit, describe
from stablib.training.tagged import identity
from stablib.workloads import HeadRecipe, StreamRecipe
from tests.test_training import make_task, train

RECIPE = HeadRecipe(hidden=8, epochs=3, batch_size=64, learning_rate=0.01)
N_BATCHES = 5  # In an epoch of 300 examples.
BIT = Bit(tensor="hidden.weight", index=5)

#: Plans that mean different things.
PLANS = [
    SeedPlan(),
    SeedPlan(base=3),
    SeedPlan(init=3),
    SeedPlan(base=3, init=0),
    SeedPlan(shuffle=3),
    SeedPlan(init=3, shuffle=3),
    SeedPlan(low_level=3),
    SeedPlan(shuffle=3, onset={"shuffle": 2}),
    SeedPlan(shuffle=3, onset={"shuffle": 3}),
    SeedPlan(shuffle=3, dropout=4, onset={"shuffle": 3}),
    SeedPlan(shuffle=3, dropout=4, onset={"dropout": 3}),
    SeedPlan(bit=BIT),
    SeedPlan(bit=Bit(tensor="hidden.weight", index=5, direction="down")),
    SeedPlan(bit=Bit(tensor="hidden.weight", index=6)),
    SeedPlan(bit=Bit(tensor="hidden.bias", index=5)),
    SeedPlan(bit=BIT, onset={"bit": 2}),
    SeedPlan(init=2**63, bit=BIT),
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SeedPlan(init=3), SeedPlan(seeds={"init": 3})),
        (SeedPlan(init=3), SeedPlan(base=0, seeds=(("init", 3),))),
        (SeedPlan(shuffle=1, dropout=2), SeedPlan(dropout=2, shuffle=1)),
        (SeedPlan(base=3, init=3, shuffle=3), SeedPlan.same(3)),
        (SeedPlan(base=3, shuffle=3, onset={"shuffle": 2}), SeedPlan.same(3)),
        (SeedPlan(shuffle=3, onset={"shuffle": 1}), SeedPlan(shuffle=3)),
        (SeedPlan(bit=BIT, onset={"bit": 1}), SeedPlan(bit=BIT)),
        (
            SeedPlan(shuffle=3, dropout=4, onset={"shuffle": 2, "dropout": 3}),
            SeedPlan(dropout=4, shuffle=3, onset={"dropout": 3, "shuffle": 2}),
        ),
        (SeedPlan(init=np.int64(3)), SeedPlan(init=3)),
    ],
)
def test_one_meaning_has_one_form(one: SeedPlan, other: SeedPlan) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)
    assert plans_key([one]) == plans_key([other])


def test_different_meanings_have_different_forms() -> None:
    assert len(set(PLANS)) == len(PLANS)
    assert len({plans_key([plan]) for plan in PLANS}) == len(PLANS)
    assert len({repr(plan) for plan in PLANS}) == len(PLANS)


@pytest.mark.parametrize("plan", PLANS, ids=repr)
def test_a_plan_comes_back_from_json_pickle_and_its_own_words(plan: SeedPlan) -> None:
    back = [
        SeedPlan.model_validate_json(plan.model_dump_json()),
        SeedPlan(**json.loads(json.dumps(plan.model_dump(mode="json")))),
        SeedPlan(**json.loads(json.dumps(identity(plan)))),
        pickle.loads(pickle.dumps(plan)),
        eval(repr(plan), {"SeedPlan": SeedPlan, "Bit": Bit}),
    ]
    assert back == [plan] * len(back)
    assert {hash(one) for one in back} == {hash(plan)}
    assert json.loads(plan.model_dump_json())["seeds"] == dict(plan.seeds)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"base": -1}, "greater than or equal to 0"),
        ({"init": -1}, "greater than or equal to 0"),
        ({"init": 1.5}, "must be a whole number"),
        ({"shuffle": 3, "onset": {"shuffle": 0}}, "'shuffle' is epoch 0: epochs count from 1"),
        ({"shuffle": 3, "onset": {"shuffle": 2.5}}, "must be a whole number"),
        ({"onset": {"shuffle": 2}}, "onset of 'shuffle' needs a seed of 'shuffle'"),
        ({"onset": {"bit": 2}}, "onset of 'bit' needs a changed bit"),
        ({"bit": BIT, "onset": {"bit": 0}}, "'bit' is epoch 0: epochs count from 1"),
        ({"init": 3, "onset": {"init": 2}}, "initial weights come before all of them"),
        ({"init": 3, "onset": {"init": 1}}, "initial weights come before all of them"),
        ({"bit": {"tensor": "w", "index": -1}}, "greater than or equal to 0"),
        ({"bit": {"tensor": "w", "direction": "left"}}, "'up' or 'down'"),
    ],
)
def test_plans_that_mean_nothing_are_refused(fields: dict, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        SeedPlan(**fields)


@pytest.mark.parametrize(
    ("recipe", "plan", "hint"),
    [
        (RECIPE, SeedPlan(shufle=3), "source of head 'shufle'; did you mean 'shuffle'"),
        (
            RECIPE,
            SeedPlan(shuffle=3, onset={"shuffle": 4}),
            "onset of 'shuffle' is epoch 4, but head trains 3 here: it must be at most that",
        ),
        (
            RECIPE,
            SeedPlan(bit=BIT, onset={"bit": 4}),
            "onset of 'bit' is epoch 4, but head trains 3 here: it must be at most that",
        ),
        (
            StreamRecipe(data={"kind": "linear"}, log2_examples=10),
            SeedPlan(shuffle=3, onset={"shuffle": 2}),
            "onset of 'shuffle' is epoch 2, but stream trains 1 here",
        ),
        (
            StreamRecipe(data={"kind": "linear"}, log2_examples=10),
            SeedPlan(dropout=3),
            "unknown source of stream 'dropout' (allowed: init, shuffle)",
        ),
        (
            StreamRecipe(data={"kind": "linear"}, log2_examples=10),
            SeedPlan(bit=BIT),
            "workload 'stream' cannot change a bit of its weights",
        ),
    ],
)
def test_a_workload_refuses_what_would_change_nothing(recipe, plan, hint) -> None:
    with pytest.raises(UsageError) as refused:
        Request(recipe, (SeedPlan(), plan))
    assert hint in str(refused.value)


@pytest.mark.parametrize("source", ["init", "shuffle", "dropout", "augment", "low_level", "own"])
def test_a_generator_is_sfc64_of_name_and_seed(source: str) -> None:
    """Published runs were made with these streams."""
    expected = np.random.Generator(
        np.random.SFC64(np.random.SeedSequence([zlib.crc32(source.encode()), 5]))
    ).random(9)
    for plan in (SeedPlan.same(5), SeedPlan(seeds={source: 5}), SeedPlan(base=1, **{source: 5})):
        np.testing.assert_array_equal(plan.generator(source).random(9), expected)


def test_sources_of_one_seed_are_independent_streams() -> None:
    plan = SeedPlan.same(3)
    sources = ("init", "shuffle", "dropout", "augment", "low_level")
    draws = {tuple(plan.generator(s).integers(2**32, size=4)) for s in sources}
    assert len(draws) == 5


def test_before_its_onset_a_source_goes_on_with_the_base() -> None:
    plan = SeedPlan(base=1, shuffle=2, onset={"shuffle": 3})
    source, first, then = (
        plan.source("shuffle"),
        *(SeedPlan.same(seed).generator("shuffle") for seed in (1, 2)),
    )
    for epoch in range(1, 6):
        expected = (first if epoch < 3 else then).permutation(50)
        np.testing.assert_array_equal(source.at(epoch).permutation(50), expected)
    assert [plan.starts(s) for s in ("shuffle", "dropout")] == [3, 1]


@pytest.mark.parametrize("source", ["shuffle", "dropout"])
@pytest.mark.parametrize("onset", [2, 3])
def test_a_run_is_the_base_run_until_the_onset_and_another_one_after(source, onset) -> None:
    plans = [SeedPlan(base=1), SeedPlan(base=1, seeds={source: 2}, onset={source: onset})]
    (base,), (late,) = train(RECIPE, plans, make_task(), [Steps(split="val", confidence=True)])
    until = (onset - 1) * N_BATCHES
    for name in ("labels", "gold"):
        np.testing.assert_array_equal(base[name][:until], late[name][:until])
    assert (base["gold"][until:] != late["gold"][until:]).any(axis=1).all()
    assert (base["labels"][until:] != late["labels"][until:]).any()


@pytest.mark.parametrize("vary", [["shuffle"], ["init", "dropout"]])
def test_only_what_varies_gets_the_seeds(vary: list[str]) -> None:
    plans = seed_plans(4, first_seed=5, vary=vary, base=6)
    for seed, plan in zip(range(5, 9), plans, strict=True):
        for source in ("init", "shuffle", "dropout"):
            assert plan.seed(source) == (seed if source in vary else 6)
    assert plans[1] == SeedPlan.same(6)


def test_children_are_distinct() -> None:
    parents = [*seed_plans(20, first_seed=100), *PLANS, SeedPlan(augment=1), SeedPlan(own=1)]
    parents.append(SeedPlan(base=5, init=100, shuffle=100, dropout=100, augment=100))
    children = {parent.child(k) for parent in parents for k in range(50)}
    assert len(children) == len(parents) * 50
    assert SeedPlan.same(4).child(2) == SeedPlan.same(4).child(2)


@pytest.mark.parametrize("seeds", [(0, 0, 0, 0), (7, 7, 7, 7), (1, 2, 3, 4), (0, 5, 0, 2**40)])
def test_children_have_the_numbers_with_which_teachers_were_published(seeds) -> None:
    plan = SeedPlan(**dict(zip(("init", "shuffle", "dropout", "augment"), seeds, strict=True)))
    for number in (0, 1, 199):
        sequence = np.random.SeedSequence([zlib.crc32(b"child"), number, *seeds])
        expected = SeedPlan.same(int(sequence.generate_state(1, np.uint32)[0]))
        assert plan.child(number) == expected
        assert len(set(seeds)) > 1 or SeedPlan.same(seeds[0]).child(number) == expected


@pytest.mark.parametrize(
    ("plans", "said"),
    [
        ([SeedPlan.same(4)], "all sources 4"),
        (seed_plans(3), "all sources 0–2"),
        ([*seed_plans(3), SeedPlan.same(7)], "all sources 0–2, 7"),
        ([SeedPlan.same(k) for k in range(0, 20, 2)], "all sources 0 … 18 (10 seeds)"),
        (seed_plans(3, vary=["shuffle"], base=9), "order 0–2, all else 9"),
        (seed_plans(3, vary=["init", "own"]), "initial weights 0–2, own 0–2, all else 0"),
        (seed_plans(2, first_seed=1, vary=["low_level"]), "low level 1–2, all else 0"),
        (
            [SeedPlan(shuffle=k, onset={"shuffle": 3}) for k in (1, 2)],
            "order 1–2 from epoch 3, all else 0",
        ),
        (
            [SeedPlan(bit=BIT), SeedPlan(bit=BIT.model_copy(update={"direction": "down"}))],
            "all sources 0, one bit of hidden.weight[5] down or hidden.weight[5] up",
        ),
        (
            [SeedPlan(bit=BIT, onset={"bit": k}) for k in (2, 3)],
            "all sources 0, one bit of hidden.weight[5] up before epoch 2–3",
        ),
    ],
)
def test_plans_are_described_by_what_varies(plans: list[SeedPlan], said: str) -> None:
    assert describe(plans) == said


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("value", [1.0, -1.0, 0.0, 0.1, -2.5e-40, 3e38])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_changed_bit_is_the_next_number(direction: str, value: float, dtype: type) -> None:
    weights = np.full((3, 4), value, dtype=dtype)
    others = {"a": weights, "b": np.zeros(2, dtype=dtype)}
    change_bit(Bit(tensor="a", index=6, direction=direction), others)
    expected = np.full((3, 4), value, dtype=dtype)
    towards = np.array(np.inf if direction == "up" else -np.inf, dtype=dtype)
    expected[1, 2] = np.nextafter(dtype(value), towards)
    assert expected[1, 2] != dtype(value)
    np.testing.assert_array_equal(weights, expected)
    np.testing.assert_array_equal(others["b"], np.zeros(2))


@pytest.mark.parametrize(
    ("bit", "said"),
    [
        (
            Bit(tensor="hidden.wieght"),
            "unknown tensor 'hidden.wieght'; did you mean 'hidden.weight'? "
            "(allowed: hidden.bias, hidden.weight, output.bias, output.weight)",
        ),
        (
            Bit(tensor="hidden.weight", index=128),
            "bit: index must be between 0 and 127 in hidden.weight, got 128",
        ),
    ],
)
def test_a_bit_that_is_not_there_is_refused(bit: Bit, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        train(RECIPE, [SeedPlan(bit=bit)], make_task(), [Steps(split="val")])
    assert str(refused.value) == said


@pytest.mark.parametrize("onset", [1, 3])
def test_of_a_stack_none_is_trained_if_one_has_a_bit_that_is_not_there(
    onset: int, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    wrong = SeedPlan(bit=Bit(tensor="hidden.weight", index=128), onset={"bit": onset})
    with pytest.raises(UsageError, match="index must be between 0 and 127 in hidden.weight"):
        train_into(
            HeadRecipe(hidden=8),
            [SeedPlan(), wrong],
            make_task(),
            [Steps(split="val")],
            store=store,
        )
    assert not list(store.folder.rglob("*.npz"))


class Spy(Method):
    """Looks at the weights: the trained ones, or with a rate of 0 the initial ones."""

    kind: Literal["toy_spy"] = "toy_spy"
    factor: float = 1.0
    seen: ClassVar[list[np.ndarray]] = []

    def rate(self, step: int, n_steps: int) -> float:
        return self.factor

    def averager(self, n_epochs: int) -> Spying:
        return Spying()


class Spying(Averager):
    """Looks when all is done."""

    def finish(self, weights: Any) -> None:
        Spy.seen.append(weights[0].numpy().copy())


def spied(plan: SeedPlan, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights, and probabilities, of a run."""
    recipe = RECIPE.with_method(Spy(factor=factor))
    ((found,),) = train(recipe, [plan], make_task(), [Probabilities(split="test")])
    return Spy.seen.pop(), found["probabilities"]


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize(
    ("tensor", "index", "place"),
    [("hidden.weight", 5, 5), ("output.bias", 3, 16 * 8 + 8 + 8 * 4 + 3)],
)
def test_one_bit_changes_one_initial_weight_many_final_ones_and_few_labels(
    direction, tensor, index, place
) -> None:
    plan = SeedPlan(base=1, bit=Bit(tensor=tensor, index=index, direction=direction))
    (first, _), (twin, _) = spied(plan, 0.0), spied(SeedPlan(base=1), 0.0)
    assert np.flatnonzero(first != twin).tolist() == [place]
    towards = np.float32(np.inf if direction == "up" else -np.inf)
    assert first[place] == np.nextafter(twin[place], towards)

    (last, mine), (other, theirs) = spied(plan, 1.0), spied(SeedPlan(base=1), 1.0)
    assert (last != other).sum() > 10
    np.testing.assert_allclose(mine, theirs, atol=0.01)
    assert (mine.argmax(axis=1) != theirs.argmax(axis=1)).mean() < 0.02


class Epochs(Method):
    """Keeps the weights before each epoch's first step and after its last."""

    kind: Literal["toy_epochs"] = "toy_epochs"
    seen: ClassVar[list[np.ndarray]] = []

    def averager(self, n_epochs: int) -> Averager:
        return _AtEpochs()


class _AtEpochs(Averager):
    growing = ()

    def before_step(self, step: int, weights: Any) -> None:
        if step % N_BATCHES == 1:
            Epochs.seen.append(weights[0].numpy().copy())

    def after_epoch(self, epoch: int, weights: Any) -> None:
        Epochs.seen.append(weights[0].numpy().copy())


@pytest.mark.parametrize("onset", [1, 2, 3])
def test_a_bit_changes_before_the_epoch_of_its_onset(onset: int) -> None:
    passed = []
    for plan in (SeedPlan(bit=BIT, onset={"bit": onset}), SeedPlan()):
        Epochs.seen.clear()
        train(RECIPE.with_method(Epochs()), [plan], make_task(), [Probabilities(split="test")])
        passed.append(np.stack(Epochs.seen))
    changed, base = passed
    n_same = 2 * (onset - 1)
    np.testing.assert_array_equal(changed[:n_same], base[:n_same])
    assert np.flatnonzero(changed[n_same] != base[n_same]).tolist() == [BIT.index]
    up = np.nextafter(base[n_same][BIT.index], np.float32(np.inf))
    assert changed[n_same][BIT.index] == up
    assert ((changed != base).sum(axis=1)[n_same + 1 :] > 1).all()


@pytest.mark.parametrize("vary", [[], "init"])
def test_what_names_no_source_is_refused(vary) -> None:
    """Otherwise all runs are one run, or vary i, n and t."""
    with pytest.raises(UsageError):
        seed_plans(3, vary=vary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_runs": -1}, "n_runs must be an integer >= 1, got -1"),
        ({"n_runs": 2.5}, "n_runs must be an integer"),
        ({"n_runs": 10**9}, "n_runs must be at most 1,000,000, got 1,000,000,000"),
        ({"n_runs": 2, "first_seed": -1}, "first_seed must be an integer >= 0, got -1"),
        ({"n_runs": 2, "vary": ["init"], "base": -1}, "base must be an integer >= 0"),
    ],
)
def test_numbers_of_plans_that_cannot_be_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        seed_plans(**arguments)
