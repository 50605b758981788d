"""The hooks of a method, with toy methods: heads here, fine-tuning in test_transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
import torch

from stablib.errors import UsageError
from stablib.mitigation import L2, NASWA, SWA, TGTSS, Ensemble, LabelSmoothing, StepSWA
from stablib.models.head import HeadStack
from stablib.training import (
    Control,
    Final,
    Method,
    Probabilities,
    Request,
    SeedPlan,
    Steps,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.training.method import HOOKS, Averager
from stablib.workloads import FineTuneRecipe, HeadRecipe, StreamRecipe, TopLayerRecipe
from stablib.workloads.streams import PairRecord
from tests.test_training import assert_same_bits, by_hand, make_task, predict, train

RECIPE = HeadRecipe(hidden=8, epochs=3, batch_size=64, learning_rate=0.02)
N_STEPS = 15
PLAN = SeedPlan.same(7)
TEST = Probabilities(split="test")
RECORDS = (Final(), TEST, TrainMean(after_step=8), Steps(split="val", confidence=True))


class Scheduled(Method):
    """Learns at one rate until a step, and at another afterwards."""

    kind: Literal["toy_scheduled"] = "toy_scheduled"
    until: int = 0
    first: float = 1.0
    then: float = 0.0

    def rate(self, step: int, n_steps: int) -> float:
        assert 1 <= step <= n_steps
        return self.first if step <= self.until else self.then


class Shrunk(Method):
    """Scales the weights after each step, and once more after each epoch or at the end."""

    kind: Literal["toy_shrunk"] = "toy_shrunk"
    step: float = 1.0
    epoch: float = 1.0
    end: float = 1.0

    def averager(self, n_epochs: int) -> Shrinking:
        return Shrinking(self)


class Shrinking(Averager):
    """Counts on its own, as an averager with a memory does."""

    growing = ("steps", "epochs")

    def __init__(self, method: Shrunk) -> None:
        self.method, self.steps, self.epochs = method, 0, 0

    def after_step(self, step: int, weights: Any) -> None:
        self.steps += 1
        assert step == self.steps
        weights.mul_(self.method.step)

    def after_epoch(self, epoch: int, weights: Any) -> None:
        self.epochs += 1
        assert epoch == self.epochs
        weights.mul_(self.method.epoch)

    def finish(self, weights: Any) -> None:
        weights.mul_(self.method.end)


class Kept(Method):
    """Keeps a member after some epochs."""

    kind: Literal["toy_kept"] = "toy_kept"
    after: tuple[int, ...]

    def snapshots(self, n_epochs: int) -> Sequence[int]:
        return self.after


class Seen(Method):
    """Looks at the inputs as they are, times a number each."""

    kind: Literal["toy_seen"] = "toy_seen"
    factors: tuple[float, ...] = (1.0, 1.0)

    def views(self) -> Sequence[Callable[[Any], Any]]:
        return [lambda x, f=f: x if f == 1.0 else x * np.float32(f) for f in self.factors]


def probabilities(recipe: HeadRecipe, plan: SeedPlan = PLAN, task: Task | None = None) -> Any:
    ((found,),) = train(recipe, [plan], task or make_task(), [TEST])
    return found["probabilities"]


def mean_of_logits(members: Sequence[np.ndarray]) -> np.ndarray:
    """Softmax of the mean of logits, which log-probabilities are but for a number a row."""
    logs = [torch.log(torch.from_numpy(member.astype(np.float64))) for member in members]
    return torch.softmax(torch.stack(logs).mean(dim=0), dim=-1).numpy()


def test_a_rate_of_nothing_leaves_the_initial_weights() -> None:
    task = make_task()
    stack = HeadStack([PLAN.generator("init")], n_features=16, hidden=8, n_classes=4)
    layers = [torch.from_numpy(weights.copy()) for weights in stack.tensors(0).values()]
    untrained = predict(layers, task.inputs["test"])
    np.testing.assert_array_equal(
        probabilities(RECIPE.with_method(Scheduled())), untrained.astype(np.float16)
    )


def test_a_rate_scales_the_learning_rate() -> None:
    half = RECIPE.with_method(Scheduled(then=0.5))
    slower = RECIPE.model_copy(update={"learning_rate": RECIPE.learning_rate * 0.5})
    for one, other in zip(
        train(half, seed_plans(3), make_task(), RECORDS),
        train(slower, seed_plans(3), make_task(), RECORDS),
        strict=True,
    ):
        assert_same_bits(one, other)


def test_a_rate_that_falls_to_nothing_stops_there() -> None:
    (plain,), (stopped,) = (
        train(recipe, [PLAN], make_task(), [Steps(split="val", confidence=True)])[0]
        for recipe in (RECIPE, RECIPE.with_method(Scheduled(until=7)))
    )
    np.testing.assert_array_equal(stopped["gold"][:7], plain["gold"][:7])
    assert (stopped["gold"][7:] == plain["gold"][6]).all()
    assert (plain["gold"][7:] != plain["gold"][6]).any(axis=1).all()


def test_a_rate_by_step_equals_torch_adam_by_hand() -> None:
    task, method = make_task(), Scheduled(until=6, first=2.0, then=0.3)
    layers = by_hand(PLAN, RECIPE, task, rate=lambda step: 2.0 if step <= 6 else 0.3)[-1]
    np.testing.assert_allclose(
        probabilities(RECIPE.with_method(method)), predict(layers, task.inputs["test"]), atol=1e-3
    )


def test_what_an_averager_writes_back_is_trained_on() -> None:
    task, recipe = make_task(), RECIPE.with_method(Shrunk(step=0.9))
    expected = predict(by_hand(PLAN, RECIPE, task, shrink=0.9)[-1], task.inputs["test"])
    np.testing.assert_allclose(probabilities(recipe), expected, atol=1e-3)
    assert np.abs(probabilities(RECIPE) - expected).max() > 0.1


@pytest.mark.parametrize("when", ["step", "epoch", "end"])
def test_an_averager_has_the_last_word(when: str) -> None:
    """Without weights all classes are equally likely."""
    assert (probabilities(RECIPE.with_method(Shrunk(**{when: 0.0}))) == 0.25).all()


def test_at_the_end_an_averager_changes_only_what_is_looked_at_then() -> None:
    final, steps = train(
        RECIPE.with_method(Shrunk(end=0.0)), [PLAN], make_task(), (RECORDS[1], RECORDS[3])
    )[0]
    (plain,) = train(RECIPE, [PLAN], make_task(), RECORDS[3:])[0]
    assert (final["probabilities"] == 0.25).all()
    assert_same_bits([steps], [plain])


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_snapshot_is_the_head_trained_so_long(epoch: int) -> None:
    shorter = RECIPE.model_copy(update={"epochs": epoch})
    np.testing.assert_array_equal(
        probabilities(RECIPE.with_method(Kept(after=(epoch,)))), probabilities(shorter)
    )


@pytest.mark.parametrize("epochs", [(1, 3), (1, 2), (1, 2, 3), (3, 1)])
def test_snapshots_predict_with_the_mean_of_their_logits(epochs: tuple[int, ...]) -> None:
    members = [probabilities(RECIPE.model_copy(update={"epochs": epoch})) for epoch in epochs]
    found = probabilities(RECIPE.with_method(Kept(after=epochs)))
    np.testing.assert_allclose(found, mean_of_logits(members), atol=2e-3)
    for member in members:
        assert np.abs(found - member).max() > 0.02


def test_a_snapshot_is_taken_after_the_averager() -> None:
    found = probabilities(RECIPE.with_method(ShrunkAndKept(step=0.9, after=(2,))))
    shorter = RECIPE.with_method(Shrunk(step=0.9)).model_copy(update={"epochs": 2})
    np.testing.assert_array_equal(found, probabilities(shorter))


class ShrunkAndKept(Shrunk):
    """Two hooks in one method."""

    kind: Literal["toy_shrunk_and_kept"] = "toy_shrunk_and_kept"
    after: tuple[int, ...]

    def snapshots(self, n_epochs: int) -> Sequence[int]:
        return self.after


@pytest.mark.parametrize("factors", [(1.0,), (1.0, 1.0)])
def test_identical_views_change_nothing(factors: tuple[float, ...]) -> None:
    (seen,) = train(RECIPE.with_method(Seen(factors=factors)), [PLAN], make_task(), RECORDS)
    (plain,) = train(RECIPE, [PLAN], make_task(), RECORDS)
    assert_same_bits(seen, plain)


def test_views_predict_with_the_mean_of_their_logits_and_train_on_none() -> None:
    task, members = make_task(), []
    for factor in (1.0, -0.5):
        scaled = {**task.inputs, "test": task.inputs["test"] * np.float32(factor)}
        members.append(probabilities(RECIPE, task=Task(scaled, task.gold, task.n_classes)))
    found = probabilities(RECIPE.with_method(Seen(factors=(1.0, -0.5))))
    np.testing.assert_allclose(found, mean_of_logits(members), atol=2e-3)
    assert np.abs(found - members[0]).max() > 0.1


TOYS = [
    Scheduled(until=6, first=2.0, then=0.3),
    Shrunk(step=0.99, epoch=0.9, end=0.8),
    Kept(after=(1, 3)),
    Seen(factors=(1.0, -0.5)),
    ShrunkAndKept(step=0.9, after=(1, 2)),
]


@pytest.mark.parametrize("method", TOYS, ids=lambda method: method.kind)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_method_gives_a_run_the_same_bits_alone_and_in_a_stack(method, threads) -> None:
    recipe = RECIPE.with_method(method)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        stack = train(recipe, [*seed_plans(3), PLAN, SeedPlan.same(3)], make_task(), RECORDS)
    finally:
        torch.set_num_threads(before)
    (alone,) = train(recipe, [PLAN], make_task(), RECORDS)
    assert_same_bits(stack[3], alone)


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (LabelSmoothing(alpha=0.1), "targets"),
        (L2(), "decay"),
        (SWA(), "averager"),
        (NASWA(), "averager"),
        (StepSWA(), "averager"),
        (TGTSS(after_step=5), "lesson and targets"),
        (Ensemble(), "lesson and targets"),
        (Scheduled(), "rate"),
        (Kept(after=(1,)), "snapshots"),
        (Seen(), "views"),
        (ShrunkAndKept(after=(1,)), "averager and snapshots"),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_a_stream_refuses_a_method_by_name_at_once(method: Method, what: str) -> None:
    recipe = StreamRecipe(data={"kind": "linear"}, log2_examples=40, method=method)
    with pytest.raises(UsageError) as refused:
        Request(recipe, seed_plans(1), (PairRecord(),))
    assert str(refused.value) == (
        f"workload 'stream' cannot honour the method {method.kind!r}: it changes {what} "
        "(this workload honours: control alone)"
    )
    Request(recipe.with_method(Control()), seed_plans(1), (PairRecord(),))


def test_classifiers_honour_every_hook() -> None:
    for recipe in (HeadRecipe, FineTuneRecipe, TopLayerRecipe):
        assert recipe.workload.honours == set(HOOKS)
    assert all(hasattr(Method, hook) for hook in HOOKS)


def test_an_averager_has_to_say_what_grows() -> None:
    with pytest.raises(TypeError, match="Forgetful has to name in 'growing'"):

        class Forgetful(Averager):
            def after_step(self, step: int, weights: Any) -> None:
                self.steps = step

    class Onlooker(Averager):
        growing = ()

        def after_epoch(self, epoch: int, weights: Any) -> None:
            assert epoch > 0

    class Inherits(Onlooker):
        def after_step(self, step: int, weights: Any) -> None:
            assert step > 0

    assert Inherits.growing == ()
