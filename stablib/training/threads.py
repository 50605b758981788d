"""How many threads compute: by default one, so that bits do not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads inside, and whatever multiplies matrices without it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[None]:
    """The same with one thread."""
    return threads(1)


@contextmanager
def one_thread_workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Open a pool of workers that each use one torch thread."""
    # torch keeps the number in each thread and, for some libraries, in the process too.
    with (
        one_thread(),
        ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        yield pool
