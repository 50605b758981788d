"""How much explanations of one and the same model differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_finite


def noise_floor(
    explain: Callable[[int], ArrayLike],
    measure: Callable[[NDArray[np.float64]], ArrayLike],
    *,
    seeds: Sequence[int] = (0, 1),
) -> NDArray[np.float64]:
    """Measure the instability of one model's explanations over seeds of the explainer.

    What is found between models is theirs only as far as it exceeds this.

    Parameters
    ----------
    explain : callable
        Takes a seed of the explainer and returns the explanation of one text, shape (n_tokens,). If
        it does not depend on the seed, as attention and gradients do not, the floor shows that the
        model itself computes the same twice.
    measure : callable
        Takes explanations, shape (n_seeds, n_tokens), and returns what is also measured between
        models, where their first axis is that of the runs.
    seeds : sequence of int, default (0, 1)
        One explanation a seed; two at least. The same seed twice is allowed.

    Returns
    -------
    ndarray of float64
        What ``measure`` returns.

    Raises
    ------
    UsageError
        If there are fewer than two seeds, or ``explain`` does not return finite arrays of one shape
        (n_tokens,).

    Examples
    --------
    >>> from stablib.metrics import pair_mean, pairwise_jaccard_distance, top_share
    >>> def explain(seed):
    ...     return [0.5, 0.4, 0.1] if seed == 0 else [0.4, 0.5, 0.1]
    >>> def distance(explanations):
    ...     return pair_mean(pairwise_jaccard_distance(top_share(explanations, 0.2)))
    >>> float(noise_floor(explain, distance)), float(noise_floor(explain, distance, seeds=[0, 0]))
    (1.0, 0.0)
    """
    if len(seeds) < 2:
        raise UsageError(f"seeds must hold at least two seeds, got {len(seeds)}")
    rows = [as_finite(explain(seed), name="the result of explain") for seed in seeds]
    shapes = {row.shape for row in rows}
    if len(shapes) > 1 or rows[0].ndim != 1:
        raise UsageError(
            "the result of explain must have one shape (n_tokens,) for all seeds, "
            f"got {sorted(shapes)}"
        )
    return np.asarray(measure(np.stack(rows)), dtype=np.float64)
