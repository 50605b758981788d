"""Read MovieLens from files of one's own: its licence forbids to pass them on.

:mod:`stablib.data.movielens_files` makes the files of the archives that GroupLens gives out. The
histories are in the order of the file, or of time where that is known of all. Users and items are
numbered by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stablib.data.interactions import from_tables, negatives_for
from stablib.data.schema import Entry
from stablib.data.tastes import generate
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: Negatives of a user, and the seed with which those of MovieLens-100K are drawn.
_N_NEGATIVES, _SEED = 99, 0

_GROUPLENS = "GroupLens: research only, no redistribution"
_CITATION = "Harper and Konstan 2015, doi:10.1145/2827872"


def read_1m(path: Path) -> dict[str, Any]:
    """Read MovieLens-1M, and the test items and negatives of He et al. 2017.

    Beside the file of interactions lie those of the negatives, of items and of users.

    Raises
    ------
    DataError
        If a file is missing or unreadable, or lacks a column.
    """
    rated = _table(path, ("user", "item", "rating", "loo_test"))
    given = _table(path.with_name("ml1m_loo_negatives.parquet"), ("user", "item", "negatives"))
    given = given.sort_values("user")
    items = np.unique(rated["item"])
    negatives = np.searchsorted(items, np.stack(given["negatives"].to_list()))
    held = np.searchsorted(items, given["item"].to_numpy())
    # Of some users the released file has the test item among its negatives.
    negatives[negatives == held[:, None]] = -1
    films = _table(path.with_name("ml1m_items.parquet"), ("item", "title", "genres"))
    users = _table(path.with_name("ml1m_users.parquet"), ("user", "age_group"))
    return _tables(rated, items, negatives, films, users.set_index("user")["age_group"])


def read_100k(path: Path) -> dict[str, Any]:
    """Read MovieLens-100K: each user's last rating by time is held out, negatives are drawn.

    Raises
    ------
    DataError
        As :func:`read_1m`.
    """
    rated = _table(path, ("user", "item", "rating", "timestamp", "loo_test"))
    rated = rated.sort_values(["user", "timestamp"], kind="stable")
    items = np.unique(rated["item"])
    numbers = np.searchsorted(items, rated["item"])
    chosen = [numbers[rows] for rows in rated.reset_index().groupby("user").indices.values()]
    negatives = negatives_for(np.random.default_rng(_SEED), chosen, len(items), _N_NEGATIVES)
    films = _table(path.with_name("ml100k_items.parquet"), ("item", "title", "genres"))
    users = _table(path.with_name("ml100k_users.parquet"), ("user", "age"))
    return _tables(rated, items, negatives, films, users.set_index("user")["age"])


def _tables(
    rated: pd.DataFrame,
    items: Any,
    negatives: Any,
    films: pd.DataFrame,
    ages: Mapping[Any, Any] | pd.Series[Any],
) -> dict[str, Any]:
    """Number users and items, and part what is held out from the histories."""
    ids = np.unique(rated["user"])
    rated = rated.assign(
        user=np.searchsorted(ids, rated["user"]),
        item=np.searchsorted(items, rated["item"]),
        rating=rated["rating"].fillna(0).astype(int),
    )
    out = rated["loo_test"].to_numpy(bool)
    held, kept = rated[out].sort_values("user"), rated[~out]
    known = films.set_index("item").loc[items]
    return {
        "user": kept["user"].to_numpy(),
        "item": kept["item"].to_numpy(),
        "rating": kept["rating"].to_numpy(),
        "held_out": held["item"].to_numpy(),
        "held_rating": held["rating"].to_numpy(),
        "negatives": negatives,
        "n_items": len(items),
        "titles": known["title"].to_list(),
        "genres": [genres.split("|") for genres in known["genres"]],
        "ages": np.array([ages[user] for user in ids]),
    }


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name}: not a readable parquet file ({error})") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{path.name}: column {missing[0]!r} is missing (it has {', '.join(frame.columns)})"
        )
    return frame[list(columns)]


#: What needs no file: what stands in for the others.
TASTES = Entry(
    name="tastes",
    title="Generated choices",
    labels=("choice", "rating"),
    holdout="test",
    licence="Apache-2.0, as stablib",
    citation="stablib",
    # The ratings come along, whichever label is asked for.
    content=dict.fromkeys(
        ("choice", "rating"), "f4ff30a886b2025bcc82433e8d66da068d223d063e11f017b0a2909bd8db7d5d"
    ),
    sizes={"train": 400, "test": 400},
    generate=generate,
    quoted=None,
)

#: Made by others, and not shipped. The 1M file at hand lacks the ratings of 43 % of its rows.
INTERACTIONS = (
    Entry(
        name="movielens-1m",
        title="MovieLens-1M",
        labels=("choice",),
        holdout="test",
        licence=_GROUPLENS,
        citation=f"{_CITATION}; split of He et al. 2017",
        content={"choice": "3c615048e059285020c8412a22478ef1239368aab805d4066702e5c81520d5d2"},
        sizes={"train": 6_040, "test": 6_040},
        file="ml1m_interactions.parquet",
        origin=(
            "ratings.dat of ml-1m.zip, with the test items of github.com/hexiangnan/"
            "neural_collaborative_filtering at 4aab159e81c44b062c091bdaed0ab54ac632371f, "
            "as stablib.data.movielens_files converts them"
        ),
        read=read_1m,
        build=from_tables,
        stand_in=generate,
    ),
    Entry(
        name="movielens-100k",
        title="MovieLens-100K",
        labels=("choice", "rating"),
        holdout="test",
        licence=_GROUPLENS,
        citation=_CITATION,
        content={
            "choice": "f6087a3642ec1ace89d674f7828eff3bc82f03f900fd60f4725009b4c37dea27",
            "rating": "dcfc25b4ad5186610f1463e1301e6e6c471fe07b0f82bc462e92d2888e2c7036",
        },
        sizes={"train": 943, "test": 943},
        file="ml100k_ratings.parquet",
        origin="ml-100k.zip, as stablib.data.movielens_files converts it",
        read=read_100k,
        build=from_tables,
        stand_in=generate,
    ),
)
