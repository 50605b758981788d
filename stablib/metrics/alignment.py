"""Compare the weights of two networks, with or without the symmetries of hidden units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_array, as_finite

#: Weights (n_inputs, n_outputs) and biases (n_outputs,).
Layer = tuple[NDArray[np.floating], NDArray[np.floating]]
#: Which symmetries are taken out before two networks are compared.
Symmetries = Literal["none", "units", "units and signs"]


def weight_difference(
    first: Sequence[Layer], second: Sequence[Layer], *, align: Symmetries = "none"
) -> float:
    """Root mean square difference of the weights and biases of two networks.

    Parameters
    ----------
    first, second : sequence of (weights, biases)
        As for :func:`align_units`.
    align : {"none", "units", "units and signs"}, default "none"
        Whether the second network's hidden units are reordered first, and their signs turned:
        with ``"none"`` two networks that compute the same can differ.

    Returns
    -------
    float
        In units of the weights.

    Raises
    ------
    UsageError
        If the shapes of the networks differ, the layers of a network do not fit, or a weight is
        not finite.

    Examples
    --------
    >>> weights, zeros = np.array([[1.0, 2.0]]), np.zeros(2)
    >>> a = [(weights, zeros), (np.array([[3.0], [4.0]]), np.zeros(1))]
    >>> b = [(weights[:, ::-1], zeros), (np.array([[4.0], [3.0]]), np.zeros(1))]
    >>> round(weight_difference(a, b), 4), weight_difference(a, b, align="units")
    (0.7559, 0.0)
    """
    ours, theirs = _flat(first, second, align)
    return float(np.sqrt(((ours - theirs) ** 2).mean()))


def weight_correlation(
    first: Sequence[Layer], second: Sequence[Layer], *, align: Symmetries = "none"
) -> float:
    """Pearson correlation of the weights and biases of two networks.

    Parameters
    ----------
    first, second, align
        As for :func:`weight_difference`.

    Returns
    -------
    float
        Between -1 and 1; nan if all weights of a network are equal.

    Raises
    ------
    UsageError
        If the shapes of the networks differ, the layers of a network do not fit, or a weight is
        not finite.

    Examples
    --------
    >>> layers = [(np.array([[1.0, 2.0]]), np.zeros(2)), (np.array([[3.0], [4.0]]), np.zeros(1))]
    >>> round(weight_correlation(layers, layers), 6)
    1.0
    """
    ours, theirs = _flat(first, second, align)
    if np.ptp(ours) == 0.0 or np.ptp(theirs) == 0.0:
        return float("nan")
    return float(np.corrcoef(ours, theirs)[0, 1])


def _flat(
    first: Sequence[Layer], second: Sequence[Layer], align: Symmetries
) -> tuple[NDArray[np.float64], ...]:
    """All numbers of both networks, each as one vector."""
    if align not in get_args(Symmetries):
        raise unknown("align", align, get_args(Symmetries))
    first, second = _networks(first, second)
    if align != "none":
        second = align_units(first, second, signs=align == "units and signs")
    return tuple(
        np.concatenate([np.asarray(part, np.float64).ravel() for layer in net for part in layer])
        for net in (first, second)
    )


def align_units(
    first: Sequence[Layer], second: Sequence[Layer], *, signs: bool = False
) -> list[Layer]:
    """Reorder the hidden units of the second network to resemble the first one's.

    A network computes the same if the units of a hidden layer change places, and, with identity
    (or another odd) activation, if a unit changes its sign. Layer by layer, the assignment with
    the smallest squared distance of the incoming weights and biases is taken.

    Parameters
    ----------
    first, second : sequence of (weights, biases)
        Layers from the input to the output; weights of shape (n_inputs, n_outputs).
    signs : bool, default False
        Also flip units. Right for identity units only.

    Returns
    -------
    list of (weights, biases)
        The second network, which computes the same as before.

    Raises
    ------
    UsageError
        If the shapes of the networks differ, the layers of a network do not fit, or a weight is
        not finite.

    Examples
    --------
    >>> weights, zeros = np.array([[1.0, 2.0]]), np.zeros(2)
    >>> out = np.array([[3.0], [4.0]])
    >>> a = [(weights, zeros), (out, np.zeros(1))]
    >>> b = [(weights[:, ::-1], zeros), (out[::-1], np.zeros(1))]
    >>> align_units(a, b)[0][0]
    array([[1., 2.]])
    """
    from scipy.optimize import linear_sum_assignment  # Loading it takes most of a second.

    first, second = _networks(first, second)
    layers = [(w.copy(), b.copy()) for w, b in second]
    for number, (goal, goal_bias) in enumerate(first[:-1]):
        weights, bias = layers[number]
        ours = np.vstack([weights, bias]).T
        theirs = np.vstack([goal, goal_bias]).T
        products = theirs @ ours.T
        gain = np.abs(products) if signs else products
        distance = (theirs**2).sum(1)[:, None] + (ours**2).sum(1) - 2.0 * gain
        rows, chosen = linear_sum_assignment(distance)
        flip = np.where(signs & (products[rows, chosen] < 0.0), -1.0, 1.0).astype(weights.dtype)
        layers[number] = (weights[:, chosen] * flip, bias[chosen] * flip)
        after, after_bias = layers[number + 1]
        layers[number + 1] = (after[chosen] * flip[:, None], after_bias)
    return layers


def _networks(first: Sequence[Layer], second: Sequence[Layer]) -> tuple[list[Layer], list[Layer]]:
    """Return the layers of two networks of the same shapes as plain arrays."""
    ours, theirs = _layers(first, "first"), _layers(second, "second")
    shapes = [[weights.shape for weights, _ in network] for network in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise UsageError(f"networks must have the same shapes, got {shapes[0]} and {shapes[1]}")
    return ours, theirs


def _layers(network: Sequence[Layer], name: str) -> list[Layer]:
    """Return layers as plain arrays, each of which takes what the one before gives."""
    try:
        pairs = [(weights, biases) for weights, biases in network]
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be a sequence of layers (weights, biases)") from None
    if not pairs:
        raise UsageError(f"{name} must hold at least one layer (weights, biases), got none")
    layers: list[Layer] = []
    for number, pair in enumerate(pairs):
        weights, biases = (as_array(part, name=f"{name}[{number}]") for part in pair)
        if weights.ndim != 2 or not weights.size or biases.shape != weights.shape[1:]:
            raise UsageError(
                f"{name}[{number}] must be weights of shape (n_inputs, n_outputs) and biases of "
                f"shape (n_outputs,), not empty, got {weights.shape} and {biases.shape}"
            )
        if layers and len(layers[-1][1]) != len(weights):
            raise UsageError(
                f"{name}[{number}] must have {len(layers[-1][1])} inputs, the outputs of the layer "
                f"before, got {len(weights)}"
            )
        for part in (weights, biases):
            as_finite(part, name=f"{name}[{number}]")
        layers.append((weights, biases))
    return layers
