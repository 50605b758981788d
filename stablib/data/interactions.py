"""Who chose what: histories of users, an item that each chose later, and items to rank it among."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stablib.data.dataset import Dataset, place_ids
from stablib.errors import UsageError, unknown

#: Class names by kind of label; of ratings, those up to the number given are dislikes.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "choice": ("not chosen", "chosen"),
    "rating": ("not chosen", "disliked", "liked"),
}
_DISLIKED = 2
_RATINGS = (0, 5)


@dataclasses.dataclass(frozen=True)
class Interactions(Dataset):
    """Histories of users by what they chose; an example is a user.

    The gold class is that of the last item of the history (``train``) and of the item that is held
    out (``test``): whether it was chosen, as all were, or how it was rated.

    Parameters
    ----------
    **fields
        As :class:`~stablib.data.Dataset`; it has no texts.
    history : ndarray of int32, shape (n_interactions,)
        Items of all users, one user after the other; each item once a user.
    starts : ndarray of int64, shape (n_users + 1,)
        The history of user u is ``history[starts[u] : starts[u + 1]]``.
    ratings : ndarray of int8, shape (n_interactions,)
        From 1 to 5; 0 where it is not known.
    candidates : ndarray of int32, shape (n_users, n_candidates)
        The item held out, then items that the user did not choose; -1 for one that does not count.
    n_items : int
        Number of items.
    titles, genres : tuple
        Of each item its title and its genres; empty where they are not known.
    ages : ndarray of int16, shape (n_users,)
        Of users, in years; -1 where it is not known.
    """

    history: NDArray[np.int32] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int32))
    starts: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(1, np.int64))
    ratings: NDArray[np.int8] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int8))
    candidates: NDArray[np.int32] = dataclasses.field(
        default_factory=lambda: np.zeros((0, 0), np.int32)
    )
    n_items: int = 0
    titles: tuple[str, ...] = ()
    genres: tuple[tuple[str, ...], ...] = ()
    ages: NDArray[np.int16] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int16))

    @property
    def trainable(self) -> bool:
        """Whether the histories are at hand, and not the labels alone."""
        return len(self.history) > 0

    @property
    def published_gold(self) -> dict[str, NDArray[np.integer]]:
        """That items were chosen: how users rated them is not ours to give out."""
        return {split: np.ones(len(gold), np.int64) for split, gold in self.gold.items()}

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.starts) - 1

    def items_of(self, user: int) -> NDArray[np.int32]:
        """History of a user.

        Raises
        ------
        UsageError
            If there is no such user.
        """
        if not 0 <= user < self.n_users:
            raise UsageError(f"user must be between 0 and {self.n_users - 1}, got {user}")
        return self.history[self.starts[user] : self.starts[user + 1]]

    def describe_item(self, item: int) -> str:
        """Title of an item, or its number where titles are not at hand.

        Raises
        ------
        UsageError
            If there is no such item.
        """
        if not 0 <= item < self.n_items:
            raise UsageError(f"item must be between 0 and {self.n_items - 1}, got {item}")
        return self.titles[item] if self.titles else f"item {item}"

    def head(self, limit: int | None, *, others: int | EllipsisType | None = ...) -> Self:
        """Keep the first users; the items stay."""
        if others not in (..., limit):
            raise UsageError("users are examples of all splits: others must not differ from limit")
        part = super().head(limit)
        starts = self.starts[: None if limit is None else limit + 1]
        kept = slice(int(starts[-1]))
        return dataclasses.replace(
            part,
            history=self.history[kept],
            ratings=self.ratings[kept],
            starts=starts,
            candidates=self.candidates[:limit],
            ages=self.ages[:limit],
        )


def classes_of(ratings: NDArray[np.integer], label: str) -> NDArray[np.int64]:
    """Class of chosen items.

    Parameters
    ----------
    ratings : ndarray of int
        From 1 to 5, or 0 where it is not known.
    label : {"choice", "rating"}
        Kind of label.

    Raises
    ------
    UsageError
        If a rating is needed and not known.

    Examples
    --------
    >>> classes_of(np.array([1, 2, 3, 5]), "rating").tolist()
    [1, 1, 2, 2]
    """
    if label == "choice":
        return np.ones(len(ratings), np.int64)
    if len(ratings) and ratings.min() == 0:
        raise UsageError(
            f"ratings of {int((ratings == 0).sum()):,} interactions are not known: three classes "
            "need every rating"
        )
    return np.where(ratings <= _DISLIKED, 1, 2).astype(np.int64)


def from_tables(
    tables: Mapping[str, Any], *, name: str, label: str, source: str, notice: str = ""
) -> Interactions:
    """Make a data set of interactions.

    Parameters
    ----------
    tables : mapping
        Arrays and sequences by name:

        ``"user"``, ``"item"``, ``"rating"``
            One element an interaction, in the order in which each user's history is kept; numbers
            of users and items count from 0.
        ``"held_out"``, ``"held_rating"``
            Of shape (n_users,): of each user the item that the history lacks, and its rating.
        ``"negatives"``
            Of shape (n_users, n_negatives): items to rank it among; -1 for one that does not
            count.
        ``"n_items"``
            Number of items.
        ``"titles"``, ``"genres"``, ``"ages"``, optional
            As for :class:`Interactions`.
    name, label, source, notice : str
        As for :class:`~stablib.data.Dataset`; the label is ``"choice"`` or ``"rating"``.

    Returns
    -------
    Interactions

    Raises
    ------
    UsageError
        If something is no whole number, lengths differ, or the label is unknown; if a user has no
        history, an item is unknown, an item occurs twice in a history or is among the negatives of
        a user who chose it, or a rating is out of range. The first user concerned is named.

    Examples
    --------
    >>> films = from_tables(
    ...     {
    ...         "user": [0, 0, 1], "item": [2, 0, 1], "rating": [5, 1, 3],
    ...         "held_out": [1, 2], "held_rating": [4, 2], "negatives": [[3], [3]], "n_items": 4,
    ...     },
    ...     name="films", label="rating", source="made up",
    ... )
    >>> films.items_of(0).tolist(), films.gold["test"].tolist(), films.candidates.tolist()
    ([2, 0], [2, 1], [[1, 3], [2, 3]])
    """
    if label not in CLASSES:
        raise unknown("label", label, CLASSES)
    n_items = int(tables["n_items"])
    users, items, ratings = _columns(tables, "user", "item", "rating")
    held, held_ratings, negatives = _columns(tables, "held_out", "held_rating", "negatives")
    n_users = len(held)
    if n_users == 0 or users.min(initial=0) < 0:
        found = "no user" if n_users == 0 else f"user {users.min()}"
        raise UsageError(f"users must be counted from 0, one element of held_out each, got {found}")
    candidates = np.column_stack([held, negatives])
    _refuse_unknown(items, users, n_items)
    _refuse_unknown(held, np.arange(n_users), n_items)
    asked = np.repeat(np.arange(n_users), candidates.shape[1])
    _refuse_unknown(candidates.ravel(), asked, n_items, lowest=-1)
    for values, of in ((ratings, users), (held_ratings, np.arange(n_users))):
        low, high = _RATINGS
        odd = np.flatnonzero((values < low) | (values > high))
        if odd.size:
            raise UsageError(
                f"ratings must be from 1 to {high}, or 0 where they are not known, got "
                f"{values[odd[0]]} of user {of[odd[0]]}"
            )
    counts = np.bincount(users, minlength=n_users)
    if len(counts) > n_users or (counts == 0).any():
        lost = int(np.flatnonzero(counts == 0)[0]) if (counts == 0).any() else n_users
        missing = "history" if lost < n_users else "item held out"
        raise UsageError(f"user {lost} has no {missing}: every user needs one")
    order = np.argsort(users, kind="stable")
    history, rated = items[order].astype(np.int32), ratings[order].astype(np.int8)
    starts = np.concatenate([[0], np.cumsum(counts)])
    owners = np.append(users[order], np.arange(n_users)).astype(np.int64)
    pairs = owners * n_items + np.append(history, held)
    unique, times = np.unique(pairs, return_counts=True)
    if (times > 1).any():
        user, item = divmod(int(unique[times > 1][0]), n_items)
        raise UsageError(f"user {user} has item {item} twice: an item is chosen once, or held out")
    chosen = np.isin(asked.astype(np.int64) * n_items + candidates.ravel(), unique)
    chosen = chosen.reshape(candidates.shape)[:, 1:] & (candidates[:, 1:] >= 0)
    if chosen.any():
        user = int(chosen.any(axis=1).argmax())
        item = candidates[user, 1:][chosen[user]][0]
        raise UsageError(f"user {user} has chosen item {item}, which is among the negatives")
    parts: dict[str, NDArray[Any]] = {
        "history": history,
        "starts": starts.astype(np.int64),
        "candidates": candidates.astype(np.int32),
    }
    classes = {
        "train": classes_of(rated, label)[starts[1:] - 1],
        "test": classes_of(held_ratings, label),
    }
    # Known ratings matter only where they are the labels.
    of_label: dict[str, NDArray[Any]] = (
        {"ratings": rated, "held": held_ratings} if label == "rating" else {}
    )
    return Interactions(
        name=name,
        label=label,
        label_names=CLASSES[label],
        texts=None,
        gold=classes,
        ids={split: place_ids(split, n_users) for split in classes},
        content_hash=interactions_hash(n_items, {**parts, **of_label}),
        source=source,
        notice=notice,
        ratings=rated,
        n_items=n_items,
        titles=tuple(tables.get("titles", ())),
        genres=tuple(tuple(of) for of in tables.get("genres", ())),
        ages=np.asarray(tables.get("ages", np.full(n_users, -1)), np.int16),
        **parts,
    )


def _columns(tables: Mapping[str, Any], *names: str) -> list[NDArray[np.int64]]:
    """Whole numbers by name, as many of each; nothing is rounded."""
    found = {}
    for name in names:
        values = np.asarray(tables[name])
        whole = values.size == 0 or np.issubdtype(values.dtype, np.number)
        odd = np.flatnonzero(values.ravel() != np.floor(values.ravel())) if whole else [0]
        if not whole or len(odd):
            raise UsageError(
                f"{name} must hold whole numbers, got {values.ravel()[odd[0]]!r} at {odd[0]}"
            )
        found[name] = values.astype(np.int64)
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} of {name}" for name, length in lengths.items())
        raise UsageError(f"{', '.join(names)} must be as many as each other, got {said}")
    return list(found.values())


def _refuse_unknown(
    items: NDArray[Any], users: NDArray[Any], n_items: int, *, lowest: int = 0
) -> None:
    odd = np.flatnonzero((items < lowest) | (items >= n_items))
    if odd.size:
        raise UsageError(
            f"items must be between 0 and {n_items - 1}, got {items[odd[0]]} of user "
            f"{users[odd[0]]}"
        )


def interactions_hash(n_items: int, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Hash of everything that training and testing read: the data's identity in a run's key."""
    digest = hashlib.sha256(str(n_items).encode())
    for name, array in arrays.items():
        digest.update(f"{name}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<i4").tobytes())
    return digest.hexdigest()


def negatives_for(
    rng: np.random.Generator, chosen: Sequence[NDArray[np.integer]], n_items: int, count: int
) -> NDArray[np.int32]:
    """Draw items that users did not choose.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws them, without repetition.
    chosen : sequence of ndarray of int
        By user.
    n_items, count : int
        Of so many items so many are drawn a user.

    Returns
    -------
    ndarray of int32, shape (n_users, count)

    Raises
    ------
    UsageError
        If a user has chosen too many.
    """
    drawn = np.empty((len(chosen), count), np.int32)
    for user, items in enumerate(chosen):
        others = np.setdiff1d(np.arange(n_items), items)
        if len(others) < count:
            raise UsageError(
                f"user {user} has not chosen {len(others)} of {n_items} items: too few to draw "
                f"{count} of them"
            )
        drawn[user] = rng.choice(others, count, replace=False)
    return drawn
