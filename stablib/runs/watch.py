"""Show the progress of training where somebody sees it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm
from tqdm.auto import tqdm as tqdm_auto

#: Opened around each stack with its number of runs, how much work they are together, and the unit
#: of work ("steps"); told of work done.
Watch = Callable[[int, int, str], AbstractContextManager[Callable[[int], object]]]


@contextmanager
def silent(n_runs: int, work: int, unit: str) -> Iterator[Callable[[int], object]]:
    """Show nothing: for workers, whose parent counts finished runs."""
    yield lambda done: None


@contextmanager
def bar(n_runs: int, work: int, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar, with rate and time left, once the training takes more than two seconds."""
    settings = {
        "total": work,
        "desc": f"Training {n_runs} runs" if n_runs > 1 else "Training a run",
        "unit": f" {unit}",
        "unit_scale": True,
        "leave": False,
        "delay": 2.0,
    }
    # A notebook that papermill executes shows its bar at the terminal and leaves none in the page.
    executed = "STABLIB_PAGE" in os.environ
    with tqdm(**settings, file=sys.__stderr__) if executed else tqdm_auto(**settings) as shown:
        yield shown.update
