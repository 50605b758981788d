"""The recurrence of a QRNN against a loop of torch over the steps, in one run.

Claim: forwards and backwards, the compiled recurrence is at least 5 times as fast as the equation
written as a loop, in one thread, for mini-batches of the paper's size (70 steps of 20 streams, 512
numbers a word) and of the preset ``laptop`` (35, 20, 128). Timed is the processor's time, the
alternatives in turn, so that a busy machine does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stablib.models.qrnn import forget_mult
from stablib.training import keep_freed_memory

REPEATS, CLAIM = 5, 5.0
SHAPES = {"paper": (70, 20, 512), "laptop": (35, 20, 128)}


def loop(forget: Tensor, values: Tensor, start: Tensor) -> Tensor:
    states, state = [], start
    for f, z in zip(forget, values, strict=True):
        state = f * z + (1 - f) * state
        states.append(state)
    return torch.stack(states)


def seconds(recurrence: Callable[..., Tensor], shape: tuple[int, int, int], times: int) -> float:
    rng = np.random.default_rng(0)
    shapes = (shape, shape, shape[1:], shape)
    *parts, after = (torch.from_numpy(rng.random(s, dtype=np.float32)) for s in shapes)
    for part in parts:
        part.requires_grad_()
    began = time.process_time()
    for _ in range(times):
        torch.autograd.grad(recurrence(*parts), parts, after)
    return (time.process_time() - began) / times


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()  # As in processes that train; it serves both.
    for name, shape in SHAPES.items():
        seconds(forget_mult, shape, 2)  # It is compiled, or read from the cache.
        ratios = []
        for _ in range(REPEATS):
            ours, theirs = (seconds(kind, shape, 100) for kind in (forget_mult, loop))
            ratios.append(theirs / ours)
        said = f"{np.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name} {shape}: {1e3 * ours:.2f} ms a mini-batch, {said}, claimed {CLAIM:g}x")


if __name__ == "__main__":
    main()
