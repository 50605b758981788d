"""Ctrl-C that waits until a training has written down how to go on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether somebody wants the training to end."""

    wanted = False


@contextmanager
def held() -> Iterator[Interrupt]:
    """Hold Ctrl-C back inside: it only sets ``wanted``; the second one interrupts at once.

    Outside the main thread, or where Ctrl-C is ignored, everything stays as it is.
    """
    interrupt = Interrupt()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield interrupt
        return

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.wanted:
            raise KeyboardInterrupt
        interrupt.wanted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


class Terminated:
    """Whether this worker process was asked to end, see :func:`end_when_terminated`."""

    wanted = False


def end_when_terminated() -> None:
    """Let a worker process that is terminated write down its state first.

    It ends at the next report of a training.
    """

    def note(number: int, frame: FrameType | None) -> None:
        Terminated.wanted = True

    signal.signal(signal.SIGTERM, note)


def leave(interrupt: Interrupt) -> None:
    """End a worker that was terminated, or raise KeyboardInterrupt if that is wanted."""
    if Terminated.wanted:
        os._exit(1)
    if interrupt.wanted:
        raise KeyboardInterrupt
