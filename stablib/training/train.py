"""One entrance for all trainers: recipe and seed plans in, records out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stablib.training.finetune import train_finetuned
from stablib.training.head import Progress, train_heads
from stablib.training.observe import Arrays
from stablib.training.recipe import Head, Recipe
from stablib.training.record import Record, TrainMean
from stablib.training.seeds import SeedPlan
from stablib.training.task import Task

#: Memory that one stack may take, in bytes; longer lists of seeds are trained in chunks.
STACK_MEMORY = 3 * 2**30


def train(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    task: Task,
    records: Sequence[Record],
    *,
    targets: Sequence[NDArray[np.float32]] | None = None,
    progress: Progress = lambda done: None,
) -> list[list[Arrays]]:
    """Train one model a seed plan.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    plans : sequence of SeedPlan, length n_runs
        Seeds.
    task : Task
        Prepared data, see :func:`stablib.training.task.prepare`.
    records : sequence of Record
        What to keep of each run.
    targets : sequence of ndarray of float32, shape (n_train, n_classes), optional
        One array for all runs or one a run; by default what the method makes of the gold labels.
    progress : callable, optional
        Told the number of finished model steps.

    Returns
    -------
    list of list of dict
        ``result[run][record]``.

    Raises
    ------
    UsageError
        If a record asks for the mean over no step.
    """
    for record in records:
        if isinstance(record, TrainMean):
            record.check(recipe.steps(len(task.gold["train"])))
    goals = targets or [recipe.method.targets(task.one_hot(), None)]
    trainer = train_heads if isinstance(recipe.model, Head) else train_finetuned
    return trainer(recipe, plans, task, goals, records, progress=progress)


def chunk_size(recipe: Recipe, task: Task, records: Sequence[Record]) -> int:
    """How many runs may train at once within :data:`STACK_MEMORY`; results do not depend on it."""
    if not isinstance(recipe.model, Head):
        return 1
    n_train, width = task.inputs["train"].shape
    means = sum(isinstance(record, TrainMean) for record in records)
    own_targets = recipe.method.lesson is not None
    floats = (
        4 * recipe.model.hidden * (width + task.n_classes)
        + recipe.batch_size * (width + recipe.model.hidden)
        + (2 * means + own_targets) * n_train * task.n_classes
    )
    return max(1, STACK_MEMORY // (4 * floats))
