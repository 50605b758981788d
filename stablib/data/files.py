"""Read data files into one shape: a frame with the columns split, text and the labels, all str.

pandas and pyarrow are imported where they are used: they take longer than everything else here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stablib.atomic import replacing
from stablib.data.dataset import SPLITS, refuse_others
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: Column that holds the bytes of image files.
_IMAGES = "image"

SPLIT_NAMES = {"train": "train", "validation": "val", "test": "test"}


def read_table(
    path: Path, *, columns: Sequence[str], splits: Sequence[str] = SPLITS
) -> pd.DataFrame:
    """Read a parquet file of examples, as shipped, cached or in the ``STABLIB_DATA`` folder.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Columns it must have, ``split`` among them.
    splits : sequence of str, optional
        Splits it must have.

    Returns
    -------
    DataFrame
        The columns, as str, images as bytes; rows that ``is_oos`` marks as out of scope are left
        out.

    Raises
    ------
    DataError
        If the file is unreadable, lacks a column, a value or a split, or holds text that is not
        UTF-8 or a value that is not allowed.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name}: not a readable parquet file ({error})") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise DataError(
            f"{path.name}: column {missing[0]!r} is missing "
            f"(it has {', '.join(table.column_names)})"
        )
    frame = pd.DataFrame({c: _values(table.column(c).to_pylist(), c, path) for c in columns})
    if "is_oos" in table.column_names:
        is_oos = table.column("is_oos").to_pylist()
        refuse_others(is_oos, (True, False), what=f"{path.name}: column 'is_oos'", error=DataError)
        frame = frame[~np.array(is_oos, dtype=bool)].reset_index(drop=True)
    refuse_others(frame["split"], splits, what=f"{path.name}: column 'split'", error=DataError)
    absent = [split for split in splits if split not in set(frame["split"])]
    if absent:
        raise DataError(
            f"{path.name}: column 'split' has no row of {absent[0]!r} "
            f"(each of {', '.join(splits)} needs one in scope)"
        )
    return frame


def write_table(frame: pd.DataFrame, path: Path, *, columns: Sequence[str]) -> None:
    """Write columns of text, or of images, to a parquet file: the same bytes from the same rows.

    Parameters
    ----------
    frame : DataFrame
        The rows, in their order.
    path : Path
        The file; its folder is made if need be.
    columns : sequence of str
        Which columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # No schema of pandas or arrow goes into the file: it would change with their versions.
    kinds = {column: pa.binary() if column == _IMAGES else pa.string() for column in columns}
    table = pa.table({c: pa.array(frame[c].tolist(), kind) for c, kind in kinds.items()})
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd", compression_level=19, store_schema=False)


def _values(values: Sequence[Any], column: str, path: Path) -> list[Any]:
    """Return a column's values: text, or the bytes of images."""
    if column != _IMAGES:
        return _strings(values, column, path)
    wrong = next((row for row, value in enumerate(values) if not isinstance(value, bytes)), None)
    if wrong is not None:
        raise DataError(f"{path.name}: column {column!r} has no bytes in row {wrong}")
    return list(values)


def _strings(values: Sequence[Any], column: str, path: Path) -> list[str]:
    """Return a column's values as text; refuse a missing one, which is None or nan."""
    for row, value in enumerate(values):
        if value is None or value != value:
            raise DataError(
                f"{path.name}: column {column!r} has no value in row {row} (every row needs text)"
            )
    try:
        return [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: column {column!r} holds text that is not UTF-8") from error


def read_massive_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's json lines (text, label_text); the domain is the intent's first word."""
    import pandas as pd

    frames = [
        read_json_lines(path, ("text", "label_text")).assign(split=SPLIT_NAMES[split])
        for split, path in paths.items()
    ]
    whole = pd.concat(frames, ignore_index=True).rename(columns={"label_text": "intent"})
    return whole.assign(domain=whole["intent"].str.split("_").str[0])


def read_json_lines(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of a file with one json object a line.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Keys that each object must have.

    Returns
    -------
    DataFrame
        The columns, as str.

    Raises
    ------
    DataError
        If the file is no such file, or lacks a column or a value.
    """
    import pandas as pd

    try:
        lines = path.read_bytes().splitlines()  # As text, lines would end at U+2028 too.
        rows = [json.loads(line) for line in lines]
        values = {column: [row[column] for row in rows] for column in columns}
    except (UnicodeDecodeError, json.JSONDecodeError, TypeError) as error:
        raise DataError(f"{path.name}: not UTF-8 json lines of objects ({error})") from error
    except KeyError as error:
        raise DataError(f"{path.name}: column {error} is missing") from error
    return pd.DataFrame({c: _strings(v, c, path) for c, v in values.items()}, dtype=str)


def read_clinc_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's parquet files (text, intent as a number named in the schema)."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = []
    for split, path in paths.items():
        try:
            table = pq.read_table(path)
            features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
            names = features["intent"]["names"]
            frame = pd.DataFrame({"text": _strings(table.column("text").to_pylist(), "text", path)})
            frame["intent"] = [names[k] for k in table.column("intent").to_pylist()]
        except (pa.ArrowInvalid, OSError, LookupError, TypeError) as error:
            raise DataError(f"{path.name}: not the parquet file it should be ({error})") from error
        frames.append(frame.assign(split=SPLIT_NAMES[split]))
    whole = pd.concat(frames, ignore_index=True)
    return whole[whole["intent"] != "oos"].reset_index(drop=True)
