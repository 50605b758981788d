"""Residual networks for small images, with the numbers of layers of the nondeterminism paper."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import convolution, linear
from stablib.models.norm import BatchNorm

#: Channels of the stages, of two blocks each, by the number of layers.
STAGES: Mapping[int, tuple[int, ...]] = {
    6: (16,),
    10: (16, 32),
    14: (16, 32, 64),
    18: (64, 128, 256, 512),
}
_BLOCKS = 2


class Block(torch.nn.Module):
    """Two convolutions, and a shortcut around them.

    Where the block halves the images, the shortcut is the mean of 2 x 2 pixels, batch norm, and
    zeros for the channels that come in addition; in the released code of the nondeterminism paper
    it is every second pixel. The second norm begins with weight 0, so that a block begins as its
    shortcut.
    """

    def __init__(self, n_inputs: int, n_outputs: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.halves = n_outputs != n_inputs
        self.first = convolution(n_inputs, n_outputs, 3, rng, stride=2 if self.halves else 1)
        self.first_norm = BatchNorm(n_outputs)
        self.second = convolution(n_outputs, n_outputs, 3, rng)
        self.second_norm = BatchNorm(n_outputs, gain=0.0)
        self.shortcut = BatchNorm(n_inputs) if self.halves else None
        self.added = n_outputs - n_inputs

    def forward(self, images: Tensor) -> Tensor:
        """States of shape (n_images, n_outputs, ...), half as high and wide if it halves them."""
        states = functional.relu(self.first_norm(self.first(images)))
        states = self.second_norm(self.second(states))
        return functional.relu(states + self._around(images))

    def _around(self, images: Tensor) -> Tensor:
        if self.shortcut is None:
            return images
        # An odd last row or column is a mean of what there is of it, as the convolution has it.
        halved = functional.avg_pool2d(images, 2, ceil_mode=True, count_include_pad=False)
        return functional.pad(self.shortcut(halved), (0, 0, 0, 0, 0, self.added))


class ResNet(torch.nn.Module):
    """A residual network.

    Parameters
    ----------
    n_layers : {6, 10, 14, 18}
        See :data:`STAGES`.
    n_channels, n_classes : int
        Of the images, and of the labels.
    rng : numpy.random.Generator
        Draws the initial weights.
    stride : int, default 1
        Of the first convolution; 2 makes all images half as high and wide.

    References
    ----------
    Summers and Dinneen 2021, section 3.2, and its released code. The numbers of parameters are
    those of the released code: 9,978, 42,682, 172,602 and 11,001,034 for images with three
    channels and ten classes.

    Examples
    --------
    >>> model = ResNet(6, 3, 10, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters() if p.requires_grad)
    9978
    """

    def __init__(
        self,
        n_layers: int,
        n_channels: int,
        n_classes: int,
        rng: np.random.Generator,
        *,
        stride: int = 1,
    ) -> None:
        super().__init__()
        widths = STAGES[n_layers]
        self.stem = convolution(n_channels, widths[0], 3, rng, stride=stride)
        self.stem_norm = BatchNorm(widths[0])
        before = [widths[0], *(width for width in widths for _ in range(_BLOCKS))]
        self.blocks = torch.nn.ModuleList(
            Block(n_inputs, n_outputs, rng) for n_inputs, n_outputs in itertools.pairwise(before)
        )
        self.decoder = linear(widths[-1], n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        return self.layers(images)["logits"]

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """States after the first convolution, after every block and pooled, and the logits.

        Parameters
        ----------
        images : Tensor, shape (n_images, n_channels, height, width)

        Returns
        -------
        dict of str to Tensor
            By the name of the layer, from the inputs on.
        """
        states = functional.relu(self.stem_norm(self.stem(images)))
        found = {"first convolution": states}
        for number, block in enumerate(self.blocks, start=1):
            states = found[f"block {number}"] = block(states)
        pooled = states.mean(dim=(2, 3))
        return found | {"average pool": pooled, "logits": self.decoder(pooled)}
