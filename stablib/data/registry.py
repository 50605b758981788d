"""Load a named data set from the first source that has it."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from stablib.data import hub
from stablib.data.dataset import Dataset, content_hash
from stablib.data.entries import entry
from stablib.data.files import read_table, write_table
from stablib.data.notices import notify
from stablib.data.schema import Entry, Hub
from stablib.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

#: Folder of the data sets that the package has, each with its attribution beside it.
SHIPPED = Path(__file__).with_name("shipped")

STANDIN_NOTICE = (
    "Made with {what}, because {title} could not be had: the numbers are about {about}, not about "
    "{title}."
)

#: How a source is called in :attr:`Dataset.source`.
_SOURCES = {
    "STABLIB_DATA": "from STABLIB_DATA",
    "package": "shipped with stablib",
    "cache": "from cache",
}

#: Why the hub could not give data sets, as JSON: this process does not wait again, and neither do
#: the workers and kernels that it starts, which inherit the variable.
_FAILED = "STABLIB_HUB_FAILED"


def cache_folder() -> Path:
    """Folder of everything stablib keeps for later: ``STABLIB_CACHE`` or ``~/.cache/stablib``.

    Raises
    ------
    UsageError
        If the variable is not set and there is no home folder.
    """
    value = os.environ.get("STABLIB_CACHE")
    if value:
        return Path(value)
    try:
        return Path.home() / ".cache" / "stablib"
    except RuntimeError as error:
        raise UsageError(f"there is no home folder ({error}): set STABLIB_CACHE") from error


def data_folder() -> Path | None:
    """The folder ``STABLIB_DATA``, if it is set.

    Raises
    ------
    UsageError
        If it is set to something that is not a folder.
    """
    value = os.environ.get("STABLIB_DATA")
    if not value:
        return None
    folder = Path(value)
    if not folder.is_dir():
        raise UsageError(f"STABLIB_DATA is {value!r}, which is not a folder")
    return folder


def load(name: str, label: str | None = None, *, strict: bool = False) -> Dataset:
    """Load a data set from what is at hand, then from the hub, else take its stand-in.

    The hub is asked for a data set once a command, and given up within seconds.

    Parameters
    ----------
    name : str
        One of :data:`stablib.data.ENTRIES`, such as ``"massive"``; or ``"standin"``,
        ``"reviews"``, ``"pairs"``, ``"digits"`` or ``"tastes"``, which need no file.
    label : str, optional
        Which labels: the first of the entry's by default (``"domain"`` for MASSIVE).
    strict : bool, default False
        Never take a stand-in.

    Returns
    -------
    Dataset
        Its ``notice`` is not empty if it is a stand-in or has other content than pinned.

    Raises
    ------
    UsageError
        If the name or the label is unknown, or ``STABLIB_DATA`` or ``HF_ENDPOINT`` is not what it
        should be.
    DataError
        If a file at hand is damaged, or if no source has the data and no stand-in is named or,
        with ``strict``, wanted. It says how to get the data.

    Warns
    -----
    DataNotice
        With the notice, if there is one, and why the data could not be had; once per process.

    Examples
    --------
    >>> load("massive").n_classes, load("standin").n_classes
    (18, 18)
    """
    item = entry(name)
    chosen = item.chosen(label)
    local = find_local(name, chosen)
    if local is not None:
        return local
    try:
        frame = fetch(item, again=False)
    except DataError as error:
        if strict or item.stand_in is None:
            raise DataError(
                f"{item.title} cannot be had: {_looked(item)}, and {error}; {_remedy(item)}"
            ) from error
        other = item.stand_in()
        what, about = entry(other.name).stands_in_as
        notice = STANDIN_NOTICE.format(title=item.title, what=what, about=about)
        notify(name, notice, f"{_looked(item)}, and {error}")
        return dataclasses.replace(other, notice=notice)
    title = _title(item, from_hub=True)
    dataset = _compared(
        item, chosen, item.build(frame, name=name, label=chosen, source=f"{title}, from the hub")
    )
    if dataset.notice:
        notify(name, dataset.notice)
    return dataset


def find_local(name: str, label: str | None = None) -> Dataset | None:
    """Find a data set in ``STABLIB_DATA``, the package or the cache; never ask the network.

    Parameters
    ----------
    name, label : str
        As for :func:`load`.

    Returns
    -------
    Dataset or None
        None if none of them has it. Its ``notice`` is not empty if it has other content than
        pinned.

    Raises
    ------
    UsageError
        If the name or the label is unknown, or ``STABLIB_DATA`` is not a folder.
    DataError
        If the file at hand is damaged.

    Warns
    -----
    DataNotice
        With the notice, if there is one; once per process.
    """
    item = entry(name)
    dataset = read_local(item, item.chosen(label))
    if dataset is not None and dataset.notice:
        notify(name, dataset.notice)
    return dataset


def read_local(item: Entry, label: str) -> Dataset | None:
    """Do what :func:`find_local` does, without a warning."""
    if item.generate is not None:
        return item.generate()
    found = local_file(item)
    if found is None:
        return None
    where, path = found
    if item.read is None or where == "cache":
        frame = read_table(path, columns=item.columns, splits=tuple(item.sizes))
    else:
        frame = item.read(path)
    source = f"{_title(item, from_hub=where == 'cache')}, {_SOURCES[where]}"
    return _compared(item, label, item.build(frame, name=item.name, label=label, source=source))


def _title(item: Entry, *, from_hub: bool) -> str:
    """Name for the reader; the hub may have a larger copy."""
    title = item.hub.title if from_hub and item.hub is not None else ""
    return title or item.title


def _compared(item: Entry, label: str, dataset: Dataset) -> Dataset:
    """Add a notice to a data set that has other content than pinned."""
    if item.content.get(label) in (None, dataset.content_hash):
        return dataset
    notice = (
        f"{item.title} at hand has other content ({dataset.content_hash[:12]}) than the pinned "
        f"{item.content[label][:12]}: its runs have their own keys and may differ from the book's."
    )
    return dataclasses.replace(dataset, notice=notice)


def local_file(item: Entry) -> tuple[str, Path] | None:
    """Find the file of a data set without reading it.

    Returns
    -------
    tuple of str and Path, or None
        ``"STABLIB_DATA"``, ``"package"`` or ``"cache"``, and the file; None if none has it.

    Raises
    ------
    UsageError
        If ``STABLIB_DATA`` is not a folder.
    """
    for where, folder in _folders(item).items():
        path = folder / (item.cached if where == "cache" else item.file)
        if path.is_file() or (item.read is not None and path.is_dir()):
            return where, path
    return None


def _folders(item: Entry) -> dict[str, Path]:
    """Where the file of a data set may lie, in the order of looking."""
    own = data_folder()
    folders = {} if own is None else {"STABLIB_DATA": own}
    if item.shipped:
        folders["package"] = SHIPPED
    return {**folders, "cache": cache_folder() / "data"}


def _looked(item: Entry) -> str:
    """Say where a data set is not."""
    folders = _folders(item)
    own = "" if "STABLIB_DATA" in folders else " (not set)"
    package = ", not in the package" if item.shipped else ""
    return f"not in STABLIB_DATA{own}{package}, not in the cache {folders['cache']}"


def _remedy(item: Entry) -> str:
    """Say how to get a data set."""
    form = f"from {item.origin}" if item.origin else f"columns {', '.join(item.columns)}"
    return (
        f"to use a copy of your own, put {item.file} ({form}) "
        "into a folder and name the folder in STABLIB_DATA"
    )


def fetch(item: Entry, *, again: bool = True) -> pd.DataFrame:
    """Download a data set from the hub into the cache.

    Parameters
    ----------
    item : Entry
        Which.
    again : bool, default True
        Ask the hub even if this command has asked it for the data set in vain.

    Returns
    -------
    DataFrame
        The columns of the data set.

    Raises
    ------
    DataError
        If the hub is out of reach, or what it sends is not what is pinned; nothing is cached then.
    UsageError
        If ``HF_ENDPOINT`` is not an address.
    """
    _hub(item)
    key = f"{item.name} at {hub.endpoint()}"
    failed = json.loads(os.environ.get(_FAILED, "{}"))
    if key in failed and not again:
        raise DataError(
            f"{failed[key]} (not asked again by this command; 'stablib data fetch' asks)"
        )
    try:
        frame = download(item)
    except DataError as error:
        os.environ[_FAILED] = json.dumps({**failed, key: str(error)})
        raise
    failed.pop(key, None)
    os.environ[_FAILED] = json.dumps(failed)
    write_table(frame, cache_folder() / "data" / item.cached, columns=item.columns)
    return frame


def download(item: Entry) -> pd.DataFrame:
    """Download a data set from the hub, check what is pinned of its content and keep nothing.

    What is returned and what is raised are those of :func:`fetch`.

    Parameters
    ----------
    item : Entry
        Which.
    """
    source = _hub(item)
    with tempfile.TemporaryDirectory() as folder:
        frame = source.read(
            hub.download(
                source.repo,
                source.files,
                revision=source.revision,
                sha256=source.sha256,
                folder=Path(folder),
                limit=source.seconds,
            )
        )
    known = item.content if item.read is None else {}  # Else the hub's copy is another one.
    for label, expected in known.items():
        found = content_hash(frame["split"], frame["text"], frame[label])
        if found != expected:
            raise DataError(
                f"{source.repo}: the {label} content {found[:12]} is not the pinned "
                f"{expected[:12]}; refused"
            )
    return frame


def _hub(item: Entry) -> Hub:
    """Return where a data set is on the hub, or raise what is known without asking."""
    if item.hub is None:
        raise DataError(f"{item.title} has no repository on the hub")
    if hub.is_switched_off():
        raise DataError("the hub is switched off (HF_HUB_OFFLINE)")
    return item.hub
