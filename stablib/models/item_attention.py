"""Attention of target items over a history that they share, as one operation.

With ``W_i = W diag(p_i)`` the scores of a target i are those of a linear layer on the history, so
the products of every target with every item of the history are never laid out: a tile of targets
is one matrix product, and its scores stay in the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Numba multiplies matrices with this library; loaded later, it would use all threads there are.
import scipy.linalg.cython_blas  # noqa: F401
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

#: Hidden numbers of a tile of targets, at most: they should stay in the second-level cache.
_TILE = 40_000
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@njit(cache=True)
def _tile_of(n: Any, k: Any) -> Any:
    return max(1, _TILE // max(1, n * k))


@njit(cache=True)
def _layers(targets: Any, weight: Any, layers: Any) -> None:
    """Of each target its own layer on the history, shape (n_targets * k, d)."""
    k, d = weight.shape
    for t in range(len(targets)):
        for u in range(k):
            for c in range(d):
                layers[t * k + u, c] = weight[u, c] * targets[t, c]


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def _scores(hidden: Any, bias: Any, top: Any, scores: Any) -> None:
    """Scores of a tile, shape (n_targets, n_items), from hidden numbers without their bias."""
    k = len(bias)
    for t in range(len(scores)):
        row = scores[t]
        row[:] = _ZERO
        for u in range(k):
            numbers, shift, factor = hidden[t * k + u], bias[u], top[u]
            for j in range(len(row)):
                row[j] += factor * max(numbers[j] + shift, _ZERO)


@njit(cache=True)
def _weigh(scores: Any, own: Any, beta: Any) -> None:
    """Turn scores into weights ``exp(a) / (sum exp(a)) ** beta``; ``own`` takes no part."""
    for t in range(len(scores)):
        row = scores[t]
        if own[t] >= 0:
            row[own[t]] = -np.inf
        highest = row.max()
        if highest == -np.inf:  # The target is the only item of the history.
            row[:] = _ZERO
            continue
        total = _ZERO
        for j in range(len(row)):
            row[j] = np.exp(row[j] - highest)
            total += row[j]
        row *= np.exp(highest * (_ONE - beta)) / total**beta


@njit(cache=True)
def _weights(
    history: Any, targets: Any, own: Any, weight: Any, bias: Any, top: Any, beta: Any
) -> Any:
    """Attention of each target over the history, shape (n_targets, n_items)."""
    n, k = len(history), len(bias)
    columns = np.ascontiguousarray(history.T)
    tile = _tile_of(n, k)
    layers = np.empty((tile * k, history.shape[1]), np.float32)
    weights = np.empty((len(targets), n), np.float32)
    for start in range(0, len(targets), tile):
        part = slice(start, min(start + tile, len(targets)))
        count = part.stop - start
        _layers(targets[part], weight, layers)
        hidden = np.dot(layers[: count * k], columns)
        _scores(hidden, bias, top, weights[part])
        _weigh(weights[part], own[part], beta)
    return weights


@njit(cache=True)
def _forward(
    history: Any, targets: Any, own: Any, weight: Any, bias: Any, top: Any, beta: Any, pooled: Any
) -> Any:
    """Fill the pooled items, and return the attention."""
    weights = _weights(history, targets, own, weight, bias, top, beta)
    pooled[:] = np.dot(weights, history) * targets
    return weights


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def _of_hidden(hidden: Any, of_scores: Any, bias: Any, top: Any, of_bias: Any, of_top: Any) -> None:
    """Turn hidden numbers into their gradients, and add up those of the bias and the top."""
    k = len(bias)
    for t in range(len(of_scores)):
        gradients = of_scores[t]
        for u in range(k):
            numbers, shift, factor = hidden[t * k + u], bias[u], top[u]
            bias_sum, top_sum = _ZERO, _ZERO
            for j in range(len(gradients)):
                active = numbers[j] + shift
                slope = factor * gradients[j] if active > _ZERO else _ZERO
                top_sum += gradients[j] * max(active, _ZERO)
                bias_sum += slope
                numbers[j] = slope
            of_bias[u] += bias_sum
            of_top[u] += top_sum


@njit(cache=True)
def _backward(
    history: Any,
    targets: Any,
    weight: Any,
    bias: Any,
    top: Any,
    beta: Any,
    weights: Any,
    of_pooled: Any,
    of_history: Any,
    of_targets: Any,
    of_weight: Any,
    of_bias: Any,
    of_top: Any,
) -> None:
    """Add the gradients of all that :func:`_forward` was given."""
    n, k, d = len(history), len(bias), history.shape[1]
    columns = np.ascontiguousarray(history.T)
    tile = _tile_of(n, k)
    layers = np.empty((tile * k, d), np.float32)
    of_targets += of_pooled * np.dot(weights, history)
    of_means = of_pooled * targets
    of_history += np.dot(weights.T, of_means)
    of_scores = np.dot(of_means, columns)
    for t in range(len(targets)):
        row, given = of_scores[t], weights[t]
        total, mean = _ZERO, _ZERO
        for j in range(n):
            total += given[j]
            mean += given[j] * row[j]
        share = beta * mean / total if total > _ZERO else _ZERO
        for j in range(n):
            row[j] = given[j] * (row[j] - share)
    for start in range(0, len(targets), tile):
        part = slice(start, min(start + tile, len(targets)))
        count = part.stop - start
        own = layers[: count * k]
        _layers(targets[part], weight, own)
        hidden = np.dot(own, columns)
        _of_hidden(hidden, of_scores[part], bias, top, of_bias, of_top)
        of_history += np.dot(hidden.T, own)
        of_layers = np.dot(hidden, history)
        for t in range(count):
            for u in range(k):
                for c in range(d):
                    gradient = of_layers[t * k + u, c]
                    of_weight[u, c] += gradient * targets[start + t, c]
                    of_targets[start + t, c] += gradient * weight[u, c]


class _Pool(torch.autograd.Function):
    """The attention as one operation; of the places and of beta there is no gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        history: Tensor,
        targets: Tensor,
        own: NDArray[np.int64],
        weight: Tensor,
        bias: Tensor,
        top: Tensor,
        beta: float,
    ) -> Tensor:
        pooled = torch.empty_like(targets)
        ctx.attention = _forward(
            _array(history),
            _array(targets),
            own,
            _array(weight),
            _array(bias),
            _array(top),
            np.float32(beta),
            pooled.numpy(),
        )
        ctx.beta = np.float32(beta)
        ctx.save_for_backward(history, targets, weight, bias, top)
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        history, targets, weight, bias, top = ctx.saved_tensors
        found = [torch.zeros_like(each) for each in ctx.saved_tensors]
        _backward(
            _array(history),
            _array(targets),
            _array(weight),
            _array(bias),
            _array(top),
            ctx.beta,
            ctx.attention,
            _array(gradients[0]),
            found[0].numpy(),
            found[1].numpy(),
            found[2].numpy(),
            found[3].numpy(),
            found[4].numpy(),
        )
        return found[0], found[1], None, *found[2:], None


def _array(tensor: Tensor) -> NDArray[Any]:
    return tensor.detach().contiguous().numpy()


def pool(
    history: Tensor,
    targets: Tensor,
    own: NDArray[np.int64],
    weight: Tensor,
    bias: Tensor,
    top: Tensor,
    beta: float,
) -> Tensor:
    r"""Pool the products of targets with the items of one history by attention.

    .. math::
        s_i = p_i \odot \sum_j a_{ij} q_j, \quad
        a_{ij} = \frac{\exp f_{ij}}{\bigl(\sum_l \exp f_{il}\bigr)^\beta}, \quad
        f_{ij} = h^\top \mathrm{ReLU}(W (q_j \odot p_i) + b)

    Parameters
    ----------
    history : Tensor, shape (n_items, d)
        Vectors of the items of a history, *q*.
    targets : Tensor, shape (n_targets, d)
        Vectors of the targets, *p*.
    own : ndarray of int64, shape (n_targets,)
        Place of each target in the history, where it takes no part; -1 if it is not there.
    weight, bias, top : Tensor, shapes (k, d), (k,), (k,)
        *W*, *b* and *h*.
    beta : float
        1 for a softmax; less lets long histories weigh more.

    Returns
    -------
    Tensor, shape (n_targets, d)
        0 for a target that is the only item of the history.

    Notes
    -----
    Xue et al. 2019; thesis, section 2.3.3. Gradients flow to all but ``own`` and ``beta``.

    Examples
    --------
    With no weights all items matter alike, and with beta 1 their mean is taken:

    >>> history, targets = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, -1.0]])
    >>> nothing = torch.zeros(3)
    >>> pool(history, targets, np.array([-1]), torch.zeros(3, 2), nothing, nothing, 1.0)
    tensor([[ 2., -3.]])
    """
    pooled: Tensor = _Pool.apply(history, targets, own, weight, bias, top, beta)
    return pooled


def attention(
    history: Tensor,
    targets: Tensor,
    own: NDArray[np.int64],
    weight: Tensor,
    bias: Tensor,
    top: Tensor,
    beta: float,
) -> NDArray[np.float32]:
    """Weights with which :func:`pool` adds up the history, shape (n_targets, n_items).

    Parameters
    ----------
    history, targets, own, weight, bias, top, beta
        As for :func:`pool`.

    Examples
    --------
    >>> history, targets, nothing = torch.ones(2, 2), torch.ones(1, 2), torch.zeros(3)
    >>> attention(history, targets, np.array([0]), torch.zeros(3, 2), nothing, nothing, 0.5)
    array([[0., 1.]], dtype=float32)
    """
    weights: NDArray[np.float32] = _weights(
        _array(history),
        _array(targets),
        own,
        _array(weight),
        _array(bias),
        _array(top),
        np.float32(beta),
    )
    return weights
