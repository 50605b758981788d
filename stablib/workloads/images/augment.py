"""Random crops and mirrors of a batch of images, from an explicit generator."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def augmented(images: Tensor, *, crop: int, flip: bool, rng: np.random.Generator) -> Tensor:
    """Shift each image at random, and mirror every other one, at random.

    Parameters
    ----------
    images : Tensor, shape (n_images, n_channels, height, width)
    crop : int
        Most pixels of a shift in each direction; zeros come in.
    flip : bool
        Whether to mirror.
    rng : numpy.random.Generator
        Draws the same amount for each image, whatever the others are.

    Returns
    -------
    Tensor
        Of the same shape.

    Examples
    --------
    >>> image = torch.arange(4.0).view(1, 1, 2, 2)
    >>> draws = [np.random.default_rng(seed) for seed in range(9)]
    >>> mirrored = [augmented(image, crop=0, flip=True, rng=rng) for rng in draws]
    >>> seen = {tuple(one.ravel().tolist()) for one in mirrored}
    >>> sorted(seen)
    [(0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 3.0, 2.0)]
    """
    n_images, n_channels, height, width = images.shape
    # Offsets of rows and columns in the padded image, and whether it is mirrored.
    drawn = rng.integers([2 * crop + 1, 2 * crop + 1, 2], size=(n_images, 3))
    padded = functional.pad(images, (crop, crop, crop, crop)) if crop else images
    rows = torch.from_numpy(drawn[:, :1] + np.arange(height))
    across = np.arange(width)
    mirrored = (drawn[:, 2:] == 1) & flip
    columns = torch.from_numpy(drawn[:, 1:2] + np.where(mirrored, across[::-1], across))
    image, channel = torch.arange(n_images), torch.arange(n_channels)
    return padded[
        image[:, None, None, None],
        channel[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
