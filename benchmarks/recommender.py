"""A training step of DeepICF with attention against the same in plain torch, in one run.

Claim: forwards, backwards and with the optimizer, steps of whole users are at least 3.5 times as
fast as with the products of all targets and items of the history laid out, as the released code of
the model has them, in one thread, on both data sets. The plain step trains the same network: in
the place of attention as one operation stands its equation in torch. Timed is the processor's
time, the alternatives in turn, so that a busy machine does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.data import Interactions, load
from stablib.models import item_model
from stablib.models.item_attention import pool
from stablib.training import SeedPlan
from stablib.training.threads import one_thread
from stablib.workloads import ItemRecipe
from stablib.workloads.ranking.network import ItemNetwork
from stablib.workloads.ranking.task import prepare

REPEATS, CLAIM, USERS = 5, 3.5, 60


def laid_out(
    history: Tensor,
    targets: Tensor,
    own: NDArray[np.int64],
    weight: Tensor,
    bias: Tensor,
    top: Tensor,
    beta: float,
) -> Tensor:
    products = history[None] * targets[:, None]
    scores = torch.relu(products @ weight.T + bias) @ top
    taken = torch.from_numpy(own)[:, None] == torch.arange(len(history))
    powers = torch.exp(scores).masked_fill(taken, 0.0)
    weights = powers / powers.sum(dim=1, keepdim=True) ** beta
    return (weights[..., None] * products).sum(dim=1)


def seconds(way: Callable[..., Tensor], network: ItemNetwork, users: NDArray[np.integer]) -> float:
    optimizer = network.optimizer()
    with one_thread(), mock.patch.object(item_model, "pool", way):
        began = time.process_time()
        for user in users:
            loss = network.loss(np.array([user]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return (time.process_time() - began) / len(users)


def main() -> None:
    for name in ("movielens-100k", "movielens-1m"):
        data = load(name)
        assert isinstance(data, Interactions)
        recipe = ItemRecipe(dataset=name)
        task = prepare(recipe, data)
        network = ItemNetwork(recipe, SeedPlan(), task, None, pause=lambda: None)
        users = np.random.default_rng(0).choice(data.n_users, USERS, replace=False)
        seconds(pool, network, users[:2])  # It is compiled, or read from the cache.
        ratios = []
        for _ in range(REPEATS):
            ours, theirs = (seconds(way, network, users) for way in (pool, laid_out))
            ratios.append(theirs / ours)
        said = f"{np.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"
        title = "stand-in for " * bool(data.notice) + name
        print(f"{title}: {1e3 * ours:.2f} ms a user, {said}, claimed {CLAIM:g}x")


if __name__ == "__main__":
    main()
