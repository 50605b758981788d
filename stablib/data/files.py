"""Read data files into one shape: the columns id, split, text and the labels, all text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stablib.errors import DataError

_SPLIT_NAMES = {"train": "train", "validation": "val", "test": "test"}


def read_table(path: Path, *, columns: Sequence[str]) -> pd.DataFrame:
    """Read a parquet file with a ``split`` column, as they lie in the ``STABLIB_DATA`` folder.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Columns it must have; ``id`` is made from split and row where it is missing.

    Returns
    -------
    DataFrame
        ``id`` and ``columns``, as str.

    Raises
    ------
    DataError
        If the file is unreadable, lacks a column or holds text that is not UTF-8.
    """
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
    frame = pd.DataFrame({column: _strings(table, column, path) for column in columns})
    if "is_oos" in table.column_names:
        frame = frame[~table.column("is_oos").to_numpy()].reset_index(drop=True)
    return _with_ids(frame)


def _strings(table: pa.Table, column: str, path: Path) -> list[str]:
    try:
        values = table.column(column).to_pylist()
        return [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: column {column!r} holds text that is not UTF-8") from error


def _with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Name each example by its split and its place there: the same from every source."""
    places = frame.groupby("split").cumcount()
    return frame.assign(id=[f"{s}-{i}" for s, i in zip(frame["split"], places, strict=True)])


def read_massive_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's json lines (text, label_text); the domain is the intent's first word."""
    frames = []
    for split, path in paths.items():
        try:
            rows = [json.loads(line) for line in path.read_bytes().decode().splitlines()]
            frame = pd.DataFrame({"text": [row["text"] for row in rows]})
            frame["intent"] = [row["label_text"] for row in rows]
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise DataError(f"{path.name}: not UTF-8 json lines ({error})") from error
        except KeyError as error:
            raise DataError(f"{path.name}: column {error} is missing") from error
        frames.append(frame.assign(split=_SPLIT_NAMES[split]))
    whole = pd.concat(frames, ignore_index=True)
    return _with_ids(whole.assign(domain=whole["intent"].str.split("_").str[0]))


def read_clinc_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's parquet files (text, intent as a number named in the schema)."""
    frames = []
    for split, path in paths.items():
        try:
            table = pq.read_table(path)
            features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
            names = features["intent"]["names"]
            frame = pd.DataFrame({"text": _strings(table, "text", path)})
            frame["intent"] = [names[k] for k in table.column("intent").to_pylist()]
        except (pa.ArrowInvalid, OSError, KeyError, TypeError) as error:
            raise DataError(f"{path.name}: not the parquet file it should be ({error})") from error
        frames.append(frame.assign(split=_SPLIT_NAMES[split]))
    whole = pd.concat(frames, ignore_index=True)
    return _with_ids(whole[whole["intent"] != "oos"].reset_index(drop=True))
