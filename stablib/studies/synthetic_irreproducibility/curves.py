"""Curves: pairs of models over shuffling windows, ready for figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.training import SeedPlan
from stablib.training.record import Arrays
from stablib.workloads.streams import StreamRecipe

#: What is kept of a pair.
_NAMES = ("log2_examples", "pd", "pd_mean", "loss", "weights")


@dataclasses.dataclass(frozen=True)
class Point:
    """All pairs of one recipe.

    Parameters
    ----------
    recipe : StreamRecipe
        What was trained.
    runs : Runs
        The pairs.
    """

    recipe: StreamRecipe
    runs: Runs

    @cached_property
    def arrays(self) -> Arrays:
        """As :class:`stablib.workloads.streams.PairRecord` says, with a leading axis of pairs."""
        return {name: self.runs[name] for name in _NAMES}

    @property
    def made(self) -> Sequence[Mapping[str, Any]]:
        """Provenance, one a pair."""
        return self.runs.provenance

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
class Curves(Outcome):
    """What the exhibits of the paper are made from.

    Parameters
    ----------
    study : Study
        Where they come from.
    curves : tuple of Traced
        In the order of the legend.
    """

    curves: tuple[Traced, ...]

    def __getitem__(self, name: str) -> Traced:
        """Curve of that name."""
        return next(curve for curve in self.curves if curve.name == name)

    @property
    def recipe(self) -> StreamRecipe:
        """The first recipe, for what all have in common."""
        return self.curves[0].points[0].recipe

    @property
    def plans(self) -> tuple[SeedPlan, ...]:
        """One a pair."""
        return self.curves[0].points[0].runs.plans

    def all_runs(self) -> dict[str, Runs]:
        """Pairs by curve and window."""
        return {
            f"{curve.name}, 2^{point.recipe.log2_window}": point.runs
            for curve in self.curves
            for point in curve.points
        }

    def about(self) -> str:
        """Lengths of the streams and number of pairs."""
        lengths = sorted({curve.log2_examples for curve in self.curves})
        n_pairs = sorted({len(runs.plans) for runs in self.all_runs().values()})
        return (
            f"synthetic data; one pass over {' or '.join(f'2^{t}' for t in lengths)} examples in "
            f"batches of 32, {' or '.join(map(str, n_pairs))} pairs a point"
        )


@dataclasses.dataclass(frozen=True)
class Again(Outcome):
    """Pairs as they are kept, and the same pairs trained again now.

    Parameters
    ----------
    study : Study
        Where they come from.
    kept, now : mapping of str to Runs
        By model, with the same seeds.
    """

    kept: Mapping[str, Runs]
    now: Mapping[str, Runs]

    def all_runs(self) -> dict[str, Runs]:
        """Pairs by model, kept and now."""
        sides = {"kept": self.kept, "now": self.now}
        return {f"{m}, {side}": runs for side, of in sides.items() for m, runs in of.items()}

    def about(self) -> str:
        """Length of the stream and number of pairs."""
        runs = next(iter(self.kept.values()))
        length = cast(StreamRecipe, runs.recipe).log2_examples
        return f"synthetic data; one pass over 2^{length} examples, z = 1, {len(runs)} pairs"
