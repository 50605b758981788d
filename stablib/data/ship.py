"""Make the data files that the package has again, from the hub's pinned files.

``python -m stablib.data.ship`` compares what it makes with what the package has;
``python -m stablib.data.ship --write`` replaces what differs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from stablib.atomic import replacing
from stablib.data import registry
from stablib.data.entries import ENTRIES
from stablib.data.files import read_table, write_table
from stablib.data.schema import Entry
from stablib.errors import StablibError


def make(item: Entry, folder: Path) -> Path:
    """Make the file of a data set from the hub's files.

    Parameters
    ----------
    item : Entry
        Which.
    folder : Path
        Where to put it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataError
        If the hub is out of reach, or what it sends is not what is pinned.
    """
    path = folder / item.file
    write_table(registry.download(item), path, columns=item.columns)
    return path


def is_same(item: Entry, made: Path, shipped: Path) -> bool:
    """Whether a file has the rows of another.

    Rows, not bytes: these depend on the version of pyarrow that wrote them.
    """
    if not shipped.is_file():
        return False
    return read_table(made, columns=item.columns).equals(read_table(shipped, columns=item.columns))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and write if asked; the exit status is 0 if the package has what it should.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; those of the process by default.
    """
    parser = argparse.ArgumentParser(prog="python -m stablib.data.ship", description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the files that differ")
    write = parser.parse_args(arguments).write
    try:
        same = [_ship(item, write=write) for item in ENTRIES.values() if item.shipped]
    except StablibError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0 if all(same) else 1


def _ship(item: Entry, *, write: bool) -> bool:
    """Compare one file, write it if asked, and say which; True if the package has it now."""
    shipped = registry.SHIPPED / item.file
    with tempfile.TemporaryDirectory() as folder:
        made = make(item, Path(folder))
        same = is_same(item, made, shipped)
        if write and not same:
            with replacing(shipped) as partial:
                shutil.copyfile(made, partial)
    verb = "unchanged" if same else "written" if write else "differs from what the hub has"
    print(f"{item.name}: {item.file} {verb}")
    return same or write


if __name__ == "__main__":
    sys.exit(main())
