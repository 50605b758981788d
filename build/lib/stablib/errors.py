"""The errors a user can cause, and the one sentence each of them says."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StablibError(Exception):
    """Base of every error that stablib raises on purpose; its text is one clear line."""


class UsageError(StablibError, ValueError):
    """An argument, name or parameter that is not allowed."""


class DataError(StablibError):
    """A data file that is missing, damaged or not what it should be."""


class StoreError(StablibError):
    """A run that cannot be read from or written to the store."""


def unknown(kind: str, name: object, allowed: Iterable[str]) -> UsageError:
    """Make the error for a name that is not among the allowed ones.

    Parameters
    ----------
    kind : str
        What the name stands for, e.g. ``"dataset"``.
    name : object
        What came.
    allowed : iterable of str
        What is allowed.

    Returns
    -------
    UsageError
        Names the nearest allowed name, if one is near.

    Examples
    --------
    >>> print(unknown("dataset", "masive", ["massive", "clinc150"]))
    unknown dataset 'masive'; did you mean 'massive'? (allowed: clinc150, massive)
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"unknown {kind} {str(name)!r}{hint} (allowed: {', '.join(names)})")
