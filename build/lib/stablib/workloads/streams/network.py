"""The networks as plain numpy: first weights and predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from stablib.workloads.streams.recipe import StreamRecipe
from stablib.workloads.streams.truth import N_FEATURES

#: Examples that are predicted at once.
_CHUNK = 4096


def layers(
    recipe: StreamRecipe, parameters: NDArray[Any]
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Weights (inputs, outputs) and biases (outputs,) of every layer, as views."""
    views, start = [], 0
    for inputs, outputs in recipe.shapes:
        stop = start + inputs * outputs
        weights = parameters[start:stop].reshape(inputs, outputs)
        views.append((weights, parameters[stop : stop + outputs]))
        start = stop + outputs
    return views


def embedding_mask() -> NDArray[np.bool_]:
    """Which weights of an embedding exist, shape (32, 4): each half has two units of its own."""
    half = np.arange(N_FEATURES) // (N_FEATURES // 2)
    return half[:, None] == np.arange(4) // 2


def first_parameters(recipe: StreamRecipe, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw initial weights as Keras does by default.

    Glorot-uniform weights, uniform within 0.05 for embeddings; all biases are 0.

    Returns
    -------
    ndarray of float32, shape (n_parameters,)
    """
    parameters = np.zeros(recipe.n_parameters, dtype=np.float32)
    for number, (weights, _) in enumerate(layers(recipe, parameters)):
        embedded = recipe.embedding and number == 0
        bound = 0.05 if embedded else np.sqrt(6.0 / sum(weights.shape))
        weights[:] = rng.uniform(-bound, bound, size=weights.shape)
        if embedded:
            weights *= embedding_mask()
    return parameters


def log_odds(
    recipe: StreamRecipe, parameters: NDArray[np.float32], features: NDArray[Any]
) -> NDArray[np.float64]:
    """Predicted log-odds of label 1, in double precision.

    Models that differ in the last bits of their weights differ here too; in single precision the
    rounding of the prediction would hide it.

    Parameters
    ----------
    recipe : StreamRecipe
        Network.
    parameters : ndarray of float32, shape (n_parameters,)
        Weights.
    features : ndarray, shape (n_examples, 32)
        0 or 1.

    Returns
    -------
    ndarray of float64, shape (n_examples,)
    """
    parts = np.array_split(features, max(1, len(features) // _CHUNK))
    return np.concatenate([_forward(recipe, parameters, part) for part in parts])


def _forward(
    recipe: StreamRecipe, parameters: NDArray[np.float32], features: NDArray[Any]
) -> NDArray[np.float64]:
    values = features.astype(np.float64)
    views = layers(recipe, parameters.astype(np.float64))
    for number, (weights, biases) in enumerate(views):
        values = values @ weights + biases
        if number < len(views) - 1 and not (recipe.embedding and number == 0):
            values = activate(recipe, values)
    return values[:, 0]


def activate(recipe: StreamRecipe, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The recipe's activation."""
    b = recipe.beta
    if recipe.activation == "identity":
        return z
    if recipe.activation == "relu":
        return np.maximum(z, 0.0)
    if recipe.activation == "swish":
        return z * expit(b * z)
    bent: NDArray[np.float64] = np.where(z < b, (z + b) ** 2 / (4.0 * b), z)
    return np.where(z <= -b, 0.0, bent)
