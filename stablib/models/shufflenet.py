"""ShuffleNet v2 of half the usual width, for small images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import convolution, linear
from stablib.models.norm import BatchNorm

#: Channels of the first convolution and of the last one; of the three stages and their units.
_FIRST, _LAST, _STAGES = 24, 1024, ((48, 4), (96, 8), (192, 4))


class _Branch(torch.nn.Module):
    """A convolution a channel, perhaps between two of width 1; each with batch norm."""

    def __init__(
        self, n_inputs: int, n_outputs: int, rng: np.random.Generator, *, stride: int, begins: bool
    ) -> None:
        super().__init__()
        width = n_outputs if begins else n_inputs
        self.mix = convolution(n_inputs, width, 1, rng) if begins else None
        self.mix_norm = BatchNorm(width) if begins else None
        self.each = convolution(width, width, 3, rng, stride=stride, groups=width)
        self.each_norm = BatchNorm(width)
        self.last = convolution(width, n_outputs, 1, rng)
        self.last_norm = BatchNorm(n_outputs)

    def forward(self, states: Tensor) -> Tensor:
        if self.mix is not None and self.mix_norm is not None:
            states = functional.relu(self.mix_norm(self.mix(states)))
        states = self.each_norm(self.each(states))
        return functional.relu(self.last_norm(self.last(states)))


class _Unit(torch.nn.Module):
    """Half of the channels go through a branch; the first unit of a stage has two branches."""

    def __init__(self, n_inputs: int, n_outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        half, self.halves = n_outputs // 2, n_inputs != n_outputs
        self.left = _Branch(n_inputs, half, rng, stride=2, begins=False) if self.halves else None
        self.right = _Branch(
            n_inputs if self.halves else half,
            half,
            rng,
            stride=2 if self.halves else 1,
            begins=True,
        )

    def forward(self, states: Tensor) -> Tensor:
        left, right = (states, states) if self.halves else states.chunk(2, dim=1)
        left = left if self.left is None else self.left(left)
        return functional.channel_shuffle(torch.cat([left, self.right(right)], dim=1), 2)


class ShuffleNet(torch.nn.Module):
    """ShuffleNet v2 at 0.5 of its width.

    Parameters
    ----------
    n_channels, n_classes : int
        Of the images, and of the labels.
    rng : numpy.random.Generator
        Draws the initial weights.
    stride : int, default 1
        Of the first convolution. The pooling after it, which images of ImageNet have, is left out.

    References
    ----------
    Ma et al. 2018, Table 5; nondeterminism paper, Table 6.

    Examples
    --------
    >>> ShuffleNet(3, 10, np.random.default_rng(0))(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, n_channels: int, n_classes: int, rng: np.random.Generator, *, stride: int = 1
    ) -> None:
        super().__init__()
        self.stem = convolution(n_channels, _FIRST, 3, rng, stride=stride)
        self.stem_norm = BatchNorm(_FIRST)
        units, width = [], _FIRST
        for n_outputs, n_units in _STAGES:
            for _ in range(n_units):
                units.append(_Unit(width, n_outputs, rng))
                width = n_outputs
        self.units = torch.nn.Sequential(*units)
        self.last = convolution(width, _LAST, 1, rng)
        self.last_norm = BatchNorm(_LAST)
        self.decoder = linear(_LAST, n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        states = functional.relu(self.stem_norm(self.stem(images)))
        states = functional.relu(self.last_norm(self.last(self.units(states))))
        return self.decoder(states.mean(dim=(2, 3)))
