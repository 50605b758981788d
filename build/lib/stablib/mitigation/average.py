"""The mean of the weights of several checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_array

if TYPE_CHECKING:
    from torch import Tensor

Weights = TypeVar("Weights", "Tensor", NDArray[Any])


def average_weights(states: Iterable[Mapping[str, Weights]]) -> dict[str, Weights]:
    """Equal mean of the weights of several checkpoints of one model.

    Parameters
    ----------
    states : iterable of dict of str to torch.Tensor or ndarray
        Copies of ``model.state_dict()``, all with the same keys, shapes and types. Copies, because
        ``state_dict()`` itself holds the live weights, which the next training step overwrites:
        keep ``copy.deepcopy(model.state_dict())`` or
        ``{name: value.clone() for name, value in model.state_dict().items()}``.

    Returns
    -------
    dict of str to torch.Tensor or ndarray
        Ready for ``load_state_dict``, in the types that came in; shares no memory with ``states``.
        Integer and boolean entries (batch counters) are taken from the last checkpoint. Batch-norm
        statistics are averaged too; recompute them if that matters.

    Raises
    ------
    UsageError
        If there is no checkpoint, one is no dict of tensors or arrays, keys, shapes or types
        differ, or the checkpoints share memory, as live weights do.

    Notes
    -----
    Izmailov et al. 2018; local instability paper, section 4.2.

    Examples
    --------
    >>> average_weights([{"w": np.array([1.0, 0.0])}, {"w": np.array([3.0, 0.0])}])
    {'w': array([2., 0.])}
    """
    checked = _states(states)
    return {key: _mean([state[key] for state in checked], key) for key in checked[-1]}


def _states(states: Iterable[Mapping[str, Weights]]) -> Sequence[Mapping[str, Weights]]:
    """Return the checkpoints; refuse what is none, and other keys than the first one's."""
    if isinstance(states, Mapping) or not isinstance(states, Iterable):
        raise UsageError(
            f"states must be a sequence of state_dict() copies, got one {type(states).__name__}"
        )
    found = list(states)
    if not found:
        raise UsageError("states must hold at least one checkpoint, got none")
    for number, state in enumerate(found):
        if not isinstance(state, Mapping):
            raise UsageError(
                f"states[{number}] must be a dict, got {type(state).__name__}; of a module pass "
                "copy.deepcopy(module.state_dict())"
            )
        if state.keys() != found[0].keys():
            odd = sorted(map(str, state.keys() ^ found[0].keys()))
            raise UsageError(
                f"states must all have the same keys, states[0] and states[{number}] differ in "
                f"{', '.join(odd)}"
            )
    return found


def _mean(values: list[Any], key: str) -> Any:
    """Return the mean of one entry of all checkpoints; of integers the last."""
    for number, value in enumerate(values):
        _check_alike(value, values[0], key, number)
    last = values[-1]
    if not _is_floating(last):
        return last.clone() if _is_tensor(last) else last.copy()
    if _share_memory(values):
        raise UsageError(
            f"states must be copies, got checkpoints that share the memory of {key!r}: "
            "state_dict() holds the live weights; keep copy.deepcopy(model.state_dict()) or "
            "{k: v.clone() for k, v in model.state_dict().items()}"
        )
    if not _is_tensor(last):
        return np.asarray(np.stack(values).mean(axis=0))
    import torch  # Only here: without tensors there need be no torch.

    return torch.stack(values).mean(dim=0)


def _check_alike(value: Any, first: Any, key: str, number: int) -> None:
    """Refuse what is no tensor or array, and another kind, shape or type than the first one's."""
    name = f"states[{number}][{key!r}]"
    if not _is_tensor(value) and not isinstance(value, np.ndarray):
        raise UsageError(f"{name} must be a tensor or an array, got {type(value).__name__}")
    if isinstance(value, np.ndarray):
        as_array(value, name=name)
    ours, theirs = ((_is_tensor(x), tuple(x.shape), x.dtype) for x in (value, first))
    if ours != theirs:
        raise UsageError(
            f"{name} must be as in states[0], of shape {theirs[1]} and type {theirs[2]}, "
            f"got shape {ours[1]} and type {ours[2]}"
        )


def _is_tensor(value: object) -> bool:
    """Tell tensors by their class; there are none as long as nobody has imported torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_floating(value: Any) -> bool:
    if _is_tensor(value):
        return bool(value.is_floating_point())
    return bool(np.issubdtype(value.dtype, np.floating))


def _share_memory(values: list[Any]) -> bool:
    """Tell whether two checkpoints hold an entry in the same place; an empty one has no place."""
    if not _is_tensor(values[0]):
        return any(np.shares_memory(a, b) for a, b in combinations(values, 2))
    places = {(value.device, value.data_ptr()) for value in values}
    return values[0].numel() > 0 and len(places) < len(values)
