"""Read texts that have no labels, line by line: what a language model is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stablib.data.files import read_table

if TYPE_CHECKING:
    import pandas as pd


def read_lines(path: Path) -> pd.DataFrame:
    """Read a parquet file with the columns split (train, valid or test) and text, one line a row.

    All rows get the same label, ``"line"``: the registry knows labelled texts alone.

    Raises
    ------
    DataError
        As :func:`stablib.data.files.read_table`.
    """
    frame = read_table(path, columns=("split", "text"), splits=("train", "valid", "test"))
    return frame.assign(kind="line", split=frame["split"].replace("valid", "val"))
