"""From where to where numbers reach: what a finding says in place of a list of them."""

from __future__ import annotations

import math
from collections.abc import Mapping


def span(values: Mapping[str, float], digits: int = 0, unit: str = "") -> str:
    """Write the smallest and the largest of some numbers, each with what it is of.

    Parameters
    ----------
    values : mapping of str to float
        By what they are of; what is not finite is left out.
    digits : int, default 0
        Decimals.
    unit : str, optional
        Behind each number.

    Returns
    -------
    str
        One number if there is but one, or if all are written alike; "none" if there is none.

    Examples
    --------
    >>> span({"CNN": 12.3, "LSTM": 4.0, "GRU": 7.0}, unit=" %")
    '4 % (LSTM) to 12 % (CNN)'
    >>> span({"CNN": 0.123, "LSTM": 0.121}, digits=2), span({"CNN": 3.0}), span({})
    ('0.12', '3 (CNN)', 'none')
    """
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    if not finite:
        return "none"
    ends = min(finite, key=finite.__getitem__), max(finite, key=finite.__getitem__)
    low, high = (f"{finite[end]:z.{digits}f}{unit}" for end in ends)
    if low == high:
        return f"{low} ({ends[0]})" if len(finite) == 1 else low
    return f"{low} ({ends[0]}) to {high} ({ends[1]})"
