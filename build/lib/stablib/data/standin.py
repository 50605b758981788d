"""A generated voice-assistant corpus, of which it is known which utterances are ambiguous.

Every utterance comes from the grammar in ``grammar.json``: a template with its slots filled in.
The grammar is our own text. Its domain names are those of MASSIVE; its sentences are not.
A known share of the utterances is ambiguous: two domains could own the wording, and a fair coin
decides which of them is the label. No classifier can predict that coin.
"""

import itertools
import json
import operator
import string
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["AMBIGUOUS_SHARE", "domains", "generate"]

AMBIGUOUS_SHARE: float = 0.15
"""Share of the utterances in every split that are ambiguous by construction."""


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


@lru_cache(maxsize=1)
def _table() -> pd.DataFrame:
    """Enumerate the grammar: text, its owner, the second owner or "", relative frequency."""
    grammar = _grammar()
    plain = [([name, ""], ts, grammar["weights"][name]) for name, ts in grammar["domains"].items()]
    ambiguous = [(group["domains"], group["templates"], 1.0) for group in grammar["ambiguous"]]
    rows = []
    for (first, second), templates, weight in plain + ambiguous:
        for rank, template in enumerate(templates, start=1):
            texts = _expand(template)
            # Real requests have a long tail: the k-th template is used 1/k as often as the first.
            rows += [(text, first, second, weight / rank / len(texts)) for text in texts]
    table = pd.DataFrame(rows, columns=["text", "first", "second", "weight"])
    return table.drop_duplicates("text", ignore_index=True)


def _draw(rng: np.random.Generator, where: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """Draw n distinct rows of the table among those marked in ``where``, in random order."""
    rows = np.flatnonzero(where)
    if n > len(rows):
        raise ValueError(
            f"n_train + n_val + n_test needs {n} utterances of one kind (ambiguous or not); "
            f"the grammar makes at most {len(rows)} of that kind"
        )
    # The n first of exponential arrivals are a weighted draw without replacement.
    weight = _table()["weight"].to_numpy()[rows]
    first = np.argsort(rng.standard_exponential(len(rows)) / weight, kind="stable")[:n]
    # Sorting before shuffling keeps frequent wording from coming first, and makes the order
    # independent of the last bit of the arrival times, which may differ between platforms.
    return rng.permutation(rows[np.sort(first)])


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
    >>> frame.shape, int(frame["ambiguous"].sum()), frame["id"].iloc[12]
    ((80, 6), 12, 'standin-train-00012')
    """
    sizes = {"n_train": n_train, "n_val": n_val, "n_test": n_test}
    for name, size in sizes.items():
        if operator.index(size) < 0:
            raise ValueError(f"{name} is {size}; it must be 0 or more")
    totals = np.array(list(sizes.values()), dtype=np.int64)
    shares = np.array([round(AMBIGUOUS_SHARE * size) for size in sizes.values()], dtype=np.int64)
    rng = np.random.default_rng(seed)
    is_ambiguous = (_table()["second"] != "").to_numpy()
    kinds = ((~is_ambiguous, totals - shares), (is_ambiguous, shares))
    drawn = [np.split(_draw(rng, kind, int(n.sum())), n.cumsum()[:-1]) for kind, n in kinds]
    index = np.concatenate([rng.permutation(np.concatenate(p)) for p in zip(*drawn, strict=True)])
    rows = _table().iloc[index].reset_index(drop=True)
    # The coin of an unambiguous row shows 0, so its label is its only owner.
    coin = (rng.integers(0, 2, size=len(rows)) * is_ambiguous[index]).astype(bool)
    splits = [name.removeprefix("n_") for name, size in sizes.items() for _ in range(size)]
    numbers = [number for size in totals for number in range(size)]
    return pd.DataFrame(
        {
            "id": [f"standin-{s}-{k:05d}" for s, k in zip(splits, numbers, strict=True)],
            "split": splits,
            "text": rows["text"],
            "domain": rows["first"].mask(coin, rows["second"]),
            "other_domain": rows["second"].mask(coin, rows["first"]),
            "ambiguous": is_ambiguous[index],
        }
    )
