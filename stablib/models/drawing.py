"""Initial weights of torch modules from an explicit generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def draw_uniform(parameters: Sequence[torch.Tensor], fan_in: int, rng: np.random.Generator) -> None:
    """Draw weights and biases uniformly within 1 / sqrt(fan in), as torch's layers do.

    Parameters
    ----------
    parameters : sequence of Tensor
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


def convolution(
    n_inputs: int,
    n_outputs: int,
    width: int,
    rng: np.random.Generator,
    *,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
) -> torch.nn.Conv2d:
    """Make a convolution whose outputs are as large as its inputs, with weights from a generator.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels.
    width : int
        Odd width of the square kernel.
    rng : numpy.random.Generator
        Draws normal weights of variance 2 / fan out, Kaiming's for ReLU (He et al. 2015), as the
        released code of the nondeterminism paper does; a bias as :func:`draw_uniform` does.
    stride, groups, bias
        Of ``torch.nn.Conv2d``.

    Examples
    --------
    >>> convolution(3, 16, 3, np.random.default_rng(0), stride=2)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 16, 4, 4])
    """
    layer = torch.nn.utils.skip_init(
        torch.nn.Conv2d,
        n_inputs,
        n_outputs,
        width,
        stride=stride,
        padding=width // 2,
        groups=groups,
        bias=bias,
    )
    assert isinstance(layer, torch.nn.Conv2d)
    draw_kaiming(layer.weight, n_outputs * width**2, rng)
    if layer.bias is not None:
        draw_uniform([layer.bias], n_inputs // groups * width**2, rng)
    return layer


def draw_kaiming(weight: torch.Tensor, fan: int, rng: np.random.Generator) -> None:
    """Draw normal weights of variance 2 / fan, in place."""
    draw_normal(weight, (2 / fan) ** 0.5, rng)


def draw_normal(parameter: torch.Tensor, sd: float, rng: np.random.Generator) -> None:
    """Draw normal weights of mean 0, in place."""
    draws = rng.standard_normal(tuple(parameter.shape), dtype=np.float32) * np.float32(sd)
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(draws))


def normal(shape: tuple[int, ...], sd: float, rng: np.random.Generator) -> torch.nn.Parameter:
    """Make a parameter of normal weights of mean 0.

    Examples
    --------
    >>> normal((2, 3), 0.01, np.random.default_rng(0)).shape
    torch.Size([2, 3])
    """
    parameter = torch.nn.Parameter(torch.empty(shape))
    draw_normal(parameter, sd, rng)
    return parameter


def glorot_sd(n_inputs: int, n_outputs: int) -> float:
    """Standard deviation of Glorot and Bengio 2010: 2 / (fan in + fan out), its square root."""
    return float((2.0 / (n_inputs + n_outputs)) ** 0.5)
