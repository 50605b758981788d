"""Train recommenders, one seed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Interactions
from stablib.errors import UsageError
from stablib.training import Control, Inputs, Request, SeedPlan
from stablib.training.loop import fit
from stablib.training.record import Arrays, TrainMean
from stablib.training.threads import one_thread
from stablib.training.workload import Report, Taught
from stablib.workloads.one_run import train_run
from stablib.workloads.ranking import RankingRecipe
from stablib.workloads.ranking.network import NETWORKS, ItemNetwork, RankingNetwork
from stablib.workloads.ranking.record import RankingRecord
from stablib.workloads.ranking.task import Choices, prepare
from stablib.workloads.text import check_records, task_of


def train_each(
    request: Request, inputs: Inputs, taught: Taught, *, report: Report, state: Arrays | None
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    recipe = cast(RankingRecipe, request.recipe)
    with one_thread():
        name = f"{recipe.kind}, held out: {recipe.held_out}, negatives: {recipe.n_negatives}"
        task = inputs.once(
            f"{name}, {recipe.label}, first {recipe.limit}",
            lambda: cast(Choices, task_of(recipe, inputs, lambda: _prepared(recipe, inputs))),
        )
        check_records(request.records, recipe.steps(task.sizes["train"]))
        for record in request.records:
            kept = getattr(record, "record", record)  # Of averaged weights there is one inside.
            if not isinstance(kept, RankingRecord | TrainMean):
                raise UsageError(f"a recommender keeps no record of the kind {kept.kind!r}")
        for plan in request.plans:
            network = build(recipe, plan, task, taught(plan), pause=lambda: report(0))
            before = recipe.before(plan)
            if before is not None:
                assert isinstance(network, ItemNetwork)  # Others begin on their own.
                network.begin_as(_learnt(*before, task, inputs, report))
            arrays = train_run(
                network,
                network.optimizer(),
                request,
                plan,
                task,
                report=report,
                state=state,
            )
            yield [(plan, arrays)]


def _prepared(recipe: RankingRecipe, inputs: Inputs) -> Choices:
    return prepare(recipe, cast(Interactions, inputs.data))


def build(
    recipe: RankingRecipe,
    plan: SeedPlan,
    task: Choices,
    taught: NDArray[np.float32] | None = None,
    *,
    pause: Callable[[], object],
) -> RankingNetwork:
    """Make the recipe's network, see :class:`~stablib.workloads.ranking.network.RankingNetwork`."""
    return NETWORKS[recipe.kind](recipe, plan, task, taught, pause=pause)


def _learnt(
    recipe: RankingRecipe, plan: SeedPlan, task: Choices, inputs: Inputs, report: Report
) -> RankingNetwork:
    """A network after its training; the last one that was asked for is at hand."""
    return inputs.latest("first", (recipe, plan), lambda: _trained(recipe, plan, task, report))


def _trained(
    recipe: RankingRecipe, plan: SeedPlan, task: Choices, report: Report
) -> RankingNetwork:
    """Train a network; chosen or not is all that it tells apart."""
    network = build(recipe, plan, task.of_two_classes(), pause=lambda: report(0))
    fit(
        network,
        network.optimizer(),
        Control(),
        plan,
        n_train=task.sizes["train"],
        n_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        watchers=(),
        report=lambda *_: report(0),
    )
    return network
