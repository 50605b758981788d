"""Which curves the figures of the paper show: recipes over shuffling windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from stablib.studies.synthetic_irreproducibility.settings import (
    SyntheticIrreproducibilitySettings,
)
from stablib.training import Request, seed_plans
from stablib.workloads.streams import DataModel, PairRecord, StreamRecipe
from stablib.workloads.streams.recipe import LOG2_BATCH, Activation

#: The paper's widest window (Figures 2 to 4); the whole stream would be 2^21.
_WIDEST = 20

#: log2 of examples after which a tower that is stuck can be told from one that learns.
_SHORT = 18

#: log2 of examples of what is trained again while a page is made.
_AGAIN = 16

#: Weights of large models are kept only for Figure 9.
FEW_WEIGHTS = PairRecord()

#: The curve of Figure 9, and log2 of the paper's window there.
EMBEDDING_PAIR = "relu, adagrad 0.1"
EMBEDDING_WINDOW = 10


@dataclasses.dataclass(frozen=True)
class Curve:
    """PD over shuffling windows: one recipe a window, pairs with the same seeds in each.

    Parameters
    ----------
    name : str
        On the page.
    recipes : tuple of StreamRecipe
        Equal but for their window, from the smallest to the widest.
    """

    name: str
    recipes: tuple[StreamRecipe, ...]


def windows(log2_examples: int, count: int) -> tuple[int, ...]:
    """Spread log2 z evenly from one mini-batch to the whole stream, at most the paper's 2^20.

    Examples
    --------
    >>> windows(21, 5)
    (0, 4, 8, 12, 16)
    >>> windows(26, 3)
    (0, 10, 20)
    """
    widest = min(log2_examples - LOG2_BATCH, _WIDEST)
    return tuple(dict.fromkeys(int(z) for z in np.linspace(0, widest, count).round()))


class Design:
    """Curves of the paper's figures.

    Parameters
    ----------
    settings : SyntheticIrreproducibilitySettings
        A preset's row, changed or not.
    """

    def __init__(self, settings: SyntheticIrreproducibilitySettings) -> None:
        self.settings = settings
        self.linear_data = DataModel(kind="linear", seed=settings.truth)
        self.quadratic_data = DataModel(kind="quadratic", seed=settings.truth_quadratic)

    def request(self, recipe: StreamRecipe, record: PairRecord = FEW_WEIGHTS) -> Request:
        """All pairs of a recipe."""
        s = self.settings
        few = s.n_pairs_quadratic if recipe.data.kind == "quadratic" else None
        return Request(recipe, seed_plans(few or s.n_pairs, first_seed=s.first_pair), (record,))

    def curve_requests(self, curves: Sequence[Curve]) -> list[Request]:
        """All pairs of some curves."""
        return [self.request(recipe) for curve in curves for recipe in curve.recipes]

    def embedding_pair(self) -> Request:
        """ReLU on embeddings with all weights, at the window nearest to the paper's 2^10."""
        curve = next(c for c in self.embeddings() if c.name == EMBEDDING_PAIR)
        recipe = min(curve.recipes, key=lambda r: abs(r.log2_window - EMBEDDING_WINDOW))
        return self.request(recipe, PairRecord(weights="all"))

    def curve(self, name: str, base: StreamRecipe) -> Curve:
        """Vary the window of a recipe."""
        spread = windows(base.log2_examples, self.settings.n_windows)
        return Curve(name, tuple(base.model_copy(update={"log2_window": z}) for z in spread))

    def base(self, log2_examples: int | None = None, **fields: object) -> StreamRecipe:
        """A recipe on linear data with the settings' learning rate."""
        s = self.settings
        return StreamRecipe.model_validate(
            {
                "data": self.linear_data,
                "log2_examples": log2_examples or s.log2_examples,
                "learning_rate": s.learning_rate,
                **fields,
            }
        )

    def simple(self, *, long: bool = False) -> list[Curve]:
        """Linear, one and two hidden units, same and distinct initial weights (Figure 2)."""
        t = self.settings.log2_examples_long if long else self.settings.log2_examples
        models: dict[str, dict[str, object]] = {"linear": {}}
        kinds: tuple[Activation, ...] = ("identity", "relu")
        models |= {
            f"{kind} {units}": {"hidden": (units,), "activation": kind}
            for units in (1, 2)
            for kind in kinds
        }
        return [
            self.curve(name + ("" if same else ", diff"), self.base(t, same_init=same, **fields))
            for name, fields in models.items()
            for same in (True, False)
        ]

    def towers(self, *, long: bool = False) -> list[Curve]:
        """Narrow towers 16-8-4-2 with the same initial weights (Figure 6)."""
        t = self.settings.log2_examples_long if long else self.settings.log2_examples
        kinds: tuple[Activation, ...] = ("identity", "relu", "smelu")
        return [
            self.curve(
                f"{kind} 16-8-4-2",
                self.base(
                    t,
                    hidden=(16, 8, 4, 2),
                    activation=kind,
                    beta=self.settings.beta if kind == "smelu" else 1.0,
                ),
            )
            for kind in kinds
        ]

    def stuck(self) -> Request:
        """Many ReLU towers with initial weights of their own, two a pair, on a shorter stream."""
        t = min(_SHORT, self.settings.log2_examples)
        tower = self.base(t, hidden=(16, 8, 4, 2), activation="relu", same_init=False)
        plans = seed_plans(self.settings.n_towers // 2, first_seed=self.settings.first_pair)
        return Request(tower, plans, (FEW_WEIGHTS,))

    def again(self) -> dict[str, Request]:
        """Pairs that differ by rounding alone, on a stream short enough to train them again."""
        t = min(_AGAIN, self.settings.log2_examples)
        tower: tuple[int, ...] = (16, 8, 4, 2)
        models: dict[str, dict[str, object]] = {
            "linear": {},
            "relu 1": {"hidden": (1,), "activation": "relu"},
            "relu 2": {"hidden": (2,), "activation": "relu"},
            "identity 16-8-4-2": {"hidden": tower, "activation": "identity"},
            "relu 16-8-4-2": {"hidden": tower, "activation": "relu"},
        }
        return {name: self.request(self.base(t, **fields)) for name, fields in models.items()}

    def embeddings(self) -> list[Curve]:
        """Two embeddings and 1000 units, by activation, optimizer and learning rate (Figure 8)."""
        t = self.settings.log2_examples_embedding
        curves = [self.curve("linear, adagrad 0.1", self.base(t, learning_rate=0.1))]
        kinds: tuple[Activation, ...] = ("identity", "relu")
        for kind in kinds:
            for optimizer, rate in (
                ("adagrad", 1.0),
                ("adagrad", 0.1),
                ("sgd", 0.1),
                ("sgd", 0.01),
            ):
                fields: dict[str, object] = {
                    "hidden": (1000,),
                    "embedding": True,
                    "activation": kind,
                    "optimizer": optimizer,
                    "learning_rate": rate,
                }
                curves.append(self.curve(f"{kind}, {optimizer} {rate:g}", self.base(t, **fields)))
        return curves

    def quadratic(self) -> list[Curve]:
        """Layers of 1024 and 512 units on quadratic data, and warm starts (Figure 10)."""
        t = self.settings.log2_examples_wide
        data: dict[str, object] = {"data": self.quadratic_data}
        wide = {**data, "hidden": (1024, 512)}
        variants: dict[str, dict[str, object]] = {
            "linear": data,
            "relu": {**wide, "activation": "relu"},
            "smelu β=0.5": {**wide, "activation": "smelu", "beta": 0.5},
            "smelu β=2": {**wide, "activation": "smelu", "beta": 2.0},
            "swish β=1": {**wide, "activation": "swish", "beta": 1.0},
            "swish β=4": {**wide, "activation": "swish", "beta": 4.0},
            "relu TL": {**wide, "activation": "relu", "learning_rate": 0.01, "warm_start": 0.1},
        }
        return [self.curve(name, self.base(t, **fields)) for name, fields in variants.items()]
