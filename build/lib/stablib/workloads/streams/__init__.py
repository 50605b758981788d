"""One pass over synthetic streams: data models, shuffling windows, pairs of small networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np

from stablib.errors import UsageError
from stablib.training import Inputs, Recipe, Record, Request, SeedPlan, Workload
from stablib.training.record import Arrays
from stablib.training.tagged import identity
from stablib.training.workload import Report, Taught
from stablib.workloads.streams.recipe import BATCH, StreamRecipe
from stablib.workloads.streams.truth import DataModel

__all__ = ["DataModel", "PairRecord", "StreamRecipe", "Streams"]


class PairRecord(Record):
    """What is kept of a pair: its metrics at checkpoints, and its last weights.

    Parameters
    ----------
    weights : {"few", "all"}, default "few"
        Keep at most 1000 weights of a model, or any number.

    Notes
    -----
    Arrays: ``log2_examples`` (n_checkpoints,), ``pd`` and ``pd_mean`` (n_checkpoints,), ``loss``
    (n_checkpoints, 2) in nats, ``weights`` (2, n_parameters) as float32 (or empty).
    """

    kind: Literal["pair"] = "pair"
    measure = "largest difference of PD (%)"

    weights: Literal["few", "all"] = "few"

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest relative difference of PD at any checkpoint, in percent."""
        a, b = fresh["pd"], published["pd"]
        return 100.0 * float(np.max(np.abs(a - b) / np.where(b > 0.0, b, 1.0), initial=0.0))


class Streams(Workload):
    """Trains each pair for itself: its two models see the same examples in different orders.

    ``init`` is the pair's number: its examples, evaluation set and first weights come from it.
    ``shuffle`` decides the two orders.
    """

    name = "stream"
    version = 1
    unit = "examples"
    packages = ("numba", "numpy", "torch")

    def inputs(self, recipe: Recipe, *, strict: bool) -> Iterator[Inputs]:
        """A truth that is computed: nothing is looked for, and nothing stands in for it."""
        truth = cast(StreamRecipe, recipe).data
        key = f"{truth.kind}-{truth.seed}"
        yield Inputs(key=key, source=f"synthetic, {truth.kind}", data=truth)

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train one pair, from where an interrupted training left it."""
        from stablib.workloads.streams.training import train_pair

        (plan,) = request.plans
        records = [_pair_record(record) for record in request.records]
        arrays = train_pair(cast(StreamRecipe, request.recipe), plan, report=report, state=state)
        yield [(plan, [kept(arrays, record) for record in records])]

    def work(self, request: Request, inputs: Inputs) -> int:
        """Examples that the models see; a warm start is one more model."""
        recipe = cast(StreamRecipe, request.recipe)
        models = 2 if recipe.warm_start is None else 3
        return len(request.plans) * models * recipe.n_batches * BATCH


def _pair_record(record: Record) -> PairRecord:
    if not isinstance(record, PairRecord):
        raise UsageError(f"streams keep records of pairs, got {identity(record)}")
    return record


#: Weights of larger models are kept only where they are asked for.
_FEW_PARAMETERS = 1000


def kept(arrays: Arrays, record: PairRecord) -> Arrays:
    """What a record keeps of a pair."""
    if record.weights == "all" or arrays["weights"].shape[1] <= _FEW_PARAMETERS:
        return arrays
    return {**arrays, "weights": np.zeros((2, 0), np.float32)}


StreamRecipe.workload = Streams()
