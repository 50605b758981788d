"""A stack of small classification heads on frozen features, one a seed, with backward by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Parameters of one head are padded to this many floats. Vectorised and scalar code round
#: differently, so a head must start at a vector boundary wherever it stands in the stack.
ALIGNMENT = 1024
#: Names of a head's weights.
TENSORS = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")


class HeadStack:
    """Feature -> hidden (ReLU, dropout) -> class heads, all seeds in one flat parameter array.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One a head; draws its initial weights: uniform within 1 / sqrt(fan in), as
        ``torch.nn.Linear`` does.
    n_features, hidden, n_classes : int
        Sizes.

    Attributes
    ----------
    weights : Tensor, shape (n_models, n_parameters)
        All weights; ``gradients`` has the same shape.
    places : dict of str to slice
        Where the weights of each name lie in a row.

    Notes
    -----
    The products run head by head: they are large enough to fill the cores, the intermediate arrays
    of one head stay in the cache, and a head gets the same bits in any stack. What is gained over
    a loop of ``torch.nn`` models is the absence of autograd and of one optimizer a model.
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator],
        *,
        n_features: int,
        hidden: int,
        n_classes: int,
    ) -> None:
        self.n_models = len(generators)
        self.shapes = ((n_features, hidden), (hidden,), (hidden, n_classes), (n_classes,))
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        padded = -(-sum(sizes) // ALIGNMENT) * ALIGNMENT
        self.weights = torch.zeros(self.n_models, padded)
        self.gradients = torch.zeros(self.n_models, padded)
        ends = np.cumsum(sizes).tolist()
        self.places: Mapping[str, slice] = {
            name: slice(end - size, end)
            for name, size, end in zip(TENSORS, sizes, ends, strict=True)
        }
        for row, generator in zip(self.weights, generators, strict=True):
            for view, fan_in in zip(
                self._views(row[None]), (n_features, n_features, hidden, hidden), strict=True
            ):
                bound = fan_in**-0.5
                draws = generator.random(tuple(view.shape), dtype=np.float32)
                view.copy_(torch.from_numpy(draws) * (2 * bound) - bound)
        # Made once: making 8 views a head at every step would cost as much as its small products.
        self._heads = list(
            zip(
                zip(*self._views(self.weights), strict=True),
                zip(*self._views(self.gradients), strict=True),
                strict=True,
            )
        )

    def _views(self, flat: Tensor) -> list[Tensor]:
        """Weights and biases of both layers as views into a flat array."""
        views, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            views.append(flat[:, start : start + size].view(-1, *shape))
            start += size
        return views

    def backward(
        self,
        features: Iterable[Tensor],
        targets: Iterable[Tensor],
        keep: Iterable[Tensor],
        *,
        scale: float,
    ) -> None:
        """Fill ``gradients`` with those of the mean cross-entropy of one batch per head.

        Parameters
        ----------
        features : iterable of Tensor, n_heads of shape (n_batch, n_features)
            Inputs.
        targets : iterable of Tensor, n_heads of shape (n_batch, n_classes)
            Target probabilities (one-hot or soft).
        keep : iterable of Tensor, n_heads of shape (n_batch, hidden)
            Dropout: 0 for a dropped unit, ``scale`` for a kept one.
        scale : float
            1 / (1 - dropout).
        """
        for head, x, q, k in zip(self._heads, features, targets, keep, strict=True):
            (weight1, bias1, weight2, bias2), (grad1, grad_bias1, grad2, grad_bias2) = head
            hidden = torch.addmm(bias1, x, weight1).relu_().mul_(k)
            delta = torch.softmax(torch.addmm(bias2, hidden, weight2), dim=-1)
            delta.sub_(q).div_(len(x))
            torch.mm(hidden.T, delta, out=grad2)
            torch.sum(delta, dim=0, out=grad_bias2)
            # A unit passes the gradient on if it was active and kept: exactly where hidden > 0.
            back = torch.mm(delta.mul_(scale), weight2.T)
            back = torch.ops.aten.threshold_backward(back, hidden, 0.0)
            torch.mm(x.T, back, out=grad1)
            torch.sum(back, dim=0, out=grad_bias1)

    def tensors(self, model: int) -> dict[str, NDArray[np.float32]]:
        """Weights of one head by name, as views."""
        return {
            name: view.numpy() for name, view in zip(TENSORS, self._heads[model][0], strict=True)
        }

    def logits(self, model: int, features: NDArray[np.float32]) -> Tensor:
        """Logits of one head, without dropout.

        Parameters
        ----------
        model : int
            Position in the stack.
        features : ndarray of float32, shape (n_examples, n_features)
            Inputs.

        Returns
        -------
        Tensor, shape (n_examples, n_classes)
        """
        weight1, bias1, weight2, bias2 = self._heads[model][0]
        hidden = torch.addmm(bias1, torch.from_numpy(features), weight1).relu_()
        return torch.addmm(bias2, hidden, weight2)
