"""Train all seeds of a recipe's heads as one stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.models.head import HeadStack
from stablib.training.observe import Arrays, observers
from stablib.training.recipe import Head, Recipe
from stablib.training.record import Record
from stablib.training.seeds import SeedPlan
from stablib.training.task import Task
from stablib.training.threads import one_thread_workers

Progress = Callable[[int], object]


def train_heads(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    task: Task,
    targets: Sequence[NDArray[np.float32]],
    records: Sequence[Record],
    *,
    progress: Progress = lambda done: None,
) -> list[list[Arrays]]:
    """Train one head a seed plan, side by side.

    Parameters
    ----------
    recipe : Recipe
        Its model is a :class:`Head`.
    plans : sequence of SeedPlan, length n_runs
        Seeds.
    task : Task
        Features and gold labels.
    targets : sequence of ndarray of float32, shape (n_train, n_classes)
        What each run learns; one array for all runs (length 1), or one a run.
    records : sequence of Record
        What to keep.
    progress : callable, optional
        Told the number of finished model steps.

    Returns
    -------
    list of list of dict
        ``result[run][record]``: arrays as the record describes them.

    Notes
    -----
    A run gets the same bits alone or in any stack, in any process and on any number of threads:
    the stack is split over one-thread workers, and no operation mixes runs.
    """
    places = np.array_split(np.arange(len(plans)), torch.get_num_threads())
    parts = [list(part) for part in places if len(part)]

    def work(part: list[int]) -> list[list[Arrays]]:
        own = targets if len(targets) == 1 else [targets[i] for i in part]
        return _train(recipe, [plans[i] for i in part], task, own, records, progress)

    with one_thread_workers(len(parts)) as pool:
        results = list(pool.map(work, parts))
    return [run for part in results for run in part]


def _train(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    task: Task,
    targets: Sequence[NDArray[np.float32]],
    records: Sequence[Record],
    progress: Progress,
) -> list[list[Arrays]]:
    model = recipe.model
    assert isinstance(model, Head)
    features = torch.from_numpy(task.inputs["train"])
    goals = [torch.from_numpy(target) for target in targets]
    stack = HeadStack(
        [plan.generator("init") for plan in plans],
        n_features=features.shape[1],
        hidden=model.hidden,
        n_classes=task.n_classes,
    )
    average = WeightMean(recipe)
    watchers = observers(records, task, len(plans))
    parameters = torch.nn.Parameter(stack.parameters)
    parameters.grad = stack.gradients
    adam = torch.optim.Adam(
        [parameters], lr=recipe.learning_rate, weight_decay=recipe.method.decay, fused=True
    )
    masks = DropoutMasks(plans, model)
    orders = [plan.generator("shuffle") for plan in plans]
    step = 0
    with torch.inference_mode():
        for epoch in range(1, recipe.epochs + 1):
            permutations = [torch.from_numpy(order.permutation(len(features))) for order in orders]
            for start in range(0, len(features), recipe.batch_size):
                batch = [p[start : start + recipe.batch_size] for p in permutations]
                stack.backward(
                    _rows([features], batch),
                    _rows(goals, batch),
                    masks.draw(len(batch[0])),
                    scale=masks.scale,
                )
                adam.step()
                step += 1
                for watcher in watchers:
                    watcher.after_step(step, stack)
                progress(len(plans))
            average.after_epoch(epoch, stack.parameters)
        average.replace(stack.parameters)
        finished = [watcher.finish(stack) for watcher in watchers]
    return [list(run) for run in zip(*finished, strict=True)]


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

    def __init__(self, plans: Sequence[SeedPlan], model: Head) -> None:
        self.generators = [plan.generator("dropout").bit_generator for plan in plans]
        self.hidden = model.hidden
        self.threshold = round(model.dropout * 65536)
        self.scale = 65536 / (65536 - self.threshold)

    def draw(self, n_batch: int) -> Tensor:
        """Masks of one batch, shape (n_models, n_batch, hidden): 0 or ``scale``."""
        size = n_batch * self.hidden
        raw = np.stack([g.random_raw(-(-size // 4)).view(np.uint16) for g in self.generators])
        kept = (raw[:, :size] >= self.threshold).astype(np.float32)
        return torch.from_numpy(kept).view(-1, n_batch, self.hidden).mul_(self.scale)


class WeightMean:
    """Mean of the weights at the end of the last epochs, if the recipe's method asks for one."""

    def __init__(self, recipe: Recipe) -> None:
        self.first_epoch = recipe.epochs - recipe.method.averaged_epochs + 1
        self.count = 0
        self.total: Tensor | None = None

    def after_epoch(self, epoch: int, parameters: Tensor) -> None:
        """Add the weights if the epoch is among the last ones."""
        if epoch >= self.first_epoch:
            self.count += 1
            self.total = parameters.clone() if self.total is None else self.total.add_(parameters)

    def replace(self, parameters: Tensor) -> None:
        """Put the mean in the place of the final weights."""
        if self.total is not None:
            parameters.copy_(self.total / self.count)
