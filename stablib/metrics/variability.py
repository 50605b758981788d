"""Five measures of how runs vary, and by how much a method reduces them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stablib.errors import UsageError
from stablib.metrics._check import as_number


class Variability(NamedTuple):
    """How runs of one kind vary: a row of the nondeterminism paper's tables.

    ``accuracy_sd`` and ``cross_entropy_sd`` are over runs, ``disagreement``, ``spearman`` and
    ``ensemble_delta`` means over pairs of runs.
    """

    accuracy_sd: float
    cross_entropy_sd: float
    disagreement: float
    spearman: float
    ensemble_delta: float


def variability_reduction(method: Variability, baseline: Variability) -> float:
    r"""Mean relative reduction of the five measures.

    Parameters
    ----------
    method, baseline : Variability
        The runs of a method and those without it, each measure in the same unit for both.

    Returns
    -------
    float
        Percent: 100 if runs no longer vary, 0 if nothing changed, negative if they vary more. Of
        the correlation, :math:`1 - \rho` is reduced. nan if the runs of the baseline do not vary
        in one of the measures.

    Raises
    ------
    UsageError
        If an argument is no :class:`Variability`, or a measure is not a finite number.

    Notes
    -----
    Nondeterminism paper as printed (ICML 2021), its table of mitigations. The released code does
    not compute it; this reproduces all eight published values.

    Examples
    --------
    >>> single = Variability(0.26, 0.0072, 10.7, 0.871, 1.82)
    >>> snapshots = Variability(0.19, 0.0044, 6.1, 0.957, 0.63)
    >>> round(variability_reduction(snapshots, single))
    48
    """
    ours, theirs = _amounts(method, "method"), _amounts(baseline, "baseline")
    if not theirs.all():
        return float("nan")
    return float(100.0 * (1.0 - ours / theirs).mean())


def _amounts(measures: Variability, name: str) -> np.ndarray:
    """Return the five measures such that more means more variable."""
    if not isinstance(measures, Variability):
        raise UsageError(f"{name} must be a Variability, got {type(measures).__name__}")
    numbers = {k: as_number(v, name=f"{name}.{k}") for k, v in measures._asdict().items()}
    for measure, value in numbers.items():
        if not np.isfinite(value):
            raise UsageError(f"{name}.{measure} must be finite, got {value}")
    return np.array([*(numbers | {"spearman": 1.0 - numbers["spearman"]}).values()])
