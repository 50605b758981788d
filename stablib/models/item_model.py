"""Recommenders that know a user by the items of their history: DeepICF and FISM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.errors import UsageError
from stablib.models.drawing import glorot_sd, normal
from stablib.models.item_attention import attention, pool
from stablib.models.norm import BatchNorm

#: Sd of the initial embeddings.
_EMBEDDING_SD = 0.01
#: Added to variances, as in the released code.
_EPSILON = 1e-3


class ItemModel(torch.nn.Module):
    """Scores of items for a user who is known by their history (Xue et al. 2019).

    The products of a target item with the items of the history are pooled, and the result goes
    through a tower of layers, each with batch norm and ReLU. Without attention and without layers
    it is FISM (Kabbur et al. 2013): the sum of the pooled products.

    Parameters
    ----------
    n_items : int
        Number of items. Each has two vectors: as a target, and in a history.
    embedding : int
        Numbers of a vector.
    attention : int or None
        Hidden units of the attention; None pools all alike.
    layers : sequence of int
        Widths of the tower, from below.
    n_outputs : int
        Logits of an item: classes, or 1 for a sigmoid.
    rng : numpy.random.Generator
        Draws embeddings (normal, sd .01) and layers (Glorot's normal, as their biases); the top of
        the attention begins as ones, biases of items as 0.
    beta : float, default 0.8
        Of the attention, see :func:`stablib.models.item_attention.pool`.
    alpha : float, default 0.5
        Without attention the products are added up and divided by their number to this power.

    Raises
    ------
    UsageError
        If beta or alpha is not between 0 and 1, or a model without layers has several outputs.

    Examples
    --------
    >>> model = ItemModel(100, 16, 16, (64, 32, 16), 2, np.random.default_rng(0))
    >>> history, targets = torch.tensor([3, 4, 5]), torch.tensor([3, 9])
    >>> model(history, targets, np.array([0, -1])).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        n_items: int,
        embedding: int,
        attention: int | None,
        layers: Sequence[int],
        n_outputs: int,
        rng: np.random.Generator,
        *,
        beta: float = 0.8,
        alpha: float = 0.5,
    ) -> None:
        super().__init__()
        for name, value in (("beta", beta), ("alpha", alpha)):
            if not 0.0 <= value <= 1.0:
                raise UsageError(f"{name} must be between 0 and 1, got {value:g}")
        if not layers and n_outputs > 1:
            raise UsageError(f"a model without layers has one output, got n_outputs={n_outputs}")
        self.beta, self.alpha = beta, alpha
        self.history = normal((n_items, embedding), _EMBEDDING_SD, rng)
        self.targets = normal((n_items, embedding), _EMBEDDING_SD, rng)
        self.item_bias = torch.nn.Parameter(torch.zeros(n_items, n_outputs))
        self.attends = attention is not None
        if attention is not None:
            sd = glorot_sd(embedding, attention)
            self.attention_weight = normal((attention, embedding), sd, rng)
            self.attention_bias = normal((attention,), sd, rng)
            self.attention_top = torch.nn.Parameter(torch.ones(attention))
        widths = [embedding, *layers]
        self.weights = torch.nn.ParameterList()
        self.biases = torch.nn.ParameterList()
        self.norms = torch.nn.ModuleList()
        for n_in, n_out in zip(widths, layers, strict=False):
            sd = glorot_sd(n_in, n_out)
            self.weights.append(normal((n_out, n_in), sd, rng))
            self.biases.append(normal((n_out,), sd, rng))
            self.norms.append(BatchNorm(n_out, epsilon=_EPSILON))
        if layers:
            self.top = normal((n_outputs, widths[-1]), glorot_sd(widths[-1], n_outputs), rng)

    def forward(self, history: Tensor, targets: Tensor, own: NDArray[np.int64]) -> Tensor:
        """Logits of targets for the user with a history, shape (n_targets, n_outputs).

        Parameters
        ----------
        history, targets : Tensor of int64, shapes (n_items,) and (n_targets,)
            Items.
        own : ndarray of int64, shape (n_targets,)
            Place of each target in the history, where it takes no part; -1 if it is not there.
        """
        items = functional.embedding(history, self.history)
        aims = functional.embedding(targets, self.targets)
        return self.judge(self._pooled(items, aims, own), targets)

    def judge(self, pooled: Tensor, targets: Tensor) -> Tensor:
        """Logits from pooled products, shape (n_targets, n_outputs)."""
        bias = functional.embedding(targets, self.item_bias)
        if not self.norms:
            return pooled.sum(dim=1, keepdim=True) + bias
        for weight, shift, norm in zip(self.weights, self.biases, self.norms, strict=True):
            pooled = torch.relu(norm(functional.linear(pooled, weight, shift)))
        return functional.linear(pooled, self.top) + bias

    def attention(
        self, history: Tensor, targets: Tensor, own: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Weights of the items of the history, shape (n_targets, n_items).

        Raises
        ------
        UsageError
            If the model has no attention.
        """
        if not self.attends:
            raise UsageError("this model has no attention: it pools all items alike")
        return attention(
            self.history[history],
            self.targets[targets],
            own,
            self.attention_weight,
            self.attention_bias,
            self.attention_top,
            self.beta,
        )

    def _pooled(self, items: Tensor, aims: Tensor, own: NDArray[np.int64]) -> Tensor:
        if self.attends:
            layer = (self.attention_weight, self.attention_bias, self.attention_top)
            return pool(items, aims, own, *layer, self.beta)
        there = torch.from_numpy(own >= 0)
        summed = items.sum(dim=0) - torch.where(
            there[:, None], items[torch.from_numpy(np.maximum(own, 0))], 0.0
        )
        counts = (len(items) - there.to(items.dtype)).clamp(min=1.0)
        return aims * summed / counts[:, None] ** self.alpha
