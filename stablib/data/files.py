"""Read data files into one shape: the columns id, split, text and the labels, all text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stablib.data.dataset import SPLITS
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
        If the file is unreadable, lacks a column, a value or a split, or holds text that is not
        UTF-8 or a value that is not allowed.
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
    frame = pd.DataFrame({c: _strings(table.column(c).to_pylist(), c, path) for c in columns})
    if "is_oos" in table.column_names:
        is_oos = table.column("is_oos").to_pylist()
        _only(is_oos, (True, False), "is_oos", path)
        frame = frame[~np.array(is_oos, dtype=bool)].reset_index(drop=True)
    _only(frame["split"], SPLITS, "split", path)
    absent = [split for split in SPLITS if split not in set(frame["split"])]
    if absent:
        raise DataError(
            f"{path.name}: column 'split' has no row of {absent[0]!r} "
            f"(each of {', '.join(SPLITS)} needs one in scope)"
        )
    return _with_ids(frame)


def _only(values: Iterable[Any], allowed: Sequence[Any], column: str, path: Path) -> None:
    """Refuse a value that is none of the allowed; 1 and 0 equal True and False."""
    for row, value in enumerate(values):
        if value not in allowed:
            raise DataError(
                f"{path.name}: column {column!r} has {value!r} in row {row} "
                f"(allowed: {', '.join(map(str, allowed))})"
            )


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
            texts, intents = ([row[c] for row in rows] for c in ("text", "label_text"))
        except (UnicodeDecodeError, json.JSONDecodeError, TypeError) as error:
            raise DataError(f"{path.name}: not UTF-8 json lines of objects ({error})") from error
        except KeyError as error:
            raise DataError(f"{path.name}: column {error} is missing") from error
        columns = {
            "text": _strings(texts, "text", path),
            "intent": _strings(intents, "label_text", path),
        }
        frames.append(pd.DataFrame(columns, dtype=str).assign(split=_SPLIT_NAMES[split]))
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
            frame = pd.DataFrame({"text": _strings(table.column("text").to_pylist(), "text", path)})
            frame["intent"] = [names[k] for k in table.column("intent").to_pylist()]
        except (pa.ArrowInvalid, OSError, LookupError, TypeError) as error:
            raise DataError(f"{path.name}: not the parquet file it should be ({error})") from error
        frames.append(frame.assign(split=_SPLIT_NAMES[split]))
    whole = pd.concat(frames, ignore_index=True)
    return _with_ids(whole[whole["intent"] != "oos"].reset_index(drop=True))
