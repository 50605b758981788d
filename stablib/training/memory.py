"""Keep memory that was freed, instead of giving it back and asking for it again."""

from __future__ import annotations

import ctypes
import sys

#: Of ``malloc.h``: which free memory goes back, and what is asked for apart from all else.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Bytes of a threshold that nothing reaches: the largest number that can be given.
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, until it ends.

    A step of a training frees tensors of megabytes that the next one needs again. The C library
    gives them back to the system, which must find and empty each page anew: on some machines more
    than half of a training's time.

    Returns
    -------
    bool
        Whether the C library, which must be glibc, does so.

    Examples
    --------
    >>> keep_freed_memory() in (True, False)
    True
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # Another C library.
        return False
    return all(mallopt(which, _NEVER) for which in (_TRIM_THRESHOLD, _MMAP_THRESHOLD))
