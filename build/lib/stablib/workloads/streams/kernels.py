"""Train one small network on a stream: forward, backward and optimizer in one compiled loop.

Parameters are one flat array: for each layer its weights, (inputs, outputs) row by row, then its
biases. The first layer adds up the rows of the few features that are present. Sums
over the examples of a mini-batch are never reordered: with windows of one mini-batch, their
rounding is the whole experiment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stablib.workloads.streams.data import draw, tables
from stablib.workloads.streams.recipe import BATCH, LOG2_BATCH, StreamRecipe
from stablib.workloads.streams.shuffle import visit
from stablib.workloads.streams.truth import N_FEATURES

ACTIVATIONS = {"identity": 0, "relu": 1, "smelu": 2, "swish": 3}
#: Keras' defaults where the paper names no value.
EPSILON, MOMENTUM, DECAY, ACCUMULATOR = 1e-7, 0.9, 0.001, 0.1

# numba computes in the type of its operands; a plain 1.0 would make everything float64.
_F = np.float32
_ZERO, _HALF, _UNIT, _QUARTER = _F(0.0), _F(0.5), _F(1.0), _F(0.25)
_EPSILON, _MOMENTUM, _SHARE = _F(EPSILON), _F(MOMENTUM), _F(1.0 / BATCH)
# Places in arrays are unsigned: signed ones can be negative, which numba would check for.
_NONE, _ONE, _TWO, _THREE, _FOUR = (np.uint64(k) for k in range(5))
_PER_HALF = np.uint64(N_FEATURES // 2)


#: A de Bruijn sequence tells the place of a single bit by one product, without a loop.
_DE_BRUIJN, _S58 = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_BIT = np.zeros(64, dtype=np.uint64)
_BIT[(_DE_BRUIJN << np.arange(64, dtype=np.uint64)) >> _S58] = np.arange(64)


# The error model of numpy lets a division by zero be infinite; Python's checks for it each time.


@njit(cache=True, error_model="numpy")
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


@njit(cache=True, error_model="numpy")
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


@njit(cache=True, fastmath={"reassoc"}, error_model="numpy")
def _dot(a: Any, at: Any, b: Any, start: Any, n: Any) -> Any:
    """Inner product; its compiled order of summation is another, but always the same."""
    total = _ZERO
    for k in range(n):
        total += a[at + k] * b[start + k]
    return total


@njit(cache=True, error_model="numpy")
def _add(target: Any, at: Any, factor: Any, source: Any, start: Any, n: Any) -> None:
    """target[at + k] += factor * source[start + k]."""
    for k in range(n):
        target[at + k] += factor * source[start + k]


@njit(cache=True, error_model="numpy")
def _add_rows(
    target: Any, at: Any, factors: Any, first: Any, n_rows: Any, source: Any, start: Any, n: Any
) -> None:
    """Add n_rows rows of source to target, each times its factor, one after the other.

    Four rows go in one pass, which reads and writes target once.
    """
    done = _NONE
    while done + _FOUR <= n_rows:
        a, b = factors[first + done], factors[first + done + _ONE]
        c, d = factors[first + done + _TWO], factors[first + done + _THREE]
        row = start + done * n
        for k in range(n):
            total = target[at + k] + a * source[row + k]
            total += b * source[row + n + k]
            total += c * source[row + _TWO * n + k]
            total += d * source[row + _THREE * n + k]
            target[at + k] = total
        done += _FOUR
    while done < n_rows:
        _add(target, at, factors[first + done], source, start + done * n, n)
        done += _ONE


@njit(cache=True, error_model="numpy")
def _unpack(patterns: Any, example: Any, feature: Any) -> Any:
    """List the features that are present, example by example; return how many there are.

    Most examples have at most four: these are written without asking whether they are there, and
    written over if not. Asking would be slower, as the processor cannot guess the answer.
    """
    n = _NONE
    for member in range(len(patterns)):
        bits = patterns[member]
        for _ in range(4):
            lowest = bits & (~bits + _ONE)
            example[n], feature[n] = member, _BIT[(lowest * _DE_BRUIJN) >> _S58]
            n += np.uint64(bits != _NONE)
            bits ^= lowest
        while bits != _NONE:
            lowest = bits & (~bits + _ONE)
            example[n], feature[n] = member, _BIT[(lowest * _DE_BRUIJN) >> _S58]
            n += _ONE
            bits ^= lowest
    return n


@njit(cache=True, error_model="numpy")
def _first_layer(
    parameters: Any, width: Any, embedding: Any, n: Any, example: Any, feature: Any, sums: Any
) -> None:
    """Fill in sums (BATCH, width): biases, and the rows of the features that are present."""
    if width == _ONE:
        for member in range(len(sums)):
            sums[member] = parameters[N_FEATURES]
        for k in range(n):
            sums[example[k]] += parameters[feature[k]]
        return
    bias = np.uint64(N_FEATURES) * width
    for member in range(BATCH):
        for unit in range(width):
            sums[np.uint64(member) * width + unit] = parameters[bias + unit]
    # Each feature feeds all units; of an embedding, the two of its half.
    fed = np.uint64(2) if embedding else width
    for k in range(n):
        skip = feature[k] // _PER_HALF * fed if embedding else _NONE
        _add(sums, example[k] * width + skip, _UNIT, parameters, feature[k] * width + skip, fed)


@njit(cache=True, error_model="numpy")
def _first_layer_back(
    gradient: Any, width: Any, embedding: Any, n: Any, example: Any, feature: Any, errors: Any
) -> None:
    """Add to the first layer's gradient what errors (BATCH, width) of its sums amount to."""
    if width == _ONE:
        total = gradient[N_FEATURES]
        for member in range(len(errors)):
            total += errors[member]
        gradient[N_FEATURES] = total
        for k in range(n):
            gradient[feature[k]] += errors[example[k]]
        return
    if not embedding:
        for member in range(BATCH):
            at = np.uint64(member) * width
            _add(gradient, np.uint64(N_FEATURES) * width, _UNIT, errors, at, width)
    fed = np.uint64(2) if embedding else width
    for k in range(n):
        skip = feature[k] // _PER_HALF * fed if embedding else _NONE
        _add(gradient, feature[k] * width + skip, _UNIT, errors, example[k] * width + skip, fed)


@njit(cache=True, error_model="numpy")
def _adagrad(parameters: Any, memory: Any, gradient: Any, learning_rate: Any) -> None:
    """One step; the gradient is set to zero for the next one."""
    for p in range(len(parameters)):
        g = gradient[p] * _SHARE
        memory[p] += g * g
        parameters[p] -= learning_rate * g / (np.sqrt(memory[p]) + _EPSILON)
        gradient[p] = _ZERO


@njit(cache=True, error_model="numpy")
def _momentum(parameters: Any, memory: Any, gradient: Any, rate: Any) -> None:
    """One step of SGD; the gradient is set to zero for the next one."""
    for p in range(len(parameters)):
        memory[p] = _MOMENTUM * memory[p] - rate * (gradient[p] * _SHARE)
        parameters[p] += memory[p]
        gradient[p] = _ZERO


@njit(cache=True, error_model="numpy")
def _hidden_layers(
    parameters: Any,
    gradient: Any,
    widths: Any,
    starts: Any,  # Of each layer's weights in the parameters.
    units: Any,  # Of each layer's outputs in the buffers.
    embedding: Any,
    activation: Any,
    beta: Any,
    before: Any,
    after: Any,
    delta: Any,
    sums: Any,
    labels: Any,
    errors: Any,
) -> None:
    """All layers but the first, forward and backward, one example after the other.

    From the first layer's sums (BATCH, width) to their errors; the other layers' gradient is added
    to. Buffers hold one example, so that they stay in the first-level cache.
    """
    n_layers, width = len(widths), widths[0]
    top = units[n_layers - 1]
    for member in range(BATCH):
        at = np.uint64(member) * width
        for unit in range(width):
            before[unit] = sums[at + unit]
        for layer in range(1, n_layers):
            n_in, n_out = widths[layer - 1], widths[layer]
            here, there = units[layer - 1], units[layer]
            kind = 0 if embedding and layer == 1 else activation
            _activate(before, after, here, n_in, kind, beta)
            weights = starts[layer]
            bias = weights + n_in * n_out
            if n_out == _ONE:
                total = _dot(after, here, parameters, weights, n_in)
                before[there] = parameters[bias] + total
            else:
                for o in range(n_out):
                    before[there + o] = parameters[bias + o]
                _add_rows(before, there, after, here, n_in, parameters, weights, n_out)
        delta[top] = _UNIT / (_UNIT + np.exp(-before[top])) - labels[member]
        for layer in range(n_layers - 1, 0, -1):
            n_in, n_out = widths[layer - 1], widths[layer]
            here, there = units[layer - 1], units[layer]
            kind = 0 if embedding and layer == 1 else activation
            weights = starts[layer]
            _add(gradient, weights + n_in * n_out, _UNIT, delta, there, n_out)
            if n_out == _ONE:
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
        for unit in range(width):
            errors[at + unit] = delta[unit]


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(
    parameters: Any,
    memory: Any,
    widths: Any,
    starts: Any,
    units: Any,
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
    against: Any,
) -> None:
    width, n_units = widths[0], widths.sum()
    before = np.zeros(n_units, np.float32)
    after = np.zeros(n_units, np.float32)
    delta = np.zeros(n_units, np.float32)
    gradient = np.zeros(len(parameters), np.float32)
    indices = np.zeros(BATCH, np.uint64)
    patterns = np.zeros(BATCH, np.uint64)
    labels = np.zeros(BATCH, np.float32)
    example = np.zeros(BATCH * N_FEATURES + 1, np.uint64)
    feature = np.zeros(BATCH * N_FEATURES + 1, np.uint64)
    sums = np.zeros(np.uint64(BATCH) * width, np.float32)
    errors = np.zeros(np.uint64(BATCH) * width, np.float32)
    for batch in range(first_batch, first_batch + n_batches):
        visit(np.uint64(batch) * np.uint64(BATCH), log2_window + LOG2_BATCH, shuffle_key, indices)
        draw(data_key, indices, columns, against, patterns, labels)
        n = _unpack(patterns, example, feature)
        _first_layer(parameters, width, embedding, n, example, feature, sums)
        _hidden_layers(
            parameters,
            gradient,
            widths,
            starts,
            units,
            embedding,
            activation,
            beta,
            before,
            after,
            delta,
            sums,
            labels,
            errors,
        )
        _first_layer_back(gradient, width, embedding, n, example, feature, errors)
        if adagrad:
            _adagrad(parameters, memory, gradient, learning_rate)
        else:
            _momentum(parameters, memory, gradient, _F(learning_rate / (1.0 + DECAY * batch)))


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
        _starts([(inputs + 1) * outputs for inputs, outputs in recipe.shapes]),
        _starts(recipe.widths),
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


def _starts(sizes: Sequence[int]) -> NDArray[np.uint64]:
    """Where each of some blocks begins that lie one after the other."""
    return np.cumsum([0, *sizes[:-1]]).astype(np.uint64)
