"""Fine-tune the encoder, or its top layers on cached hidden states, one seed at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.errors import UsageError
from stablib.models import encoders
from stablib.models.tokens import Ragged, tokenize
from stablib.models.transformer import Dropout, Unpadded, by_length, hidden_states, load_classifier
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.loop import fit
from stablib.training.observe import observers
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.training.workload import Report, Taught
from stablib.workloads.finetune import FineTuneRecipe
from stablib.workloads.teaching import targets
from stablib.workloads.text import check_records, task_of, work_by_step


def prepare(recipe: FineTuneRecipe, inputs: Inputs) -> Task:
    """Token ids of the data's texts, or hidden states below the trained layers."""
    data = inputs.data.head(recipe.limit)
    encoder = encoders.find(recipe.encoder)
    ids = {split: tokenize(encoder, texts) for split, texts in data.texts.items()}
    return below_trained(recipe, Task(inputs=ids, gold=data.gold, n_classes=data.n_classes))


def below_trained(recipe: FineTuneRecipe, task: Task) -> Task:
    """Put hidden states below the trained layers into the place of token ids.

    Raises
    ------
    UsageError
        If the task has features instead of texts.
    """
    texts = task.inputs["train"]
    if not isinstance(texts, Ragged):
        raise UsageError("fine-tuning needs token ids or hidden states of texts, not features")
    if recipe.top_layers is None or not np.issubdtype(texts.values.dtype, np.integer):
        return task
    folder = encoders.find(recipe.encoder).folder
    network = load_classifier(folder, task.n_classes, np.random.default_rng(0))
    frozen = slice(None, -recipe.top_layers)
    states = {split: hidden_states(network, ids, frozen) for split, ids in task.inputs.items()}
    return Task(inputs=states, gold=task.gold, n_classes=task.n_classes)


def train_each(
    request: Request, inputs: Inputs, taught: Taught, *, report: Report
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    recipe = cast(FineTuneRecipe, request.recipe)
    with one_thread():
        # What is frozen never changes, so every run of the encoder shares it.
        task = task_of(recipe, inputs, lambda: prepare(recipe, inputs))
        if task is inputs.data:  # Texts of one's own, which nobody has prepared.
            task = inputs.once("below the trained layers", lambda: below_trained(recipe, task))
        check_records(request.records, recipe.steps(task.sizes["train"]))
        for plan in request.plans:
            (goals,) = targets(recipe.method, [plan], task, taught)
            yield [(plan, _train(recipe, plan, task, goals, request, report))]


class Classifier:
    """An encoder with its head, as the training loop wants it."""

    def __init__(
        self, recipe: FineTuneRecipe, plan: SeedPlan, task: Task, goals: NDArray[np.float32]
    ) -> None:
        folder = encoders.find(recipe.encoder).folder
        self.network = load_classifier(folder, task.n_classes, plan.generator("init"))
        self.trained = slice(None) if recipe.top_layers is None else slice(-recipe.top_layers, None)
        self.texts: Ragged = task.inputs["train"]
        self.goals = goals
        self.source = plan.source("dropout")
        self.dropout = Dropout(self.source.at(1))

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """All parameters, or those of the top layers and the classification head."""
        model = self.network.model
        if self.trained.start is None:
            return {n: p for n, p in model.named_parameters() if p.requires_grad}
        names = {id(p): name for name, p in model.named_parameters()}
        each = itertools.chain.from_iterable(m.parameters() for m in self._top())
        return {names[id(p)]: p for p in each}

    def _top(self) -> list[torch.nn.Module]:
        model = self.network.model
        modules = [m for layer in self.network.layers[self.trained] for m in vars(layer).values()]
        pooler = getattr(model.base_model, "pooler", None)
        head = [child for _, child in model.named_children() if child is not model.base_model]
        return [*modules, *([pooler] if pooler else []), *head]

    def start_epoch(self, epoch: int) -> None:
        """Let the seed rule that rules in this epoch."""
        self.dropout.bits = self.source.at(epoch).bit_generator

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Cross-entropy with the targets; the texts of a batch go in order of length."""
        rows = rows[np.argsort(self.texts.lengths[rows], kind="stable")]
        logits = self._logits(self.texts.take(rows), self.dropout)
        return functional.cross_entropy(logits, torch.from_numpy(self.goals[rows]))

    def logits(self, inputs: Ragged) -> Tensor:
        """Logits in the order of the texts."""
        order = by_length(inputs)
        result = torch.empty(len(inputs), self.network.model.config.num_labels)
        for start in range(0, len(order), 256):
            rows = order[start : start + 256]
            result[rows] = self._logits(inputs.take(rows))
        return result

    def _logits(self, batch: Ragged, dropout: Dropout | None = None) -> Tensor:
        """Logits of texts in order of length, shape (n_texts, n_classes)."""
        network: Unpadded = self.network
        if np.issubdtype(batch.values.dtype, np.integer):
            states = network.embed(batch, dropout)
        else:
            states = torch.from_numpy(batch.values)
        first = network.run_layers(
            states, batch.starts, self.trained, dropout=dropout, first_tokens=True
        )
        return network.classify(first, dropout)


def _train(
    recipe: FineTuneRecipe,
    plan: SeedPlan,
    task: Task,
    goals: NDArray[np.float32],
    request: Request,
    report: Report,
) -> list[Arrays]:
    network = Classifier(recipe, plan, task, goals)
    adam = torch.optim.Adam(
        list(network.named().values()),
        lr=recipe.learning_rate,
        weight_decay=recipe.method.decay,
        fused=True,
    )
    watchers = observers(request.records, task, 1)
    shares = iter(work_by_step(recipe, task.sizes, request.records))
    predictor = fit(
        network,
        adam,
        recipe.method,
        plan,
        n_train=task.sizes["train"],
        n_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        watchers=watchers,
        report=lambda steps, state=None: report(next(shares), state),
    )
    return [watcher.finish(predictor)[0] for watcher in watchers]
