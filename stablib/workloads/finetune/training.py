"""Fine-tune the encoder, or its last layer on cached hidden states, one seed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.errors import UsageError
from stablib.models import encoders
from stablib.models.tokens import Ragged, tokenize
from stablib.models.transformer import Dropout, by_length, hidden_states, load_classifier
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.training.workload import Report, Taught
from stablib.workloads.one_run import train_run
from stablib.workloads.teaching import targets
from stablib.workloads.text import TextRecipe, check_records, task_of


def train_each(
    kind: type[WholeEncoder],
    request: Request,
    inputs: Inputs,
    taught: Taught,
    *,
    report: Report,
    state: Arrays | None,
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    recipe = cast(TextRecipe, request.recipe)
    with one_thread():
        # What is frozen never changes, so every run of the encoder shares it.
        task = task_of(recipe, inputs, lambda: prepare(kind, recipe, inputs, lambda: report(0)))
        if task is inputs.data:  # Texts of one's own, which nobody has prepared.
            task = inputs.once(
                f"for {recipe.kind}", lambda: kind.made_ready(recipe, task, lambda: report(0))
            )
        check_records(request.records, recipe.steps(task.sizes["train"]))
        for plan in request.plans:
            (goals,) = targets(recipe.method, [plan], task, taught)
            network = kind(recipe, plan, task, goals, pause=lambda: report(0))
            yield [(plan, _train(network, recipe, plan, task, request, report, state))]


def prepare(
    kind: type[WholeEncoder],
    recipe: TextRecipe,
    inputs: Inputs,
    pause: Callable[[], object] = lambda: None,
) -> Task:
    """Make the data's texts ready for a kind of network; ``pause`` may end it between batches."""
    data = recipe.part(inputs.data)
    assert data.texts is not None  # Else nothing could be trained on them.
    encoder = encoders.find(recipe.encoder)
    ids = {split: tokenize(encoder, texts) for split, texts in data.texts.items()}
    task = Task(inputs=ids, gold=data.gold, n_classes=data.n_classes)
    return kind.made_ready(recipe, task, pause)


class WholeEncoder:
    """An encoder with its head, all of it trained, as the training loop wants it."""

    def __init__(
        self,
        recipe: TextRecipe,
        plan: SeedPlan,
        task: Task,
        goals: NDArray[np.float32],
        *,
        pause: Callable[[], object],
    ) -> None:
        folder = encoders.find(recipe.encoder).folder
        self.network = load_classifier(folder, task.n_classes, plan.generator("init"))
        self.texts: Ragged = task.inputs["train"]
        self.goals = goals
        self.source = plan.source("dropout")
        self.dropout = Dropout(self.source.at(1))
        #: Called between batches of a prediction, which may be long: the training may end there.
        self.pause = pause

    @staticmethod
    def made_ready(recipe: TextRecipe, task: Task, pause: Callable[[], object]) -> Task:
        """Take token ids as they are.

        Raises
        ------
        UsageError
            If the task has features or hidden states instead.
        """
        if not _has_tokens(task):
            raise UsageError("fine-tuning needs token ids of texts, not features")
        return task

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """All parameters by name."""
        return {n: p for n, p in self.network.model.named_parameters() if p.requires_grad}

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
            self.pause()
        return result

    def randomness(self) -> Any:
        """State of the generator of dropout masks."""
        return self.dropout.bits.state

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""
        self.dropout.bits.state = state

    def _logits(self, batch: Ragged, dropout: Dropout | None = None) -> Tensor:
        """Logits of texts in order of length, shape (n_texts, n_classes)."""
        return self.network.classify(self._first_tokens(batch, dropout), dropout)

    def _first_tokens(self, batch: Ragged, dropout: Dropout | None) -> Tensor:
        return self.network.run_layers(
            self.network.embed(batch, dropout),
            batch.starts,
            slice(None),
            dropout=dropout,
            first_tokens=True,
        )


class LastLayer(WholeEncoder):
    """An encoder of which the last layer and the head are trained."""

    @staticmethod
    def made_ready(recipe: TextRecipe, task: Task, pause: Callable[[], object]) -> Task:
        """Put hidden states below the last layer into the place of token ids.

        Raises
        ------
        UsageError
            If the task has features instead of texts.
        """
        if not isinstance(task.inputs["train"], Ragged):
            raise UsageError("the top layer needs token ids or hidden states of texts")
        if not _has_tokens(task):
            return task
        folder = encoders.find(recipe.encoder).folder
        network = load_classifier(folder, task.n_classes, np.random.default_rng(0))
        states = {
            split: hidden_states(network, ids, slice(-1), pause=pause)
            for split, ids in task.inputs.items()
        }
        return Task(inputs=states, gold=task.gold, n_classes=task.n_classes)

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """Parameters of the last layer and of the classification head by name."""
        model = self.network.model
        names = {id(p): name for name, p in model.named_parameters()}
        modules = vars(self.network.layers[-1]).values()
        pooler = getattr(model.base_model, "pooler", None)
        head = [child for _, child in model.named_children() if child is not model.base_model]
        trained = [*modules, *([pooler] if pooler else []), *head]
        return {names[id(p)]: p for module in trained for p in module.parameters()}

    def _first_tokens(self, batch: Ragged, dropout: Dropout | None) -> Tensor:
        states = torch.from_numpy(batch.values)
        return self.network.run_last_layer(states, batch.starts, dropout=dropout)


def _has_tokens(task: Task) -> bool:
    texts = task.inputs["train"]
    return isinstance(texts, Ragged) and np.issubdtype(texts.values.dtype, np.integer)


def _train(
    network: WholeEncoder,
    recipe: TextRecipe,
    plan: SeedPlan,
    task: Task,
    request: Request,
    report: Report,
    state: Arrays | None,
) -> list[Arrays]:
    adam = torch.optim.Adam(
        list(network.named().values()),
        lr=recipe.learning_rate,
        weight_decay=recipe.method.decay,
        fused=True,
    )
    return train_run(network, adam, request, plan, task, report=report, state=state)
