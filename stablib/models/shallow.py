"""Networks for images without depth: linear, one hidden layer, and a small one for MNIST."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import convolution, draw_uniform, linear

#: Hidden units, and channels and width of the hidden convolution (nondeterminism paper, Table 8).
HIDDEN, _CHANNELS, _WIDTH = 512, 64, 5

Shape = tuple[int, int, int]


class Linear(torch.nn.Module):
    """One linear layer on the pixels.

    Parameters
    ----------
    shape : tuple of int
        Channels, height and width of the images.
    n_classes : int
        Of the labels.
    rng : numpy.random.Generator
        Draws the initial weights.

    Examples
    --------
    >>> model = Linear((3, 32, 32), 10, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters())
    30730
    """

    def __init__(self, shape: Shape, n_classes: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.decoder = linear(int(np.prod(shape)), n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        return self.decoder(images.flatten(1))


class HiddenDense(torch.nn.Module):
    """A hidden layer, of ``width`` units; other parameters as :class:`Linear`.

    Examples
    --------
    >>> model = HiddenDense((3, 32, 32), 10, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters())
    1578506
    """

    def __init__(
        self, shape: Shape, n_classes: int, rng: np.random.Generator, width: int = HIDDEN
    ) -> None:
        super().__init__()
        self.hidden = linear(int(np.prod(shape)), width, rng)
        self.decoder = linear(width, n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        return self.decoder(functional.relu(self.hidden(images.flatten(1))))


class HiddenConvolution(torch.nn.Module):
    """A hidden convolution of 64 channels, width 5 and stride 2; parameters as :class:`Linear`.

    Examples
    --------
    >>> model = HiddenConvolution((3, 32, 32), 10, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters())
    168714
    """

    def __init__(self, shape: Shape, n_classes: int, rng: np.random.Generator) -> None:
        super().__init__()
        channels, height, width = shape
        self.hidden = convolution(channels, _CHANNELS, _WIDTH, rng, stride=2, bias=True)
        left = -(-height // 2) * -(-width // 2)
        self.decoder = linear(_CHANNELS * left, n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        return self.decoder(functional.relu(self.hidden(images)).flatten(1))


class DigitNet(torch.nn.Module):
    """Two convolutions without padding, of 32 and 64 channels, and two linear layers.

    Parameters as :class:`Linear`. The network for MNIST of the nondeterminism paper, Table 6.

    Examples
    --------
    >>> model = DigitNet((1, 28, 28), 10, np.random.default_rng(0))
    >>> sum(p.numel() for p in model.parameters())
    1199882
    """

    def __init__(self, shape: Shape, n_classes: int, rng: np.random.Generator) -> None:
        super().__init__()
        channels, height, width = shape
        self.first = torch.nn.utils.skip_init(torch.nn.Conv2d, channels, 32, 3)
        self.second = torch.nn.utils.skip_init(torch.nn.Conv2d, 32, 64, 3)
        draw_uniform(list(self.first.parameters()), channels * 9, rng)
        draw_uniform(list(self.second.parameters()), 32 * 9, rng)
        self.hidden = linear(64 * ((height - 4) // 2) * ((width - 4) // 2), 128, rng)
        self.decoder = linear(128, n_classes, rng)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (n_images, n_classes)."""
        states = functional.relu(self.second(functional.relu(self.first(images))))
        states = functional.relu(self.hidden(functional.max_pool2d(states, 2).flatten(1)))
        return self.decoder(states)
