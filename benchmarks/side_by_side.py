"""How long processes take that do the same work at the same time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any


def seconds_together(prepare: Callable[..., Callable[[], object]], given: Any, count: int) -> float:
    """Seconds from when all processes are ready until all have done their work.

    Parameters
    ----------
    prepare : callable
        Gets ready in each process, and returns the work.
    given : tuple
        Arguments of ``prepare``.
    count : int
        Processes.
    """
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count + 1)
    processes = [context.Process(target=_work, args=(prepare, given, ready)) for _ in range(count)]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    ready.wait()
    took = time.perf_counter() - began
    for process in processes:
        process.join()
    return took


def _work(prepare: Callable[..., Callable[[], object]], given: Any, ready: Any) -> None:
    try:
        work = prepare(*given)
        ready.wait()
        work()
        ready.wait()
    except BaseException:
        ready.abort()  # Else the others would wait for this one.
        raise
