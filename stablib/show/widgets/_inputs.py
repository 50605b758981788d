"""Argument checks and narrow types that the widgets share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_array, as_floats, as_labels, as_whole
from stablib.metrics.subsampling import unequal_runs


def narrow(array: NDArray[np.integer]) -> NDArray[np.integer]:
    """Store non-negative integers in the smallest unsigned type, at most 32 bits."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))


def check_mapping(name: str, given: object) -> None:
    """Refuse what is no mapping, such as the array of a single method."""
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{name} must be a mapping by name, such as {{'Control': ...}}, "
            f"got {type(given).__name__}"
        )


def check_methods(name: str, methods: object) -> None:
    """Refuse what is no mapping, and one without methods."""
    check_mapping(name, methods)
    if not methods:
        raise UsageError(f"{name} must hold at least one method, got none")


def check_runs(
    labels: Mapping[str, ArrayLike], n_examples: int, *, at_least: int
) -> dict[str, NDArray[np.integer]]:
    """Return the labels of each method, all of one shape ``(n_runs, n_examples)``.

    With another number of runs a method would seem more, or less, stable than it is.
    """
    check_methods("labels", labels)
    arrays = {
        method: as_labels(runs, name=f"labels[{method!r}]") for method, runs in labels.items()
    }
    n_runs = next(iter(arrays.values())).shape[0]
    if n_runs < at_least:
        raise UsageError(f"labels must hold at least {at_least} runs, got {n_runs}")
    for method, array in arrays.items():
        if array.shape[1] == n_examples and array.shape[0] != n_runs:
            raise UsageError(
                f"labels[{next(iter(arrays))!r}] and labels[{method!r}] "
                f"{unequal_runs(n_runs, array.shape[0])}"
            )
        if array.shape != (n_runs, n_examples):
            raise UsageError(
                f"labels[{method!r}] must have shape ({n_runs}, {n_examples}), got {array.shape}"
            )
    return arrays


def check_known(name: str, given: Iterable[str], runs: Iterable[str]) -> None:
    """Refuse entries for methods without runs."""
    known = list(runs)
    for method in given:
        if method not in known:
            raise unknown(f"method in {name}", method, known)


def check_gold(gold: ArrayLike, label_names: Sequence[str]) -> NDArray[np.integer]:
    """Return gold labels as 1-d class indices, each with a name."""
    array = as_array(gold, name="gold")
    if array.ndim != 1:
        raise UsageError(f"gold must be integers of shape (n_examples,), got shape {array.shape}")
    whole = as_whole(array, name="gold")
    check_named("gold", whole, label_names)
    return whole


def check_named(name: str, array: NDArray[np.integer], label_names: Sequence[str]) -> None:
    """Refuse class indices that ``label_names`` does not name."""
    if array.size and not (array.min() >= 0 and array.max() < len(label_names)):
        raise UsageError(
            f"{name} must be class indices below {len(label_names)}, the number of label_names, "
            f"got {array.min()} to {array.max()}"
        )


def check_texts(texts: Sequence[str], n_examples: int) -> list[str]:
    """Return one text for each example."""
    if len(texts) != n_examples:
        raise UsageError(f"texts must hold {n_examples} texts, one an example, got {len(texts)}")
    return [str(text) for text in texts]


def check_fractions(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return probabilities of the given shape."""
    array = check_finite(name, values, shape)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise UsageError(f"{name} must be fractions in [0, 1], got {array.min()} to {array.max()}")
    return array


def check_finite(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return finite numbers of the given shape."""
    array = as_floats(values, name=name)
    if array.shape != shape:
        raise UsageError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise UsageError(f"{name} must be finite, got NaN or infinity")
    return array


def switching(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell for each example whether the runs disagree; input ``(n_runs, n_examples)``."""
    return np.asarray((labels != labels[0]).any(axis=0))


def name_runs(
    methods: Iterable[str], n_runs: int, seeds: Mapping[str, Sequence[int]] | None
) -> list[list[str]]:
    """Name each run of each method for the reader."""
    names = list(methods)
    if seeds is None:
        return [[f"run {row + 1}" for row in range(n_runs)] for _ in names]
    check_mapping("seeds", seeds)
    check_known("seeds", seeds, names)
    for method in names:
        if method not in seeds or len(seeds[method]) != n_runs:
            raise UsageError(f"seeds[{method!r}] must hold {n_runs} seeds, one a run")
    return [[f"seed {seed}" for seed in seeds[method]] for method in names]
