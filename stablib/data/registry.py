"""The named data sets: where they come from, what they must contain, and who made them."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from stablib.data import hub, standin
from stablib.data.dataset import Dataset, content_hash, from_frame
from stablib.data.files import read_clinc_hub, read_massive_hub, read_table
from stablib.errors import DataError, UsageError, unknown


class DataNotice(UserWarning):
    """Something about the data that a reader of the results must know."""


@dataclasses.dataclass(frozen=True)
class Hub:
    """Pinned files of a data set on the hub, by the hub's name of the split."""

    repo: str
    revision: str
    files: Mapping[str, str]
    sha256: Mapping[str, str]
    read: Callable[[Mapping[str, Path]], pd.DataFrame]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One named data set.

    ``content`` pins the identity of the data for each kind of label; ``holdout`` is the split on
    which the paper's tables are made; ``show_text`` says whether pages may show its sentences.
    """

    name: str
    title: str
    file: str
    labels: tuple[str, ...]
    holdout: str
    licence: str
    citation: str
    content: Mapping[str, str]
    hub: Hub


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            name="massive",
            title="MASSIVE 1.0, en-US",
            file="massive_en.parquet",
            labels=("domain", "intent"),
            holdout="test",
            licence="CC BY 4.0",
            citation="FitzGerald et al. 2022, arXiv:2204.08582",
            content={
                "domain": "0de433c9414b6418f1470a3e1302ea8cdb24d5f064f5b55868e93052d72f980e",
                "intent": "7869fb75ab8e0d8543c0fc7d9899f8cab22ff6cd4520a884723c326e0b2cd937",
            },
            hub=Hub(
                repo="SetFit/amazon_massive_intent_en-US",
                revision="f7672a018e8ceb37fc0184dcfbb7e665155ffea6",
                files={s: f"{s}.jsonl" for s in ("train", "validation", "test")},
                sha256={},
                read=read_massive_hub,
            ),
        ),
        Entry(
            name="clinc150",
            title="CLINC150 (full), in scope",
            file="clinc150.parquet",
            labels=("intent",),
            holdout="val",
            licence="CC BY 3.0",
            citation="Larson et al. 2019, EMNLP-IJCNLP, doi:10.18653/v1/D19-1131",
            content={"intent": "31e181defb15f1961a33e17f3565dfe313f135772e30fdaa0ed6f69885e05a18"},
            hub=Hub(
                repo="clinc/clinc_oos",
                revision="155b9c710419136e17307b80d0a13e68cd46b4ec",
                files={
                    s: f"plus/{s}-00000-of-00001.parquet" for s in ("train", "validation", "test")
                },
                sha256={
                    "validation": (
                        "fbd545b46c611c4a7ba4b48cae6c7f09bb5b59f33ff56206ad1cd366c85cdfaa"
                    ),
                    "test": "3e60e45b25bf86543aa5df8ba4fcc674114164e6184f0197690648c2908d0102",
                },
                read=read_clinc_hub,
            ),
        ),
    )
}

STANDIN_NOTICE = (
    "Made with the generated stand-in corpus, because {title} could not be had: "
    "the numbers are about sentences made by a grammar, not about real users' utterances."
)


def entry(name: str) -> Entry:
    """Return the registry entry of a data set.

    Raises
    ------
    UsageError
        If the name is unknown.
    """
    if name not in ENTRIES:
        raise unknown("dataset", name, ENTRIES)
    return ENTRIES[name]


def cache_folder() -> Path:
    """Folder of everything stablib keeps for later: ``STABLIB_CACHE`` or ``~/.cache/stablib``."""
    return Path(os.environ.get("STABLIB_CACHE", Path.home() / ".cache" / "stablib"))


def load(name: str, *, label: str | None = None, strict: bool = False) -> Dataset:
    """Load a data set from ``STABLIB_DATA``, the cache or the hub, else the generated stand-in.

    Parameters
    ----------
    name : str
        ``"massive"``, ``"clinc150"``, or ``"standin"`` for the generated corpus itself.
    label : str, optional
        Which labels: the first of the entry's by default (``"domain"`` for MASSIVE).
    strict : bool, default False
        Raise instead of falling back to the stand-in.

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
        If a file at hand is damaged, or with ``strict`` if no real data can be had.

    Warns
    -----
    DataNotice
        With the notice, if there is one, and why no real data could be had.

    Examples
    --------
    >>> load("standin").n_classes
    18
    """
    if name == "standin":
        return stand_in()
    item = entry(name)
    chosen = label or item.labels[0]
    if chosen not in item.labels:
        raise unknown(f"label of {name}", chosen, item.labels)
    why = ""
    try:
        dataset = _find(item, chosen)
    except DataUnavailable as error:
        if strict:
            raise DataError(f"{item.title} cannot be had: {error}") from error
        dataset = dataclasses.replace(stand_in(), notice=STANDIN_NOTICE.format(title=item.title))
        why = f" ({error})"
    if dataset.notice:
        warnings.warn(dataset.notice + why, DataNotice, stacklevel=2)
    return dataset


class DataUnavailable(DataError):
    """No source has the data; a damaged file is another matter and stays an error."""


def _find(item: Entry, label: str) -> Dataset:
    """Try the sources in order."""
    for where, folder in (("STABLIB_DATA", data_folder()), ("cache", cache_folder() / "data")):
        if folder is not None and (folder / item.file).is_file():
            frame = read_table(folder / item.file, columns=("split", "text", *item.labels))
            return _checked(item, frame, label, source=f"{item.title}, from {where}")
    try:
        frame = fetch(item)
    except DataError as error:
        raise DataUnavailable(
            f"not in STABLIB_DATA, not in the cache {cache_folder() / 'data'}, and {error}"
        ) from error
    return _checked(item, frame, label, source=f"{item.title}, from the hub")


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


def fetch(item: Entry) -> pd.DataFrame:
    """Download a data set from the hub into the cache.

    Raises
    ------
    DataError
        If the hub is out of reach, or what it sends is not what is pinned; nothing is cached then.
    UsageError
        If ``HF_ENDPOINT`` is not an address.
    """
    hub.check_reachable()
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            split: hub.download(
                item.hub.repo,
                file,
                revision=item.hub.revision,
                sha256=item.hub.sha256.get(split),
                folder=Path(folder),
            )
            for split, file in item.hub.files.items()
        }
        frame = item.hub.read(paths)
    for label, pinned in item.content.items():
        found = content_hash(frame["split"], frame["text"], frame[label])
        if found != pinned:
            raise DataError(
                f"{item.hub.repo}: the {label} content {found[:12]} is not the pinned "
                f"{pinned[:12]}; refused"
            )
    target = cache_folder() / "data" / item.file
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    frame.to_parquet(partial)
    partial.replace(target)
    return frame


def _checked(item: Entry, frame: pd.DataFrame, label: str, *, source: str) -> Dataset:
    """Make the data set and say so if its content is not the pinned one."""
    dataset = from_frame(frame, name=item.name, label=label, source=source)
    if dataset.content_hash == item.content[label]:
        return dataset
    notice = (
        f"{item.title} at hand has other content ({dataset.content_hash[:12]}) than the pinned "
        f"{item.content[label][:12]}: its runs have their own keys and may differ from the book's."
    )
    return dataclasses.replace(dataset, notice=notice)


def stand_in(seed: int = 0) -> Dataset:
    """Return the generated assistant-utterance corpus (18 domains, known ambiguous utterances)."""
    return from_frame(
        standin.generate(seed=seed),
        name="standin",
        label="domain",
        source=f"generated by stablib's grammar, seed {seed}",
    )
