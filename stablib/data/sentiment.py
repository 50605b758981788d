"""A generated corpus of reviews, of which it is known which words decide.

Every review is a few clauses from the grammar in ``sentiment.json``, which is our own text. Some
clauses tell: they hold one word of the positive or of the negative list. A review has one or three
of these words, and the majority is its label. No other word says anything about the label, so an
explanation that points elsewhere is wrong.
"""

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["decisive_words", "generate", "positions"]


@lru_cache(maxsize=1)
def grammar() -> dict[str, Any]:
    """Words, clauses and slots from which the generated corpora are made."""
    text = (files("stablib.data") / "sentiment.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


@cache
def decisive_words(label: str) -> frozenset[str]:
    """Words that decide for a label.

    Parameters
    ----------
    label : {"negative", "positive"}
        Which.

    Examples
    --------
    >>> len(decisive_words("positive")), "superb" in decisive_words("positive")
    (40, True)
    >>> decisive_words("positive") & decisive_words("negative")
    frozenset()
    """
    return frozenset(grammar()[label])


def positions(text: str) -> tuple[int, ...]:
    """Places of the words of a review that decide, among its tokens, counted from 0.

    Parameters
    ----------
    text : str
        A text of :func:`generate`, or any text with one space between tokens.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> positions("the plot is superb , but the ending is weak")
    (3, 9)
    """
    known = decisive_words("positive") | decisive_words("negative")
    return tuple(i for i, token in enumerate(text.split()) if token in known)


def generate(
    *, seed: int = 0, n_train: int = 3000, n_val: int = 500, n_test: int = 1000
) -> pd.DataFrame:
    """Generate the corpus.

    Parameters
    ----------
    seed : int
        Seed of the only random generator used. The same seed gives the same frame.
    n_train, n_val, n_test : int
        Number of reviews in each split.

    Returns
    -------
    pandas.DataFrame, shape (n_train + n_val + n_test, 3)
        ``split``, ``text`` (lower-case ASCII, one space between tokens) and ``label``
        ("negative" or "positive", a fair coin). No text occurs twice.

    Examples
    --------
    >>> frame = generate(seed=1, n_train=4, n_val=2, n_test=2)
    >>> frame.shape, [len(positions(text)) % 2 for text in frame["text"]]
    ((8, 3), [1, 1, 1, 1, 1, 1, 1, 1])
    """
    rng = np.random.default_rng(seed)
    sizes = {"train": n_train, "val": n_val, "test": n_test}
    reviews: dict[str, str] = {}
    while len(reviews) < sum(sizes.values()):
        label = ("negative", "positive")[rng.integers(2)]
        reviews.setdefault(_review(rng, label), label)
    return pd.DataFrame(
        {
            "split": [split for split, size in sizes.items() for _ in range(size)],
            "text": list(reviews),
            "label": list(reviews.values()),
        }
    )


def _review(rng: np.random.Generator, label: str) -> str:
    """Draw a review: one telling word, or three with at most one against the label."""
    words = grammar()
    other = "positive" if label == "negative" else "negative"
    told = [[label], [label] * 3, [label, label, other]][rng.choice(3, p=[0.5, 0.25, 0.25])]
    clauses = [_telling(rng, side) for side in told]
    clauses += [_filled(rng, one(rng, words["neutral"])) for _ in range(rng.integers(1, 4))]
    first, *others = rng.permutation(len(clauses))
    parts = [clauses[first]]
    for place in others:
        parts += [one(rng, words["joints"]), clauses[place]]
    return " ".join(parts)


def _telling(rng: np.random.Generator, side: str) -> str:
    """Draw a telling clause; the k-th word of a list is drawn 1/k as often as its first."""
    words = grammar()
    share = 1.0 / np.arange(1, len(words[side]) + 1)
    word = words[side][rng.choice(len(share), p=share / share.sum())]
    return _filled(rng, one(rng, words["telling"])).replace("{word}", word)


def _filled(rng: np.random.Generator, template: str) -> str:
    """Fill the slots of a clause that say nothing."""
    for slot, fillings in grammar()["slots"].items():
        template = template.replace(f"{{{slot}}}", one(rng, fillings))
    return template


def one(rng: np.random.Generator, choices: list[str]) -> str:
    """Draw one of several, all equally likely."""
    return choices[rng.integers(len(choices))]
