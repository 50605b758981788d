"""Recommenders that know a user by a vector of their own: GMF and NeuMF (He et al. 2017)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stablib.models.drawing import glorot_sd, normal

#: Sd of the initial embeddings.
_EMBEDDING_SD = 0.01


class FactorModel(torch.nn.Module):
    """Scores of pairs of a user and an item.

    Parameters
    ----------
    n_users, n_items : int
        How many.
    factors : int
        Numbers of a vector of generalised matrix factorisation: the products of a user's and an
        item's vector.
    layers : sequence of int
        Widths of a tower beside it, from below: the first is that of a user's and an item's other
        vectors side by side. Empty for GMF.
    n_outputs : int
        Logits of a pair: classes, or 1 for a sigmoid.
    rng : numpy.random.Generator
        Draws embeddings (normal, sd .01) and layers (Glorot's normal); biases begin as 0.

    Examples
    --------
    Above the vectors NeuMF has 64 x 32 + 32 x 16 + 16 x 8 + 16 weights and 57 biases:

    >>> model = FactorModel(10, 20, 8, (64, 32, 16, 8), 1, np.random.default_rng(0))
    >>> sum(p.numel() for n, p in model.named_parameters() if "users" not in n and "items" not in n)
    2761
    >>> model(torch.tensor([0, 1]), torch.tensor([5, 6])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        factors: int,
        layers: Sequence[int],
        n_outputs: int,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.factor_users = normal((n_users, factors), _EMBEDDING_SD, rng)
        self.factor_items = normal((n_items, factors), _EMBEDDING_SD, rng)
        self.layered = bool(layers)
        if layers:
            self.tower_users = normal((n_users, layers[0] // 2), _EMBEDDING_SD, rng)
            self.tower_items = normal((n_items, layers[0] // 2), _EMBEDDING_SD, rng)
        self.weights = torch.nn.ParameterList()
        self.biases = torch.nn.ParameterList()
        for n_in, n_out in itertools.pairwise(layers):
            self.weights.append(normal((n_out, n_in), glorot_sd(n_in, n_out), rng))
            self.biases.append(torch.nn.Parameter(torch.zeros(n_out)))
        n_last = factors + (layers[-1] if layers else 0)
        self.top = normal((n_outputs, n_last), glorot_sd(n_last, n_outputs), rng)
        self.top_bias = torch.nn.Parameter(torch.zeros(n_outputs))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Logits of pairs, shape (n_pairs, n_outputs)."""
        features = functional.embedding(users, self.factor_users) * functional.embedding(
            items, self.factor_items
        )
        if self.layered:
            parts = (
                functional.embedding(users, self.tower_users),
                functional.embedding(items, self.tower_items),
            )
            states = torch.cat(parts, dim=1)
            for weight, bias in zip(self.weights, self.biases, strict=True):
                states = torch.relu(functional.linear(states, weight, bias))
            features = torch.cat([features, states], dim=1)
        return functional.linear(features, self.top, self.top_bias)
