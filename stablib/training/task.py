"""A data set made ready for one kind of model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.data.registry import cache_folder
from stablib.models import encoders, features, tokens
from stablib.training.recipe import Head, Recipe


@dataclasses.dataclass(frozen=True)
class Task:
    """What a trainer needs of the data.

    Parameters
    ----------
    inputs : mapping of str
        By split: features (n_examples, n_features) for a head, token ids for fine-tuning.
    gold : mapping of str to ndarray of int, shape (n_examples,)
        Gold class indices by split.
    n_classes : int
        Number of classes.
    """

    inputs: Mapping[str, Any]
    gold: Mapping[str, NDArray[np.integer]]
    n_classes: int

    def one_hot(self) -> NDArray[np.float32]:
        """Gold labels of the training set, shape (n_train, n_classes)."""
        return np.eye(self.n_classes, dtype=np.float32)[self.gold["train"]]


def prepare(recipe: Recipe, dataset: Dataset) -> Task:
    """Make the inputs of a recipe's model from the texts of its data.

    Parameters
    ----------
    recipe : Recipe
        Names encoder and model.
    dataset : Dataset
        With texts.

    Returns
    -------
    Task
        Features come from a cache on disk where they were made before.

    Raises
    ------
    stablib.errors.StablibError
        If the encoder is missing (the message says how to get it) or there are no texts.
    """
    data = dataset.head(recipe.limit)
    if data.texts is None:
        raise ValueError(
            f"dataset {dataset.name!r} has no texts at hand, so nothing can be trained"
        )
    encoder = encoders.find(recipe.encoder)
    inputs: dict[str, Any]
    if isinstance(recipe.model, Head):
        cache = cache_folder() / "features"
        inputs = {k: features.features(encoder, v, cache=cache) for k, v in data.texts.items()}
    else:
        inputs = {k: tokens.tokenize(encoder, v) for k, v in data.texts.items()}
    return Task(inputs=inputs, gold=data.gold, n_classes=data.n_classes)
