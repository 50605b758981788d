"""The commit of the code in use."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path


@cache
def commit() -> str:
    """Short hash of the commit of this code, with ``-dirty`` if tracked files differ from it.

    Returns
    -------
    str
        ``"unknown"`` outside a checkout.
    """
    here = Path(__file__)
    # An installed copy may lie inside another project's checkout, whose commit says nothing.
    if _git(here.parent, "ls-files", here.name) is None:
        return "unknown"
    return _git(here.parent, "describe", "--always", "--dirty", "--exclude", "*") or "unknown"


@cache
def commit_date() -> str | None:
    """Date of that commit as YYYY-MM-DD; None outside a checkout."""
    if commit() == "unknown":
        return None
    return _git(Path(__file__).parent, "log", "-1", "--format=%cs")


def _git(folder: Path, *words: str) -> str | None:
    """Answer of git in a folder; None if it fails, has nothing to say or is not installed."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *words]
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return outcome.stdout.strip() or None if outcome.returncode == 0 else None
