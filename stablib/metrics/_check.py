"""Argument checks that every metric shares: one rule for labels, for numbers and for randomness."""

from __future__ import annotations

import textwrap
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError

#: From here on a float no longer tells neighbouring integers apart.
_EXACT = 2.0**53
#: How far a row of probabilities may be from summing to 1: what 16-bit floats round away and more.
_TOLERANCE = 1e-3


def as_array(values: ArrayLike, *, name: str) -> NDArray[Any]:
    """Return a plain array; refuse masked entries and rows of different lengths."""
    rows = values if isinstance(values, list | tuple) else [values]
    if any(np.ma.is_masked(row) for row in rows):
        raise UsageError(
            f"{name} must not hold masked entries, got some; fill them or leave them out"
        )
    try:
        return np.asarray(values)
    except ValueError:
        raise UsageError(
            f"{name} must be a rectangular array, got rows of different lengths"
        ) from None
    except (RuntimeError, TypeError) as error:  # A tensor with a gradient, or on an accelerator.
        raise UsageError(f"{name} must be an array, got {type(values).__name__}: {error}") from None


def as_labels(labels: ArrayLike, *, name: str = "labels") -> NDArray[np.integer]:
    """Return predicted labels as a 2-d integer array with at least one row."""
    array = as_array(labels, name=name)
    if array.ndim != 2:
        raise UsageError(f"{name} must have shape (n_runs, n_examples), got shape {array.shape}")
    if array.shape[0] == 0:
        raise UsageError(f"{name} must hold at least one run, got shape {array.shape}")
    return as_whole(array, name=name)


def as_row(labels: ArrayLike, *, name: str) -> NDArray[np.integer]:
    """Return the labels of one run as a 1-d integer array with at least one example."""
    array = as_array(labels, name=name)
    if array.ndim != 1 or array.size == 0:
        raise UsageError(
            f"{name} must have shape (n_examples,) with n_examples >= 1, got shape {array.shape}"
        )
    return as_whole(array, name=name)


def as_gold(gold: ArrayLike, n_examples: int) -> NDArray[np.integer]:
    """Return gold labels as a 1-d integer array of the given length, which is not 0."""
    array = as_row(gold, name="gold")
    if len(array) != n_examples:
        raise UsageError(f"gold must have shape ({n_examples},), got shape {array.shape}")
    return array


def as_whole(array: NDArray[Any], *, name: str, what: str = "class indices") -> NDArray[np.integer]:
    """Return whole numbers >= 0 as integers, by the rule in :mod:`stablib.metrics`."""
    array = _unboxed(array)
    kind = array.dtype.kind
    if kind in "USTO":
        raise _no_numbers(array, f"{name} must be integers ({what})")
    if kind not in "biuf":
        raise UsageError(f"{name} must be integers ({what}), got dtype {array.dtype}")
    if kind == "f":
        odd = array[~((np.trunc(array) == array) & (np.abs(array) <= _EXACT))]  # NaN is odd too.
        if odd.size:
            found = "NaN" if np.isnan(odd).any() else f"{odd[0]:g}"
            raise UsageError(f"{name} must be integers ({what}), got {found}")
    whole = array if kind in "iu" else array.astype(np.int64)
    if whole.size and whole.min() < 0:
        raise UsageError(f"{name} must be {what} >= 0, got {whole.min()}")
    return whole


def as_floats(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return real numbers as a float64 array of any shape."""
    array = _unboxed(as_array(values, name=name))
    if array.dtype.kind in "USTO":
        raise _no_numbers(array, f"{name} must be numbers")
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} must be real numbers, got dtype {array.dtype}")
    return np.asarray(array, dtype=np.float64)


def as_finite(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return real numbers as a float64 array; refuse NaN and infinity."""
    array = as_floats(values, name=name)
    odd = array[~np.isfinite(array)]
    if odd.size:
        raise UsageError(f"{name} must be finite, got {'NaN' if np.isnan(odd[0]) else odd[0]}")
    return array


def as_fractions(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return probabilities as a float64 array of any shape."""
    array = as_floats(values, name=name)
    odd = array[~((array >= 0.0) & (array <= 1.0))]  # Not a number is odd too.
    if odd.size:
        raise UsageError(f"{name} must be probabilities between 0 and 1, got {odd[0]:g}")
    return array


def as_distributions(values: ArrayLike, *, name: str, shape: str) -> NDArray[np.float64]:
    """Return rows of probabilities as float64, divided by their sums to take out rounding."""
    array = as_floats(values, name=name)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise UsageError(f"{name} must have shape {shape}, got shape {array.shape}")
    odd = array[~(np.isfinite(array) & (array >= 0.0))]
    if odd.size:
        raise UsageError(f"{name} must be finite and 0 or more, got {odd[0]:g} (logits?)")
    sums = array.sum(axis=-1, keepdims=True)
    if sums.size and np.abs(sums - 1.0).max() > _TOLERANCE:
        worst = sums.flat[np.abs(sums - 1.0).argmax()]
        raise UsageError(
            f"{name} must sum to 1 in each row (within {_TOLERANCE}), got rows that sum to "
            f"{worst:g} (logits?)"
        )
    return array / sums


def as_explanations(values: NDArray[np.float64], *, name: str) -> NDArray[np.float64]:
    """Return the explanations of one text, of which there is at least one run and one token."""
    if values.ndim != 2 or values.size == 0:
        raise UsageError(
            f"{name} must have shape (n_runs, n_tokens), neither of them 0, "
            f"got shape {values.shape}"
        )
    return values


def as_weights(weights: ArrayLike, n_runs: int) -> NDArray[np.integer]:
    """Return multiplicities of runs, of which each resample holds the same number."""
    array = as_array(weights, name="weights")
    if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] != n_runs:
        raise UsageError(
            f"weights must have shape (n_resamples, {n_runs}) with n_resamples >= 1, "
            f"got shape {array.shape}"
        )
    counts = as_whole(array, name="weights", what="counts")
    sizes = counts.sum(axis=1)
    if sizes.min() != sizes.max() or sizes[0] < 1:
        raise UsageError(
            "the rows of weights must have the same sum, at least 1, "
            f"got {sizes.min()} to {sizes.max()}"
        )
    return counts


def as_runs(values: ArrayLike, *, name: str) -> NDArray[np.float64]:
    """Return probabilities by run as a 2-d float64 array with at least one row."""
    array = as_fractions(values, name=name)
    if array.ndim != 2 or array.shape[0] == 0:
        raise UsageError(
            f"{name} must have shape (n_runs, n_examples) with n_runs >= 1, got shape {array.shape}"
        )
    return array


def as_mask(where: ArrayLike, n_examples: int) -> NDArray[np.bool_]:
    """Return a choice of examples as a boolean array of the given length."""
    array = _unboxed(as_array(where, name="where"))
    if array.shape != (n_examples,):
        raise UsageError(f"where must have shape ({n_examples},), got shape {array.shape}")
    # Positions of examples would all count as true.
    if array.size and array.dtype != np.bool_:
        raise UsageError(f"where must be booleans, one an example, got dtype {array.dtype}")
    return array.astype(np.bool_)


def as_number(value: object, *, name: str) -> float:
    """Return one real number."""
    array = np.asarray(value)
    if array.ndim != 0:
        raise UsageError(f"{name} must be one number, got shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} must be a number, got {_shown(value)}")
    return float(array)


def as_count(value: object, *, name: str, at_least: int = 1) -> int:
    """Return a number of things."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < at_least:
        raise UsageError(f"{name} must be an integer >= {at_least}, got {_shown(value)}")
    return int(value)


def as_generator(rng: np.random.Generator | int) -> np.random.Generator:
    """Return the generator itself, or a new one for a seed."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, Integral) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise UsageError(
        f"rng must be a numpy.random.Generator or a seed, an int >= 0, got {_shown(rng)}"
    )


def _unboxed(array: NDArray[Any]) -> NDArray[Any]:
    """Give Python numbers in an array of objects, as mixed tables make it, a type of numbers."""
    if array.dtype != object:
        return array
    try:
        found = np.asarray(array.tolist())
    except ValueError:
        return array
    return found if found.shape == array.shape else array


def _no_numbers(array: NDArray[Any], expected: str) -> UsageError:
    """Make the error for strings, and for objects such as None."""
    if array.dtype.kind == "O":
        odd = next((x for x in array.ravel() if not isinstance(x, int | float)), array.dtype)
        return UsageError(f"{expected}, got {_shown(odd)}")
    return UsageError(
        f"{expected}, got strings; number them, those of all runs and of gold together, by "
        "pandas.factorize or numpy.unique(..., return_inverse=True)"
    )


def _shown(value: object) -> str:
    """Write what came on one line."""
    return textwrap.shorten(repr(value), 60, placeholder=" ...")
