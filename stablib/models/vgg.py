"""VGG-11 with batch norm, for small images."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import convolution, linear
from stablib.models.norm import BatchNorm

#: Channels of the convolutions; the largest of 2 x 2 pixels is taken after each group.
_GROUPS = ((64,), (128,), (256, 256), (512, 512), (512, 512))


class VGG(torch.nn.Module):
    """Eight convolutions with batch norm, and one linear layer.

    As usual for CIFAR-10, one linear layer takes the place of the three that images of ImageNet
    have. Images of fewer than 32 pixels a side leave out the poolings for which nothing is left.

    Parameters
    ----------
    n_channels, n_classes : int
        Of the images, and of the labels.
    rng : numpy.random.Generator
        Draws the initial weights.

    References
    ----------
    Simonyan and Zisserman 2014, configuration A; nondeterminism paper, Table 6.

    Examples
    --------
    >>> VGG(3, 10, np.random.default_rng(0))(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])
    """

    def __init__(self, n_channels: int, n_classes: int, rng: np.random.Generator) -> None:
        super().__init__()
        widths = [n_channels, *(width for group in _GROUPS for width in group)]
        self.convolutions = torch.nn.ModuleList(
            convolution(n_inputs, n_outputs, 3, rng, bias=True)
            for n_inputs, n_outputs in itertools.pairwise(widths)
        )
        self.norms = torch.nn.ModuleList(BatchNorm(width) for width in widths[1:])
        self.decoder = linear(widths[-1], n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        layers = zip(self.convolutions, self.norms, strict=True)
        states = images
        for group in _GROUPS:
            for _ in group:
                layer, norm = next(layers)
                states = functional.relu(norm(layer(states)))
            if min(states.shape[2:]) > 1:
                states = functional.max_pool2d(states, 2)
        return self.decoder(states.mean(dim=(2, 3)))
