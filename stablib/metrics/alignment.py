"""Align the hidden units of two networks: what differs after symmetries are taken out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from stablib.errors import UsageError

Layer = tuple[NDArray[np.floating], NDArray[np.floating]]


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
        If the shapes of the networks differ.

    Examples
    --------
    >>> weights, zeros = np.array([[1.0, 2.0]]), np.zeros(2)
    >>> out = np.array([[3.0], [4.0]])
    >>> a = [(weights, zeros), (out, np.zeros(1))]
    >>> b = [(weights[:, ::-1], zeros), (out[::-1], np.zeros(1))]
    >>> align_units(a, b)[0][0]
    array([[1., 2.]])
    """
    if [w.shape for w, _ in first] != [w.shape for w, _ in second]:
        raise UsageError(
            f"networks must have the same shapes, got {[w.shape for w, _ in first]} and "
            f"{[w.shape for w, _ in second]}"
        )
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
