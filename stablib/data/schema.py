"""What is known of a named data set: what it must contain, where it comes from, who made it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stablib.data.dataset import Dataset, from_frame
from stablib.errors import unknown

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Hub:
    """Pinned files of a data set on the hub.

    Parameters
    ----------
    repo, revision : str
        Repository and full commit.
    files : mapping of str to str
        Files by the hub's name of the split, in the order of the rows.
    sha256 : mapping of str to str
        Checksums of the files, where they are known.
    read : callable
        Makes a frame with the columns of the data set of the downloaded files.
    title : str, default ""
        Name for the reader, where it is not the entry's.
    seconds : float, optional
        What its download may take, where it is larger than most.
    """

    repo: str
    revision: str
    files: Mapping[str, str]
    sha256: Mapping[str, str]
    read: Callable[[Mapping[str, Path]], pd.DataFrame]
    title: str = ""
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """One named data set.

    Parameters
    ----------
    name : str
        Its name in stablib.
    title : str
        Its name for the reader.
    labels : tuple of str
        Kinds of labels; the first is the default.
    holdout : str
        The split on which the paper's tables are made.
    licence, citation : str
        For the reader.
    content : mapping of str to str
        Pinned identity of the data, by kind of label; see :func:`stablib.data.content_hash`. Empty
        where the makers of stablib cannot have the data.
    sizes : mapping of str to int
        Examples by split, for estimates without the data.
    file : str, default ""
        Name of its file in ``STABLIB_DATA``, in the package and in the cache.
    shipped : bool, default False
        The package has the file, because the licence allows it; its attribution lies beside it.
    origin : str, default ""
        Where a file that is not in the package's form comes from, and at which revision.
    read : callable, optional
        Makes what :attr:`build` takes of such a file, or of a folder. The hub has
        another copy then, which the makers of stablib have not seen: nothing is pinned of it.
    example : str, default "text"
        Column of what is classified.
    build : callable, default from_frame
        Makes the data set of a frame with the columns split, :attr:`example` and the labels.
    shape : tuple of int, optional
        Of images: channels, height and width.
    min_texts : int, default 1
        In so many training texts must a word be to be known, in the paper that uses the data.
    quoted : int or None, default 0
        Most tokens of a text that a page may show of the data, such as a short quotation; None for
        any number, 0 for none.
    hub : Hub, optional
        Where it can be downloaded.
    generate : callable, optional
        Makes the data set, which has no file then.
    stands_in_as : tuple of str
        What a data set of such kind is called where it stands in for another, and what its numbers
        are about.
    stand_in : callable, optional
        Makes the data set that takes its place, with a visible notice, where it cannot be had.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    holdout: str
    licence: str
    citation: str
    content: Mapping[str, str]
    sizes: Mapping[str, int]
    file: str = ""
    shipped: bool = False
    origin: str = ""
    read: Callable[[Path], Any] | None = None
    example: str = "text"
    build: Callable[..., Dataset] = from_frame
    shape: tuple[int, int, int] | None = None
    min_texts: int = 1
    quoted: int | None = 0
    hub: Hub | None = None
    generate: Callable[[], Dataset] | None = None
    stands_in_as: tuple[str, str] = ("a generated stand-in", "generated data")
    stand_in: Callable[[], Dataset] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of its file."""
        return ("split", self.example, *self.labels)

    @property
    def cached(self) -> str:
        """Name of the file in the cache: in the package's form, whatever that of the others."""
        return self.file if self.read is None else f"{self.name}_hub.parquet"

    def chosen(self, label: str | None) -> str:
        """Return the kind of label asked for, or the default.

        Raises
        ------
        UsageError
            If there is no such kind.
        """
        if label is None:
            return self.labels[0]
        if label not in self.labels:
            raise unknown(f"label of {self.name}", label, self.labels)
        return label
