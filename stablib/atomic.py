"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of ``path`` once it is complete and on the disk.

    If the body raises, ``path`` is left as it was. What a process that is killed leaves behind
    ends in ``.partial``.

    Parameters
    ----------
    path : Path
        The file; its folder is made if need be.

    Yields
    ------
    Path
        What to write, in the same folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        yield partial
        # After a power loss the new name may stand for an empty file without this.
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
