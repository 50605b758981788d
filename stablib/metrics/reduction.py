"""Percentage reduction of instability against a baseline."""

from __future__ import annotations

from numpy.typing import ArrayLike

from stablib.errors import UsageError
from stablib.metrics._check import as_finite, as_mask, as_number

#: LE_m of an example split 75 % - 25 % between two labels, in nats (local instability paper,
#: section 5.3).
HIGH_ENTROPY = 0.56


def percentage_reduction(
    values: ArrayLike, baseline: ArrayLike, *, where: ArrayLike | None = None
) -> float:
    """Reduction of the sum over examples, in percent of the baseline's sum.

    Parameters
    ----------
    values : array_like of float, shape (n_examples,)
        Per-example instability of a method, e.g. its LE_m in nats, over as many runs as that of
        the baseline: see the notes.
    baseline : array_like of float, shape (n_examples,)
        The same of the baseline (control).
    where : array_like of bool, shape (n_examples,), optional
        Only these examples, e.g. ``baseline > HIGH_ENTROPY``.

    Returns
    -------
    float
        Percent: 100 if the method removes all of it, negative if it adds, nan if the baseline's
        sum is zero.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    Notes
    -----
    Local instability paper, section 5.3 and Tables 3 to 6.

    Label entropy grows with the number of runs: of five runs against twenty of the very same
    training, this function would report a large reduction. It cannot know how many runs are behind
    the values; make them equally many with :func:`stablib.metrics.equal_runs` first.

    Examples
    --------
    >>> percentage_reduction([0.2, 0.4], baseline=[0.4, 0.8])
    50.0
    >>> percentage_reduction([0.2, 0.6], baseline=[0.4, 0.8], where=[False, True]).__round__(6)
    25.0
    """
    ours, theirs = as_finite(values, name="values"), as_finite(baseline, name="baseline")
    if ours.ndim != 1 or ours.shape != theirs.shape:
        raise UsageError(
            f"values and baseline must have one shape (n_examples,), "
            f"got {ours.shape} and {theirs.shape}"
        )
    if where is not None:
        mask = as_mask(where, len(ours))
        ours, theirs = ours[mask], theirs[mask]
    total = theirs.sum()
    return float(100.0 * (1.0 - ours.sum() / total)) if total > 0 else float("nan")


def share_of_reduction(reduction: float, reference: float) -> float:
    """A reduction as percent of a reference method's reduction ("% of E_b").

    Parameters
    ----------
    reduction, reference : float
        Reductions in percent, as :func:`percentage_reduction` gives them.

    Returns
    -------
    float
        Percent; nan if the reference removes nothing or a reduction is nan.

    Raises
    ------
    UsageError
        If a reduction is not a number.

    Notes
    -----
    Local instability paper, Table 3: 31.4 of 34.5 is 91 %.

    Examples
    --------
    >>> round(share_of_reduction(31.4, 34.5))
    91
    """
    part, whole = as_number(reduction, name="reduction"), as_number(reference, name="reference")
    return 100.0 * part / whole if whole > 0 else float("nan")
