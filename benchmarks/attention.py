"""Models that attend to words against the naive loop of the released code, in one run.

Claims, for the paper's 300 numbers a word: a CNN with frozen vectors trains at least 6 times as
fast as the naive loop with trained ones, which the paper has, and a BiLSTM at least 2.5 times; two
one-thread processes train more still on two free cores. Naive are padded batches, a product for
each kernel, packed sequences, and Adam over single tensors. 6,400 texts of the lengths of SST,
14,000 words; 40 steps are timed by the processor's time, so that a busy machine does not count, the
alternatives in turn. Two processes are timed by the clock, and need a machine to themselves.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from side_by_side import seconds_together
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from stablib.models.ragged import Ragged
from stablib.models.words import END, START
from stablib.training import SeedPlan, Task
from stablib.training.loop import in_random_order
from stablib.workloads import AttentionRecipe
from stablib.workloads.attention.network import AttentionNetwork, Prepared
from stablib.workloads.attention.training import by_length

TEXTS, WORDS, STEPS = 6_400, 14_000, 40


def make_prepared(width: int) -> Prepared:
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.gamma(4.0, 4.7, TEXTS).astype(int), 6, 52)
    rows = [[START, *rng.integers(4, WORDS, n), END] for n in lengths]
    texts = Ragged(np.concatenate(rows), np.cumsum([0, *map(len, rows)]))
    task = Task({"train": texts}, {"train": rng.integers(0, 2, TEXTS)}, 2)
    return Prepared(task, rng.standard_normal((WORDS, width), dtype=np.float32), paired=False)


class Naive(torch.nn.Module):
    def __init__(self, encoder: str, width: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, width, padding_idx=0)
        self.lstm = encoder == "bilstm"
        n = 256 if self.lstm else 128
        if self.lstm:
            self.encoder = torch.nn.LSTM(width, 128, batch_first=True, bidirectional=True)
        else:
            self.kernels = torch.nn.ModuleList(
                torch.nn.Conv1d(width, 32, k, padding=k // 2) for k in (1, 3, 5, 7)
            )
        self.states = torch.nn.Linear(n, n // 2)
        self.scores = torch.nn.Linear(n // 2, 1, bias=False)
        self.decoder = torch.nn.Linear(n, 1)

    def forward(self, rows: list[torch.Tensor]) -> torch.Tensor:
        lengths = torch.tensor([len(row) for row in rows])
        ids = pad_sequence(rows, batch_first=True)
        mask = ids <= END
        x = self.embedding(ids)
        if self.lstm:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            hidden, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
        else:
            outputs = [kernel(x.transpose(1, 2)) for kernel in self.kernels]
            hidden = torch.relu(torch.cat(outputs, dim=1)).transpose(1, 2)
            hidden = hidden * ~mask.unsqueeze(-1)
        scores = self.scores(torch.tanh(self.states(hidden))).squeeze(-1)
        attention = torch.softmax(scores.masked_fill(mask, -torch.inf), dim=-1)
        return self.decoder((attention.unsqueeze(-1) * hidden).sum(1)).squeeze(-1)


def naive(encoder: str, prepared: Prepared) -> Callable[[np.ndarray], None]:
    model = Naive(encoder, prepared.vectors.shape[1])
    adam = torch.optim.Adam(
        model.parameters(), lr=1e-3, weight_decay=1e-5, amsgrad=True, foreach=False
    )
    texts, gold = prepared.task.inputs["train"], prepared.task.gold["train"]
    starts = texts.starts
    rows_of = [torch.from_numpy(texts.values[a:b]) for a, b in itertools.pairwise(starts)]

    def step(rows: np.ndarray) -> None:
        target = torch.from_numpy(gold[rows]).float()
        logits = model([rows_of[row] for row in rows])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum")
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def ours(encoder: str, prepared: Prepared, *, frozen: bool) -> Callable[[np.ndarray], None]:
    recipe = AttentionRecipe(encoder=encoder, frozen=frozen)
    goals = prepared.task.one_hot()
    network = AttentionNetwork(recipe, SeedPlan(), prepared, goals, pause=lambda: None)
    adam = torch.optim.Adam(
        list(network.named().values()), lr=1e-3, weight_decay=1e-5, amsgrad=True, fused=True
    )

    def step(rows: np.ndarray) -> None:
        loss = network.loss(rows)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()

    return step


def seconds(
    step: Callable[[np.ndarray], None], parts: Sequence[np.ndarray], clock: Callable[[], float]
) -> float:
    began = clock()
    for rows in parts[:STEPS]:
        step(rows)
    return clock() - began


def prepare(encoder: str, width: int) -> Callable[[], object]:
    torch.set_num_threads(1)
    prepared = make_prepared(width)
    parts = by_length(prepared.lengths())(np.random.default_rng(0), TEXTS, 32)
    step = ours(encoder, prepared, frozen=True)
    seconds(step, parts, time.perf_counter)
    return functools.partial(seconds, step, parts, time.perf_counter)


def compare(encoder: str, width: int) -> None:
    prepared = make_prepared(width)
    rng = np.random.default_rng(0)
    parts = by_length(prepared.lengths())(rng, TEXTS, 32)
    steps = {
        "naive": (naive(encoder, prepared), parts),
        "naive, random batches": (naive(encoder, prepared), in_random_order(rng, TEXTS, 32)),
        "trained vectors": (ours(encoder, prepared, frozen=False), parts),
        "frozen vectors": (ours(encoder, prepared, frozen=True), parts),
    }
    for step, rows in steps.values():
        seconds(step, rows[:3], time.process_time)
    rounds = [
        {name: seconds(*how, time.process_time) for name, how in steps.items()} for _ in range(3)
    ]
    base = 1000 * float(np.median([r["naive"] for r in rounds])) / STEPS
    print(f"{encoder}, {width} numbers a word: naive {base:.1f} ms a step; times as fast:")
    for name in list(steps)[1:]:
        ratios = sorted(r["naive"] / r[name] for r in rounds)
        print(f"  {name}: {ratios[1]:.2f}x (of three: {ratios[0]:.2f}-{ratios[2]:.2f})")
    one, two = (seconds_together(prepare, (encoder, width), count) for count in (1, 2))
    scale = 2 * one / two
    print(f"  two processes train {scale:.2f} times as many as one")


def main() -> None:
    torch.set_num_threads(1)
    for encoder in ("cnn", "bilstm"):
        for width in (300, 50):
            compare(encoder, width)


if __name__ == "__main__":
    main()
