"""Word ids of texts between a start and an end token, without padding."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError
from stablib.models.ragged import Ragged

#: Ids that are no words: padding, a word that is not known, the start and the end of a text.
PAD, UNKNOWN, START, END = range(4)
#: Ids before the first word.
N_MARKS = 4
#: Between the parts of a text that is a pair; see :func:`encode`.
BETWEEN = "\t"


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Known words; the id of ``words[i]`` is ``i + N_MARKS``.

    Parameters
    ----------
    words : tuple of str
        In alphabetical order.
    """

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words) + N_MARKS


def vocabulary(texts: Sequence[str], *, min_texts: int = 1) -> Vocabulary:
    """Collect the words that stand in at least so many texts.

    Parameters
    ----------
    texts : sequence of str
        Training texts, with white space between tokens.
    min_texts : int, default 1
        How many.

    Returns
    -------
    Vocabulary

    Examples
    --------
    >>> vocabulary(["a good film", "a bad film"], min_texts=2).words
    ('a', 'film')
    """
    counts = Counter(word for text in texts for word in set(text.split()))
    return Vocabulary(tuple(sorted(word for word, n in counts.items() if n >= min_texts)))


def encode(texts: Sequence[str], known: Vocabulary) -> Ragged:
    r"""Turn texts into ids: each text, or each part of a pair, between a start and an end token.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Tokens with white space between them; the parts of a pair with a tab between them.
    known : Vocabulary
        Other words become :data:`UNKNOWN`.

    Returns
    -------
    Ragged
        Ids of n_texts rows.

    Raises
    ------
    UsageError
        If a part of a text is empty, or a whole text has no known word: nothing could be said
        about it. The text is named by its place.

    Examples
    --------
    >>> known = vocabulary(["a good film"])
    >>> encode(["a bad film", "good\tfilm"], known).values.tolist()
    [2, 4, 1, 5, 3, 2, 6, 3, 2, 5, 3]
    """
    ids = {word: i + N_MARKS for i, word in enumerate(known.words)}
    rows = []
    for place, text in enumerate(texts):
        row: list[int] = []
        for part in text.split(BETWEEN):
            tokens = part.split()
            if not tokens:
                raise UsageError(f"text {place} is empty")
            row += [START, *(ids.get(token, UNKNOWN) for token in tokens), END]
        if max(row) < N_MARKS:
            raise UsageError(f"text {place} has only unknown words: {text!r}")
        rows.append(row)
    starts = np.cumsum([0, *map(len, rows)])
    return Ragged(np.fromiter((i for row in rows for i in row), np.int64), starts)


def inner(ids: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Say which ids are words, known or not, and neither start nor end."""
    return (ids != START) & (ids != END)
