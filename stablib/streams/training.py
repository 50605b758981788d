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
from stablib.streams import kernels, network, wide
from stablib.streams.data import generate, stream_key
from stablib.streams.group import FEW_WEIGHTS, PairRecord
from stablib.streams.recipe import LOG2_BATCH, StreamRecipe
from stablib.training.observe import Arrays
from stablib.training.seeds import SeedPlan
from stablib.training.threads import one_thread

#: Size of the evaluation set (section 2).
LOG2_EVALUATION = 16
#: The first checkpoint; each further one is after twice as many examples.
FIRST_CHECKPOINT = 12
#: Weights of larger models are kept only where they are asked for.
_FEW_PARAMETERS = 1000
#: A layer this wide is trained by matrix products; only if another layer follows it.
_WIDE = 64
#: Mini-batches between two reports of progress, at most.
_STRIDE = 1 << 14

Advance = Callable[..., None]


def engine(recipe: StreamRecipe) -> Advance:
    """The faster trainer for the recipe's widths."""
    wide_layers = not recipe.embedding and len(recipe.hidden) > 1 and max(recipe.hidden) >= _WIDE
    return wide.advance if wide_layers else kernels.advance


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


def train_pair(
    recipe: StreamRecipe,
    plan: SeedPlan,
    *,
    record: PairRecord = FEW_WEIGHTS,
    progress: Callable[[int], object] = lambda done: None,
    unfinished: State | None = None,
    keep: Callable[[State], object] = lambda state: None,
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
    unfinished : State, optional
        Where to go on; by default from the beginning. The results do not depend on it.
    keep : callable, optional
        Given the state from time to time, to go on from if this call does not come to its end.

    Returns
    -------
    dict of str to ndarray
        As :class:`~stablib.streams.group.PairRecord` says.

    Examples
    --------
    >>> from stablib.streams.data import DataModel
    >>> recipe = StreamRecipe(data=DataModel(kind="linear"), log2_examples=13, log2_window=3)
    >>> pair = train_pair(recipe, SeedPlan.same(0))
    >>> pair["log2_examples"], pair["weights"].shape
    (array([12, 13]), (2, 33))
    """
    lead = warm_batches(recipe)
    state = unfinished or _first_state(recipe, plan)
    progress(_model_steps(state.done, lead))
    examples = evaluation_set(recipe, plan)
    for stop in _stops(recipe):
        while state.done < stop:
            count = min(_STRIDE, stop - state.done)
            with one_thread():  # With more, matrix products may add up in another order.
                if state.done < lead:
                    _warm_up(recipe, plan, state, count)
                else:
                    _train_both(recipe, plan, state, state.done - lead, count)
            before = state.done
            state.done += count
            if state.done == lead:
                state.weights[1] = state.weights[0]
                state.memory[:] = _first_memory(recipe)
            elif state.done == stop:
                log2_examples = (stop - lead).bit_length() - 1 + LOG2_BATCH
                row = (log2_examples, *_measure(recipe, examples, state.weights))
                state.rows = np.vstack([state.rows, row])
            progress(_model_steps(state.done, lead) - _model_steps(before, lead))
            keep(state)
    kept = record.weights == "all" or recipe.n_parameters <= _FEW_PARAMETERS
    return {
        "log2_examples": state.rows[:, 0].astype(np.int64),
        "pd": state.rows[:, 1],
        "pd_mean": state.rows[:, 2],
        "loss": state.rows[:, 3:],
        "weights": state.weights if kept else np.zeros((2, 0), np.float32),
    }


def warm_batches(recipe: StreamRecipe) -> int:
    """Mini-batches of the model from which both start, 0 if they start afresh."""
    return 0 if recipe.warm_start is None else recipe.n_batches


def _model_steps(done: int, lead: int) -> int:
    """Steps of single models: one a mini-batch of the warm start, then two."""
    return min(done, lead) + 2 * max(done - lead, 0)


def _stops(recipe: StreamRecipe) -> list[int]:
    """Mini-batches after which something other than training happens."""
    lead = warm_batches(recipe)
    first = min(FIRST_CHECKPOINT, recipe.log2_examples)
    checkpoints = range(first - LOG2_BATCH, recipe.log2_examples - LOG2_BATCH + 1)
    return [lead] * (lead > 0) + [lead + (1 << k) for k in checkpoints]


def _first_memory(recipe: StreamRecipe) -> np.float32:
    return np.float32(kernels.ACCUMULATOR if recipe.optimizer == "adagrad" else 0.0)


def _first_state(recipe: StreamRecipe, plan: SeedPlan) -> State:
    """Where the two models start."""
    rngs = [np.random.default_rng([plan.init, k * (not recipe.same_init)]) for k in range(2)]
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
        data_key=stream_key("examples before", plan.init),
        shuffle_key=stream_key("order before", plan.shuffle),
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
            data_key=stream_key("examples", plan.init),
            shuffle_key=stream_key("order", plan.shuffle, member),
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
    key = stream_key("evaluation", plan.init)
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
