"""Fine-tune the encoder, or its top layers on cached hidden states, one seed at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.models import encoders
from stablib.models.tokens import Ragged
from stablib.models.transformer import Dropout, Unpadded, by_length, hidden_states, load_classifier
from stablib.training.head import Progress, WeightMean
from stablib.training.observe import Arrays, observers
from stablib.training.recipe import FineTune, Recipe
from stablib.training.record import Record
from stablib.training.seeds import SeedPlan
from stablib.training.task import Task
from stablib.training.threads import one_thread


def train_finetuned(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    task: Task,
    targets: Sequence[NDArray[np.float32]],
    records: Sequence[Record],
    *,
    progress: Progress = lambda done: None,
) -> list[list[Arrays]]:
    """Fine-tune one model a seed plan, one after the other.

    Parameters, returns
        As :func:`stablib.training.head.train_heads`; the recipe's model is a :class:`FineTune`.

    Notes
    -----
    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    with one_thread():
        task = _below_trained_layers(recipe, task)
        return [
            _train(recipe, plan, task, targets[0 if len(targets) == 1 else k], records, progress)
            for k, plan in enumerate(plans)
        ]


class TunedStack:
    """One fine-tuned model, as a stack of one."""

    n_heads = 1

    def __init__(self, network: Unpadded, trained: slice) -> None:
        self.network = network
        self.trained = trained

    def logits(self, batch: Ragged, dropout: Dropout | None = None) -> Tensor:
        """Logits of texts in order of length, shape (n_texts, n_classes)."""
        network = self.network
        if np.issubdtype(batch.values.dtype, np.integer):
            states = network.embed(batch, dropout)
        else:
            states = torch.from_numpy(batch.values)
        first = network.run_layers(
            states, batch.starts, self.trained, dropout=dropout, first_tokens=True
        )
        return network.classify(first, dropout)

    def probabilities(self, head: int, features: Ragged) -> Tensor:
        """Class probabilities in the order of the texts."""
        order = by_length(features)
        result = torch.empty(len(features), self.network.model.config.num_labels)
        with torch.inference_mode():
            for start in range(0, len(order), 256):
                rows = order[start : start + 256]
                result[rows] = torch.softmax(self.logits(features.take(rows)), dim=-1)
        return result


def _trained(recipe: Recipe) -> slice:
    model = recipe.model
    assert isinstance(model, FineTune)
    return slice(None) if model.top_layers is None else slice(-model.top_layers, None)


def _below_trained_layers(recipe: Recipe, task: Task) -> Task:
    """Replace token ids by the hidden states below the trained layers: they never change."""
    trained = _trained(recipe)
    if trained.start is None:
        return task
    folder = encoders.find(recipe.encoder).folder
    network = load_classifier(folder, task.n_classes, np.random.default_rng(0))
    frozen = slice(None, trained.start)
    inputs = {split: hidden_states(network, texts, frozen) for split, texts in task.inputs.items()}
    return Task(inputs=inputs, gold=task.gold, n_classes=task.n_classes)


def _train(
    recipe: Recipe,
    plan: SeedPlan,
    task: Task,
    targets: NDArray[np.float32],
    records: Sequence[Record],
    progress: Progress,
) -> list[Arrays]:
    folder = encoders.find(recipe.encoder).folder
    network = load_classifier(folder, task.n_classes, plan.generator("init"))
    stack = TunedStack(network, _trained(recipe))
    parameters = _trained_parameters(stack)
    adam = torch.optim.Adam(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.method.decay, fused=True
    )
    dropout = Dropout(plan.generator("dropout"))
    shuffle = plan.generator("shuffle")
    texts: Ragged = task.inputs["train"]
    watchers = observers(records, task, 1)
    average = WeightMean(recipe)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        order = shuffle.permutation(len(texts))
        for start in range(0, len(texts), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            rows = rows[np.argsort(texts.lengths[rows], kind="stable")]
            logits = stack.logits(texts.take(rows), dropout)
            loss = functional.cross_entropy(logits, torch.from_numpy(targets[rows]))
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            step += 1
            for watcher in watchers:
                watcher.after_step(step, stack)
            progress(1)
        average.after_epoch(epoch, torch.nn.utils.parameters_to_vector(parameters).detach())
    with torch.no_grad():
        flat = torch.nn.utils.parameters_to_vector(parameters).clone()
        average.replace(flat)
        torch.nn.utils.vector_to_parameters(flat, parameters)
    return [watcher.finish(stack)[0] for watcher in watchers]


def _trained_parameters(stack: TunedStack) -> list[torch.nn.Parameter]:
    """All parameters, or those of the top layers and the classification head."""
    model = stack.network.model
    if stack.trained.start is None:
        return [p for p in model.parameters() if p.requires_grad]
    modules = [
        module for layer in stack.network.layers[stack.trained] for module in vars(layer).values()
    ]
    head = [child for name, child in model.named_children() if child is not model.base_model]
    pooler = getattr(model.base_model, "pooler", None)
    return [p for m in (*modules, *([pooler] if pooler else []), *head) for p in m.parameters()]
