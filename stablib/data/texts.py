"""Read the data sets of *On Model Stability as a Function of Random Seed* from their files.

The files lie in ``STABLIB_DATA`` in the form in which their sources have them. Each reader makes a
frame with the columns split, text and label. A text is its words with one space between them, so
that ``text.split()`` gives the tokens that models see and explanations score. A text of a pair is
its two parts with a tab between them: what is attended to, and what asks.

Lengths are counted in tokens, and the limits are strict, as in the authors' code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stablib.data.files import SPLIT_NAMES, read_json_lines
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: Between what is attended to and what asks, in the text of a pair.
BETWEEN = "\t"

#: Where a source has no validation split, one block in so many of so many training rows is held
#: back. Neighbours belong together: five questions to one story, three hypotheses to one premise.
_HELD_BACK, _BLOCK = 10, 30

#: Names of labels by their number on the hub.
_SIDES = ("negative", "positive")
_NEWS = ("World", "Sports", "Business", "Sci/Tech")
_INFERENCE = ("entailment", "neutral", "contradiction")

#: English negation and endings that vectors know as words of their own: do n't, it 's.
_ENDINGS = re.compile(r"(?<=\w)(n't|'(?:s|re|ve|ll|d|m))\b")
#: Possessive: a word without digits is looked at once, and not from each of its letters.
_WITH_DIGIT = re.compile(r"\b[^\W\d]*+\d\w*")
_WORD = r"n't|'(?:s|re|ve|ll|d|m)\b|\w+"
_WORDS = re.compile(_WORD)
_TOKENS = re.compile(_WORD + r"|[^\w\s]")


def words(text: str) -> str:
    """Split a text into lower-case words and marks, with one space between them.

    A word with a digit becomes ``qqq``, as in the authors' code; theirs splits with spaCy.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str

    Examples
    --------
    >>> words("It's 1999, and I don't care.")
    "it 's qqq , and i do n't care ."
    """
    return " ".join(_TOKENS.findall(_parted(text)))


def between(texts: Sequence[str], *, more_than: int, fewer_than: int | None = None) -> Any:
    """Say which texts have a length, in tokens, within two strict limits.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Texts with one space between tokens.
    more_than, fewer_than : int
        The limits.

    Returns
    -------
    ndarray of bool, shape (n_texts,)

    Examples
    --------
    >>> between(["a b", "a b c", "a b c d"], more_than=2, fewer_than=4).tolist()
    [False, True, False]
    """
    lengths = np.array([len(text.split()) for text in texts])
    return (lengths > more_than) & (lengths < (fewer_than or np.inf))


def read_sst(path: Path) -> pd.DataFrame:
    """Read SST sentences of more than 5 tokens, as the authors prepared them."""
    return _prepared(path, _SIDES, more_than=5)


def read_sst_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the same sentences from the hub's json lines, which are prepared by others.

    Marks are left out, as in the authors' copy.
    """
    import pandas as pd

    frames = [
        read_json_lines(path, ("text", "label")).assign(split=SPLIT_NAMES[split])
        for split, path in paths.items()
    ]
    frame = _named(pd.concat(frames, ignore_index=True), _SIDES)
    frame["text"] = [_without_marks(text) for text in frame["text"]]
    return _kept(frame, more_than=5, fewer_than=None)[["split", "text", "label"]]


def read_adr(path: Path) -> pd.DataFrame:
    """Read tweets about adverse drug reactions of more than 5 and fewer than 100 tokens."""
    return _prepared(path, ("no reaction", "reaction"), more_than=5, fewer_than=100)


def read_imdb(path: Path) -> pd.DataFrame:
    """Read reviews of more than 6 and fewer than 400 words; of the test set every fifth.

    The authors test on a fifth that they drew; here it is taken by place. Marks are left out, as
    in the copy that they use.
    """
    return _imdb(_table(path, ("split", "text", "label")))


def read_imdb_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the same reviews from the hub, in its order."""
    return _imdb(_tables(paths, ("text", "label")))


def _imdb(frame: pd.DataFrame) -> pd.DataFrame:
    frame = _named(frame, _SIDES)
    place = frame.groupby("split").cumcount()
    frame = frame[(frame["split"] == "train") | (place % 5 == 0)].reset_index(drop=True)
    frame["text"] = [_without_marks(text.replace("<br />", " ")) for text in frame["text"]]
    # The files hold one class after the other; the first texts should be of both.
    frame = frame.assign(number=frame.groupby(["split", "label"]).cumcount())
    frame = frame.sort_values(["split", "number", "label"], kind="stable", ignore_index=True)
    return _with_validation(_kept(frame, more_than=6, fewer_than=400))


def read_agnews(path: Path) -> pd.DataFrame:
    """Read news of the classes World and Business, title and description.

    Of the training texts only a sample is in the file, without its titles apart; so the title
    stays in the text everywhere, where the paper reads the description alone. Classes are in the
    order of the alphabet, so World is the second, and Business is it in the paper.
    """
    frame = _table(path, ("split", "text", "class"))
    frame["split"] = frame["split"].str.removesuffix("_sample")
    return _agnews(frame)


def read_agnews_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read all news of both classes from the hub, title and description as one text."""
    frame = _tables(paths, ("text", "label"))
    return _agnews(frame.assign(**{"class": _by_number(frame["label"], _NEWS)}))


def _agnews(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame[frame["class"].isin(["World", "Business"])].reset_index(drop=True)
    frame["text"] = [words(text) for text in frame["text"]]
    frame["label"] = frame["class"]
    return _with_validation(frame)


def read_snli(path: Path) -> pd.DataFrame:
    """Read premise and hypothesis; the development pairs serve for training.

    The training pairs are not in the file.
    """
    frame = _table(path, ("split", "premise", "hypothesis", "label"))
    frame["text"] = frame["premise"] + BETWEEN + frame["hypothesis"]
    frame["split"] = frame["split"].replace({"dev": "train"})
    return _with_validation(frame)


def read_snli_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read all pairs from the hub, with their own splits; those without a label are left out."""
    frame = _tables(paths, ("premise", "hypothesis", "label"))
    frame = frame[frame["label"] != "-1"].reset_index(drop=True)
    first, second = ([words(text) for text in frame[c]] for c in ("premise", "hypothesis"))
    frame["text"] = [a + BETWEEN + b for a, b in zip(first, second, strict=True)]
    frame["label"] = _by_number(frame["label"], _INFERENCE)
    return frame[["split", "text", "label"]]


def babi_reader(task: int) -> Callable[[Path], pd.DataFrame]:
    """Make a reader of one bAbI task: facts, question and the answer, a place.

    Of tasks 1 and 2 it reads the 10,000 training questions of the authors; of task 3 the file has
    the small set of 1,000 alone.

    Parameters
    ----------
    task : {1, 2, 3}
        How many facts support an answer.
    """

    def read(path: Path) -> pd.DataFrame:
        frame = _table(path, ("version", "task", "split", "paragraph", "question", "answer"))
        version = "en" if task == 3 else "en-10k"
        mine = (frame["task"] == f"qa{task}") & (frame["version"] == version)
        frame = frame[mine].reset_index(drop=True)
        facts = (words(text).removesuffix(" .") for text in frame["paragraph"])
        asked = (words(text).removesuffix(" ?") for text in frame["question"])
        frame["text"] = [f + BETWEEN + q for f, q in zip(facts, asked, strict=True)]
        frame["label"] = frame["answer"]
        return _with_validation(frame)

    return read


def _prepared(
    path: Path, names: Sequence[str], *, more_than: int, fewer_than: int | None = None
) -> pd.DataFrame:
    """Read a file that the authors have split into tokens and splits."""
    frame = _named(_table(path, ("split", "text", "label")), names)
    frame["text"] = [" ".join(text.split()) for text in frame["text"]]
    frame["split"] = frame["split"].replace({"dev": "val"})
    return _kept(frame, more_than=more_than, fewer_than=fewer_than)


def _named(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Give the labels 0, 1, ... their names."""
    return frame.assign(label=_by_number(frame["label"], names))


def _by_number(numbers: pd.Series, names: Sequence[str]) -> pd.Series:
    """Names of labels that are counted from 0; another label is refused."""
    known = {str(number): name for number, name in enumerate(names)}
    odd = set(numbers) - set(known)
    if odd:
        raise DataError(f"column 'label' has the value {min(odd)!r}, not one of {', '.join(known)}")
    return numbers.map(known)


def _without_marks(text: str) -> str:
    """Words of a text, with one space between them."""
    return " ".join(_WORDS.findall(_parted(text)))


def _kept(frame: pd.DataFrame, *, more_than: int, fewer_than: int | None) -> pd.DataFrame:
    """Keep the texts of an allowed length."""
    within = between(frame["text"].tolist(), more_than=more_than, fewer_than=fewer_than)
    return frame[within].reset_index(drop=True)


def _parted(text: str) -> str:
    """Lower-case text with endings apart, and without numbers."""
    return _WITH_DIGIT.sub("qqq", _ENDINGS.sub(r" \1", text.lower().replace("’", "'")))


def _with_validation(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold back every tenth block of training rows for validation, and put the splits in order."""
    import pandas as pd

    train, test = frame[frame["split"] == "train"], frame[frame["split"] == "test"]
    held = np.arange(len(train)) // _BLOCK % _HELD_BACK == 0
    parts = [train[~held], train[held].assign(split="val"), test]
    return pd.concat(parts, ignore_index=True)[["split", "text", "label"]]


def _tables(paths: Mapping[str, Path], columns: Sequence[str]) -> pd.DataFrame:
    """Read the same columns of a file a split."""
    import pandas as pd

    frames = [_table(path, columns).assign(split=SPLIT_NAMES[s]) for s, path in paths.items()]
    return pd.concat(frames, ignore_index=True)


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of a parquet file as text; a missing value is refused."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name}: not a readable parquet file ({error})") from error
    absent = [column for column in columns if column not in table.column_names]
    if absent:
        raise DataError(f"{path.name}: column {absent[0]!r} is missing")
    frame = pd.DataFrame({c: table.column(c).to_pylist() for c in columns})
    empty = frame.isna().any()
    if empty.any():
        raise DataError(f"{path.name}: column {empty.idxmax()!r} has a row without a value")
    return frame.astype(str)
