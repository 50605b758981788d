"""A labelled text data set in memory, and its identity."""

from __future__ import annotations

import dataclasses
import hashlib
import numbers
from collections.abc import Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from stablib.errors import StablibError, UsageError

if TYPE_CHECKING:
    import pandas as pd

#: Names of the splits, in the order in which they are shown.
SPLITS = ("train", "val", "test")

#: What labels may be. A bool is also an int, so the order matters.
_KINDS = {"bool": (bool, np.bool_), "int": (numbers.Integral,), "str": (str,)}


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Texts and gold labels of every split it has: train, val and test, or some of these.

    Parameters
    ----------
    name : str
        Registry name, e.g. ``"massive"``; ``"standin"`` for the generated corpus.
    label : str
        Which labels, e.g. ``"domain"``.
    label_names : tuple of str
        Class names; class k is ``label_names[k]``.
    texts : mapping of str to tuple of str, or None
        Texts by split; None when only the labels are at hand (published label sheet).
    gold : mapping of str to ndarray of int, shape (n_examples,)
        Gold class indices by split.
    ids : mapping of str to tuple of str
        Example ids by split.
    content_hash : str
        Identity of the data, see :func:`content_hash`.
    source : str
        Where it came from, in words for the reader.
    notice : str, default ""
        What a reader must know before believing numbers made with it (stand-in, other content).
    """

    name: str
    label: str
    label_names: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]] | None
    gold: Mapping[str, NDArray[np.integer]]
    ids: Mapping[str, tuple[str, ...]]
    content_hash: str
    source: str
    notice: str = ""

    @property
    def trainable(self) -> bool:
        """Whether the examples are at hand, and not the labels alone."""
        return self.texts is not None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.label_names)

    @property
    def published_gold(self) -> Mapping[str, NDArray[np.integer]]:
        """Gold labels as a published sheet may hold them."""
        return self.gold

    def describe(self, split: str, index: int) -> str:
        """Text of an example, or its id where the text is not at hand."""
        return self.texts[split][index] if self.texts else self.ids[split][index]

    def head(self, limit: int | None, *, others: int | EllipsisType | None = ...) -> Self:
        """Keep the first examples of each split, None for all; of others than ``train`` as many.

        ``others`` says how many of these, if not as many.
        """
        rest = limit if others is ... else others

        def kept(by_split: Mapping[str, Any]) -> dict[str, Any]:
            return {s: part[: limit if s == "train" else rest] for s, part in by_split.items()}

        texts = None if self.texts is None else kept(self.texts)
        return dataclasses.replace(self, texts=texts, gold=kept(self.gold), ids=kept(self.ids))


def content_hash(splits: Sequence[str], texts: Sequence[str], labels: Sequence[str]) -> str:
    """Hash of the rows (split, text, label) in their order: the data's identity in a run's key.

    Examples
    --------
    >>> content_hash(["train"], ["hello"], ["social"])[:12]
    '09eb11e1a386'
    """
    digest = hashlib.sha256()
    for row in zip(splits, texts, labels, strict=True):
        # The separators are control characters, which no utterance has: rows cannot be confused.
        digest.update("\x1f".join(row).encode() + b"\x1e")
    return digest.hexdigest()


def from_frame(
    frame: pd.DataFrame, *, name: str, label: str, source: str, notice: str = ""
) -> Dataset:
    """Make a data set from a frame with the columns ``split``, ``text`` and the label's.

    Parameters
    ----------
    frame : DataFrame
        One row an example, in any number of columns:

        ``split``
            ``"train"``, ``"val"`` or ``"test"``. At least one of the three must occur; the data
            set has those that do, and no other.
        ``text``
            Text, as str.
        the column named by ``label``
            All str, all integers or all bool. Class names are the labels as str; classes are
            ordered as the labels are: text by alphabet, integers by size, False before True.
        ``id``, optional
            No two in a split may be equal. Where the column is missing, an example is named by
            its split and its place there, such as ``"test-0"``.
    name, label, source, notice : str
        As in :class:`Dataset`; ``label`` names the label column.

    Returns
    -------
    Dataset

    Raises
    ------
    UsageError
        If the frame has no row, lacks a column or a value, or has one that is not allowed.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"split": ["train", "train", "test"], "text": ["a", "b", "c"], "stars": [10, 9, 10]}
    ... )
    >>> reviews = from_frame(frame, name="reviews", label="stars", source="made up")
    >>> reviews.label_names, reviews.gold["train"].tolist(), reviews.ids["test"]
    (('9', '10'), [1, 0], ('test-0',))
    """
    for column in ("split", "text", label):
        if column not in frame.columns:
            has = ", ".join(map(str, frame.columns))
            raise UsageError(f"frame: column {column!r} is missing (it has {has})")
    if not len(frame):
        raise UsageError("frame: it has no rows (a data set needs one at least)")
    splits, texts, labels = (_values(frame, column) for column in ("split", "text", label))
    refuse_others(splits, SPLITS, what="frame: column 'split'", error=UsageError)
    _refuse_other_kinds(texts, "text", ("str",))
    _refuse_other_kinds(labels, label, tuple(_KINDS))
    classes = sorted(set(labels))
    index = {value: k for k, value in enumerate(classes)}
    rows = {s: [i for i, split in enumerate(splits) if split == s] for s in SPLITS if s in splits}
    gold = {s: np.array([index[labels[i]] for i in part], np.int64) for s, part in rows.items()}
    return Dataset(
        name=name,
        label=label,
        label_names=tuple(map(str, classes)),
        texts={split: tuple(texts[i] for i in part) for split, part in rows.items()},
        gold=gold,
        ids=_ids(frame, rows),
        content_hash=content_hash(splits, texts, list(map(str, labels))),
        source=source,
        notice=notice,
    )


def place_ids(split: str, n_examples: int) -> tuple[str, ...]:
    """Name examples by their split and their place there: the same from every source.

    Examples
    --------
    >>> place_ids("val", 2)
    ('val-0', 'val-1')
    """
    return tuple(f"{split}-{i}" for i in range(n_examples))


def refuse_others(
    values: Iterable[Any], allowed: Sequence[Any], *, what: str, error: type[StablibError]
) -> None:
    """Raise ``error`` for the first value that is none of the allowed (1 equals True, 0 False)."""
    for row, value in enumerate(values):
        if value not in allowed:
            raise error(
                f"{what} has {value!r} in row {row} (allowed: {', '.join(map(str, allowed))})"
            )


def _values(frame: pd.DataFrame, column: str) -> list[Any]:
    """Return a column's values; refuse a missing one."""
    missing = frame[column].isna().to_numpy()
    if missing.any():
        raise UsageError(
            f"frame: column {column!r} has no value in row {missing.argmax()} (every row needs one)"
        )
    values: list[Any] = frame[column].tolist()
    return values


def _refuse_other_kinds(values: Sequence[Any], column: str, allowed: Sequence[str]) -> None:
    """Refuse values that are not all of one of the allowed kinds."""
    kinds = [_kind(value) for value in values]
    for row, kind in enumerate(kinds):
        if kind not in allowed:
            raise UsageError(
                f"frame: column {column!r} has {values[row]!r} in row {row}, which is {kind} "
                f"(allowed: {', '.join(allowed)})"
            )
    if len(set(kinds)) > 1:
        mixed = " and ".join(sorted(set(kinds)))
        raise UsageError(f"frame: column {column!r} mixes {mixed} (one of them is allowed)")


def _kind(value: object) -> str:
    """Return the kind of a value: one of ``_KINDS``, else its type's name."""
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return type(value).__name__


def _ids(frame: pd.DataFrame, rows: Mapping[str, Sequence[int]]) -> dict[str, tuple[str, ...]]:
    """Take the ids of the frame, or make some."""
    if "id" not in frame.columns:
        return {split: place_ids(split, len(part)) for split, part in rows.items()}
    values = _values(frame, "id")
    ids = {split: tuple(str(values[i]) for i in part) for split, part in rows.items()}
    for split, names in ids.items():
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(
                f"frame: column 'id' has {twice!r} more than once in {split} (allowed: once)"
            )
    return ids
