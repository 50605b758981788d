"""Train pairs of models on a stream, and keep how far they drift apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import expit

from stablib.metrics.prediction_difference import (
    excess_label_loss,
    relative_prediction_difference,
)
from stablib.runs.group import digest
from stablib.runs.obtain import machine
from stablib.runs.store import RunStore
from stablib.runs.watch import Watch, bar
from stablib.streams import kernels, network, wide
from stablib.streams.data import generate, stream_key
from stablib.streams.recipe import LOG2_BATCH, StreamRecipe
from stablib.training.observe import Arrays
from stablib.training.seeds import SeedPlan

#: Raised by hand whenever a change alters results; part of every pair's key.
STREAM_VERSION = 1

#: Size of the evaluation set (section 2).
LOG2_EVALUATION = 16
#: The first checkpoint; each further one is after twice as many examples.
FIRST_CHECKPOINT = 12
#: Weights of larger models are kept only where they are asked for.
_FEW_PARAMETERS = 1000
#: A layer this wide is trained by matrix products; only if another layer follows it.
_WIDE = 64
#: Mini-batches between two reports of progress.
_STRIDE = 1 << 14


class PairRecord(BaseModel):
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

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pair"] = "pair"
    weights: Literal["few", "all"] = "few"


FEW_WEIGHTS = PairRecord()


class StreamGroup(BaseModel):
    """All pairs of one recipe: what :class:`stablib.runs.Group` is for runs on a data set."""

    model_config = ConfigDict(frozen=True)

    recipe: StreamRecipe
    record: PairRecord = FEW_WEIGHTS
    version: int = STREAM_VERSION

    @property
    def key(self) -> str:
        """Hash of everything but the seeds; 16 hex digits."""
        return digest(self.model_dump(mode="json"))

    def title(self) -> str:
        """Name the group for people."""
        r = self.recipe
        start = "same" if r.same_init else "distinct"
        warm = ", warm" if r.warm_start else ""
        return (
            f"{r.data.kind} data, {r.name}, {r.optimizer} {r.learning_rate:g}, window 2^"
            f"{r.log2_window}, {start} init{warm}, 2^{r.log2_examples} examples [pair"
            + (", all weights]" if self.record.weights == "all" else "]")
        )


Advance = Callable[..., None]


def engine(recipe: StreamRecipe) -> Advance:
    """The faster trainer for the recipe's widths."""
    wide_layers = not recipe.embedding and len(recipe.hidden) > 1 and max(recipe.hidden) >= _WIDE
    return wide.advance if wide_layers else kernels.advance


def train_pair(
    recipe: StreamRecipe,
    plan: SeedPlan,
    *,
    record: PairRecord = FEW_WEIGHTS,
    progress: Callable[[int], object] = lambda done: None,
) -> Arrays:
    """Train the two models of a pair on the same examples in different orders.

    Parameters
    ----------
    recipe : StreamRecipe
        What to train.
    plan : SeedPlan
        ``init`` is the pair's number: its examples and first weights come from it. ``shuffle``
        decides the two orders.
    record : PairRecord, optional
        What to keep.
    progress : callable, optional
        Told the number of finished model steps.

    Returns
    -------
    dict of str to ndarray
        As :class:`PairRecord` says.

    Examples
    --------
    >>> from stablib.streams.data import DataModel
    >>> recipe = StreamRecipe(data=DataModel(kind="linear"), log2_examples=13, log2_window=3)
    >>> pair = train_pair(recipe, SeedPlan.same(0))
    >>> pair["log2_examples"], pair["weights"].shape
    (array([12, 13]), (2, 33))
    """
    first = _first_weights(recipe, plan, progress)
    start = 0.1 if recipe.optimizer == "adagrad" else 0.0
    models = [(weights, np.full_like(weights, start)) for weights in first]
    orders = [stream_key("order", plan.shuffle, member) for member in range(2)]
    step = engine(recipe)
    examples = evaluation_set(recipe, plan)
    rows = []
    done = 0
    for log2_examples in range(
        min(FIRST_CHECKPOINT, recipe.log2_examples), recipe.log2_examples + 1
    ):
        until = 1 << (log2_examples - LOG2_BATCH)
        while done < until:
            count = min(_STRIDE, until - done)
            for (weights, memory), order in zip(models, orders, strict=True):
                step(
                    recipe,
                    weights,
                    memory,
                    first_batch=done,
                    n_batches=count,
                    data_key=stream_key("examples", plan.init),
                    shuffle_key=order,
                )
                progress(count)
            done += count
        rows.append(
            (log2_examples, *_measure(recipe, examples, [weights for weights, _ in models]))
        )
    log2, pd, pd_mean, loss = zip(*rows, strict=True)
    kept = record.weights == "all" or recipe.n_parameters <= _FEW_PARAMETERS
    return {
        "log2_examples": np.array(log2),
        "pd": np.array(pd),
        "pd_mean": np.array(pd_mean),
        "loss": np.array(loss),
        "weights": np.stack([w for w, _ in models]) if kept else np.zeros((2, 0), np.float32),
    }


def _first_weights(
    recipe: StreamRecipe, plan: SeedPlan, progress: Callable[[int], object]
) -> list[NDArray[np.float32]]:
    """Weights from which the two models start."""
    rngs = [np.random.default_rng([plan.init, k * (not recipe.same_init)]) for k in range(2)]
    first = [network.first_parameters(recipe, rng) for rng in rngs]
    if recipe.warm_start is None:
        return first
    teacher = recipe.model_copy(update={"learning_rate": recipe.warm_start})
    memory = np.full_like(first[0], 0.1 if recipe.optimizer == "adagrad" else 0.0)
    for batch in range(0, recipe.n_batches, _STRIDE):
        count = min(_STRIDE, recipe.n_batches - batch)
        engine(recipe)(
            teacher,
            first[0],
            memory,
            first_batch=batch,
            n_batches=count,
            data_key=stream_key("examples before", plan.init),
            shuffle_key=stream_key("order before", plan.shuffle),
        )
        progress(count)
    return [first[0], first[0].copy()]


class Evaluation(NamedTuple):
    """The examples on which a pair is compared."""

    #: Feature patterns that occur, (n_patterns, 32).
    patterns: NDArray[np.uint8]
    #: Pattern of each example, (n_examples,).
    place: NDArray[np.intp]
    #: True probability of label 1 of each example, (n_examples,).
    truth: NDArray[np.float64]


def evaluation_set(recipe: StreamRecipe, plan: SeedPlan) -> Evaluation:
    """Draw the pair's evaluation examples; equal ones are predicted once."""
    key = stream_key("evaluation", plan.init)
    features, _ = generate(recipe.data, key, np.arange(1 << LOG2_EVALUATION, dtype=np.uint64))
    codes, place = np.unique(np.packbits(features, axis=1).view(np.uint32), return_inverse=True)
    patterns = np.unpackbits(codes.view(np.uint8).reshape(-1, 4), axis=1)
    return Evaluation(patterns, place.ravel(), expit(recipe.data.log_odds(patterns))[place.ravel()])


def _measure(
    recipe: StreamRecipe, examples: Evaluation, weights: Sequence[NDArray[np.float32]]
) -> tuple[float, float, NDArray[np.float64]]:
    """Relative PD, PD relative to the mean prediction, excess losses."""
    predictions = np.stack(
        [expit(network.log_odds(recipe, w, examples.patterns))[examples.place] for w in weights]
    )
    return (
        float(relative_prediction_difference(predictions, examples.truth)[0]),
        float(relative_prediction_difference(predictions)[0]),
        excess_label_loss(predictions, examples.truth),
    )


def obtain_pairs(
    recipe: StreamRecipe,
    plans: Sequence[SeedPlan],
    *,
    store: RunStore,
    record: PairRecord = FEW_WEIGHTS,
    watch: Watch = bar,
    workers: int = 1,
) -> tuple[Arrays, list[dict[str, Any]]]:
    """Return pairs from the store, training those that it lacks; each is kept when it is done.

    Parameters
    ----------
    recipe : StreamRecipe
        What to train.
    plans : sequence of SeedPlan
        One a pair.
    store : RunStore
        Local and published layer.
    record : PairRecord, optional
        What is wanted of each pair.
    watch : callable, optional
        Shows the progress of training; by default a bar.
    workers : int, default 1
        Pairs trained side by side, in threads; results do not depend on it.

    Returns
    -------
    arrays : dict of str to ndarray
        As :class:`PairRecord` says, with a leading axis of pairs.
    provenance : list of dict
        One a pair.
    """
    group = StreamGroup(recipe=recipe, record=record)
    lacking = [block[0] for block in store.missing(group, [(plan,) for plan in plans])]
    if lacking:
        with store.lock(group.key):
            lacking = [b[0] for b in store.missing(group, [(plan,) for plan in lacking])]
            passes = 3 if recipe.warm_start else 2
            with watch(len(lacking), passes * len(lacking) * recipe.n_batches) as progress:

                def work(plan: SeedPlan) -> None:
                    torch.set_num_threads(1)
                    began = time.perf_counter()
                    arrays = train_pair(recipe, plan, record=record, progress=progress)
                    seconds = round(time.perf_counter() - began, 3)
                    notes = {"data": f"synthetic, {recipe.data.kind}", "seconds": seconds}
                    made = {**notes, **machine(), "numba": numba.__version__}
                    store.write(group, (plan,), arrays, made)

                threads = torch.get_num_threads()
                try:
                    with ThreadPoolExecutor(workers) as pool:
                        list(pool.map(work, lacking))
                finally:
                    torch.set_num_threads(threads)
    runs = [store.read(group, (plan,)) for plan in plans]
    found = [run for run in runs if run is not None]
    names = found[0].arrays
    return (
        {name: np.stack([run.arrays[name] for run in found]) for name in names},
        [run.provenance for run in found],
    )
