"""Which runs the exhibits of each paper need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from stablib.errors import unknown
from stablib.studies.session import NULL, Session, open_local_instability
from stablib.studies.stream_session import StreamSession, open_synthetic_irreproducibility

__all__ = ["NULL", "PAPERS", "Session", "StreamSession", "open_study"]

#: How to open the study of each paper.
PAPERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "local_instability": open_local_instability,
        "synthetic_irreproducibility": open_synthetic_irreproducibility,
    }
)


def open_study(preset: str = "laptop", *, paper: str = "local_instability", **changes: Any) -> Any:
    """Open the study of a paper.

    Parameters
    ----------
    preset : str, default "laptop"
        ``"smoke"``, ``"laptop"`` or ``"paper"``.
    paper : str, default "local_instability"
        One of :data:`PAPERS`.
    **changes
        Settings that differ from the preset's, see the functions in :data:`PAPERS`; None keeps
        the preset's value.

    Returns
    -------
    Session or StreamSession

    Raises
    ------
    UsageError
        If the paper, the preset or a setting is unknown, or a value is not allowed.

    Examples
    --------
    >>> open_study("laptop", n_runs=10).settings.n_runs
    10
    >>> open_study("smoke", paper="synthetic_irreproducibility").settings.n_pairs
    2
    """
    if paper not in PAPERS:
        raise unknown("paper", paper, PAPERS)
    return PAPERS[paper](preset, **changes)
