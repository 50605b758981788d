"""Train a pair of models on a stream, and measure how far they drift apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit, log_expit

from stablib.metrics.prediction_difference import (
    excess_label_loss,
    relative_prediction_difference,
)
from stablib.training.record import Arrays
from stablib.training.seeds import SeedPlan
from stablib.training.threads import one_thread
from stablib.training.workload import Report
from stablib.workloads.streams import kernels, network, wide
from stablib.workloads.streams.data import generate, stream_key
from stablib.workloads.streams.recipe import BATCH, LOG2_BATCH, StreamRecipe

#: Size of the evaluation set (section 2).
LOG2_EVALUATION = 16
#: The first checkpoint; each further one is after twice as many examples.
FIRST_CHECKPOINT = 12
#: A layer this wide is trained by matrix products; only if another layer follows it.
_WIDE = 64
#: Mini-batches between two reports of progress, at most: a second or less of either trainer.
_STRIDE, _WIDE_STRIDE = 1 << 14, 1 << 8

Advance = Callable[..., None]


def is_wide(recipe: StreamRecipe) -> bool:
    """Whether matrix products of whole mini-batches train the recipe faster than the kernels."""
    return not recipe.embedding and len(recipe.hidden) > 1 and max(recipe.hidden) >= _WIDE


def engine(recipe: StreamRecipe) -> Advance:
    """The faster trainer for the recipe's widths."""
    return wide.advance if is_wide(recipe) else kernels.advance


@dataclasses.dataclass
class State:
    """A pair in the making: all that is needed to go on.

    Parameters
    ----------
    done : int
        Finished mini-batches; those of a warm start come first.
    weights, memory : ndarray of float32, shape (2, n_parameters)
        Of the two models; memory is AdaGrad's accumulators or SGD's velocities. During a warm
        start the first one is trained.
    rows : ndarray of float64, shape (n_checkpoints, 5)
        log2 of the number of examples, relative PD, PD relative to the mean prediction and the two
        excess losses, at the checkpoints so far.
    """

    done: int
    weights: NDArray[np.float32]
    memory: NDArray[np.float32]
    rows: NDArray[np.float64]

    def arrays(self) -> Arrays:
        """Everything as arrays, to be written down."""
        return {name: np.array(value) for name, value in vars(self).items()}


def train_pair(
    recipe: StreamRecipe,
    plan: SeedPlan,
    *,
    report: Report = lambda done, state=None: None,
    state: Arrays | None = None,
) -> Arrays:
    """Train the two models of a pair on the same examples in different orders.

    Parameters
    ----------
    recipe : StreamRecipe
        What to train.
    plan : SeedPlan
        ``init`` is the pair's number: its examples and first weights come from it. ``shuffle``
        decides the two orders.
    report : callable, optional
        Told the number of examples that models have seen, and how to write down the state.
    state : dict of str to ndarray, optional
        Where to go on, see :class:`State`; by default from the beginning. The results do not
        depend on it.

    Returns
    -------
    dict of str to ndarray
        As :class:`~stablib.workloads.streams.PairRecord` says, with all weights.

    Examples
    --------
    >>> from stablib.workloads.streams import DataModel
    >>> recipe = StreamRecipe(data=DataModel(kind="linear"), log2_examples=13, log2_window=3)
    >>> pair = train_pair(recipe, SeedPlan.same(0))
    >>> pair["log2_examples"], pair["weights"].shape
    (array([12, 13]), (2, 33))
    """
    lead = warm_batches(recipe)
    at = _first_state(recipe, plan) if state is None else _state(state)
    report(_seen(at.done, lead))
    examples = evaluation_set(recipe, plan)
    stride = _WIDE_STRIDE if is_wide(recipe) else _STRIDE
    for stop in _stops(recipe):
        while at.done < stop:
            count = min(stride, stop - at.done)
            with one_thread():  # With more, matrix products may add up in another order.
                if at.done < lead:
                    _warm_up(recipe, plan, at, count)
                else:
                    _train_both(recipe, plan, at, at.done - lead, count)
            before = at.done
            at.done += count
            if at.done == lead:
                at.weights[1] = at.weights[0]
                at.memory[:] = _first_memory(recipe)
            elif at.done == stop:
                log2_examples = (stop - lead).bit_length() - 1 + LOG2_BATCH
                row = (log2_examples, *_measure(recipe, examples, at.weights))
                at.rows = np.vstack([at.rows, row])
            report(_seen(at.done, lead) - _seen(before, lead), at.arrays)
    return {
        "log2_examples": at.rows[:, 0].astype(np.int64),
        "pd": at.rows[:, 1],
        "pd_mean": at.rows[:, 2],
        "loss": at.rows[:, 3:],
        "weights": at.weights,
    }


def warm_batches(recipe: StreamRecipe) -> int:
    """Mini-batches of the model from which both start, 0 if they start afresh."""
    return 0 if recipe.warm_start is None else recipe.n_batches


def _seen(done: int, lead: int) -> int:
    """Examples seen by single models: one model in the warm start, then two."""
    return (min(done, lead) + 2 * max(done - lead, 0)) * BATCH


def _stops(recipe: StreamRecipe) -> list[int]:
    """Mini-batches after which something other than training happens."""
    lead = warm_batches(recipe)
    first = min(FIRST_CHECKPOINT, recipe.log2_examples)
    checkpoints = range(first - LOG2_BATCH, recipe.log2_examples - LOG2_BATCH + 1)
    return [lead] * (lead > 0) + [lead + (1 << k) for k in checkpoints]


def _first_memory(recipe: StreamRecipe) -> np.float32:
    return np.float32(kernels.ACCUMULATOR if recipe.optimizer == "adagrad" else 0.0)


def _state(arrays: Arrays) -> State:
    """What :meth:`State.arrays` wrote down."""
    return State(**{**arrays, "done": int(arrays["done"])})  # type: ignore[arg-type]


def _first_state(recipe: StreamRecipe, plan: SeedPlan) -> State:
    """Where the two models start."""
    rngs = [
        np.random.default_rng([plan.seed("init"), k * (not recipe.same_init)]) for k in range(2)
    ]
    weights = np.stack([network.first_parameters(recipe, rng) for rng in rngs])
    return State(0, weights, np.full_like(weights, _first_memory(recipe)), np.zeros((0, 5)))


def _warm_up(recipe: StreamRecipe, plan: SeedPlan, state: State, count: int) -> None:
    """Train the model from which both will start, on a stream of its own."""
    engine(recipe)(
        recipe.model_copy(update={"learning_rate": recipe.warm_start}),
        state.weights[0],
        state.memory[0],
        first_batch=state.done,
        n_batches=count,
        data_key=stream_key("examples before", plan.seed("init")),
        shuffle_key=stream_key("order before", plan.seed("shuffle")),
    )


def _train_both(
    recipe: StreamRecipe, plan: SeedPlan, state: State, first_batch: int, count: int
) -> None:
    for member in range(2):
        engine(recipe)(
            recipe,
            state.weights[member],
            state.memory[member],
            first_batch=first_batch,
            n_batches=count,
            data_key=stream_key("examples", plan.seed("init")),
            shuffle_key=stream_key("order", plan.seed("shuffle"), member),
        )


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
    key = stream_key("evaluation", plan.seed("init"))
    features, _ = generate(recipe.data, key, np.arange(1 << LOG2_EVALUATION, dtype=np.uint64))
    codes, place = np.unique(np.packbits(features, axis=1).view(np.uint32), return_inverse=True)
    patterns = np.unpackbits(codes.view(np.uint8).reshape(-1, 4), axis=1)
    return Evaluation(patterns, place.ravel(), expit(recipe.data.log_odds(patterns))[place.ravel()])


def _measure(
    recipe: StreamRecipe, examples: Evaluation, weights: NDArray[np.float32]
) -> tuple[float, float, float, float]:
    """Relative PD, PD relative to the mean prediction, excess losses."""
    log_odds = np.stack(
        [network.log_odds(recipe, w, examples.patterns)[examples.place] for w in weights]
    )
    predictions = expit(log_odds)
    losses = excess_label_loss(predictions, examples.truth)
    # A model can be so sure that 1 - q rounds to 0; its log-odds still tell how sure.
    losses = np.where(np.isfinite(losses), losses, _loss_of_log_odds(log_odds, examples.truth))
    first, second = losses
    return (
        float(relative_prediction_difference(predictions, examples.truth)[0]),
        float(relative_prediction_difference(predictions)[0]),
        float(first),
        float(second),
    )


def _loss_of_log_odds(
    log_odds: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Excess label loss (eq. 2) without the predictions' probabilities, shape (n_models,)."""
    entropy = entr(truth) + entr(1.0 - truth)
    cross = -truth * log_expit(log_odds) - (1.0 - truth) * log_expit(-log_odds)
    return np.asarray((cross - entropy).mean(axis=1))
