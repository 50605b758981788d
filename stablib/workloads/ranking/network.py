"""Recommenders as the training loop wants them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.models.factor_model import FactorModel
from stablib.models.item_model import ItemModel
from stablib.models.ragged import Ragged
from stablib.training import SeedPlan
from stablib.workloads.ranking import FactorRecipe, ItemRecipe, RankingRecipe
from stablib.workloads.ranking.task import Choices

#: Adagrad begins with so much in its sums of squares, as the released code.
_ACCUMULATED = 1e-8
#: Pairs that are predicted at once.
_PAIRS = 50_000


class RankingNetwork(abc.ABC):
    """A recommender with its data and its generators.

    Parameters
    ----------
    recipe : RankingRecipe
        Architecture and loss.
    plan : SeedPlan
        Initial weights and negatives.
    task : Choices
        Histories and candidates.
    taught : ndarray of float32, shape (n_users * n_items, n_classes), optional
        What teachers say of all users and items, for a method that learns it.
    pause : callable
        Called between parts of a prediction, which may be long: the training may end there.
    """

    model: torch.nn.Module

    def __init__(
        self,
        recipe: RankingRecipe,
        plan: SeedPlan,
        task: Choices,
        taught: NDArray[np.float32] | None,
        *,
        pause: Callable[[], object],
    ) -> None:
        self.recipe, self.task, self.pause = recipe, task, pause
        self.sigmoid, self.n_negatives = recipe.output == "sigmoid", recipe.n_negatives
        self.source = plan.source("negatives")
        self.rng = self.source.at(1)
        # A row for each user and item if there are teachers, else for each class.
        self.taught = taught is not None
        one_hot = np.eye(task.n_classes, dtype=np.float32)
        self.goals = torch.from_numpy(recipe.method.targets(one_hot, taught))
        self.class_weights = _class_weights(recipe, task)

    @abc.abstractmethod
    def optimizer(self) -> torch.optim.Adagrad | torch.optim.Adam:
        """Make the optimizer of the model's paper."""

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """All parameters by name, running statistics too, of which no gradient is taken."""
        return dict(self.model.named_parameters())

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """Those of them of which a gradient is taken."""
        return {n: p for n, p in self.named().items() if p.requires_grad}

    def start_epoch(self, epoch: int) -> None:
        """Let the seed rule that rules in this epoch."""
        self.rng = self.source.at(epoch)

    @abc.abstractmethod
    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean weighted cross-entropy of a mini-batch."""

    @abc.abstractmethod
    def scored(self, inputs: Ragged) -> Iterator[Tensor]:
        """Outputs for rows of (user, item), some users at a time."""

    def logits(self, inputs: Ragged) -> Tensor:
        """Logits of rows of (user, item), shape (n_rows, n_classes)."""
        self.model.eval()
        found = []
        for outputs in self.scored(inputs):
            found.append(self.by_class(outputs))
            self.pause()
        return torch.cat(found)

    def by_class(self, outputs: Tensor) -> Tensor:
        """Logits of all classes; a sigmoid has one, and that of the first class is 0."""
        return torch.nn.functional.pad(outputs, (1, 0)) if self.sigmoid else outputs

    def cross_entropy(
        self,
        outputs: Tensor,
        users: NDArray[np.integer] | int,
        items: NDArray[np.integer],
        classes: NDArray[np.integer],
    ) -> Tensor:
        """Sum of the weighted cross-entropies of some pairs of users and items."""
        chances = torch.log_softmax(self.by_class(outputs), dim=1)
        rows = users * self.task.n_items + items if self.taught else classes
        weights = self.class_weights[torch.from_numpy(classes)]
        return -(self.goals[torch.from_numpy(rows)] * weights[:, None] * chances).sum()

    def randomness(self) -> Any:
        """State of the generator."""
        return self.rng.bit_generator.state

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""
        self.rng.bit_generator.state = state


class ItemNetwork(RankingNetwork):
    """A recommender that knows a user by their history; an example of the loop is a user."""

    model: ItemModel

    def __init__(
        self,
        recipe: ItemRecipe,
        plan: SeedPlan,
        task: Choices,
        taught: NDArray[np.float32] | None,
        *,
        pause: Callable[[], object],
    ) -> None:
        super().__init__(recipe, plan, task, taught, pause=pause)
        self.longest = recipe.longest
        self.model = ItemModel(
            task.n_items,
            recipe.embedding,
            recipe.attention,
            recipe.layers,
            recipe.n_outputs,
            plan.generator("init"),
            beta=recipe.beta,
            alpha=recipe.alpha,
        )

    def optimizer(self) -> torch.optim.Adagrad:
        """Adagrad, with penalties of embeddings and of the tower."""
        recipe = cast(ItemRecipe, self.recipe)
        penalties = {"history": recipe.penalty, "targets": recipe.penalty}
        groups: dict[float, list[torch.nn.Parameter]] = {}
        for name, parameter in self.trained().items():
            of_tower = recipe.tower_penalty if name.startswith("weights.") else 0.0
            penalty = recipe.method.decay + penalties.get(name, of_tower)
            groups.setdefault(penalty, []).append(parameter)
        return torch.optim.Adagrad(
            [{"params": found, "weight_decay": penalty} for penalty, found in groups.items()],
            lr=recipe.learning_rate,
            initial_accumulator_value=_ACCUMULATED,
            fused=True,
        )

    def begin_as(self, other: RankingNetwork) -> None:
        """Take over the vectors of the items."""
        learnt = cast(ItemModel, other.model)
        with torch.no_grad():
            self.model.history.copy_(learnt.history)
            self.model.targets.copy_(learnt.targets)

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean weighted cross-entropy of the items of some users and of items not chosen."""
        self.model.train()
        losses, count = [], 0
        for user in rows:
            items, classes = self.history(int(user))
            n = len(items)
            others = self.task.negatives(self.rng, np.full(n * self.n_negatives, user))
            every = np.concatenate([items, others])
            own = np.concatenate([np.arange(n), np.full(len(others), -1)])
            outputs = self.model(torch.from_numpy(items), torch.from_numpy(every), own)
            all_classes = np.concatenate([classes, np.zeros(len(others), np.int64)])
            losses.append(self.cross_entropy(outputs, int(user), every, all_classes))
            count += len(every)
        return torch.stack(losses).sum() / count

    def history(self, user: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Items of a user, as far as they are looked at, and their classes."""
        start, end = self.task.histories.starts[user : user + 2]
        part = slice(int(start), min(int(end), int(start) + self.longest))
        return self.task.histories.values[part].astype(np.int64), self.task.classes[part]

    def scored(self, inputs: Ragged) -> Iterator[Tensor]:
        """Outputs user by user; an item of the history is scored by the rest of it."""
        starts = inputs.starts
        for user in range(len(inputs)):
            rows = inputs.values[starts[user] : starts[user + 1]]
            items, _ = self.history(int(rows[0, 0]))
            targets = np.ascontiguousarray(rows[:, 1])
            own = np.full(self.task.n_items, -1)
            own[items] = np.arange(len(items))
            yield self.model(torch.from_numpy(items), torch.from_numpy(targets), own[targets])


class FactorNetwork(RankingNetwork):
    """A recommender with a vector a user; an example of the loop is a pair."""

    model: FactorModel

    def __init__(
        self,
        recipe: FactorRecipe,
        plan: SeedPlan,
        task: Choices,
        taught: NDArray[np.float32] | None,
        *,
        pause: Callable[[], object],
    ) -> None:
        super().__init__(recipe, plan, task, taught, pause=pause)
        self.model = FactorModel(
            len(task.histories),
            task.n_items,
            recipe.factors,
            recipe.layers,
            recipe.n_outputs,
            plan.generator("init"),
        )
        histories = task.histories
        n_each = 1 + self.n_negatives
        self.users = np.tile(np.repeat(np.arange(len(histories)), histories.lengths), n_each)
        self.items = np.tile(histories.values.astype(np.int64), n_each)
        self.n_chosen = len(histories.values)
        self.classes = np.zeros(len(self.items), np.int64)
        self.classes[: self.n_chosen] = task.classes

    def optimizer(self) -> torch.optim.Adam:
        """Adam, on all weights at every step."""
        recipe = self.recipe
        return torch.optim.Adam(
            list(self.trained().values()),
            lr=recipe.learning_rate,
            weight_decay=recipe.method.decay,
            fused=True,
        )

    def start_epoch(self, epoch: int) -> None:
        """Draw the items that were not chosen."""
        super().start_epoch(epoch)
        self.items[self.n_chosen :] = self.task.negatives(self.rng, self.users[self.n_chosen :])

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean weighted cross-entropy of some pairs."""
        self.model.train()
        users, items = self.users[rows], self.items[rows]
        outputs = self._outputs(users, items)
        return self.cross_entropy(outputs, users, items, self.classes[rows]) / len(rows)

    def scored(self, inputs: Ragged) -> Iterator[Tensor]:
        """Outputs, many pairs at a time."""
        for start in range(0, len(inputs.values), _PAIRS):
            rows = inputs.values[start : start + _PAIRS]
            yield self._outputs(rows[:, 0], rows[:, 1])

    def _outputs(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> Tensor:
        both = (torch.from_numpy(np.ascontiguousarray(each)) for each in (users, items))
        outputs: Tensor = self.model(*both)
        return outputs


def _class_weights(recipe: RankingRecipe, task: Choices) -> Tensor:
    """Weights of the classes, 1 on average over the training examples."""
    if not recipe.class_weights:
        return torch.ones(task.n_classes)
    counts = np.bincount(task.classes, minlength=task.n_classes).astype(np.float64)
    counts[0] = recipe.n_negatives * len(task.classes)
    return torch.from_numpy((counts.sum() / (len(counts) * np.maximum(counts, 1.0))).astype("f4"))


#: Networks by kind of recipe.
NETWORKS: Mapping[str, Callable[..., RankingNetwork]] = {
    "items": ItemNetwork,
    "factors": FactorNetwork,
}
