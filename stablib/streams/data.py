"""Synthetic data whose truth is known: sparse binary features, labels from a known log-odds."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

#: Number of binary features.
N_FEATURES = 32
#: Features of one half; its joint states are drawn at once.
HALF = 16

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S16, _S27, _S30, _S31, _S48 = (np.uint64(k) for k in (16, 27, 30, 31, 48))
_LOW16, _LOW32 = np.uint64(0xFFFF), np.uint64(0xFFFFFFFF)
_ONE, _TWO = np.uint64(1), np.uint64(2)


class DataModel(BaseModel):
    """A true model from which examples and labels are drawn.

    Parameters
    ----------
    kind : {"linear", "quadratic"}
        Log-odds of the label: theta x (section 2) or x Theta x with eight lower-triangular 4 x 4
        blocks (section 6).
    seed : int, default 0
        Of the true weights. They are drawn once and are the same for all pairs.

    References
    ----------
    Snapp and Shamir 2021, sections 2 and 6.

    Examples
    --------
    >>> model = DataModel(kind="linear")
    >>> model.feature_probabilities()[:2].round(3)
    array([0.608, 0.152])
    >>> float(model.log_odds(np.zeros((1, 32)))[0])
    0.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["linear", "quadratic"]
    seed: int = Field(default=0, ge=0)

    def feature_probabilities(self) -> NDArray[np.float64]:
        """Probability that each feature is 1, shape (32,)."""
        if self.kind == "linear":
            return np.tile(6.0 / (np.arange(1, 17) * np.pi) ** 2, 2)
        return np.tile(90.0 / (np.arange(1, 5) * np.pi) ** 4, 8)

    def weights(self) -> NDArray[np.float64]:
        """True weights: theta of shape (32,), or the blocks of Theta, shape (8, 4, 4).

        Each is normal with sd 1 and a mean of -2, 0 or 2, picked with equal probability.
        """
        rng = np.random.default_rng([zlib.crc32(b"theta"), self.seed])
        shape = (N_FEATURES,) if self.kind == "linear" else (8, 4, 4)
        drawn = rng.choice([-2.0, 0.0, 2.0], size=shape) + rng.normal(size=shape)
        return drawn if self.kind == "linear" else np.tril(drawn)

    def log_odds(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """True log-odds of label 1.

        Parameters
        ----------
        features : ndarray, shape (n_examples, 32)
            0 or 1.

        Returns
        -------
        ndarray of float64, shape (n_examples,)
        """
        x = np.asarray(features, dtype=np.float64)
        if self.kind == "linear":
            return x @ self.weights()
        blocks = x.reshape(len(x), 8, 4)
        total: NDArray[np.float64] = np.einsum("nbi,bij,nbj->n", blocks, self.weights(), blocks)
        return total


class Tables(NamedTuple):
    """What the kernels draw examples from.

    Features are independent between the two halves, so each half is one draw from its 65536 joint
    states by the alias method, and its part of the log-odds a look-up.
    """

    threshold: NDArray[np.uint64]
    alias: NDArray[np.uint64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@cache
def tables(model: DataModel) -> Tables:
    """Alias tables and log-odds of all states of each half."""
    states = (np.arange(1 << HALF)[:, None] >> np.arange(HALF)) & 1
    p = model.feature_probabilities()[:HALF]
    probability = np.where(states == 1, p, 1.0 - p).prod(axis=1)
    threshold, alias = _alias(probability)
    empty = np.zeros_like(states)
    low = model.log_odds(np.hstack([states, empty]))
    return Tables(threshold, alias, low, model.log_odds(np.hstack([empty, states])))


def _alias(probability: NDArray[np.float64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Vose's alias method with thresholds in units of 2**-32."""
    n = len(probability)
    share = (probability * n).tolist()
    alias = list(range(n))
    small = [k for k in range(n) if share[k] < 1.0]
    large = [k for k in range(n) if share[k] >= 1.0]
    while small and large:
        poor, rich = small.pop(), large[-1]
        alias[poor] = rich
        share[rich] -= 1.0 - share[poor]
        if share[rich] < 1.0:
            small.append(large.pop())
    for rest in (*small, *large):  # Full but for rounding: they keep themselves.
        alias[rest] = rest
    threshold = np.rint(np.clip(share, 0.0, 1.0) * 2.0**32).astype(np.uint64)
    return threshold, np.array(alias, dtype=np.uint64)


def stream_key(name: str, *seeds: int) -> np.uint64:
    """Key of an independent stream of examples, or of shuffling."""
    sequence = np.random.SeedSequence([zlib.crc32(name.encode()), *seeds])
    return np.uint64(sequence.generate_state(1, np.uint64)[0])


@njit(cache=True, inline="always")
def mix(value: Any) -> Any:
    """Mix 64 bits (the finalizer of SplitMix64)."""
    value = (value ^ (value >> _S30)) * _M1
    value = (value ^ (value >> _S27)) * _M2
    return value ^ (value >> _S31)


@njit(cache=True)
def draw(key: Any, index: Any, threshold: Any, alias: Any, low: Any, high: Any) -> Any:
    """Example ``index`` of a stream: its 32 features as bits, and its label, 0 or 1.

    A function of key and index alone, so any part of a stream can be had in any order.
    """
    first = mix(key + (_TWO * index + _ONE) * _GOLDEN)
    second = mix(key + (_TWO * index + _TWO) * _GOLDEN)
    a = first & _LOW16
    if ((first >> _S16) & _LOW32) >= threshold[a]:
        a = alias[a]
    b = second & _LOW16
    if ((second >> _S16) & _LOW32) >= threshold[b]:
        b = alias[b]
    uniform = (np.float64(((first >> _S48) << _S16) | (second >> _S48)) + 0.5) / 4294967296.0
    positive = uniform < 1.0 / (1.0 + np.exp(-(low[a] + high[b])))
    return a | (b << _S16), positive


@njit(cache=True)
def _generate(
    key: Any, indices: Any, threshold: Any, alias: Any, low: Any, high: Any, bits: Any, labels: Any
) -> None:
    for k in range(len(indices)):
        bits[k], labels[k] = draw(key, indices[k], threshold, alias, low, high)


def generate(
    model: DataModel, key: np.uint64, indices: NDArray[np.uint64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw examples of a stream.

    Parameters
    ----------
    model : DataModel
        Truth.
    key : numpy.uint64
        Of the stream, see :func:`stream_key`.
    indices : ndarray of uint64, shape (n_examples,)
        Places in the stream.

    Returns
    -------
    features : ndarray of uint8, shape (n_examples, 32)
    labels : ndarray of uint8, shape (n_examples,)
        0 or 1.

    Examples
    --------
    >>> model, key = DataModel(kind="linear"), stream_key("examples", 0)
    >>> whole, _ = generate(model, key, np.arange(100, dtype=np.uint64))
    >>> part, _ = generate(model, key, np.arange(50, 60, dtype=np.uint64))
    >>> bool((whole[50:60] == part).all())
    True
    """
    bits = np.empty(len(indices), dtype=np.uint32)
    labels = np.empty(len(indices), dtype=np.uint8)
    _generate(key, indices, *tables(model), bits, labels)
    features = (bits[:, None] >> np.arange(N_FEATURES, dtype=np.uint32)) & np.uint32(1)
    return features.astype(np.uint8), labels
