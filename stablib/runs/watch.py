"""Show the progress of training where somebody sees it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

#: Opened around each training with its title, its amount of work and the unit of work ("steps");
#: told of work done.
Watch = Callable[[str, int, str], AbstractContextManager[Callable[[int], object]]]


def say(text: str) -> None:
    """Tell whoever watches the command; not the page of a notebook that it executes."""
    if not _on_a_page():
        print(f"stablib: {text}", file=sys.stderr, flush=True)


def _on_a_page() -> bool:
    return "STABLIB_PAGE" in os.environ


@contextmanager
def silent(title: str, work: int, unit: str) -> Iterator[Callable[[int], object]]:
    """Show nothing: for workers, whose parent shows what they report."""
    yield lambda done: None


@contextmanager
def bar(title: str, work: int, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar, with rate and time left, once the training takes more than two seconds.

    A notebook that a command executes shows none: it would stand in the page, and the command
    has shown the progress of what it trained before.
    """
    if _on_a_page():
        yield lambda done: None
        return
    from tqdm.auto import tqdm

    with tqdm(
        total=work, desc=title, unit=f" {unit}", unit_scale=True, leave=False, delay=2.0
    ) as shown:
        yield shown.update
