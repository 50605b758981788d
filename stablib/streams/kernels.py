"""Train one small network on a stream: forward, backward and optimizer in one compiled loop.

Parameters are one flat array: for each layer its weights, (inputs, outputs) row by row, then its
biases. The first layer adds up the rows of the few features that are present. Sums
over the examples of a mini-batch are never reordered: with windows of one mini-batch, their
rounding is the whole experiment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stablib.streams.data import N_FEATURES, draw, tables
from stablib.streams.recipe import BATCH, LOG2_BATCH, StreamRecipe
from stablib.streams.shuffle import visited

ACTIVATIONS = {"identity": 0, "relu": 1, "smelu": 2, "swish": 3}
#: Keras' defaults where the paper names no value.
EPSILON, MOMENTUM, DECAY, ACCUMULATOR = 1e-7, 0.9, 0.001, 0.1

# numba computes in the type of its operands; a plain 1.0 would make everything float64.
_F = np.float32
_PER_HALF = np.uint64(N_FEATURES // 2)
_ZERO, _HALF, _UNIT, _QUARTER = _F(0.0), _F(0.5), _F(1.0), _F(0.25)
_EPSILON, _MOMENTUM = _F(EPSILON), _F(MOMENTUM)


#: A de Bruijn sequence tells the place of a single bit by one product, without a loop.
_DE_BRUIJN, _S58 = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_BIT = np.zeros(64, dtype=np.uint64)
_BIT[(_DE_BRUIJN << np.arange(64, dtype=np.uint64)) >> _S58] = np.arange(64)


# Places in arrays are unsigned: signed ones can be negative, which numba would check for.


@njit(cache=True)
def _activate(before: Any, after: Any, at: Any, n: Any, kind: Any, beta: Any) -> None:
    """After = A(before), for n units."""
    if kind == 0:
        for k in range(n):
            after[at + k] = before[at + k]
    elif kind == 1:
        for k in range(n):
            after[at + k] = max(before[at + k], _ZERO)
    elif kind == 2:
        for k in range(n):
            z = before[at + k]
            bent = (z + beta) * (z + beta) * _QUARTER / beta
            after[at + k] = _ZERO if z <= -beta else (z if z >= beta else bent)
    else:
        for k in range(n):
            z = before[at + k]
            after[at + k] = z / (_UNIT + np.exp(-beta * z))


@njit(cache=True)
def _slope(before: Any, delta: Any, at: Any, n: Any, kind: Any, beta: Any) -> None:
    """Delta *= A'(before), for n units; the slope of ReLU at 0 is 0."""
    if kind == 1:
        for k in range(n):
            delta[at + k] = delta[at + k] if before[at + k] > _ZERO else _ZERO
    elif kind == 2:
        for k in range(n):
            z = before[at + k]
            bent = (z + beta) * _HALF / beta
            delta[at + k] *= _ZERO if z <= -beta else (_UNIT if z >= beta else bent)
    elif kind == 3:
        for k in range(n):
            z = before[at + k]
            s = _UNIT / (_UNIT + np.exp(-beta * z))
            delta[at + k] *= s + beta * z * s * (_UNIT - s)


@njit(cache=True, fastmath={"reassoc"})
def _dot(a: Any, at: Any, b: Any, start: Any, n: Any) -> Any:
    """Inner product; its compiled order of summation is another, but always the same."""
    total = _ZERO
    for k in range(n):
        total += a[at + k] * b[start + k]
    return total


@njit(cache=True)
def _add(target: Any, at: Any, factor: Any, source: Any, start: Any, n: Any) -> None:
    """target[at + k] += factor * source[start + k]."""
    for k in range(n):
        target[at + k] += factor * source[start + k]


@njit(cache=True, nogil=True)
def _advance(
    parameters: Any,
    memory: Any,
    widths: Any,
    embedding: Any,
    activation: Any,
    beta: Any,
    adagrad: Any,
    learning_rate: Any,
    log2_window: Any,
    first_batch: Any,
    n_batches: Any,
    data_key: Any,
    shuffle_key: Any,
    columns: Any,
    odds: Any,
) -> None:
    n_layers = len(widths)
    zero, one = np.uint64(0), np.uint64(1)
    starts = np.zeros(n_layers, np.uint64)  # Of each layer's weights.
    units = np.zeros(n_layers, np.uint64)  # Of each layer's outputs in the buffers.
    inputs = np.uint64(N_FEATURES)
    at_parameter, at_unit = zero, zero
    for layer in range(n_layers):
        starts[layer], units[layer] = at_parameter, at_unit
        at_parameter += (inputs + one) * widths[layer]
        at_unit += widths[layer]
        inputs = widths[layer]
    before = np.zeros(at_unit, np.float32)
    after = np.zeros(at_unit, np.float32)
    delta = np.zeros(at_unit, np.float32)
    gradient = np.zeros(len(parameters), np.float32)
    present = np.zeros(N_FEATURES, np.uint64)
    patterns = np.zeros(BATCH, np.uint64)
    labels = np.zeros(BATCH, np.float32)
    window_bits = log2_window + LOG2_BATCH
    width = widths[0]
    first_bias = np.uint64(N_FEATURES) * width
    top = units[n_layers - 1]
    # Each feature feeds all units of the first layer; of an embedding, the two of its half.
    fed = np.uint64(2) if embedding else width
    for batch in range(first_batch, first_batch + n_batches):
        # All examples first: what they are does not wait for what the model makes of them.
        for member in range(BATCH):
            position = np.uint64(batch) * np.uint64(BATCH) + np.uint64(member)
            index = visited(position, window_bits, shuffle_key)
            patterns[member], labels[member] = draw(data_key, index, columns, odds)
        for member in range(BATCH):
            bits = patterns[member]
            n_present = 0
            while bits != zero:
                lowest = bits & (~bits + one)
                present[n_present] = _BIT[(lowest * _DE_BRUIJN) >> _S58]
                n_present += 1
                bits ^= lowest
            # Forward. A single first unit stays in a register.
            if width == one:
                total = parameters[first_bias]
                for k in range(n_present):
                    total += parameters[present[k]]
                before[zero] = total
            else:
                for unit in range(width):
                    before[unit] = parameters[first_bias + unit]
                for k in range(n_present):
                    skip = present[k] // _PER_HALF * fed if embedding else zero
                    _add(before, skip, _UNIT, parameters, present[k] * width + skip, fed)
            for layer in range(1, n_layers):
                n_in, n_out = widths[layer - 1], widths[layer]
                here, there = units[layer - 1], units[layer]
                kind = 0 if embedding and layer == 1 else activation
                _activate(before, after, here, n_in, kind, beta)
                weights = starts[layer]
                bias = weights + n_in * n_out
                if n_out == one:
                    total = _dot(after, here, parameters, weights, n_in)
                    before[there] = parameters[bias] + total
                else:
                    for o in range(n_out):
                        before[there + o] = parameters[bias + o]
                    for i in range(n_in):
                        row = weights + i * n_out
                        _add(before, there, after[here + i], parameters, row, n_out)
            # Backward.
            delta[top] = _UNIT / (_UNIT + np.exp(-before[top])) - labels[member]
            for layer in range(n_layers - 1, 0, -1):
                n_in, n_out = widths[layer - 1], widths[layer]
                here, there = units[layer - 1], units[layer]
                kind = 0 if embedding and layer == 1 else activation
                weights = starts[layer]
                _add(gradient, weights + n_in * n_out, _UNIT, delta, there, n_out)
                if n_out == one:
                    error = delta[there]
                    _add(gradient, weights, error, after, here, n_in)
                    for i in range(n_in):
                        delta[here + i] = error * parameters[weights + i]
                else:
                    for i in range(n_in):
                        row = weights + i * n_out
                        _add(gradient, row, after[here + i], delta, there, n_out)
                        delta[here + i] = _dot(delta, there, parameters, row, n_out)
                _slope(before, delta, here, n_in, kind, beta)
            if not embedding:
                _add(gradient, first_bias, _UNIT, delta, zero, width)
            if width == one:
                error = delta[zero]
                for k in range(n_present):
                    gradient[present[k]] += error
            else:
                for k in range(n_present):
                    skip = present[k] // _PER_HALF * fed if embedding else zero
                    _add(gradient, present[k] * width + skip, _UNIT, delta, skip, fed)
        share = _UNIT / _F(BATCH)
        if adagrad:
            for p in range(len(parameters)):
                g = gradient[p] * share
                memory[p] += g * g
                parameters[p] -= learning_rate * g / (np.sqrt(memory[p]) + _EPSILON)
                gradient[p] = _ZERO
        else:
            rate = _F(learning_rate / (1.0 + DECAY * batch))
            for p in range(len(parameters)):
                memory[p] = _MOMENTUM * memory[p] - rate * (gradient[p] * share)
                parameters[p] += memory[p]
                gradient[p] = _ZERO


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
    """Train on some mini-batches, in place.

    Parameters
    ----------
    recipe : StreamRecipe
        Network and optimizer.
    parameters, memory : ndarray of float32, shape (n_parameters,)
        Weights; AdaGrad's accumulators or SGD's velocities.
    first_batch, n_batches : int
        Which part of the stream.
    data_key, shuffle_key : numpy.uint64
        Of the examples, and of their order.
    """
    _advance(
        parameters,
        memory,
        np.array(recipe.widths, dtype=np.uint64),
        recipe.embedding,
        ACTIVATIONS[recipe.activation],
        _F(recipe.beta),
        recipe.optimizer == "adagrad",
        _F(recipe.learning_rate),
        recipe.log2_window,
        first_batch,
        n_batches,
        data_key,
        shuffle_key,
        *tables(recipe.data),
    )
