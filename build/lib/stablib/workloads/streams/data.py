"""Synthetic data whose truth is known: sparse binary features, labels from a known log-odds."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stablib.workloads.streams.truth import N_FEATURES, DataModel

#: Features that are drawn at once, from a table of their joint states.
GROUP = 8
STATES = 1 << GROUP

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_BYTE, _WORD, _HIGH = np.uint64(0xFF), np.uint64(32), np.uint64(24)
_ONE, _TWO, _THREE, _EIGHT = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(8)
_MASK24 = np.uint64(0xFFFFFF)


class Tables(NamedTuple):
    """What the kernels draw examples from: for each group of 8 features, its 256 joint states.

    Groups are independent of each other (blocks of the quadratic model do not cross them), so a
    group is one draw by the alias method, and its factor of the odds a look-up. All tables fit the
    first-level cache.
    """

    #: Of each column, threshold in units of 2**-24 and alias: ``threshold << 8 | alias``, (1024,).
    columns: NDArray[np.uint64]
    #: Factor of each state in the odds against label 1, (1024,).
    against: NDArray[np.float64]


@cache
def tables(model: DataModel) -> Tables:
    """Tables of a model."""
    states = (np.arange(STATES)[:, None] >> np.arange(GROUP)) & 1
    columns, against = [], []
    for start in range(0, N_FEATURES, GROUP):
        p = model.feature_probabilities()[start : start + GROUP]
        columns.append(_columns(np.where(states == 1, p, 1.0 - p).prod(axis=1)))
        features = np.zeros((STATES, N_FEATURES))
        features[:, start : start + GROUP] = states
        against.append(np.exp(-model.log_odds(features)))
    return Tables(np.concatenate(columns), np.concatenate(against))


def _columns(probability: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Vose's alias method."""
    share = (probability * STATES).tolist()
    alias = list(range(STATES))
    small = [k for k in range(STATES) if share[k] < 1.0]
    large = [k for k in range(STATES) if share[k] >= 1.0]
    while small and large:
        poor, rich = small.pop(), large[-1]
        alias[poor] = rich
        share[rich] -= 1.0 - share[poor]
        if share[rich] < 1.0:
            small.append(large.pop())
    for rest in (*small, *large):  # Full but for rounding: they keep themselves.
        alias[rest] = rest
    threshold = np.rint(np.clip(share, 0.0, 1.0) * (2**24 - 1)).astype(np.uint64)
    return (threshold << _EIGHT) | np.array(alias, dtype=np.uint64)


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


@njit(cache=True, inline="always")
def _pick(random: Any, group: Any, columns: Any) -> Any:
    """State of one group from 32 random bits: 8 choose a column, 24 between it and its alias."""
    column = random & _BYTE
    entry = columns[group * np.uint64(STATES) + column]
    return column if ((random >> _EIGHT) & _MASK24) < (entry >> _EIGHT) else entry & _BYTE


@njit(cache=True, inline="always")
def _draw(key: Any, index: Any, columns: Any, against: Any) -> Any:
    """Example ``index`` of a stream: its 32 features as bits, and its label, True or False."""
    counter = key + _THREE * index * _GOLDEN
    first, second = mix(counter + _GOLDEN), mix(counter + _TWO * _GOLDEN)
    uniform = np.float64(mix(counter + _THREE * _GOLDEN) >> _S11) * 2.0**-53
    a = _pick(first, np.uint64(0), columns)
    b = _pick(first >> _WORD, np.uint64(1), columns)
    c = _pick(second, np.uint64(2), columns)
    d = _pick(second >> _WORD, np.uint64(3), columns)
    odds_against = (
        against[a]
        * against[np.uint64(STATES) + b]
        * against[np.uint64(2 * STATES) + c]
        * against[np.uint64(3 * STATES) + d]
    )
    bits = a | (b << _EIGHT) | (c << (_TWO * _EIGHT)) | (d << _HIGH)
    return bits, uniform * (1.0 + odds_against) < 1.0


@njit(cache=True)
def draw(key: Any, indices: Any, columns: Any, against: Any, bits: Any, labels: Any) -> None:
    """Fill in the features, as bits, and the labels of some examples of a stream.

    Each is a function of key and index alone, so any part of a stream can be had in any order.
    """
    for k in range(len(indices)):
        bits[k], labels[k] = _draw(key, indices[k], columns, against)


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
    draw(key, indices, *tables(model), bits, labels)
    features = (bits[:, None] >> np.arange(N_FEATURES, dtype=np.uint32)) & np.uint32(1)
    return features.astype(np.uint8), labels
