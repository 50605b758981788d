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
        arrays = self._predicted(logits_of(stack, self.inputs))
        for view in self.record.views:
            seen = [logits_of(stack, look(self.inputs)) for look in view.views()]
            of_view = self._predicted(np.mean(seen, axis=0))
            arrays |= {f"{name}_{view.name}": array for name, array in of_view.items()}
        return [arrays]

    def _predicted(self, logits: NDArray[np.floating]) -> Arrays:
        """What is kept of the predictions of the test images."""
        return {
            "logits": logits[: self.record.n_logits].astype(np.float16),
            "labels": logits.argmax(axis=1).astype(np.uint8),
            "loss": np.asarray(cross_entropy(logits, self.gold)),
        }


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
        self.places: NDArray[np.int64] | None = None

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
        if self.places is None:
            self.places = _spread(_trained(stack), self.record.n_weights)
        logits = logits_of(stack, self.inputs)
        self.steps.append(step)
        self.seen.append(
            {
                "weights": weights.cpu()[torch.from_numpy(self.places)].numpy(),
                "labels": logits.argmax(axis=1).astype(np.uint8),
                "losses": np.asarray(cross_entropy(logits, self.gold)),
                "logits": logits[:_FOLLOWED],
            }
        )


class SimilarityObserver(Observer):
    """What layers make of images, see :class:`Similarity`."""

    def __init__(self, task: Task, record: Similarity) -> None:
        self.inputs = task.inputs["test"][: record.n_examples]
        self.left_out = () if record.average_pool else ("average pool",)

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
                if name not in self.left_out
            }
        ]


def _trained(stack: Stack) -> NDArray[np.int64]:
    """Where in the flat weights those lie that have a gradient: no running statistics."""
    models = cast(FlatWeights, cast(Predictor, stack).models)
    named = models.network.named()
    return np.concatenate(
        [np.arange(p.start, p.stop) for n, p in models.places.items() if named[n].requires_grad]
    )


def _spread(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of them, evenly spaced."""
    chosen = np.linspace(0, len(places) - 1, min(count, len(places)))
    return places[chosen.astype(np.int64)]


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
