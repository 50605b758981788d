"""What is at hand of the named data sets: where it lies, and whether it is what is pinned."""

from __future__ import annotations

import dataclasses
from typing import Literal

from stablib.data import hub
from stablib.data.entries import ENTRIES
from stablib.data.registry import local_file, read_local
from stablib.data.schema import Entry
from stablib.errors import DataError


@dataclasses.dataclass(frozen=True)
class Status:
    """Where a data set would come from.

    Parameters
    ----------
    name : str
        Registry name.
    source : {"STABLIB_DATA", "package", "cache", "hub", "stand-in", "nowhere"}
        What :func:`stablib.data.load` would use. The hub is not asked: it may be out of reach.
    where : str
        The file, or the hub's repository and revision; empty for the last two.
    """

    name: str
    source: str
    where: str


@dataclasses.dataclass(frozen=True)
class Check:
    """Whether the data at hand are the pinned ones.

    Parameters
    ----------
    name, label : str
        Data set and kind of label.
    verdict : {"as pinned", "not pinned", "other content", "damaged", "missing"}
        ``"missing"`` where neither ``STABLIB_DATA`` nor the package nor the cache has it.
    content_hash : str
        Of the data at hand; empty if damaged or missing.
    pinned : str
        What it should be; empty where the makers of stablib cannot have the data.
    detail : str
        Where the data come from, or what is wrong with the file; empty if missing.
    """

    name: str
    label: str
    verdict: Literal["as pinned", "not pinned", "other content", "damaged", "missing"]
    content_hash: str
    pinned: str
    detail: str


def status() -> list[Status]:
    """Say where each data set would come from, without touching the network.

    Returns
    -------
    list of Status
        One for each of :data:`stablib.data.ENTRIES`.

    Raises
    ------
    UsageError
        If ``STABLIB_DATA`` is not a folder.
    """
    return [_status(item) for item in ENTRIES.values()]


def _status(item: Entry) -> Status:
    found = local_file(item)
    if found is not None:
        return Status(item.name, found[0], str(found[1]))
    if item.hub is not None and not hub.is_switched_off():
        return Status(item.name, "hub", f"{item.hub.repo} at {item.hub.revision}")
    return Status(item.name, "nowhere" if item.stand_in is None else "stand-in", "")


def verify() -> list[Check]:
    """Check the content of the data at hand against the pinned hashes; never ask the network.

    Returns
    -------
    list of Check
        One for each data set of :data:`stablib.data.ENTRIES` and kind of label.

    Raises
    ------
    UsageError
        If ``STABLIB_DATA`` is not a folder.
    """
    return [_check(item, label) for item in ENTRIES.values() for label in item.labels]


def _check(item: Entry, label: str) -> Check:
    expected = item.content.get(label, "")
    try:
        dataset = read_local(item, label)
    except DataError as error:
        return Check(item.name, label, "damaged", "", expected, str(error))
    if dataset is None:
        return Check(item.name, label, "missing", "", expected, "")
    found = dataset.content_hash
    verdict: Literal["as pinned", "not pinned", "other content"] = "other content"
    if expected in ("", found):
        verdict = "as pinned" if expected else "not pinned"
    return Check(item.name, label, verdict, found, expected, dataset.source)
