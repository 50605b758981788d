"""A generated voice-assistant corpus, for use where the real MASSIVE data cannot be had.

Every utterance comes from the grammar in ``grammar.json``: a template with its slots filled in.
The grammar is our own text. Its domain names are those of MASSIVE; its sentences are not.
A known share of the utterances is ambiguous: two domains could own the wording, and a fair coin
decides which of them is the label. No classifier can predict that coin.
"""

import itertools
import json
import operator
import string
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["AMBIGUOUS_SHARE", "domains", "generate"]

AMBIGUOUS_SHARE: float = 0.15
"""Share of the utterances in every split that are ambiguous by construction."""


class _Pool(NamedTuple):
    """All distinct utterances of one kind; the three arrays have the same length."""

    text: NDArray[np.object_]
    owners: NDArray[np.object_]  # (n, 2); the second is "" for an unambiguous utterance
    weight: NDArray[np.float64]  # relative frequency of the utterance


@lru_cache(maxsize=1)
def _grammar() -> dict[str, Any]:
    text = (files("stablib.data") / "grammar.json").read_text(encoding="utf-8")
    grammar: dict[str, Any] = json.loads(text)
    return grammar


def _expand(template: str) -> list[str]:
    """Fill the slots of a template in every possible way."""
    slots = _grammar()["slots"]
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    fillings = itertools.product(*(slots[name] for name in names))
    return [template.format(**dict(zip(names, filling, strict=True))) for filling in fillings]


def _pool(groups: Iterable[tuple[tuple[str, str], list[str], float]]) -> _Pool:
    """Enumerate groups of (owners, templates, weight of the group)."""
    rows: dict[str, tuple[tuple[str, str], float]] = {}
    for owners, templates, weight in groups:
        for rank, template in enumerate(templates, start=1):
            texts = _expand(template)
            # Real requests have a long tail: the k-th template is used 1/k as often as the first.
            for text in texts:
                rows.setdefault(text, (owners, weight / rank / len(texts)))
    return _Pool(
        np.array(list(rows), dtype=object),
        np.array([owners for owners, _ in rows.values()], dtype=object),
        np.array([weight for _, weight in rows.values()]),
    )


@lru_cache(maxsize=1)
def _pools() -> tuple[_Pool, _Pool]:
    """Return the unambiguous and the ambiguous utterances."""
    grammar = _grammar()
    weights = grammar["weights"]
    plain = _pool(((name, ""), ts, weights[name]) for name, ts in grammar["domains"].items())
    ambiguous = _pool((tuple(g["domains"]), g["templates"], 1.0) for g in grammar["ambiguous"])
    return plain, ambiguous


def _draw(rng: np.random.Generator, weight: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Draw n distinct indices, in random order, with the given relative frequencies.

    The n smallest of exponential arrival times with rates ``weight`` are such a draw.
    """
    arrival = rng.standard_exponential(len(weight)) / weight
    # Sorting before shuffling makes the order independent of the last bit of the arrival times,
    # which may differ between platforms, and keeps frequent wording from coming first.
    return rng.permutation(np.sort(np.argsort(arrival, kind="stable")[:n]))


def _frame(rng: np.random.Generator, pool: _Pool, sizes: list[int]) -> pd.DataFrame:
    """Draw one pool's rows for the three splits; ambiguous rows get their label by a coin."""
    index = _draw(rng, pool.weight, sum(sizes))
    owners = pool.owners[index]
    ambiguous = owners[:, 1] != ""
    coin = rng.integers(0, 2, size=len(index)) * ambiguous
    row = np.arange(len(index))
    return pd.DataFrame(
        {
            "split": np.repeat(np.array(["train", "val", "test"], dtype=object), sizes),
            "text": pool.text[index],
            "domain": owners[row, coin],
            "other_domain": owners[row, 1 - coin],
            "ambiguous": ambiguous.astype(bool),
        }
    )


def _check_size(name: str, size: int) -> int:
    if operator.index(size) < 0:
        raise ValueError(f"{name} is {size}; it must be 0 or more")
    return operator.index(size)


def domains() -> tuple[str, ...]:
    """Return the names of the domains.

    Returns
    -------
    tuple of str, length 18
        The domain names in alphabetical order.

    Examples
    --------
    >>> len(domains()), domains()[:3]
    (18, ('alarm', 'audio', 'calendar'))
    """
    return tuple(sorted(_grammar()["domains"]))


def generate(
    *, seed: int = 0, n_train: int = 4000, n_val: int = 1000, n_test: int = 1500
) -> pd.DataFrame:
    """Generate the stand-in corpus.

    Parameters
    ----------
    seed : int
        Seed of the only random generator used. The same seed gives the same frame.
    n_train, n_val, n_test : int
        Number of utterances (rows) in each split, 0 or more.

    Returns
    -------
    pandas.DataFrame, shape (n_train + n_val + n_test, 6)
        One row per utterance, train first, then val, then test, shuffled within each split.
        ``id`` (str), ``split`` ("train", "val" or "test"), ``text`` (lower-case ASCII),
        ``domain`` (the label), ``other_domain`` (the domain that lost the coin toss, or "" for
        an unambiguous row) and ``ambiguous`` (bool). No text occurs twice. In each split
        ``round(AMBIGUOUS_SHARE * size)`` rows are ambiguous.

    Raises
    ------
    ValueError
        If a size is negative, or if the grammar cannot make that many distinct utterances.

    Examples
    --------
    >>> frame = generate(seed=1, n_train=40, n_val=20, n_test=20)
    >>> frame.shape
    (80, 6)
    >>> int(frame["ambiguous"].sum()), frame["id"].iloc[12]
    (12, 'standin-train-00012')
    """
    named = {"n_train": n_train, "n_val": n_val, "n_test": n_test}
    sizes = [_check_size(name, size) for name, size in named.items()]
    ambiguous_sizes = [round(AMBIGUOUS_SHARE * size) for size in sizes]
    plain_sizes = [size - part for size, part in zip(sizes, ambiguous_sizes, strict=True)]
    rng = np.random.default_rng(seed)
    parts = []
    for pool, wanted in zip(_pools(), (plain_sizes, ambiguous_sizes), strict=True):
        if sum(wanted) > len(pool.text):
            kind = "ambiguous" if pool.owners[0, 1] else "unambiguous"
            raise ValueError(
                f"n_train + n_val + n_test is {sum(sizes)}, which needs {sum(wanted)} {kind} "
                f"utterances; the grammar makes at most {len(pool.text)}"
            )
        parts.append(_frame(rng, pool, wanted))
    frame = pd.concat(parts, ignore_index=True)
    # Mix the two kinds of rows, then bring the splits into their order again.
    frame = frame.iloc[rng.permutation(len(frame))]
    by_split = [frame[frame["split"] == split] for split in ("train", "val", "test")]
    frame = pd.concat(by_split, ignore_index=True)
    number = frame.groupby("split").cumcount()
    ids = [f"standin-{split}-{k:05d}" for split, k in zip(frame["split"], number, strict=True)]
    frame.insert(0, "id", ids)
    return frame
