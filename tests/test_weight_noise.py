"""Weight augmentation: where gradients are taken, and that nothing of it stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stablib.mitigation import WeightNoise
from stablib.training import Probabilities, SeedPlan
from stablib.workloads import HeadRecipe
from tests.test_training import make_task, train

PLACES = {"a": slice(0, 1000), "zero": slice(1000, 1008), "norm.running_var": slice(1008, 1024)}


def weights() -> torch.Tensor:
    drawn = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1024))).float()
    drawn[1] *= 3.0
    drawn[:, PLACES["zero"]] = 0.0
    return drawn


def mover(method: WeightNoise) -> Any:
    made = method.averager(1)
    made.locate(PLACES)
    return made


def test_weights_are_moved_by_a_share_of_their_size_and_back() -> None:
    before, moving = weights(), mover(WeightNoise(scale=0.1))
    now = before.clone()
    moving.before_step(1, now)
    moves = (now - before).numpy()
    for row, size in enumerate((1.0, 3.0)):
        assert moves[row, :1000].std() == pytest.approx(0.1 * size, rel=0.1)
    assert not moves[:, 1000:].any()  # Neither what is 0 nor running statistics.
    moving.after_step(1, now)
    torch.testing.assert_close(now, before, atol=1e-6, rtol=0)


def test_what_the_step_does_stays() -> None:
    before, moving = weights(), mover(WeightNoise())
    now = before.clone()
    moving.before_step(1, now)
    now += 0.5
    moving.after_step(1, now)
    torch.testing.assert_close(now, before + 0.5, atol=1e-6, rtol=0)


def test_moves_depend_on_seed_and_step_alone() -> None:
    def move(method: WeightNoise, step: int) -> torch.Tensor:
        now, moving = weights(), mover(method)
        moving.before_step(step, now)
        return now - weights()

    first = move(WeightNoise(seed=1), 3)
    assert torch.equal(first, move(WeightNoise(seed=1), 3))
    assert not torch.equal(first, move(WeightNoise(seed=1), 4))
    assert not torch.equal(first, move(WeightNoise(seed=2), 3))
    # All models of a stack go the same way, each by its own size.
    one, other = (row / row.norm() for row in first[:, :1000])
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_heads_take_it_and_a_run_does_not_depend_on_its_stack() -> None:
    task, records = make_task(), [Probabilities(split="test")]
    plain = HeadRecipe(hidden=8, epochs=3, batch_size=64)
    moved = plain.with_method(WeightNoise(scale=0.2))
    plans = [SeedPlan.same(1), SeedPlan.same(2)]
    (alone,) = train(moved, plans[1:], task, records)[0]
    (both,) = train(moved, plans, task, records)[1]
    np.testing.assert_array_equal(alone["probabilities"], both["probabilities"])
    (other,) = train(plain, plans[1:], task, records)[0]
    assert not np.array_equal(alone["probabilities"], other["probabilities"])


@pytest.mark.parametrize("scale", [0.0, -0.1, 1.1])
def test_a_scale_that_makes_no_sense_is_refused(scale: float) -> None:
    with pytest.raises(ValidationError, match="scale"):
        WeightNoise(scale=scale)
