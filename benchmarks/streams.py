"""Pairs on synthetic streams against plain torch models in one process, one after the other.

Floors: linear 300x, two units 150x, tower 60x, embeddings with 1000 units 20x; 1024-512 1.5x in
one process. Both draw their examples; only ours shuffles them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from stablib.workloads.streams import DataModel, StreamRecipe, network
from stablib.workloads.streams.data import stream_key
from stablib.workloads.streams.recipe import BATCH
from stablib.workloads.streams.training import engine

MODELS = 4
#: Name, hidden widths, embedding, mini-batches for ours and for the plain loop, threads.
CASES = (
    ("linear", (), False, 1 << 18, 1000, 2),
    ("two units", (2,), False, 1 << 17, 1000, 2),
    ("tower 16-8-4-2", (16, 8, 4, 2), False, 1 << 15, 800, 2),
    ("embeddings, 1000 units", (1000,), True, 1 << 12, 600, 2),
    ("1024-512, one process", (1024, 512), False, 128, 128, 1),
)


def ours(recipe: StreamRecipe, n_batches: int, threads: int) -> float:
    """Seconds per model and mini-batch."""
    step = engine(recipe)

    def train(number: int) -> None:
        weights = network.first_parameters(recipe, np.random.default_rng(number))
        torch.set_num_threads(1)
        step(
            recipe,
            weights,
            np.full_like(weights, 0.1),
            first_batch=0,
            n_batches=n_batches,
            data_key=stream_key("examples", 0),
            shuffle_key=stream_key("order", 0, number),
        )

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(train, range(MODELS)))
    return (time.perf_counter() - began) / (MODELS * n_batches)


class Embedding(torch.nn.Module):
    """Sum of two-dimensional embeddings for each half of the features."""

    def __init__(self) -> None:
        super().__init__()
        self.halves = torch.nn.ModuleList(torch.nn.Linear(16, 2, bias=False) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both halves side by side."""
        return torch.cat(
            [half(x[:, 16 * k : 16 * k + 16]) for k, half in enumerate(self.halves)], 1
        )


def plain(recipe: StreamRecipe, n_batches: int) -> float:
    """Seconds per model and mini-batch of a torch loop with autograd."""
    chance = torch.from_numpy(recipe.data.feature_probabilities().astype(np.float32))
    theta = torch.from_numpy(recipe.data.weights().astype(np.float32))
    generator = torch.Generator().manual_seed(0)
    torch.set_num_threads(1)  # With more, operations as small as these wait for each other.
    began = time.perf_counter()
    for _ in range(MODELS):
        parts: list[torch.nn.Module] = [Embedding()] if recipe.embedding else []
        width = 4 if recipe.embedding else 32
        for hidden in recipe.hidden:
            parts += [torch.nn.Linear(width, hidden), torch.nn.ReLU()]
            width = hidden
        model = torch.nn.Sequential(*parts, torch.nn.Linear(width, 1))
        optimizer = torch.optim.Adagrad(
            model.parameters(), lr=0.1, initial_accumulator_value=0.1, eps=1e-7
        )
        for _ in range(n_batches):
            batch = (torch.rand(BATCH, 32, generator=generator) < chance).float()
            goal = (torch.rand(BATCH, generator=generator) < torch.sigmoid(batch @ theta)).float()
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(batch)[:, 0], goal)
            loss.backward()
            optimizer.step()
    return (time.perf_counter() - began) / (MODELS * n_batches)


def main() -> None:
    """Print one line a model."""
    data = DataModel(kind="linear")
    for name, hidden, embedding, fast, slow, threads in CASES:
        recipe = StreamRecipe(
            data=data, hidden=hidden, embedding=embedding, log2_examples=26, log2_window=10
        )
        ours(recipe, 16, threads)  # Compiles.
        plain(recipe, 16)  # The first call is slow too.
        pairs = []
        for _ in range(3):
            torch.set_num_threads(threads)
            pairs.append((plain(recipe, slow), ours(recipe, fast, threads)))
        ratios = sorted(a / b for a, b in pairs)
        rate = BATCH / sorted(b for _, b in pairs)[1] / 1e6
        print(
            f"{name}: {ratios[1]:.1f}x (of three: {ratios[0]:.1f}-{ratios[2]:.1f}), "
            f"{rate:.2f} M model-examples a second"
        )


if __name__ == "__main__":
    main()
