"""Train all seeds of a recipe's heads as one stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.data.registry import cache_folder
from stablib.errors import UsageError
from stablib.models import encoders
from stablib.models.features import features
from stablib.models.head import HeadStack
from stablib.training import Inputs, Record, Request, SeedPlan, Task
from stablib.training.observe import observers
from stablib.training.predict import Predictor
from stablib.training.record import Arrays, TrainMean
from stablib.training.seeds import Source, change_bit, check_bits
from stablib.training.threads import one_thread_workers
from stablib.training.workload import Report, Taught
from stablib.workloads.heads import HeadRecipe
from stablib.workloads.teaching import targets
from stablib.workloads.text import check_records, task_of, work_by_step

#: Memory that one stack may take, in bytes; longer lists of seeds are trained in chunks.
STACK_MEMORY = 3 * 2**30


def prepare(recipe: HeadRecipe, inputs: Inputs, pause: Callable[[], object] = lambda: None) -> Task:
    """Features of the data's texts, from a cache on disk where they were made before."""
    data = recipe.part(inputs.data)
    assert data.texts is not None  # Else nothing could be trained on them.
    encoder, cache = encoders.find(recipe.encoder), cache_folder() / "features"
    made = {
        split: features(encoder, texts, cache=cache, pause=pause)
        for split, texts in data.texts.items()
    }
    return Task(inputs=made, gold=data.gold, n_classes=data.n_classes)


def train_stacks(
    request: Request, inputs: Inputs, taught: Taught, *, report: Report
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request in chunks; results do not depend on their size.

    Targets are made anew for each chunk: all at once, they would not fit the memory.
    """
    recipe, plans = cast(HeadRecipe, request.recipe), request.plans
    task = task_of(recipe, inputs, lambda: prepare(recipe, inputs, lambda: report(0)))
    if not isinstance(task.inputs["train"], np.ndarray):
        raise UsageError("heads train on features of shape (n_examples, n_features)")
    check_records(request.records, recipe.steps(task.sizes["train"]))
    first = _stack(recipe, plans[:1], task).tensors(0)
    check_bits(request.with_bits, {name: weights.size for name, weights in first.items()})
    size = _chunk_size(recipe, task, request.records)
    for start in range(0, len(plans), size):
        chunk = plans[start : start + size]
        goals = targets(recipe.method, chunk, task, taught)
        runs = _train(recipe, chunk, task, goals, request.records, report)
        yield list(zip(chunk, runs, strict=True))


def _chunk_size(recipe: HeadRecipe, task: Task, records: Sequence[Record]) -> int:
    """How many runs may train at once within :data:`STACK_MEMORY`."""
    n_train, width = task.inputs["train"].shape
    means = sum(isinstance(record, TrainMean) for record in records)
    own_targets = recipe.method.lesson is not None
    floats = (
        4 * recipe.hidden * (width + task.n_classes)
        + recipe.batch_size * (width + recipe.hidden)
        + (2 * means + own_targets) * n_train * task.n_classes
    )
    return max(1, STACK_MEMORY // (4 * floats))


def _train(
    recipe: HeadRecipe,
    plans: Sequence[SeedPlan],
    task: Task,
    goals: Sequence[NDArray[np.float32]],
    records: Sequence[Record],
    report: Report,
) -> list[list[Arrays]]:
    """Train one head a seed plan, side by side; ``result[run][record]``.

    A run gets the same bits alone or in any stack, in any process and on any number of threads:
    the stack is split over one-thread workers, and no operation mixes runs.
    """
    places = np.array_split(np.arange(len(plans)), torch.get_num_threads())
    parts = [list(part) for part in places if len(part)]

    def work(part: list[int]) -> list[list[Arrays]]:
        own = goals if len(goals) == 1 else [goals[i] for i in part]
        return _train_part(recipe, [plans[i] for i in part], task, own, records, report)

    with one_thread_workers(len(parts)) as pool:
        results = list(pool.map(work, parts))
    return [run for part in results for run in part]


def _train_part(
    recipe: HeadRecipe,
    plans: Sequence[SeedPlan],
    task: Task,
    goals: Sequence[NDArray[np.float32]],
    records: Sequence[Record],
    report: Report,
) -> list[list[Arrays]]:
    rows = torch.from_numpy(task.inputs["train"])
    wanted = [torch.from_numpy(goal) for goal in goals]
    stack = _stack(recipe, plans, task)
    _change_bits(stack, plans, epoch=1)  # The method's average begins with what they are then.
    predictor = Predictor(stack, recipe.method, recipe.epochs)
    watchers = observers(records, task, len(plans))
    weights = torch.nn.Parameter(stack.weights)
    weights.grad = stack.gradients
    adam = torch.optim.Adam(
        [weights], lr=recipe.learning_rate, weight_decay=recipe.method.decay, fused=True
    )
    masks = DropoutMasks(plans, recipe)
    orders = [plan.source("shuffle") for plan in plans]
    n_steps, step = recipe.steps(len(rows)), 0
    share = work_by_step(recipe, task.sizes, records)
    with torch.inference_mode():
        for epoch in range(1, recipe.epochs + 1):
            if epoch > 1:
                _change_bits(stack, plans, epoch)
            permutations = [torch.from_numpy(o.at(epoch).permutation(len(rows))) for o in orders]
            masks.start_epoch(epoch)
            for start in range(0, len(rows), recipe.batch_size):
                step += 1
                factor = recipe.method.rate(step, n_steps)
                adam.param_groups[0]["lr"] = recipe.learning_rate * factor
                predictor.before_step(step)
                batch = [p[start : start + recipe.batch_size] for p in permutations]
                stack.backward(
                    _rows([rows], batch),
                    _rows(wanted, batch),
                    masks.draw(len(batch[0])),
                    scale=masks.scale,
                )
                adam.step()
                predictor.after_step(step)
                for watcher in watchers:
                    watcher.after_step(step, predictor)
                report(len(plans) * share[step - 1])
            predictor.after_epoch(epoch)
            for watcher in watchers:
                watcher.after_epoch(epoch, predictor)
        predictor.finish()
        finished = [watcher.finish(predictor) for watcher in watchers]
    return [list(run) for run in zip(*finished, strict=True)]


def _stack(recipe: HeadRecipe, plans: Sequence[SeedPlan], task: Task) -> HeadStack:
    """Initial heads of the plans."""
    return HeadStack(
        [plan.generator("init") for plan in plans],
        n_features=task.inputs["train"].shape[1],
        hidden=recipe.hidden,
        n_classes=task.n_classes,
    )


def _change_bits(stack: HeadStack, plans: Sequence[SeedPlan], epoch: int) -> None:
    for number, plan in enumerate(plans):
        bit = plan.changes(epoch)
        if bit is not None:
            change_bit(bit, stack.tensors(number))


def _rows(sources: Sequence[Tensor], batch: Sequence[Tensor]) -> Iterator[Tensor]:
    """Rows of each model's batch, from one shared source or one source a model.

    One model at a time: its rows are still in the cache when they are used.
    """
    shared = len(sources) == 1
    for k, rows in enumerate(batch):
        yield sources[0 if shared else k].index_select(0, rows)


class DropoutMasks:
    """Dropout masks of a stack, each model's from its own generator.

    Notes
    -----
    A unit is dropped if 16 random bits fall below a threshold: four units for each 64-bit draw,
    several times faster than one float a unit, at a resolution of 1/65536.
    """

    def __init__(self, plans: Sequence[SeedPlan], recipe: HeadRecipe) -> None:
        self.sources: list[Source] = [plan.source("dropout") for plan in plans]
        self.hidden = recipe.hidden
        self.threshold = round(recipe.dropout * 65536)
        self.scale = 65536 / (65536 - self.threshold)
        self.start_epoch(1)

    def start_epoch(self, epoch: int) -> None:
        """Let the seeds rule that rule in this epoch."""
        self.generators = [source.at(epoch).bit_generator for source in self.sources]

    def draw(self, n_batch: int) -> Tensor:
        """Masks of one batch, shape (n_models, n_batch, hidden): 0 or ``scale``."""
        size = n_batch * self.hidden
        raw = np.stack([g.random_raw(-(-size // 4)).view(np.uint16) for g in self.generators])
        kept = (raw[:, :size] >= self.threshold).astype(np.float32)
        return torch.from_numpy(kept).view(-1, n_batch, self.hidden).mul_(self.scale)
