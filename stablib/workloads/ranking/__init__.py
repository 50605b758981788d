"""Recommenders: DeepICF with attention, NeuMF and GMF, one seed after the other."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, cast

from pydantic import Field

from stablib.data import Dataset, Interactions
from stablib.errors import UsageError
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.ranking.record import Attended, HitCurve, Ranked, Vectors
from stablib.workloads.teaching import lessons
from stablib.workloads.text import LabelledRecipe, LabelledWorkload

__all__ = [
    "Attended",
    "FactorRecipe",
    "HitCurve",
    "ItemRecipe",
    "Ranked",
    "RankingRecipe",
    "Vectors",
]


class RankingRecipe(LabelledRecipe):
    """A recommender that learns to tell what users chose from what they did not.

    Parameters
    ----------
    dataset : str
        Data set of interactions.
    label : {"choice", "rating"}
        Two classes, chosen or not; or three, of which the chosen are liked or disliked.
    limit : int, optional
        Keep only the first users.
    output : {"softmax", "sigmoid"}, default "softmax"
        A logit a class, or of two classes a single one.
    class_weights : bool, default False
        Weigh losses such that all classes contribute alike.
    n_negatives : int, default 4
        Items that were not chosen, drawn anew each epoch for each that was.
    held_out : bool, default False
        Test on one item of each history, which is not trained on, instead of on the test item: to
        choose hyper-parameters.
    learning_rate, epochs, batch_size
        Of the optimizer.
    """

    label: Literal["choice", "rating"] = "choice"
    output: Literal["softmax", "sigmoid"] = "softmax"
    class_weights: bool = False
    n_negatives: int = Field(default=4, ge=1)
    held_out: bool = False

    def check_method(self) -> None:
        """Refuse also a sigmoid of three classes."""
        super().check_method()
        if self.output == "sigmoid" and self.label == "rating":
            raise UsageError("output 'sigmoid' tells two classes: label must be 'choice'")

    @property
    def n_outputs(self) -> int:
        """Logits of an item."""
        return 1 if self.output == "sigmoid" else 2 + (self.label == "rating")

    @property
    def variant(self) -> str:
        """What the name of the model does not say; empty for two classes that count as they are."""
        three = ", three outputs" if self.label == "rating" else ""
        return three + (", class-weighted" if self.class_weights else "")

    @abc.abstractmethod
    def n_examples(self, n_users: int, n_interactions: int) -> int:
        """Training examples of an epoch."""

    def before(self, plan: SeedPlan) -> tuple[RankingRecipe, SeedPlan] | None:
        """What is trained first, for a run with these seeds to begin as; None for nothing."""
        return None


class ItemRecipe(RankingRecipe):
    """A recommender that knows a user by their history: DeepICF with attention.

    The defaults are those of Xue et al. 2019 and its released code for DeepICF+a, whose
    hyper-parameters the thesis takes over (section 3.1.5), with its softmax.

    Parameters
    ----------
    embedding, attention, layers, beta, alpha
        See :class:`stablib.models.item_model.ItemModel`.
    longest : int, default 299
        First items of a history that are looked at.
    batch_size : int, default 1
        Users of an optimization step; batch norm is taken of the examples of one.
    penalty, tower_penalty : float
        L2 penalty of embeddings, and of the tower's weights, as ``penalty * weight`` in the
        gradient of Adagrad.
    start : {"random", "own", "shared"}, default "random"
        Draw the vectors of the items, or take those of FISM, which is trained before: anew for
        each run, or once for all.
    start_epochs : int, default 10
        Epochs of that training.

    Examples
    --------
    >>> ItemRecipe(dataset="movielens-100k", class_weights=True).title()
    'movielens-100k/choice, DeepICF+a, class-weighted, control'
    """

    kind: Literal["items"] = "items"
    embedding: int = Field(default=16, ge=1)
    attention: int | None = Field(default=16, ge=1)
    layers: tuple[int, ...] = (64, 32, 16)
    beta: float = Field(default=0.8, ge=0.0, le=1.0)
    alpha: float = Field(default=0.5, ge=0.0, le=1.0)
    longest: int = Field(default=299, ge=1)
    learning_rate: float = Field(default=0.01, gt=0.0)
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=1, ge=1)
    penalty: float = Field(default=1e-6, ge=0.0)
    tower_penalty: float = Field(default=10.0, ge=0.0)
    start: Literal["random", "own", "shared"] = "random"
    start_epochs: int = Field(default=10, ge=1)

    @property
    def model_name(self) -> str:
        """Architecture, and what is not as in the paper."""
        name = "DeepICF" if self.layers else "FISM"
        begun = {"random": "", "own": ", pretrained", "shared": ", pretrained once for all"}
        return name + "+a" * (self.attention is not None) + self.variant + begun[self.start]

    def n_examples(self, n_users: int, n_interactions: int) -> int:
        """Users: each is an example of the loop."""
        return n_users

    def before(self, plan: SeedPlan) -> tuple[RankingRecipe, SeedPlan] | None:
        """FISM, with the run's own seeds or with the same for all."""
        if self.start == "random":
            return None
        fism = ItemRecipe(
            dataset=self.dataset,
            limit=self.limit,
            output="sigmoid",
            embedding=self.embedding,
            attention=None,
            layers=(),
            alpha=self.alpha,
            longest=self.longest,
            n_negatives=self.n_negatives,
            held_out=self.held_out,
            learning_rate=self.learning_rate,
            epochs=self.start_epochs,
            penalty=self.penalty,
        )
        return fism, plan if self.start == "own" else SeedPlan()


class FactorRecipe(RankingRecipe):
    """A recommender with a vector a user: NeuMF, or GMF where it has no layers.

    The defaults are those of He et al. 2017 and its released code without pretraining.

    Parameters
    ----------
    factors, layers
        See :class:`stablib.models.factor_model.FactorModel`.
    batch_size : int, default 256
        Pairs of a user and an item in an optimization step of Adam.

    Examples
    --------
    >>> FactorRecipe(dataset="movielens-1m", layers=()).title()
    'movielens-1m/choice, GMF, control'
    """

    kind: Literal["factors"] = "factors"
    factors: int = Field(default=8, ge=1)
    layers: tuple[int, ...] = (64, 32, 16, 8)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=256, ge=1)

    @property
    def model_name(self) -> str:
        """Architecture, and what is not as in the paper."""
        return ("NeuMF" if self.layers else "GMF") + self.variant

    def n_examples(self, n_users: int, n_interactions: int) -> int:
        """Pairs, chosen and not."""
        return n_interactions * (1 + self.n_negatives)


class Ranking(LabelledWorkload):
    """Base of both: trains one recommender after the other, on one thread each.

    The seed ``negatives`` draws the items that were not chosen, anew each epoch.
    """

    version = 1
    unit = "examples"
    sources: ClassVar[tuple[str, ...]] = ("init", "shuffle", "negatives")
    honours = frozenset({"decay", "rate", "averager", "snapshots", "lesson", "targets"})
    takes_arrays = True
    packages: ClassVar[tuple[str, ...]] = ("torch", "numba", "numpy")

    def before(self, request: Request) -> list[Request]:
        """Teachers, of whom nothing is kept but what they say of all users and items."""
        return lessons(request, block=self.block, beside=())

    def sizes(self, recipe: LabelledRecipe, inputs: Inputs) -> Mapping[str, int]:
        """Training examples of an epoch, and users that are tested."""
        if isinstance(inputs.data, Task):
            return inputs.data.sizes
        data, ranking = recipe.part(cast(Dataset, inputs.data)), cast(RankingRecipe, recipe)
        if not isinstance(data, Interactions):
            return {split: len(gold) for split, gold in data.gold.items()}
        n_kept = len(data.history) - (data.n_users if ranking.held_out else 0)
        return {"train": ranking.n_examples(data.n_users, n_kept), "test": data.n_users}

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train each plan for itself."""
        from stablib.workloads.ranking.training import train_each

        return train_each(request, inputs, taught, report=report, state=state)


class ItemRanking(Ranking):
    """The workload of recommenders that know a user by their history: an example is a user."""

    name = "items"


class FactorRanking(Ranking):
    """The workload of recommenders with a vector a user: an example is a pair."""

    name = "factors"


ItemRecipe.workload = ItemRanking()
FactorRecipe.workload = FactorRanking()
