"""Turn the archives of MovieLens, as GroupLens gives them out, into the files that stablib reads.

``python -m stablib.data.movielens_files FOLDER TO`` does it for what it finds in a folder:
``u.data``, ``u.item``, ``u.genre`` and ``u.user`` of ml-100k.zip, or ``ratings.dat``,
``movies.dat`` and ``users.dat`` of ml-1m.zip. Beside those of the latter must lie
``ml-1m.test.rating`` and ``ml-1m.test.negative`` of the code of He et al. 2017, which say which
films are held out, and among which they are ranked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stablib.atomic import replacing
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: In no archive's own encoding can a title be misread.
_ENCODING = "latin-1"


def convert(folder: Path, to: Path) -> list[Path]:
    """Convert the archive that was unpacked in a folder.

    Parameters
    ----------
    folder : Path
        With the files of one of the archives.
    to : Path
        Folder for the parquet files, made if need be; name it in ``STABLIB_DATA``.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    DataError
        If the folder holds neither archive, or lacks a file of it.
    """
    if (folder / "u.data").is_file():
        made = _of_100k(folder)
    elif (folder / "ratings.dat").is_file():
        made = _of_1m(folder)
    else:
        raise DataError(f"{folder}: neither u.data (MovieLens-100K) nor ratings.dat (1M) is there")
    to.mkdir(parents=True, exist_ok=True)
    written = []
    for name, frame in made.items():
        path = to / f"{name}.parquet"
        with replacing(path) as partial:
            frame.to_parquet(partial, index=False)
        written.append(path)
    return written


def _of_100k(folder: Path) -> dict[str, pd.DataFrame]:
    rated = _fields(folder / "u.data", "\t", ("user", "item", "rating", "timestamp"))
    rated = rated.astype(int)
    last = rated.sort_values("timestamp", kind="stable").groupby("user").tail(1).index
    rated["loo_test"] = rated.index.isin(last)
    names = [line.split("|")[0] for line in _lines(folder / "u.genre")]
    films = [line.split("|") for line in _lines(folder / "u.item")]
    items = {
        "item": [int(film[0]) for film in films],
        "title": [film[1] for film in films],
        "genres": [
            "|".join(name for name, mark in zip(names, film[5:], strict=False) if mark == "1")
            for film in films
        ],
    }
    users = _fields(folder / "u.user", "|", ("user", "age", "gender", "occupation", "zip"))
    users = users.astype({"user": int, "age": int})
    return {"ml100k_ratings": rated, "ml100k_items": _frame(items), "ml100k_users": users}


def _of_1m(folder: Path) -> dict[str, pd.DataFrame]:
    rated = _fields(folder / "ratings.dat", "::", ("user", "item", "rating", "timestamp"))
    rated = rated.astype(int)
    # The released files number users by id, and items in the order in which ratings name them.
    items = rated["item"].drop_duplicates().to_numpy()
    held = _fields(folder / "ml-1m.test.rating", "\t", ("user", "item", "rating", "timestamp"))
    held = held.astype(int).sort_values("user")
    pairs = set(zip(held["user"] + 1, items[held["item"]], strict=True))
    rated["loo_test"] = [p in pairs for p in zip(rated["user"], rated["item"], strict=True)]
    if rated["loo_test"].sum() != len(held):
        raise DataError("ml-1m.test.rating: its pairs are not among those of ratings.dat")
    rows = [line.split("\t")[1:] for line in _lines(folder / "ml-1m.test.negative")]
    negatives = {
        "user": (held["user"] + 1).to_numpy(),
        "item": items[held["item"]],
        "negatives": [items[np.array(row, dtype=int)].tolist() for row in rows],
    }
    films = _fields(folder / "movies.dat", "::", ("item", "title", "genres")).astype({"item": int})
    columns = ("user", "gender", "age_group", "occupation", "zip")
    users = _fields(folder / "users.dat", "::", columns).astype({"user": int, "age_group": int})
    return {
        "ml1m_interactions": rated,
        "ml1m_loo_negatives": _frame(negatives),
        "ml1m_items": films,
        "ml1m_users": users,
    }


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(f"{path}: this file of the archive is missing")
    return [line for line in path.read_text(_ENCODING).splitlines() if line]


def _fields(path: Path, between: str, columns: Sequence[str]) -> pd.DataFrame:
    rows = [line.split(between) for line in _lines(path)]
    odd = next((number for number, row in enumerate(rows, 1) if len(row) != len(columns)), None)
    if odd is not None:
        raise DataError(f"{path.name}: line {odd} must have {len(columns)} fields")
    return _frame(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))


def _frame(columns: dict[str, list[object]] | dict[str, object]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m stablib.data.movielens_files FOLDER TO")
    for made in convert(Path(sys.argv[1]), Path(sys.argv[2])):
        print(made)
