"""Initial weights of torch modules from an explicit generator."""

from __future__ import annotations

import numpy as np
import torch


def draw_uniform(
    parameters: list[torch.nn.Parameter], fan_in: int, rng: np.random.Generator
) -> None:
    """Draw weights and biases uniformly within 1 / sqrt(fan in), as torch's layers do.

    Parameters
    ----------
    parameters : list of torch.nn.Parameter
        Filled in place, in their order.
    fan_in : int
        Inputs of a unit.
    rng : numpy.random.Generator
        Draws single precision numbers.

    Examples
    --------
    >>> layer = torch.nn.Linear(4, 2)
    >>> draw_uniform([layer.weight, layer.bias], 4, np.random.default_rng(0))
    >>> bool(layer.weight.abs().max() <= 0.5)
    True
    """
    bound = fan_in**-0.5
    for parameter in parameters:
        draws = rng.random(tuple(parameter.shape), dtype=np.float32)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(draws) * (2 * bound) - bound)


def linear(
    n_inputs: int, n_outputs: int, rng: np.random.Generator, *, bias: bool = True
) -> torch.nn.Linear:
    """Make a linear layer with weights from a generator.

    Examples
    --------
    >>> linear(4, 2, np.random.default_rng(0)).weight.shape
    torch.Size([2, 4])
    """
    layer = torch.nn.utils.skip_init(torch.nn.Linear, n_inputs, n_outputs, bias=bias)
    assert isinstance(layer, torch.nn.Linear)
    draw_uniform(list(layer.parameters()), n_inputs, rng)
    return layer
