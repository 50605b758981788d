"""Watch a classifier of images; see the records for what is kept."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp

from stablib.metrics import centred_products
from stablib.training.loop import FlatWeights
from stablib.training.observe import Observer, Stack
from stablib.training.predict import Predictor
from stablib.training.record import Arrays
from stablib.training.task import Task
from stablib.workloads.images.network import ImageNetwork
from stablib.workloads.images.record import Logits, Similarity, Trace

#: Test images whose logits are kept along the way.
_FOLLOWED = 4
#: Norm of the products of a layer: half precision has no numbers for small ones.
_NORM = 100.0


class LogitsObserver(Observer):
    """Logits of the trained model, see :class:`Logits`."""

    def __init__(self, task: Task, record: Logits) -> None:
        self.inputs, self.gold = task.split("test")
        self.record = record

    def finish(self, stack: Stack) -> list[Arrays]:
        """Predict the test images, and views of them."""
        arrays = _predicted(logits_of(stack, self.inputs), self.gold)
        for view in self.record.views:
            seen = [logits_of(stack, look(self.inputs)) for look in view.views()]
            of_view = _predicted(np.mean(seen, axis=0), self.gold)
            arrays |= {f"{name}_{view.name}": array for name, array in of_view.items()}
        return [arrays]


class CurveObserver(Observer):
    """Loss and accuracy by epoch, see :class:`Curve`."""

    growing = ("losses", "correct")

    def __init__(self, task: Task) -> None:
        self.inputs, self.gold = task.split("test")
        self.losses: list[float] = []
        self.correct: list[int] = []

    def after_epoch(self, epoch: int, stack: Stack) -> None:
        """Predict the test images."""
        logits = logits_of(stack, self.inputs)
        self.losses.append(cross_entropy(logits, self.gold))
        self.correct.append(int((logits.argmax(axis=1) == self.gold).sum()))

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return what was seen."""
        return [
            {
                "losses": np.array(self.losses),
                "correct": np.array(self.correct, dtype=np.int32),
            }
        ]


class TraceObserver(Observer):
    """What a training passes through, see :class:`Trace`."""

    growing = ("steps", "seen", "last_step")

    def __init__(self, task: Task, record: Trace) -> None:
        inputs, gold = task.split("test")
        self.inputs, self.gold = inputs[: record.n_examples], gold[: record.n_examples]
        self.record = record
        self.steps: list[int] = []
        self.seen: list[Arrays] = []
        self.last_step = 0

    def after_step(self, step: int, stack: Stack) -> None:
        """Look at the model, if the step is on the scale."""
        self.last_step = step
        if self.record.looks_at(step):
            self._look(step, stack)

    def finish(self, stack: Stack) -> list[Arrays]:
        """Look at the last step too, and stack what was seen."""
        if self.steps[-1] != self.last_step:
            self._look(self.last_step, stack)
        stacked = {name: np.stack([one[name] for one in self.seen]) for name in self.seen[0]}
        return [{"steps": np.array(self.steps, dtype=np.int32), **stacked}]

    def _look(self, step: int, stack: Stack) -> None:
        weights = stack.weights[0]
        places = np.linspace(0, len(weights) - 1, min(self.record.n_weights, len(weights)))
        logits = logits_of(stack, self.inputs)
        self.steps.append(step)
        self.seen.append(
            {
                "weights": weights[torch.from_numpy(places.astype(np.int64))].numpy(),
                "labels": logits.argmax(axis=1).astype(np.uint8),
                "losses": np.asarray(cross_entropy(logits, self.gold)),
                "logits": logits[:_FOLLOWED],
            }
        )


class SimilarityObserver(Observer):
    """What layers make of images, see :class:`Similarity`."""

    def __init__(self, task: Task, record: Similarity) -> None:
        self.inputs = task.inputs["test"][: record.n_examples]

    def finish(self, stack: Stack) -> list[Arrays]:
        """Compute the products of each layer."""
        network = cast(ImageNetwork, cast(FlatWeights, cast(Predictor, stack).models).network)
        with torch.inference_mode():
            layers = network.layers(self.inputs)
        upper = np.triu_indices(len(self.inputs))
        return [
            {
                f"products_{name.replace(' ', '_')}": (
                    _NORM * centred_products(states.numpy())[upper]
                ).astype(np.float16)
                for name, states in layers.items()
            }
        ]


def products(kept: NDArray[np.floating]) -> NDArray[np.float64]:
    """Products of each two images, of the upper triangles that :class:`Similarity` keeps.

    Parameters
    ----------
    kept : ndarray of float, shape (n_runs, n_examples (n_examples + 1) / 2)
        Of one layer.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_examples, n_examples)

    Examples
    --------
    >>> products(np.array([[1.0, 2.0, 3.0]]))[0]
    array([[1., 2.],
           [2., 3.]])
    """
    n_runs, n_kept = kept.shape
    size = round((np.sqrt(8 * n_kept + 1) - 1) / 2)
    rows, columns = np.triu_indices(size)
    found = np.empty((n_runs, size, size))
    found[:, rows, columns] = found[:, columns, rows] = kept
    return found


def logits_of(stack: Stack, inputs: Any) -> NDArray[np.float32]:
    """Logits of the only model."""
    with torch.inference_mode():
        logits: NDArray[np.float32] = cast(Predictor, stack).logits(0, inputs).numpy()
    return logits


def cross_entropy(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> float:
    """Mean cross-entropy in nats, in double precision."""
    exact = logits.astype(np.float64)
    of_gold = exact[np.arange(len(gold)), gold]
    return float((logsumexp(exact, axis=1) - of_gold).mean())


def _predicted(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> Arrays:
    """What is kept of the predictions of the test images."""
    return {
        "logits": logits.astype(np.float16),
        "labels": logits.argmax(axis=1).astype(np.uint8),
        "loss": np.asarray(cross_entropy(logits, gold)),
    }
