"""One measure over many examples that differ in size, such as texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError


def over_examples(
    measure: Callable[..., ArrayLike], examples: Sequence[ArrayLike]
) -> NDArray[np.float64]:
    """Apply a measure of one example to each of a list, and stack the results.

    Parameters
    ----------
    measure : callable
        Takes the array of one example and returns a number or an array, of the same shape for all.
    examples : sequence of array_like
        One array an example, such as the explanations of one text, shape (n_runs, n_tokens); the
        number of tokens may differ.

    Returns
    -------
    ndarray of float64, shape (n_examples, ...)
        The results in order.

    Raises
    ------
    UsageError
        If there is no example, ``measure`` is not callable or refuses an example, which is then
        named, or results differ in shape, as they do where the number of runs does.

    Examples
    --------
    >>> from stablib.metrics import pair_mean, pairwise_relative_entropy
    >>> short, long = [[0.5, 0.5], [0.75, 0.25]], [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]
    >>> matrices = over_examples(pairwise_relative_entropy, [short, long])
    >>> matrices.shape, pair_mean(matrices).round(3)
    ((2, 2, 2), array([0.137, 0.   ]))
    """
    if not callable(measure):
        raise UsageError(f"measure must be callable, got {measure!r}")
    if not isinstance(examples, list | tuple) or not examples:
        got = "none" if isinstance(examples, list | tuple) else type(examples).__name__
        raise UsageError(f"examples must be a list with at least one array, got {got}")
    results: list[NDArray[np.float64]] = []
    for number, example in enumerate(examples):
        try:
            results.append(np.asarray(measure(example), dtype=np.float64))
        except UsageError as error:
            raise UsageError(f"examples[{number}]: {error}") from None
        if results[-1].shape != results[0].shape:
            raise UsageError(
                f"the results of measure must have one shape, got {results[0].shape} for "
                f"examples[0] and {results[-1].shape} for examples[{number}]"
            )
    return np.stack(results)
