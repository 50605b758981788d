"""Train one network of a request and keep its records: what workloads without stacks share."""

from __future__ import annotations

import itertools
from typing import cast

import torch

from stablib.training import Request, SeedPlan, Task
from stablib.training.loop import Batches, Network, Schedule, constant, fit, in_random_order
from stablib.training.observe import observers
from stablib.training.record import Arrays
from stablib.training.seeds import check_bits
from stablib.training.workload import Report
from stablib.workloads.text import LabelledRecipe, work_by_step


def train_run(
    network: Network,
    optimizer: torch.optim.Optimizer,
    request: Request,
    plan: SeedPlan,
    task: Task,
    *,
    report: Report,
    state: Arrays | None,
    n_train: int | None = None,
    batch_size: int | None = None,
    batches: Batches = in_random_order,
    schedule: Schedule = constant,
) -> list[Arrays]:
    """Train a network and return the arrays of every record.

    Parameters
    ----------
    network : Network
        Freshly initialised.
    optimizer : torch.optim.Optimizer
        Of its parameters.
    request : Request
        With a :class:`~stablib.workloads.text.LabelledRecipe`.
    plan, state
        As for :func:`stablib.training.loop.fit`.
    task : Task
        What the records look at; its sizes are the unit of the work that is reported.
    report : callable
        Told of work, see :class:`~stablib.training.workload.Report`.
    n_train, batch_size : int, optional
        What the loop deals out to batches, where that is not the task's examples.
    batches, schedule : callable, optional
        As for :func:`stablib.training.loop.fit`; a method with a schedule of its own takes the
        place of the recipe's.

    Raises
    ------
    UsageError
        If any plan of the whole request changes a weight that the network does not have.
    """
    recipe = cast(LabelledRecipe, request.recipe)
    sizes = {name: parameter.numel() for name, parameter in network.named().items()}
    check_bits(request.with_bits, sizes)  # Before the first of them is trained.
    watchers = observers(request.records, task, 1)
    shares = iter(work_by_step(recipe, task.sizes, request.records))
    predictor = fit(
        network,
        optimizer,
        recipe.method,
        plan,
        n_train=n_train or task.sizes["train"],
        n_epochs=recipe.epochs,
        batch_size=batch_size or recipe.batch_size,
        watchers=watchers,
        report=lambda steps, state=None: report(sum(itertools.islice(shares, steps)), state),
        state=state,
        batches=batches,
        schedule=constant if "rate" in recipe.method.changes else schedule,
    )
    return [watcher.finish(predictor)[0] for watcher in watchers]
