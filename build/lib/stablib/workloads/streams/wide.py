"""Train wide layers on a stream: matrix products of whole mini-batches, gradients by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.workloads.streams.data import generate
from stablib.workloads.streams.kernels import DECAY, EPSILON, MOMENTUM
from stablib.workloads.streams.network import layers
from stablib.workloads.streams.recipe import BATCH, LOG2_BATCH, StreamRecipe
from stablib.workloads.streams.shuffle import order

#: Mini-batches whose examples are drawn at once.
_AHEAD = 256


def advance(
    recipe: StreamRecipe,
    parameters: NDArray[np.float32],
    memory: NDArray[np.float32],
    *,
    first_batch: int,
    n_batches: int,
    data_key: np.uint64,
    shuffle_key: np.uint64,
) -> None:
    """Do what the kernels' ``advance`` does, faster where layers are wide."""
    gradient = np.zeros_like(parameters)
    weights = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in layers(recipe, parameters)]
    slots = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in layers(recipe, gradient)]
    update = _optimizer(recipe, parameters, gradient, memory)
    with torch.inference_mode():
        for start in range(first_batch, first_batch + n_batches, _AHEAD):
            count = min(_AHEAD, first_batch + n_batches - start)
            indices = order(
                start * BATCH,
                count * BATCH,
                log2_window=recipe.log2_window + LOG2_BATCH,
                key=shuffle_key,
            )
            features, labels = generate(recipe.data, data_key, indices)
            x = torch.from_numpy(features.astype(np.float32)).split(BATCH)
            y = torch.from_numpy(labels.astype(np.float32)).split(BATCH)
            for number in range(count):
                _backward(recipe, weights, slots, x[number], y[number])
                update(start + number)


def _backward(
    recipe: StreamRecipe,
    weights: list[tuple[Tensor, Tensor]],
    gradients: list[tuple[Tensor, Tensor]],
    x: Tensor,
    y: Tensor,
) -> None:
    """Gradient of the mean loss of one mini-batch."""
    before, after = [], [x]
    for number, (weight, bias) in enumerate(weights):
        before.append(torch.addmm(bias, after[-1], weight))
        if number < len(weights) - 1:
            after.append(_activate(before[-1], recipe))
    delta = (torch.sigmoid(before[-1]) - y[:, None]) / len(x)
    for number in range(len(weights) - 1, -1, -1):
        torch.mm(after[number].T, delta, out=gradients[number][0])
        torch.sum(delta, dim=0, out=gradients[number][1])
        if number:
            delta = torch.mm(delta, weights[number][0].T)
            delta.mul_(_slope(before[number - 1], recipe))


def _activate(z: Tensor, recipe: StreamRecipe) -> Tensor:
    b = recipe.beta
    if recipe.activation == "identity":
        return z
    if recipe.activation == "relu":
        return torch.relu(z)
    if recipe.activation == "swish":
        return z * torch.sigmoid(b * z)
    # The bend's square above -b, continued by the line of slope 1 above b.
    return torch.clamp(z + b, 0.0, 2.0 * b).square().div_(4.0 * b) + torch.relu(z - b)


def _slope(z: Tensor, recipe: StreamRecipe) -> Tensor:
    b = recipe.beta
    if recipe.activation == "identity":
        return torch.ones_like(z)
    if recipe.activation == "relu":
        return (z > 0.0).to(z.dtype)
    if recipe.activation == "swish":
        s = torch.sigmoid(b * z)
        return s + b * z * s * (1.0 - s)
    return torch.clamp((z + b) / (2.0 * b), 0.0, 1.0)


def _optimizer(
    recipe: StreamRecipe,
    parameters: NDArray[np.float32],
    gradient: NDArray[np.float32],
    memory: NDArray[np.float32],
) -> Callable[[int], object]:
    """Make the update of one mini-batch, given its number; the same as in the kernels."""
    weights, slopes, state = (torch.from_numpy(a) for a in (parameters, gradient, memory))
    if recipe.optimizer == "adagrad":
        leaf = torch.nn.Parameter(weights)
        leaf.grad = slopes
        adagrad = torch.optim.Adagrad([leaf], lr=recipe.learning_rate, eps=EPSILON, fused=True)
        adagrad.state[leaf]["sum"] = state
        return lambda batch: adagrad.step()

    def momentum(batch: int) -> None:
        rate = recipe.learning_rate / (1.0 + DECAY * batch)
        state.mul_(MOMENTUM).add_(slopes, alpha=-rate)
        weights.add_(state)

    return momentum
