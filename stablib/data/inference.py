"""A generated corpus of pairs, of which the first sentence entails the second or does not.

The words are those of the generated reviews. The first sentence judges two things, the second one
of them (the same judgement: entailment; the opposite one: contradiction) or a third (neutral).
"""

import numpy as np
import pandas as pd

from stablib.data.sentiment import grammar, one
from stablib.data.texts import BETWEEN

__all__ = ["generate"]

_LABELS = ("contradiction", "entailment", "neutral")
_OPPOSITE = {"positive": "negative", "negative": "positive"}


def generate(
    *, seed: int = 0, n_train: int = 3000, n_val: int = 500, n_test: int = 1000
) -> pd.DataFrame:
    """Generate the corpus.

    Parameters
    ----------
    seed : int
        Seed of the only random generator used. The same seed gives the same frame.
    n_train, n_val, n_test : int
        Number of pairs in each split.

    Returns
    -------
    pandas.DataFrame, shape (n_train + n_val + n_test, 3)
        ``split``, ``text`` (both sentences, a tab between them) and ``label`` ("contradiction",
        "entailment" or "neutral", equally likely). No pair occurs twice.

    Examples
    --------
    >>> frame = generate(seed=1, n_train=4, n_val=1, n_test=1)
    >>> frame.shape, frame["text"][0].count("is"), frame["text"][0].count(chr(9))
    ((6, 3), 3, 1)
    """
    rng = np.random.default_rng(seed)
    sizes = {"train": n_train, "val": n_val, "test": n_test}
    pairs: dict[str, str] = {}
    while len(pairs) < sum(sizes.values()):
        label = _LABELS[rng.integers(len(_LABELS))]
        pairs.setdefault(_pair(rng, label), label)
    return pd.DataFrame(
        {
            "split": [split for split, size in sizes.items() for _ in range(size)],
            "text": list(pairs),
            "label": list(pairs.values()),
        }
    )


def _pair(rng: np.random.Generator, label: str) -> str:
    words = grammar()
    first, second, other = rng.choice(words["slots"]["thing"], size=3, replace=False)
    sides = [("positive", "negative")[rng.integers(2)] for _ in range(3)]
    about = {
        "contradiction": (first, _OPPOSITE[sides[0]]),
        "entailment": (first, sides[0]),
        "neutral": (other, sides[2]),
    }
    judged = [
        f"the {thing} is {one(rng, words[side])}"
        for thing, side in ((first, sides[0]), (second, sides[1]), about[label])
    ]
    # Which of the two is asked about must not be told by its place.
    if rng.integers(2):
        judged[:2] = judged[1::-1]
    return f"{judged[0]} {one(rng, words['joints'])} {judged[1]}{BETWEEN}{judged[2]}"
