"""One plain torch training loop, for every model that trains one seed at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.training.method import Method
from stablib.training.observe import Observer
from stablib.training.predict import Predictor
from stablib.training.record import Arrays
from stablib.training.seeds import Bit, SeedPlan, change_bit
from stablib.training.state import pack, unpack
from stablib.training.workload import Report

#: Weights begin at multiples of this many floats: vectorised and scalar code round differently,
#: and separately allocated tensors begin at such places too.
_ALIGNMENT = 16

#: Parts the training examples of an epoch into mini-batches: of its generator, how many there are
#: and the size of a batch.
Batches = Callable[[np.random.Generator, int, int], Sequence[NDArray[np.integer]]]


#: Factor of the learning rate at a step, counted from 1, of so many.
Schedule = Callable[[int, int], float]


def constant(step: int, n_steps: int) -> float:
    """The same learning rate at every step."""
    return 1.0


def in_random_order(
    rng: np.random.Generator, n_train: int, batch_size: int
) -> list[NDArray[np.integer]]:
    """Part the examples in a random order; the last batch may be smaller.

    Examples
    --------
    >>> [len(rows) for rows in in_random_order(np.random.default_rng(0), 10, 4)]
    [4, 4, 2]
    """
    places = rng.permutation(n_train)
    return [places[start : start + batch_size] for start in range(0, n_train, batch_size)]


class Network(Protocol):
    """A model that the loop can train."""

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """The trained parameters by name."""

    def start_epoch(self, epoch: int) -> None:
        """Let the seeds that rule in this epoch draw dropout masks, augmentation and the like."""

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean loss of a mini-batch of training examples."""

    def logits(self, inputs: Any) -> Tensor:
        """Logits (n_examples, n_classes), without dropout."""

    def randomness(self) -> Any:
        """State of its generators, of which :func:`stablib.training.state.pack` knows the types."""

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""


class FlatWeights:
    """The parameters of one network in one array, where they are, as a stack of one."""

    n_models = 1

    def __init__(self, network: Network) -> None:
        self.network = network
        parameters = network.named()
        starts = np.cumsum(
            [0, *(-(-p.numel() // _ALIGNMENT) * _ALIGNMENT for p in parameters.values())]
        )
        (device,) = {parameter.device for parameter in parameters.values()}
        self.weights = torch.zeros(1, int(starts[-1]), device=device)
        self.places: Mapping[str, slice] = {
            name: slice(int(start), int(start) + parameter.numel())
            for start, (name, parameter) in zip(starts, parameters.items(), strict=False)
        }
        for place, parameter in zip(self.places.values(), parameters.values(), strict=True):
            own = self.weights[0, place].view(parameter.shape)
            parameter.data = own.copy_(parameter.data)

    def logits(self, model: int, inputs: Any) -> Tensor:
        """Logits of the network."""
        return self.network.logits(inputs)


class _Training:
    """All that changes while a network is trained."""

    def __init__(
        self,
        network: Network,
        models: FlatWeights,
        optimizer: torch.optim.Optimizer,
        predictor: Predictor,
        watchers: Sequence[Observer],
    ) -> None:
        self.network, self.models, self.optimizer = network, models, optimizer
        self.predictor, self.watchers = predictor, watchers
        self.step = 0

    def state(self) -> Arrays:
        """Write down everything after a step."""
        return pack(
            {
                "step": self.step,
                "weights": self.models.weights,
                "optimizer": self.optimizer.state_dict()["state"],
                "predictor": self.predictor.state(),
                "watchers": [watcher.grown() for watcher in self.watchers],
                "randomness": self.network.randomness(),
            }
        )

    def restore(self, arrays: Arrays) -> int:
        """Go on from a state, but for the randomness; return the step after which it was."""
        state = unpack(arrays, self.models.weights.device)
        self.models.weights.copy_(state["weights"])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state["optimizer"], "param_groups": groups})
        self.predictor.restore(state["predictor"])
        for watcher, grown in zip(self.watchers, state["watchers"], strict=True):
            watcher.grow(grown)
        return int(state["step"])

    def restore_randomness(self, arrays: Arrays) -> None:
        """Let the network's generators go on from a state."""
        self.network.set_randomness(unpack(arrays)["randomness"])


def fit(
    network: Network,
    optimizer: torch.optim.Optimizer,
    method: Method,
    plan: SeedPlan,
    *,
    n_train: int,
    n_epochs: int,
    batch_size: int,
    watchers: Sequence[Observer],
    report: Report,
    state: Arrays | None = None,
    batches: Batches = in_random_order,
    schedule: Schedule = constant,
) -> Predictor:
    """Train a network, or go on with a training that was interrupted, to the same bits.

    Parameters
    ----------
    network : Network
        Freshly initialised.
    optimizer : torch.optim.Optimizer
        Of its parameters; the method's factor scales the learning rate of every group.
    method : Method
        Its targets are the network's business; all other hooks are honoured here.
    plan : SeedPlan
        Order of the examples, and a changed bit; the other sources are the network's.
    n_train, n_epochs, batch_size : int
        How long.
    watchers : sequence of Observer
        Told after each step, and after each epoch when the method has averaged.
    report : callable
        Told of the steps that an earlier training did, then of each step and how to write down
        the state after it.
    state : dict of str to ndarray, optional
        What an interrupted training of the same network wrote down last.
    batches : callable, optional
        Which examples share a batch; as many batches as in a random order.
    schedule : callable, optional
        Factor of the learning rate by step, beside the method's.

    Returns
    -------
    Predictor
        The trained model.
    """
    _change_bit(network, plan.changes(epoch=1))  # The method's average begins with what it is then.
    models = FlatWeights(network)
    predictor = Predictor(models, method, n_epochs)
    training = _Training(network, models, optimizer, predictor, watchers)
    rates = [group["lr"] for group in optimizer.param_groups]
    n_steps = n_epochs * -(-n_train // batch_size)
    order = plan.source("shuffle")
    done = 0 if state is None else training.restore(state)
    report(done)
    step = 0
    for epoch in range(1, n_epochs + 1):
        if epoch > 1 and step >= done:  # Otherwise it is in the state.
            _change_bit(network, plan.changes(epoch))
        network.start_epoch(epoch)
        for rows in batches(order.at(epoch), n_train, batch_size):
            step += 1
            if step <= done:
                if step == done and state is not None:
                    # Only now: the epochs before have chosen their generators once more.
                    training.restore_randomness(state)
                continue
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * schedule(step, n_steps) * method.rate(step, n_steps)
            with torch.no_grad():
                predictor.before_step(step)
            loss = network.loss(rows)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                predictor.after_step(step)
            for watcher in watchers:
                watcher.after_step(step, predictor)
            training.step = step
            report(1, training.state)
        if step >= done:  # What an earlier epoch's end did is in the state.
            with torch.no_grad():
                predictor.after_epoch(epoch)
            for watcher in watchers:
                watcher.after_epoch(epoch, predictor)
    with torch.no_grad():
        predictor.finish()
    return predictor


def _change_bit(network: Network, bit: Bit | None) -> None:
    if bit is None:
        return
    parameters = network.named()
    weights = {name: parameter.detach().cpu().numpy() for name, parameter in parameters.items()}
    change_bit(bit, weights)
    parameters[bit.tensor].data.copy_(torch.from_numpy(weights[bit.tensor]))
