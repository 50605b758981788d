"""Look at the attention of a recommender, see :class:`Attended`."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from stablib.errors import UsageError
from stablib.metrics import top_count
from stablib.training.observe import Observer, Stack
from stablib.training.record import Arrays
from stablib.training.task import Task
from stablib.workloads.ranking.network import ItemNetwork
from stablib.workloads.ranking.observer import network_of
from stablib.workloads.ranking.record import Attended
from stablib.workloads.ranking.task import Choices


class AttendedObserver(Observer):
    """Attention of the trained model, and what becomes of its scores when it is permuted."""

    def __init__(self, task: Task, record: Attended) -> None:
        self.task, self.record = cast(Choices, task), record

    def finish(self, stack: Stack) -> list[Arrays]:
        """Look at the item held out and at the first negative of each user."""
        network = network_of(stack)
        if not (isinstance(network, ItemNetwork) and network.model.attends):
            raise UsageError("only a model with attention attends: record 'attended' needs one")
        network.model.eval()
        candidates = self.task.inputs["test"]
        seen: list[Arrays] = []
        with torch.inference_mode():
            for user in range(min(len(candidates), self.record.n_users)):
                start = int(candidates.starts[user])
                pair = candidates.values[start : start + 2, 1]
                seen.append(self._of_user(network, user, np.ascontiguousarray(pair)))
                network.pause()
        small = np.uint16 if max(int(one["length"]) for one in seen) < 2**16 else np.uint32
        shown = [one["shares"] for one in seen[: self.record.n_shown]] or [np.zeros(0)]
        return [
            {
                "lengths": np.array([one["length"] for one in seen], dtype=small),
                "top": np.concatenate([one["top"] for one in seen]).astype(small),
                "entropy": np.array([one["entropy"] for one in seen], np.float16),
                "chosen": np.stack([one["chosen"] for one in seen]).astype(np.float16),
                "effect": np.stack([one["effect"] for one in seen]).astype(np.float16),
                "effect_logit": np.stack([one["effect_logit"] for one in seen]).astype(np.float16),
                "shown": np.concatenate(shown).astype(np.float16),
            }
        ]

    def _of_user(self, network: ItemNetwork, user: int, pair: NDArray[np.int64]) -> Arrays:
        items, _ = network.history(user)
        history, targets = torch.from_numpy(items), torch.from_numpy(pair)
        weights = network.model.attention(history, targets, np.full(len(pair), -1))
        shares = weights[0] / weights[0].sum()
        n, n_top = len(items), top_count(len(items), self.record.share)
        rng = np.random.default_rng([self.record.seed, user])
        orders = rng.permuted(np.tile(np.arange(n), (self.record.n_permutations, 1)), axis=1)
        plain, permuted = logits_with(network, history, targets, weights, orders)
        chances, others = expit(plain), expit(permuted)
        # Of one item all shares are equal: there is nothing to spread.
        spread = -(shares * np.log(np.maximum(shares, 1e-30))).sum() / np.log(max(n, 2))
        return {
            "length": np.asarray(n),
            "top": np.sort(np.argsort(-shares, kind="stable")[:n_top]),
            "entropy": np.asarray(spread if n > 1 else 1.0),
            "chosen": chances,
            "effect": np.abs(others - chances).mean(axis=0),
            "effect_logit": np.abs(permuted - plain).mean(axis=0),
            "shares": shares,
        }


def logits_with(
    network: ItemNetwork,
    history: torch.Tensor,
    targets: torch.Tensor,
    weights: NDArray[np.float32],
    orders: NDArray[np.integer],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-odds of being chosen with the attention as it is, and with it in other orders.

    Returns
    -------
    ndarray of float64, shape (n_targets,)
        As it is.
    ndarray of float64, shape (n_orders, n_targets)
        In each of the other orders.
    """
    model = network.model
    items, aims = model.history[history], model.targets[targets]
    every = np.concatenate([weights[:, None], weights[:, orders]], axis=1)
    pooled = torch.from_numpy(every) @ items * aims[:, None]
    shape = every.shape[:2]
    outputs = model.judge(pooled.flatten(0, 1), targets.repeat_interleave(shape[1]))
    logits = network.by_class(outputs).to(torch.float64)
    odds = (torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]).reshape(shape).numpy()
    return odds[:, 0], odds[:, 1:].T
