"""Averages of weights for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stablib.errors import UsageError
from stablib.mitigation.by_step import ByStep
from stablib.training.tagged import identity

if TYPE_CHECKING:
    import torch

#: What a state holds.
_STATE = ("method", "steps", "restarted", "before", "average")


class WeightAverager:
    """ASWA, NASWA, StepSWA or EMA in a training loop of your own, beside any torch optimizer.

    Call :meth:`step` after each batch and :meth:`restart` at each epoch's end. Two copies of the
    trained weights are kept, in single precision or better. The optimizer is left alone.

    Parameters
    ----------
    method : Method
        One of these four.
    model : torch.nn.Module
        With its initial weights, on its device. Those are averaged that are to be trained now,
        and no buffers: recompute the statistics of batch norm if that matters.

    Raises
    ------
    UsageError
        If the method is another, the model has nothing to train, or NASWA names a tensor that it
        does not have.

    Notes
    -----
    Random seed paper, section 3, Algorithms 1 and 2. The methods of a recipe are the same code. As
    in the algorithms, the last step of an epoch does not enter the average of ASWA and NASWA:
    :meth:`step` averages what the step before has left.

    Examples
    --------
    >>> import torch
    >>> from stablib.mitigation import ASWA
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> averager = WeightAverager(ASWA(), model)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    >>> for batch in range(3):
    ...     optimizer.zero_grad()
    ...     model(torch.ones(1, 1)).neg().backward()
    ...     optimizer.step()  # One more each time: 1, 2, 3.
    ...     averager.step()
    >>> averager.restart()
    >>> model.weight.item()  # The mean of 0, 0, 1 and 2.
    0.75
    """

    def __init__(self, method: ByStep, model: torch.nn.Module) -> None:
        if not isinstance(method, ByStep):
            raise UsageError(f"method must be ASWA, NASWA, StepSWA or EMA, got {method!r}")
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if not named:
            raise UsageError(f"model must have weights to train, got {type(model).__name__}")
        self.method = method
        self._parameters = list(named.values())
        self._average = method.new_average()
        self._average.locate(_places({name: p.numel() for name, p in named.items()}))
        self._steps = self._restarted = 0
        self._before = self._weights()

    def step(self) -> None:
        """Average, after a batch and the optimizer's step."""
        self._steps += 1
        self._average.before_step(self._steps, self._before)
        self._before = self._weights()
        self._average.after_step(self._steps, self._before)

    def restart(self) -> None:
        """End an epoch: of ASWA and NASWA the weights become the average.

        Raises
        ------
        UsageError
            If no step has been taken since the last restart.
        """
        if self._steps == self._restarted:
            raise UsageError("restart() must follow a step(), got none since the last restart")
        self._restarted = self._steps
        if self.method.writes_back:
            self._average.after_epoch(0, self._before)
            self._write(self._before)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the model have the averaged weights in the meantime, to evaluate it.

        Raises
        ------
        UsageError
            If nothing has been averaged yet.
        """
        if self._average.average is None:
            raise UsageError("nothing has been averaged yet: call step() after each batch")
        own = self._weights()
        self._write(self._average.average)
        try:
            yield
        finally:
            self._write(own)

    def state_dict(self) -> dict[str, Any]:
        """Everything that :meth:`load_state_dict` needs, for ``torch.save``.

        Returns
        -------
        dict
            As torch's own, it holds the live tensors.
        """
        values = (
            identity(self.method),
            self._steps,
            self._restarted,
            self._before,
            self._average.grown(),
        )
        return dict(zip(_STATE, values, strict=True))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the model's and the optimizer's are loaded by themselves.

        Parameters
        ----------
        state : dict
            Of :meth:`state_dict`, of an averager of the same method and the same model.

        Raises
        ------
        UsageError
            If it is another's. Nothing has changed then.
        """
        if not isinstance(state, Mapping) or set(state) != set(_STATE):
            raise UsageError(f"state must be what state_dict() returns, with {', '.join(_STATE)}")
        if state["method"] != identity(self.method):
            raise UsageError(
                f"state must be of the method {identity(self.method)}, got {state['method']}"
            )
        if state["before"].shape != self._before.shape:
            raise UsageError(
                f"state must be of {self._before.numel()} weights, got {state['before'].numel()}"
            )
        self._steps, self._restarted = state["steps"], state["restarted"]
        self._before = self._own(state["before"])
        self._average.grow({name: self._own(value) for name, value in state["average"].items()})

    def _weights(self) -> torch.Tensor:
        """A copy of all weights, shape (1, n_weights); half precision would lose small shares."""
        import torch

        flat = [p.detach().flatten() for p in self._parameters]
        copy = torch.cat([part.to(torch.promote_types(part.dtype, torch.float32)) for part in flat])
        return copy[None]

    def _write(self, weights: torch.Tensor) -> None:
        import torch

        with torch.no_grad():
            sizes = [p.numel() for p in self._parameters]
            for parameter, own in zip(self._parameters, weights[0].split(sizes), strict=True):
                parameter.copy_(own.view_as(parameter))

    def _own(self, value: Any) -> Any:
        """A copy of a tensor where the model is, or of a list."""
        if isinstance(value, list):
            return list(value)
        return value if value is None else value.clone().to(self._before)


def _places(sizes: Mapping[str, int]) -> dict[str, slice]:
    """Where weights of given sizes lie one after the other."""
    places, end = {}, 0
    for name, size in sizes.items():
        places[name] = slice(end, end + size)
        end += size
    return places
