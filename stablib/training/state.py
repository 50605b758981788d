"""The state of a training as arrays, to go on from: nothing is pickled."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from stablib.training.record import Arrays

#: Name of the array that says how the others belong together.
_SHAPE = "shape"


def pack(state: Any) -> Arrays:
    """Turn nested dicts, lists and tuples of arrays, tensors and numbers into named arrays.

    Parameters
    ----------
    state : object
        What :func:`unpack` will return; tuples come back as lists.

    Returns
    -------
    dict of str to ndarray
        Tensors of the processor share their memory with the arrays.

    Raises
    ------
    TypeError
        If something in it is of another type.

    Examples
    --------
    >>> unpack(pack({"step": 3, 7: [np.arange(2), None]}))
    {'step': 3, 7: [array([0, 1]), None]}
    """
    arrays: Arrays = {}

    def shape(part: Any) -> Any:
        if part is None or isinstance(part, bool | int | float | str):
            return ["value", part]
        if isinstance(part, dict):
            return ["dict", [[key, shape(value)] for key, value in part.items()]]
        if isinstance(part, list | tuple):
            return ["list", [shape(value) for value in part]]
        kind = "tensor" if isinstance(part, torch.Tensor) else "array"
        if kind == "array" and not isinstance(part, np.ndarray | np.generic):
            raise TypeError(f"a state cannot hold {type(part).__name__}")
        array = part.detach().cpu().numpy() if kind == "tensor" else np.asarray(part)
        arrays[str(len(arrays))] = array
        return [kind, len(arrays) - 1]

    text = json.dumps(shape(state))
    return {**arrays, _SHAPE: np.frombuffer(text.encode(), dtype=np.uint8)}


def unpack(arrays: Arrays, device: torch.device | None = None) -> Any:
    """Return what :func:`pack` was given; its tensors are on a device, by default the processor."""

    def value(part: Any) -> Any:
        kind, held = part
        if kind == "dict":
            return {key: value(inner) for key, inner in held}
        if kind == "list":
            return [value(inner) for inner in held]
        if kind == "value":
            return held
        array = arrays[str(held)]
        return torch.from_numpy(array.copy()).to(device) if kind == "tensor" else array

    return value(json.loads(arrays[_SHAPE].tobytes()))
