"""Batch norm whose running statistics are weights like all others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: What torch takes where nothing is said.
_MOMENTUM, _EPSILON = 0.1, 1e-5


class BatchNorm(torch.nn.Module):
    """Batch norm over images or rows, with running means and variances among its parameters.

    What copies, averages or keeps the weights of a network then has its statistics too, of which no
    gradient is taken.

    Parameters
    ----------
    n_channels : int
        Channels of the images, or numbers of a row.
    gain : float, default 1.0
        Initial weight; 0 lets a residual block begin as the identity.
    epsilon : float, default 1e-5
        Added to the variance.

    Examples
    --------
    >>> norm = BatchNorm(2)
    >>> [name for name, p in norm.named_parameters() if not p.requires_grad]
    ['running_mean', 'running_var']
    >>> bool(norm(torch.randn(8, 2, 4, 4)).mean().abs() < 1e-6)
    True
    """

    def __init__(self, n_channels: int, gain: float = 1.0, *, epsilon: float = _EPSILON) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = torch.nn.Parameter(torch.full((n_channels,), gain))
        self.bias = torch.nn.Parameter(torch.zeros(n_channels))
        self.running_mean = torch.nn.Parameter(torch.zeros(n_channels), requires_grad=False)
        self.running_var = torch.nn.Parameter(torch.ones(n_channels), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise by the batch in training, else by what has run along."""
        return functional.batch_norm(
            images,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            _MOMENTUM,
            self.epsilon,
        )
