"""Interactions made ready for training."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Interactions
from stablib.data.interactions import CLASSES, classes_of, negatives_for
from stablib.errors import UsageError
from stablib.models.ragged import Ragged
from stablib.training import Task
from stablib.workloads.ranking import RankingRecipe

#: Draws the items that are held out to choose hyper-parameters, and their negatives.
_HELD_OUT_SEED = 0


@dataclasses.dataclass(frozen=True)
class Choices(Task):
    """What a trainer of recommenders needs of the data.

    The inputs of ``train`` are the histories; those of ``test`` the candidates of each user, the
    item held out first, as rows of (user, item).

    Parameters
    ----------
    **fields
        As :class:`~stablib.training.Task`; gold classes are those of the items held out.
    classes : ndarray of int64, shape (n_interactions,)
        Class of each item of the histories.
    places : Ragged
        Of each user the places of the candidates among all candidates that there were: those that
        do not count are left out.
    n_items : int
        Number of items.
    n_examples : int
        Training examples of an epoch.
    """

    classes: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    places: Ragged = dataclasses.field(
        default_factory=lambda: Ragged(np.zeros(0, np.int64), np.zeros(1, np.int64))
    )
    n_items: int = 0
    n_examples: int = 0

    @property
    def sizes(self) -> dict[str, int]:
        """Training examples of an epoch, and users that are tested."""
        return {"train": self.n_examples, "test": len(self.gold["test"])}

    @property
    def lesson(self) -> Ragged:
        """Every user with every item: which of those not chosen are drawn, no teacher knows."""
        n_users = len(self.histories)
        pairs = np.indices((n_users, self.n_items)).reshape(2, -1).T
        return Ragged(pairs, self.n_items * np.arange(n_users + 1))

    @property
    def key(self) -> str:
        """Hash of everything that training and evaluation read."""
        return hashlib.sha256(super().key.encode() + self.classes.tobytes()).hexdigest()

    @property
    def histories(self) -> Ragged:
        """Items by user."""
        return cast(Ragged, self.inputs["train"])

    @cached_property
    def chosen(self) -> NDArray[np.bool_]:
        """Which items are in whose history, shape (n_users, n_items)."""
        users = np.repeat(np.arange(len(self.histories)), self.histories.lengths)
        seen = np.zeros((len(self.histories), self.n_items), dtype=bool)
        seen[users, self.histories.values] = True
        return seen

    def of_two_classes(self) -> Choices:
        """The same, where it only matters whether an item was chosen."""
        gold = {split: np.minimum(classes, 1) for split, classes in self.gold.items()}
        return dataclasses.replace(
            self, gold=gold, n_classes=2, classes=np.minimum(self.classes, 1)
        )

    def negatives(self, rng: np.random.Generator, users: NDArray[np.integer]) -> NDArray[np.int64]:
        """Draw an item that is not in the history for each of some users, who may repeat."""
        drawn = rng.integers(self.n_items, size=len(users))
        while (again := np.flatnonzero(self.chosen[users, drawn])).size:
            drawn[again] = rng.integers(self.n_items, size=again.size)
        return drawn


def prepare(recipe: RankingRecipe, dataset: Interactions) -> Choices:
    """Make a task of a data set.

    Raises
    ------
    UsageError
        If a user's history is empty or has all items, or ratings are needed and not known.
    """
    data = recipe.part(dataset)
    assert isinstance(data, Interactions)
    label = recipe.label
    classes = classes_of(data.ratings, label)
    # What stands in may have ratings where choices are asked for.
    gold = data.gold["test"] if data.label == label else np.ones(data.n_users, np.int64)
    histories, candidates = Ragged(data.history, data.starts), data.candidates
    if recipe.held_out:
        histories, classes, candidates, gold = _held_out(data, histories, classes)
    full = np.flatnonzero(histories.lengths >= data.n_items)
    if full.size:
        raise UsageError(f"user {full[0]} has all {data.n_items} items: no negatives are left")
    counts = (candidates >= 0).sum(axis=1)
    users, places = np.nonzero(candidates >= 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    pairs = np.column_stack([users, candidates[users, places]]).astype(np.int64)
    return Choices(
        inputs={"train": histories, "test": Ragged(pairs, starts)},
        gold={"train": np.zeros(data.n_users, np.int64), "test": gold},
        n_classes=len(CLASSES[label]),
        classes=classes,
        places=Ragged(places, starts),
        n_items=data.n_items,
        n_examples=recipe.n_examples(data.n_users, len(histories.values)),
    )


def _held_out(
    data: Interactions, histories: Ragged, classes: NDArray[np.int64]
) -> tuple[Ragged, NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Take one item of each history out, and rank it among others that were not chosen."""
    rng = np.random.default_rng(_HELD_OUT_SEED)
    short = np.flatnonzero(histories.lengths < 2)
    if short.size:
        raise UsageError(f"user {short[0]} has one item: none is left if it is held out")
    out = histories.starts[:-1] + rng.integers(histories.lengths)
    # The test item is among those that no negative may be: nothing is to be learnt of it.
    chosen = [
        np.append(items, first)
        for items, first in zip(
            np.split(histories.values, histories.starts[1:-1]), data.candidates[:, 0], strict=True
        )
    ]
    negatives = negatives_for(rng, chosen, data.n_items, data.candidates.shape[1] - 1)
    kept = np.ones(len(histories.values), dtype=bool)
    kept[out] = False
    starts = histories.starts - np.arange(len(histories.starts))
    return (
        Ragged(histories.values[kept], starts),
        classes[kept],
        np.column_stack([histories.values[out], negatives]),
        classes[out],
    )
