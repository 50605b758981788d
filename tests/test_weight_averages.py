"""Averages of the weights of steps: by hand, by the letter of the algorithms, and against torch."""

from __future__ import annotations

import copy
import io
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from stablib.errors import UsageError
from stablib.mitigation import (
    ASWA,
    EMA,
    L2,
    NASWA,
    SWA,
    Averaged,
    StepSWA,
    WeightAverager,
    average_weights,
)
from stablib.mitigation.by_step import ByStep
from stablib.runs import RunStore
from stablib.runs import train as train_own
from stablib.runs.watch import silent
from stablib.training import (
    Control,
    Final,
    Method,
    Probabilities,
    SeedPlan,
    Steps,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.workloads import HeadRecipe
from stablib.workloads.streams import PairRecord
from tests.test_training import assert_same_bits, by_hand, make_task, predict, train

RECIPE = HeadRecipe(hidden=8, epochs=3, batch_size=64, learning_rate=0.02)
PLAN = SeedPlan.same(7)
TEST = Probabilities(split="test")
TENSORS = ("hidden.bias", "output.weight")
METHODS: list[ByStep] = [
    ASWA(),
    ASWA(denominator="accepted", restart="exchange"),
    NASWA(),
    NASWA(denominator="accepted", norm="mean", tensors=TENSORS, history="reset"),
    NASWA(restart="exchange", norm="max", tensors=TENSORS),
    StepSWA(),
    EMA(memory=0.8),
]


def name(method: Any) -> str:
    return "-".join(str(v) for k, v in method.model_dump().items() if k != "tensors")


# By hand.


def shares(method: Method, n_steps: int, n_epochs: int) -> tuple[list[Fraction], list[Fraction]]:
    """How much the weights W_0, W_1, ... count in the average and in the last weights.

    The weights after step k are the k-th unit vector, so any weights hold their own shares.
    """
    averager: Any = method.averager(n_epochs)
    units = torch.eye(n_steps * n_epochs + 1, dtype=torch.float64)
    weights = units[:1].clone()
    for epoch in range(1, n_epochs + 1):
        for step in range((epoch - 1) * n_steps + 1, epoch * n_steps + 1):
            averager.before_step(step, weights)
            weights.copy_(units[step])
            averager.after_step(step, weights)
        averager.after_epoch(epoch, weights)
    averager.finish(weights)
    return fractions(averager.average[0]), fractions(weights[0])


def fractions(values: torch.Tensor) -> list[Fraction]:
    return [Fraction(value).limit_denominator(1000) for value in values.tolist()]


def over(denominator: int, *numerators: int) -> list[Fraction]:
    return [Fraction(numerator, denominator) for numerator in numerators]


def test_aswa_as_printed_by_hand() -> None:
    """Before step s the weights count 1 / (s + 1); W_3 and W_6 end epochs and count nothing.

    After one epoch the average A of W_0, W_0, W_1, W_2 is what the next begins at. There A counts
    1/5 in an average that is A already, then W_4 counts 1/6 and W_5 1/7.
    """
    average, weights = shares(ASWA(), 3, 1)
    assert average == weights == over(4, 2, 1, 1, 0)
    average, weights = shares(ASWA(), 3, 2)
    assert average == weights == over(28, 10, 5, 5, 0, 4, 4, 0)
    # One step an epoch: nothing but the initial weights is ever averaged.
    assert shares(ASWA(), 1, 3)[1] == over(1, 1, 0, 0, 0)


def test_aswa_as_released_by_hand() -> None:
    """The weights after s steps count 1 / s from s = 2 on: W_2 twice, W_0 and W_1 never."""
    method = ASWA(denominator="accepted")
    assert shares(method, 5, 1)[0] == over(4, 0, 0, 2, 1, 1, 0)
    # A = W_2, which is averaged with itself; then W_4 counts 1/4 and W_5 1/5.
    assert shares(method, 3, 2)[1] == over(5, 0, 0, 3, 0, 1, 1, 0)
    # No average is there after the first epoch, which ends as it does without.
    average, weights = shares(method, 2, 2)
    assert average == weights == over(3, 0, 0, 2, 1, 0)
    averager = method.averager(1)
    weights = torch.ones(1, 1)
    for step in (1, 2):
        averager.before_step(step, weights)
    averager.after_epoch(1, weights)
    assert averager.average is None
    assert weights.tolist() == [[1.0]]


def test_an_exchange_puts_the_last_weights_in_the_place_of_the_average() -> None:
    """The next epoch begins at A and averages from W_3: 1/5 of A, 1/6 of W_4, 1/7 of W_5."""
    average, weights = shares(ASWA(restart="exchange"), 3, 2)
    # A = (2 W_0 + W_1 + W_2) / 4 counts 1/7, W_3 4/7.
    assert weights == over(28, 2, 1, 1, 16, 4, 4, 0)
    assert average == over(1, 0, 0, 0, 0, 0, 0, 1)
    released = ASWA(denominator="accepted", restart="exchange")
    assert shares(released, 3, 2)[1] == over(5, 0, 0, 1, 2, 1, 1, 0)


def followed(method: NASWA, *epochs: list[float]) -> list[float]:
    """The average after each step of one weight; the steps lead to given places."""
    averager: Any = method.averager(len(epochs))
    averager.locate({"w": slice(0, 1)})
    weights = torch.zeros(1, 1, dtype=torch.float64)
    step, seen = 0, []
    for epoch, places in enumerate(epochs, start=1):
        for place in places:
            step += 1
            averager.before_step(step, weights)
            if averager.average is not None:
                seen.append(averager.average.item())
            weights.fill_(place)
        averager.after_epoch(epoch, weights)
    return seen


def test_naswa_as_printed_by_hand() -> None:
    """Norms, their means and what enters, in brackets the list after each step.

    0 > 0? no [0]. 3 > 0: 3/3 = 1 enters [3]. W = 3: 2 > 3? no [3, 2]. W = 4: 3 > 2.5: 3/5 [3].
    """
    assert followed(NASWA(), [3, 3, 4, 9]) == pytest.approx([0, 1, 1, 1.6])
    # The next epoch begins at 1.6: 0 > 3? no [3, 0]. 2 > 1.5: 2/7 enters.
    both = followed(NASWA(), [3, 3, 4, 9], [3.6, 0])
    assert both[4:] == pytest.approx([1.6, 1.6 + 2 / 7])


def test_naswa_counts_what_was_accepted_as_the_released_code_by_hand() -> None:
    """Begins at W_2 = 1, whose norm of 0 is left out. W = 3: 2 > 0 enters, 2/2 [2].

    W = 3: 1 > 2? no [2, 1]. W = 4: 2 > 1.5 enters, 2/3 [2].
    """
    method = NASWA(denominator="accepted", norm="mean", tensors=("w",), history="reset")
    first = [0, 1, 3, 3, 4, 9]
    average = 2 + 2 / 3
    assert followed(method, first) == pytest.approx([1, 2, 2, average])
    # A new list: the zero of the first step is left out, so 0.5 > 0 enters, 0.5/4.
    seen = followed(method, first, [average + 0.5, 0])
    assert seen[4:] == pytest.approx([average, average + 0.125])
    # Kept: [2, 0], and 0.5 > 1 is not true.
    kept = method.model_copy(update={"history": "kept"})
    assert followed(kept, first, [average + 0.5, 0])[4:] == pytest.approx([average, average])


@pytest.mark.parametrize(
    ("method", "norm"),
    [
        (NASWA(), 1 + 2 + 3 + 4 + 5),
        (NASWA(norm="mean", tensors=("a", "b")), (5**0.5 + 5.0) / 2),
        (NASWA(norm="max", tensors=("a", "b")), 5.0),
        (NASWA(norm="max", tensors=("a",)), 5**0.5),
    ],
)
def test_norms_by_hand(method: NASWA, norm: float) -> None:
    averager: Any = method.averager(1)
    averager.locate({"a": slice(0, 2), "b": slice(2, 4), "c": slice(4, 5)})
    averager.before_step(1, torch.zeros(1, 5))
    averager.before_step(2, torch.tensor([[1.0, -2.0, 3.0, -4.0, 5.0]]))
    assert averager.sums == pytest.approx([norm])


@pytest.mark.parametrize("n_epochs", [1, 5, 20])
def test_while_all_steps_lead_one_way_restarts_make_a_training_slow(n_epochs: int) -> None:
    """As slow as the docstring says, but for the initial weights, which count twice."""
    averager: Any = ASWA().averager(n_epochs)
    weights, step, n_steps = torch.zeros(1, 1, dtype=torch.float64), 0, 1000
    for epoch in range(1, n_epochs + 1):
        for _ in range(n_steps):
            step += 1
            averager.before_step(step, weights)
            weights += 1.0 / n_steps
        averager.after_epoch(epoch, weights)
    expected = sum(1 / epoch for epoch in range(1, n_epochs + 1)) / 2
    assert weights.item() == pytest.approx(expected, rel=3e-3)


# By the letter of the algorithms.


def by_the_letter(method: NASWA | ASWA, epochs: list[list[np.ndarray]]) -> np.ndarray:
    """Algorithms 1 and 2 with a list; steps add given vectors to the weights."""
    w, swa, step, updates = epochs[0][0] * 0.0, None, 0, 0
    norms: list[float] = []
    for moves in epochs:
        for move in moves:
            step += 1
            if method.denominator == "iterations" or step > 2:
                if swa is None:
                    swa, updates = w.copy(), 1
                n_cur = float(np.abs(w - swa).sum())
                mean = np.mean(norms) if norms else 0.0
                if isinstance(method, ASWA) or n_cur > mean:
                    updates += 1
                    by = step + 1 if method.denominator == "iterations" else updates
                    swa = swa + (w - swa) / by
                    norms = [n_cur]
                elif n_cur > 0 or method.history == "kept":
                    norms.append(n_cur)
            w = w + move
        assert swa is not None
        w, swa = swa, (w if method.restart == "exchange" else swa)
        if isinstance(method, NASWA) and method.history == "reset":
            norms = []
    return w


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [ASWA, NASWA])
def test_models_side_by_side_follow_the_algorithms_to_the_letter(kind: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    options = {"denominator": ("iterations", "accepted"), "restart": ("copy", "exchange")}
    if kind is NASWA:
        options["history"] = ("kept", "reset")
    for chosen in itertools.product(*options.values()):
        method = kind(**dict(zip(options, chosen, strict=True)))
        n_models, n_epochs = 3, 4
        moves = rng.normal(size=(n_models, n_epochs, 9, 4))
        averager: Any = method.averager(n_epochs)
        averager.locate({})
        weights = torch.zeros(n_models, 4, dtype=torch.float64)
        step = 0
        for epoch in range(n_epochs):
            for k in range(9):
                step += 1
                averager.before_step(step, weights)
                weights += torch.from_numpy(moves[:, epoch, k])
            averager.after_epoch(epoch + 1, weights)
        expected = [by_the_letter(method, [list(e) for e in own]) for own in moves]
        np.testing.assert_allclose(weights.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", [ASWA(), ASWA(restart="exchange"), NASWA(), StepSWA(), EMA()])
def test_weights_that_stand_still_are_their_average(method: ByStep) -> None:
    averager: Any = method.averager(2)
    weights = torch.tensor([[0.1, -0.7], [1e6, 3.0]])
    before = weights.clone()
    for step in range(1, 7):
        averager.before_step(step, weights)
        averager.after_step(step, weights)
        if step % 3 == 0:
            averager.after_epoch(step // 3, weights)
    averager.finish(weights)
    assert torch.equal(weights, before)
    assert torch.equal(averager.average, before)


# Against torch.


def network() -> torch.nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))


OPTIMIZERS: list[Callable[..., torch.optim.Optimizer]] = [
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=1e-5),
    lambda p: torch.optim.Adagrad(p, lr=0.1),
]


def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> Iterator[None]:
    """An epoch of five batches; yields before and after each step."""
    rng = np.random.default_rng(seed)
    for _ in range(5):
        x = torch.from_numpy(rng.normal(size=(8, 4)).astype(np.float32))
        y = torch.from_numpy(rng.integers(2, size=8))
        yield
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        yield


def averaging(
    method: ByStep, make: Callable[..., torch.optim.Optimizer], n_epochs: int = 3
) -> tuple[torch.nn.Module, WeightAverager]:
    model = network()
    optimizer, averager = make(model.parameters()), WeightAverager(method, model)
    for epoch in range(n_epochs):
        for k, _ in enumerate(steps(model, optimizer, epoch)):
            if k % 2:
                averager.step()
        averager.restart()
    return model, averager


def assert_close(one: torch.nn.Module, other: torch.nn.Module) -> None:
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("denominator", ["iterations", "accepted"])
def test_aswa_is_torchs_equal_average_that_training_goes_on_from(make, denominator) -> None:
    model = network()
    optimizer, average, done = make(model.parameters()), AveragedModel(model), 0
    for epoch in range(3):
        for k, _ in enumerate(steps(model, optimizer, epoch)):
            if k % 2 == 0 and (denominator == "iterations" or done >= 2):
                # The first weights count twice.
                for _ in range(2 if average.n_averaged == 0 else 1):
                    average.update_parameters(model)
            done += k % 2
        model.load_state_dict(average.module.state_dict())
    assert_close(averaging(ASWA(denominator=denominator), make)[0], model)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_the_mean_of_all_steps_is_torchs_and_leaves_the_training_alone(make) -> None:
    model = network()
    optimizer, average = make(model.parameters()), AveragedModel(model)
    states = []
    for epoch in range(3):
        for k, _ in enumerate(steps(model, optimizer, epoch)):
            if k % 2:
                average.update_parameters(model)
                states.append(copy.deepcopy(model.state_dict()))
    ours, averager = averaging(StepSWA(), make)
    for a, b in zip(ours.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)
    with averager.averaged():
        assert_close(ours, average.module)
        for name, value in average_weights(states).items():
            torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-5, atol=1e-6)
    for a, b in zip(ours.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("memory", [0.5, 0.9, 0.999])
def test_the_moving_average_is_torchs_from_nothing_over_what_has_entered(memory: float) -> None:
    model = network()
    average = AveragedModel(model, avg_fn=get_ema_avg_fn(memory))
    with torch.no_grad():
        for parameter in average.module.parameters():
            parameter.zero_()
    average.n_averaged += 1  # Else the first weights are taken as they are.
    optimizer = OPTIMIZERS[0](model.parameters())
    for epoch in range(3):
        for k, _ in enumerate(steps(model, optimizer, epoch)):
            if k % 2:
                average.update_parameters(model)
    with torch.no_grad():
        for parameter in average.module.parameters():
            parameter.div_(1.0 - memory**15)
    ours, averager = averaging(EMA(memory=memory), OPTIMIZERS[0])
    with averager.averaged():
        assert_close(ours, average.module)


@pytest.mark.parametrize("method", METHODS, ids=name)
@pytest.mark.parametrize("stop", [1, 4, 5, 6, 10, 13])  # Five steps are an epoch.
def test_an_averager_goes_on_from_its_state_to_the_same_bits(method: ByStep, stop: int) -> None:
    """As torch saves it, and whatever happens to the averager that it is of."""
    if getattr(method, "tensors", ()):
        method = method.model_copy(update={"tensors": ("0.bias", "2.weight")})
    whole, _ = averaging(method, OPTIMIZERS[1])
    model = network()
    optimizer, averager = OPTIMIZERS[1](model.parameters()), WeightAverager(method, model)
    done = 0
    for epoch in range(3):
        for k, _ in enumerate(steps(model, optimizer, epoch)):
            if not k % 2:
                continue
            averager.step()
            done += 1
            if done == stop:
                parts = [part.state_dict() for part in (model, optimizer, averager)]
                file = io.BytesIO()
                torch.save(parts, file)
                file.seek(0)
                again = WeightAverager(method, network())
                kept = torch.load(file, weights_only=True)
                model.load_state_dict(kept[0])
                optimizer.load_state_dict(kept[1])
                again = WeightAverager(method, model)
                again.load_state_dict(kept[2])
                averager.step()
                averager.step()
                averager = again
        averager.restart()
    for a, b in zip(model.parameters(), whole.parameters(), strict=True):
        assert torch.equal(a, b)


def test_half_precision_is_averaged_in_single() -> None:
    """In half precision 1 + 1/2048 is 1: the mean would never leave 1."""
    model = torch.nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    averager = WeightAverager(StepSWA(), model)
    for value in [1.0] * 999 + [3.0] * 1001:
        with torch.no_grad():
            model.weight.fill_(value)
        averager.step()
    with averager.averaged():
        assert model.weight.dtype == torch.bfloat16
        assert model.weight.item() == 2.0
    assert model.weight.item() == 3.0


def test_what_is_not_trained_is_left_alone() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    model[0].weight.requires_grad_(False)
    averager = WeightAverager(ASWA(), model)
    assert averager.state_dict()["before"].shape == (1, 6)
    averager.step()
    with torch.no_grad():
        model[0].weight.fill_(5.0)
        model[0].bias.fill_(5.0)
    averager.restart()
    assert (model[0].weight == 5.0).all()
    assert (model[0].bias != 5.0).all()


# Refused.


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ASWA(denominator="iteration"), "unknown denominator 'iteration'; did you mean "
                                                "'iterations'?"),
        (lambda: NASWA(restart="copi"), "unknown restart 'copi'; did you mean 'copy'?"),
        (lambda: NASWA(norm="men", tensors=["a"]), "unknown norm 'men'; did you mean 'mean'?"),
        (lambda: NASWA(history="resett"), "unknown history 'resett'; did you mean 'reset'?"),
        (lambda: NASWA(restart=["copy"]), "unknown restart"),
        (lambda: NASWA(norm="mean"), "tensors must be named for norm='mean' and norm='max' alone, "
                                     "got norm='mean' and 0 tensors"),
        (lambda: NASWA(tensors=["a"]), "got norm='all' and 1 tensors"),
        (lambda: EMA(memory=1.0), "memory"),
        (lambda: EMA(decay=0.9), "decay"),
        (lambda: Averaged(record=Final(), methods=[]), "methods"),
        (lambda: Averaged(record=Final(), methods=[EMA(), EMA(memory=0.5)]),
         "methods must be of different kinds, got ema, ema"),
        (lambda: Averaged(record=Final(), methods=[ASWA()]),
         "method 'aswa' is no average beside a training: it needs runs of its own"),
        (lambda: Averaged(record=Final(), methods=[Control()]), "method 'control' is no average"),
        (lambda: Averaged(record=TrainMean(), methods=[EMA()]),
         "no average can be had of the record 'train_mean'"),
        (lambda: Averaged(record=PairRecord(), methods=[EMA()]),
         "no average can be had of the record 'pair'"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_by_name(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make()
    assert said in str(refused.value)


def test_calls_in_the_wrong_order_are_refused() -> None:
    averager = WeightAverager(ASWA(), network())
    with pytest.raises(UsageError, match=r"restart\(\) must follow a step\(\)"):
        averager.restart()
    with (
        pytest.raises(UsageError, match="nothing has been averaged yet"),
        averager.averaged(),
    ):
        pass
    averager.step()
    averager.restart()
    with pytest.raises(UsageError, match=r"restart\(\) must follow a step\(\)"):
        averager.restart()


@pytest.mark.parametrize(
    ("method", "model", "said"),
    [
        (SWA(), network(), "method must be ASWA, NASWA, StepSWA or EMA, got SWA"),
        (L2(), network(), "method must be ASWA, NASWA, StepSWA or EMA, got L2"),
        (ASWA, network(), "method must be ASWA, NASWA, StepSWA or EMA, got <class"),
        (ASWA(), torch.nn.Tanh(), "model must have weights to train, got Tanh"),
        (ASWA(), network().requires_grad_(False), "model must have weights to train"),
        (
            NASWA(norm="max", tensors=["0.bais"]),
            network(),
            "unknown tensor '0.bais'; did you mean '0.bias'?",
        ),
    ],
)
def test_what_cannot_be_averaged_is_refused(method: Any, model: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        WeightAverager(method, model)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state | {"method": {"kind": "naswa"}},
         "state must be of the method {'kind': 'aswa'}, got {'kind': 'naswa'}"),
        (lambda state: state | {"before": torch.zeros(1, 3)},
         "state must be of 37 weights, got 3"),
        (lambda state: {"steps": 3}, "state must be what state_dict() returns, with method, steps"),
        (lambda state: list(state), "state must be what state_dict() returns"),
    ],
)  # fmt: skip
def test_the_state_of_another_averager_is_refused(change: Any, said: str) -> None:
    averager = WeightAverager(ASWA(), network())
    averager.step()
    state = averager.state_dict()
    other = WeightAverager(ASWA(), network())
    with pytest.raises(UsageError) as refused:
        other.load_state_dict(change(state))
    assert said in str(refused.value)
    assert other.state_dict()["steps"] == 0


def test_a_tensor_that_the_heads_do_not_have_is_refused() -> None:
    recipe = RECIPE.with_method(NASWA(norm="max", tensors=["hiden.bias"]))
    with pytest.raises(
        UsageError, match=r"unknown tensor 'hiden.bias'; did you mean 'hidden.bias'"
    ):
        train(recipe, [PLAN], make_task(), [TEST])


# As methods of a recipe.


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_heads_are_averaged_as_a_loop_of_ones_own_averages(method: ByStep) -> None:
    task = make_task()
    expected = predict(by_hand(PLAN, RECIPE, task, method=method)[-1], task.inputs["test"])
    ((found,),) = train(RECIPE.with_method(method), [PLAN], task, [TEST])
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)
    ((plain,),) = train(RECIPE, [PLAN], task, [TEST])
    assert np.abs(plain["probabilities"] - expected).max() > 0.01


@pytest.mark.parametrize("method", METHODS, ids=name)
@pytest.mark.parametrize("threads", [1, 2])
def test_averaged_heads_have_the_same_bits_alone_and_in_a_stack(method, threads) -> None:
    recipe, before = RECIPE.with_method(method), torch.get_num_threads()
    records = [Final(), TEST, Averaged(record=Steps(split="val"), methods=[EMA()])]
    torch.set_num_threads(threads)
    try:
        stack = train(recipe, [*seed_plans(4), PLAN, SeedPlan.same(9)], make_task(), records)
    finally:
        torch.set_num_threads(before)
    (alone,) = train(recipe, [PLAN], make_task(), records)
    assert_same_bits(stack[4], alone)


def test_averages_beside_a_plain_run_are_those_of_runs_of_their_own() -> None:
    """And the plain run stays the same, what it looks at during the training included."""
    steps, methods = Steps(split="val", every=2, confidence=True), (StepSWA(), EMA(memory=0.9))
    plans = seed_plans(3)
    plain = train(RECIPE, plans, make_task(), [TEST, steps])
    beside = [Averaged(record=record, methods=methods) for record in (TEST, steps)]
    both = train(RECIPE, plans, make_task(), [beside[0], TEST, beside[1], steps])
    for one, other in zip(both, plain, strict=True):
        assert_same_bits([one[1], one[3]], other)
    for method in methods:
        own = train(RECIPE.with_method(method), plans, make_task(), [TEST])
        for run, (averaged, *_) in zip(own, both, strict=True):
            assert (
                averaged[f"{method.kind}_probabilities"].tobytes()
                == run[0]["probabilities"].tobytes()
            )
    # After the fifth step it is the average of the first five, which are an epoch.
    short = RECIPE.model_copy(update={"epochs": 1})
    at_end = Averaged(record=Final(), methods=methods)
    ((early,),) = train(short, plans[:1], make_task(), [at_end])
    seen = both[0][2]
    assert seen["ema_steps"].tolist() == [2, 4, 6, 8, 10, 12, 14]
    assert seen.keys() == {f"{m.kind}_{k}" for m in methods for k in ("labels", "gold", "steps")}
    every = Averaged(record=Steps(split="val"), methods=methods)
    ((found,),) = train(RECIPE, plans[:1], make_task(), [every])
    for kind in ("step_swa", "ema"):
        np.testing.assert_array_equal(found[f"{kind}_labels"][4], early[f"{kind}_labels_val"])


def test_runs_hold_the_arrays_of_averages_beside_their_own() -> None:
    records = [Final(), Averaged(record=Final(), methods=[StepSWA(), EMA()])]
    runs = train_own(RECIPE, seed_plans(2), make_task(), records, watch=silent)
    assert runs["labels_test"].shape == runs["step_swa_labels_test"].shape == (2, 300)
    assert (runs["gold_test"] != runs["ema_gold_test"]).any()
    record = records[1]
    assert record.title == "final of step_swa and ema"
    assert record.measure == Final().measure
    arrays = [
        {
            f"{m}_labels_test": np.array(labels)
            for m, labels in zip(("step_swa", "ema"), of, strict=True)
        }
        for of in (([0, 1, 2, 3], [0, 0, 0, 0]), ([0, 1, 2, 3], [1, 0, 0, 0]))
    ]
    assert record.difference(*arrays) == 25.0
    twice = [*records, Averaged(record=Final(), methods=[StepSWA(), EMA(memory=0.5)])]
    with pytest.raises(UsageError, match="one record of a kind, got final, final of step_swa and"):
        train_own(RECIPE, seed_plans(1), make_task(), twice, watch=silent)


def test_averages_beside_runs_are_runs_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs, gold = rng.normal(size=(60, 4)), rng.integers(2, size=60)
    task = Task(
        {"train": inputs[:40], "test": inputs[40:]}, {"train": gold[:40], "test": gold[40:]}, 2
    )
    recipe = HeadRecipe(hidden=4, batch_size=8, epochs=2, learning_rate=0.1)
    beside = Averaged(record=Final(), methods=(StepSWA(), EMA(memory=0.5)))
    store = RunStore(tmp_path, None)
    runs = train_own(recipe, seed_plans(3), task, [beside], store=store)
    averaged = runs.beside("ema", 2)
    assert averaged.names == ["labels_test", "gold_test"]
    assert averaged.plans == runs.plans[:2]
    np.testing.assert_array_equal(averaged["gold_test"], runs["ema_gold_test"][:2])
    assert (averaged["gold_test"] != runs.beside("step_swa", 2)["gold_test"]).any()
    with pytest.raises(UsageError, match="kind must be one that was averaged .* got 'swa'"):
        runs.beside("swa", 2)
