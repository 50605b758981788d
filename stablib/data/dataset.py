"""A labelled text data set in memory, and its identity."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SPLITS = ("train", "val", "test")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Texts and gold labels of every split.

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
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.label_names)

    def describe(self, split: str, index: int) -> str:
        """Text of an example, or its id where the text is not at hand."""
        return self.texts[split][index] if self.texts else self.ids[split][index]

    def head(self, limit: int | None) -> Dataset:
        """Keep the first examples of each split: the small data of the smoke preset."""
        if limit is None:
            return self
        return dataclasses.replace(
            self,
            texts=None if self.texts is None else {k: v[:limit] for k, v in self.texts.items()},
            gold={k: v[:limit] for k, v in self.gold.items()},
            ids={k: v[:limit] for k, v in self.ids.items()},
        )


def content_hash(splits: Sequence[str], texts: Sequence[str], labels: Sequence[str]) -> str:
    """Hash of the rows (split, text, label) in their order: the data's identity in a run's key.

    Examples
    --------
    >>> content_hash(["train"], ["hello"], ["social"])[:12]
    '09eb11e1a386'
    """
    digest = hashlib.sha256()
    for row in zip(splits, texts, labels, strict=True):
        # The separators cannot occur in the fields' own encoding, so rows cannot be confused.
        digest.update("\x1f".join(row).encode() + b"\x1e")
    return digest.hexdigest()


def from_frame(
    frame: pd.DataFrame, *, name: str, label: str, source: str, notice: str = ""
) -> Dataset:
    """Make a data set from a frame with the columns ``split``, ``text``, ``id`` and the label's.

    Parameters
    ----------
    frame : DataFrame
        One row an example; splits are ``train``, ``val`` and ``test``.
    name, label, source, notice : str
        As in :class:`Dataset`; ``label`` names the label column.

    Returns
    -------
    Dataset
        Class names in alphabetical order.
    """
    names = tuple(sorted(frame[label].unique()))
    index = {label_name: k for k, label_name in enumerate(names)}
    parts = {split: frame[frame["split"] == split] for split in SPLITS}
    return Dataset(
        name=name,
        label=label,
        label_names=names,
        texts={split: tuple(part["text"]) for split, part in parts.items()},
        gold={split: part[label].map(index).to_numpy(np.int64) for split, part in parts.items()},
        ids={split: tuple(part["id"]) for split, part in parts.items()},
        content_hash=content_hash(frame["split"], frame["text"], frame[label]),
        source=source,
        notice=notice,
    )
