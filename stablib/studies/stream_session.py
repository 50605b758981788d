"""The synthetic irreproducibility study at one preset, asked for curves by the notebooks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.runs.group import digest
from stablib.runs.results import versions
from stablib.runs.store import RunStore
from stablib.streams import DataModel, StreamGroup, StreamRecipe, obtain_pairs
from stablib.streams.group import PairRecord
from stablib.studies.settings import choose
from stablib.studies.synthetic_irreproducibility import PRESETS, Curve, Settings, Study
from stablib.training.observe import Arrays
from stablib.training.seeds import SeedPlan

#: The curve of Figure 9.
EMBEDDING_PAIR = "relu, adagrad 0.1"


def open_synthetic_irreproducibility(preset: str = "laptop", **changes: Any) -> StreamSession:
    """Open the synthetic irreproducibility study.

    Parameters
    ----------
    preset : str, default "laptop"
        ``"smoke"``, ``"laptop"`` or ``"paper"``.
    **changes
        Fields of :class:`~stablib.studies.synthetic_irreproducibility.Settings` that differ from
        the preset; None keeps the preset's value.

    Raises
    ------
    UsageError
        If the preset or a field is unknown, or a value is not allowed.
    """
    return StreamSession(preset, choose(PRESETS, preset, changes))


@dataclasses.dataclass(frozen=True)
class Point:
    """All pairs of one recipe.

    Parameters
    ----------
    recipe : StreamRecipe
        What was trained.
    arrays : dict of str to ndarray
        As :class:`stablib.streams.group.PairRecord` says, with a leading axis of pairs.
    made : list of dict
        Provenance, one a pair.
    """

    recipe: StreamRecipe
    arrays: Arrays
    made: Sequence[dict[str, Any]]

    @property
    def pd(self) -> NDArray[np.float64]:
        """Relative PD of each pair at the end of the stream, shape (n_pairs,)."""
        return self.arrays["pd"][:, -1]

    @property
    def loss(self) -> NDArray[np.float64]:
        """Excess loss of each model at the end of the stream, shape (n_pairs, 2), in nats."""
        return self.arrays["loss"][:, -1]


@dataclasses.dataclass(frozen=True)
class Traced:
    """A curve with its points, from the smallest window to the widest."""

    name: str
    points: tuple[Point, ...]

    @property
    def log2_examples(self) -> int:
        """log2 T."""
        return self.points[0].recipe.log2_examples


@dataclasses.dataclass(frozen=True)
class Curves:
    """What the exhibits of the paper are made from.

    Parameters
    ----------
    curves : tuple of Traced
        In the order of the legend.
    preset : str
        For the reader.
    plans : tuple of SeedPlan
        One a pair.
    """

    curves: tuple[Traced, ...]
    preset: str
    plans: tuple[SeedPlan, ...]
    #: Synthetic data are the paper's own; nothing stands in for anything.
    notice: str = ""

    def __getitem__(self, name: str) -> Traced:
        """Curve of that name."""
        return next(curve for curve in self.curves if curve.name == name)

    @property
    def recipe(self) -> StreamRecipe:
        """The first recipe, for what all have in common."""
        return self.curves[0].points[0].recipe

    @property
    def _data(self) -> list[DataModel]:
        """Data models that occur."""
        return list(dict.fromkeys(c.points[0].recipe.data for c in self.curves))

    def basis(self) -> str:
        """What each number rests on, in a line."""
        lengths = sorted({curve.log2_examples for curve in self.curves})
        made = [m for curve in self.curves for point in curve.points for m in point.made]
        dates, hardware, numba, origins = (
            " and ".join(sorted({str(m[key]) for m in made}))
            for key in ("date", "hardware", "numba", "origin")
        )
        seeds = [plan.init for plan in self.plans]
        return (
            f"synthetic data; preset {self.preset}, one pass over "
            f"{' or '.join(f'2^{t}' for t in lengths)} examples in batches of 32, {len(seeds)} "
            f"pairs a point (seeds {seeds[0]}–{seeds[-1]}); trained {dates} on "
            f"{hardware}, numba {numba} ({origins})"
        )

    def provenance(self) -> dict[str, Any]:
        """Recipes, seeds, versions and hardware of all pairs."""
        points = {
            f"{curve.name}, 2^{point.recipe.log2_window}": point
            for curve in self.curves
            for point in curve.points
        }
        return {
            "preset": self.preset,
            "dataset": " and ".join(f"synthetic {d.kind} data, truth {d.seed}" for d in self._data),
            "data content": digest([d.model_dump() for d in self._data]),
            "seeds": [plan.init for plan in self.plans],
            "pairs": {
                name: {
                    "recipe": point.recipe.model_dump(mode="json"),
                    "origin": sorted({p["origin"] for p in point.made}),
                    "made": sorted({p["date"] for p in point.made}),
                    "hardware": sorted({p["hardware"] for p in point.made}),
                    **versions(point.made, "stablib", "numba", "numpy"),
                }
                for name, point in points.items()
            },
        }


class StreamSession:
    """Get curves of the study, from published pairs, the local store or by training.

    Parameters
    ----------
    preset : str
        Name, for the reader.
    settings : Settings
        The numbers.
    """

    def __init__(self, preset: str, settings: Settings) -> None:
        self.preset = preset
        self.settings = settings
        self.study = Study(settings)
        self.store = RunStore()

    def simple(self) -> Curves:
        """Linear model, one and two hidden units."""
        return self._curves(self.study.simple())

    def towers(self) -> Curves:
        """Narrow towers, and the linear model for comparison."""
        return self._curves([*self.study.simple()[:1], *self.study.towers()])

    def embeddings(self) -> Curves:
        """Wide models on embeddings."""
        return self._curves(self.study.embeddings())

    def embedding_weights(self) -> Curves:
        """ReLU on embeddings with all weights, at the window nearest to the paper's 2^10."""
        point = self.train(self._embedding_pair(), workers=1)
        return Curves((Traced(EMBEDDING_PAIR, (point,)),), self.preset, self.study.plans)

    def _embedding_pair(self) -> StreamGroup:
        curve = next(c for c in self.study.embeddings() if c.name == EMBEDDING_PAIR)
        recipe = min(curve.recipes, key=lambda r: abs(r.log2_window - 10))
        return StreamGroup(recipe=recipe, record=PairRecord(weights="all"))

    def quadratic(self) -> Curves:
        """Wide layers on quadratic data."""
        return self._curves(self.study.quadratic())

    def long(self) -> Curves | None:
        """Curves on the paper's own stream length, as far as they are in the store.

        They are not trained here: at 2^26 examples that takes hours. They are those of the preset
        ``paper``, so ``stablib train --preset paper`` makes them.
        """
        if self.settings.log2_examples_long is None:
            return None
        wanted = [*self.study.simple(long=True), *self.study.towers(long=True)]
        kept = [
            dataclasses.replace(
                curve,
                recipes=tuple(r for r in curve.recipes if not self._missing(StreamGroup(recipe=r))),
            )
            for curve in wanted
        ]
        kept = [curve for curve in kept if curve.recipes]
        return self._curves(kept) if kept else None

    def groups(self) -> list[StreamGroup]:
        """Everything that the exhibits need, without repetition."""
        study = self.study
        curves = [*study.simple(), *study.towers(), *study.embeddings(), *study.quadratic()]
        recipes = dict.fromkeys(recipe for curve in curves for recipe in curve.recipes)
        return [*(StreamGroup(recipe=recipe) for recipe in recipes), self._embedding_pair()]

    def missing(self) -> list[StreamGroup]:
        """Groups of which no store has all pairs."""
        return [group for group in self.groups() if self._missing(group)]

    def train(self, group: StreamGroup, *, workers: int) -> Point:
        """Get the pairs of one group."""
        arrays, made = obtain_pairs(
            group.recipe, self.study.plans, store=self.store, record=group.record, workers=workers
        )
        return Point(group.recipe, arrays, made)

    def _missing(self, group: StreamGroup) -> bool:
        return bool(self.store.missing(group, [(plan,) for plan in self.study.plans]))

    def _curves(self, wanted: Sequence[Curve]) -> Curves:
        traced = tuple(
            Traced(
                curve.name,
                tuple(self.train(StreamGroup(recipe=r), workers=1) for r in curve.recipes),
            )
            for curve in wanted
        )
        return Curves(traced, self.preset, self.study.plans)
