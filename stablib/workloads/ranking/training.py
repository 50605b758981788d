"""Train recommenders, one seed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import torch

from stablib.data import Interactions
from stablib.errors import UsageError
from stablib.training import Control, Inputs, Request, SeedPlan
from stablib.training.loop import fit
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.training.workload import Report
from stablib.workloads.one_run import train_run
from stablib.workloads.ranking import FactorRecipe, ItemRecipe, RankingRecipe
from stablib.workloads.ranking.network import FactorNetwork, ItemNetwork, RankingNetwork
from stablib.workloads.ranking.record import RankingRecord
from stablib.workloads.ranking.task import Choices, prepare
from stablib.workloads.text import check_records, task_of

#: Adagrad begins with so much in its sums of squares, as the released code.
_ACCUMULATED = 1e-8


def train_each(
    request: Request, inputs: Inputs, *, report: Report, state: Arrays | None
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
            if not isinstance(kept, RankingRecord):
                raise UsageError(f"a recommender keeps no record of the kind {kept.kind!r}")
        for plan in request.plans:
            network = build(recipe, plan, task, pause=lambda: report(0))
            if isinstance(recipe, ItemRecipe) and recipe.start != "random":
                _begin(cast(ItemNetwork, network), recipe, plan, task, inputs, report)
            arrays = train_run(
                network,
                optimizer(recipe, network),
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
    recipe: RankingRecipe, plan: SeedPlan, task: Choices, *, pause: Callable[[], object]
) -> RankingNetwork:
    """Make the recipe's network."""
    if isinstance(recipe, ItemRecipe):
        return ItemNetwork(recipe, plan, task, pause=pause)
    return FactorNetwork(cast(FactorRecipe, recipe), plan, task, pause=pause)


def optimizer(
    recipe: RankingRecipe, network: RankingNetwork
) -> torch.optim.Adagrad | torch.optim.Adam:
    """Make the optimizer: Adagrad with penalties for DeepICF, Adam for the others."""
    trained = {n: p for n, p in network.named().items() if p.requires_grad}
    decay = recipe.method.decay
    if not isinstance(recipe, ItemRecipe):
        parameters = list(trained.values())
        return torch.optim.Adam(parameters, lr=recipe.learning_rate, weight_decay=decay, fused=True)
    penalties = {"history": recipe.penalty, "targets": recipe.penalty}
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in trained.items():
        of_tower = recipe.tower_penalty if name.startswith("weights.") else 0.0
        groups.setdefault(decay + penalties.get(name, of_tower), []).append(parameter)
    return torch.optim.Adagrad(
        [{"params": found, "weight_decay": penalty} for penalty, found in groups.items()],
        lr=recipe.learning_rate,
        initial_accumulator_value=_ACCUMULATED,
        fused=True,
    )


def _begin(
    network: ItemNetwork,
    recipe: ItemRecipe,
    plan: SeedPlan,
    task: Choices,
    inputs: Inputs,
    report: Report,
) -> None:
    """Give the items the vectors that FISM learns, with the run's seeds or with those of none."""
    first = plan if recipe.start == "own" else SeedPlan()
    simple = ItemRecipe(
        dataset=recipe.dataset,
        limit=recipe.limit,
        output="sigmoid",
        embedding=recipe.embedding,
        attention=None,
        layers=(),
        alpha=recipe.alpha,
        longest=recipe.longest,
        n_negatives=recipe.n_negatives,
        held_out=recipe.held_out,
        learning_rate=recipe.learning_rate,
        epochs=recipe.start_epochs,
        penalty=recipe.penalty,
    )
    known = inputs.latest("first", (simple, first), lambda: _learnt(simple, first, task, report))
    with torch.no_grad():
        network.model.history.copy_(known[0])
        network.model.targets.copy_(known[1])


def _learnt(
    recipe: ItemRecipe, plan: SeedPlan, task: Choices, report: Report
) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors of the items after a training of FISM."""
    # Chosen or not is all that it tells apart.
    network = ItemNetwork(recipe, plan, task.of_two_classes(), pause=lambda: report(0))
    fit(
        network,
        optimizer(recipe, network),
        Control(),
        plan,
        n_train=len(task.histories),
        n_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        watchers=(),
        report=lambda *_: report(0),
    )
    return network.model.history.detach().clone(), network.model.targets.detach().clone()
