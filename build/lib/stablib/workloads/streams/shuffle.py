"""Shuffle a stream inside windows, in constant memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stablib.workloads.streams.data import mix

#: Rounds of the Feistel network; each changes one part of the index by a function of the other.
ROUNDS = 6
_STEP = np.uint64(0xD1342543DE82EF95)
_C1, _C2 = np.uint64(0x9FB21C651E98DF25), np.uint64(0xAEF17502108EF2D9)
_S29, _S32 = np.uint64(29), np.uint64(32)


@njit(cache=True, inline="always")
def place(index: Any, bits: Any, key: Any) -> Any:
    """Where a permutation of 2**bits indices sends ``index``.

    A Feistel network: every round adds, bit by bit, a function of one part of the index to the
    other part. Doing the rounds again in reverse order undoes it, so it is a bijection whatever
    the function is.
    """
    right_bits = np.uint64(bits - bits // 2)
    right_mask = (np.uint64(1) << right_bits) - np.uint64(1)
    left_mask = (np.uint64(1) << np.uint64(bits // 2)) - np.uint64(1)
    left, right = index >> right_bits, index & right_mask
    for _ in range(ROUNDS // 2):
        key += _STEP
        left ^= _scramble(right ^ key) & left_mask
        key += _STEP
        right ^= _scramble(left ^ key) & right_mask
    return (left << right_bits) | right


@njit(cache=True, inline="always")
def _scramble(value: Any) -> Any:
    value = (value ^ (value >> _S32)) * _C1
    value = (value ^ (value >> _S29)) * _C2
    return value ^ (value >> _S32)


@njit(cache=True)
def visit(start: Any, bits: Any, key: Any, found: Any) -> None:
    """Fill in which examples are met from position ``start`` on, windows being 2**bits long."""
    shift = np.uint64(bits)
    within = (np.uint64(1) << shift) - np.uint64(1)
    for k in range(len(found)):
        position = start + np.uint64(k)
        window = position >> shift
        found[k] = (window << shift) | place(position & within, bits, mix(key + window))


def order(start: int, count: int, *, log2_window: int, key: np.uint64) -> NDArray[np.uint64]:
    """Which examples are met at positions start, ..., start + count - 1.

    Parameters
    ----------
    start, count : int
        Positions in the stream.
    log2_window : int
        Windows hold 2**log2_window examples.
    key : numpy.uint64
        Of the shuffling; the two models of a pair have different ones.

    Examples
    --------
    >>> met = order(64, 32, log2_window=5, key=np.uint64(1))
    >>> sorted(met.tolist()) == list(range(64, 96))
    True
    """
    found = np.empty(count, dtype=np.uint64)
    visit(np.uint64(start), log2_window, key, found)
    return found
