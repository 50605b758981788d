"""Notices about the data: each is said once per process, in one line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


class DataNotice(UserWarning):
    """Something about the data that a reader of the results must know."""


#: What this process has said, as (data set, reason).
SAID: set[tuple[str, str]] = set()


def notify(name: str, reason: str, detail: str = "") -> None:
    """Warn of something about a data set, unless this process has done so.

    Parameters
    ----------
    name : str
        Registry name of the data set.
    reason : str
        The notice; with the name, it decides what has been said.
    detail : str, default ""
        Shown after it in parentheses.

    Warns
    -----
    DataNotice
        The first time.
    """
    if (name, reason) in SAID:
        return
    with _one_line():
        warnings.warn(f"{reason} ({detail})" if detail else reason, DataNotice, stacklevel=2)
    SAID.add((name, reason))


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    """Show warnings without path, line and source: they say nothing about the data."""
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, category, *rest, **more: (
        f"{category.__name__}: {message}\n"
    )
    try:
        yield
    finally:
        warnings.formatwarning = usual
