"""A classification task made ready for training."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_row


@dataclasses.dataclass(frozen=True)
class Task:
    """What a trainer of classifiers needs of the data.

    Parameters
    ----------
    inputs : mapping of str
        By split: features of shape (n_examples, n_features) or images of shape (n_examples,
        n_channels, height, width), which become float32, or sequences of different lengths with a
        flat array of ``values`` and the ``starts`` of each.
        ``"train"`` must be there; every other split is evaluated.
    gold : mapping of str to ndarray of int, shape (n_examples,)
        Gold class indices of the same splits.
    n_classes : int
        Number of classes.

    Raises
    ------
    UsageError
        If a split is missing or empty, lengths differ, labels are no class indices, or features
        are not finite.

    Examples
    --------
    >>> task = Task({"train": np.eye(2), "test": np.eye(2)}, {"train": [0, 1], "test": [0, 1]}, 2)
    >>> task.sizes
    {'train': 2, 'test': 2}
    """

    inputs: Mapping[str, Any]
    gold: Mapping[str, NDArray[np.integer]]
    n_classes: int

    def __post_init__(self) -> None:
        if "train" not in self.inputs:
            raise UsageError(f"inputs must have a split 'train', got {sorted(self.inputs)}")
        if self.inputs.keys() != self.gold.keys():
            raise UsageError(
                f"inputs and gold must have the same splits, got {sorted(self.inputs)} and "
                f"{sorted(self.gold)}"
            )
        object.__setattr__(self, "inputs", {k: _features(k, v) for k, v in self.inputs.items()})
        gold = {k: _classes(k, v, self.n_classes) for k, v in self.gold.items()}
        object.__setattr__(self, "gold", gold)
        widths = {v.shape[1:] for v in self.inputs.values() if not _is_ragged(v)}
        if len(widths) > 1:
            raise UsageError(f"inputs of all splits must be equally wide, got {sorted(widths)}")
        for split, labels in self.gold.items():
            if len(self.inputs[split]) != len(labels):
                raise UsageError(
                    f"split {split!r} must have as many labels as inputs, got "
                    f"{len(labels)} and {len(self.inputs[split])}"
                )

    @property
    def sizes(self) -> dict[str, int]:
        """Examples by split."""
        return {split: len(labels) for split, labels in self.gold.items()}

    @property
    def lesson(self) -> Any:
        """Inputs about which students ask their teachers: the training examples."""
        return self.inputs["train"]

    @property
    def key(self) -> str:
        """Hash of everything that training and evaluation read."""
        parts = hashlib.sha256(str(self.n_classes).encode())
        for split, values in self.inputs.items():
            for array in (*_arrays(values), self.gold[split]):
                parts.update(f"{split}{array.dtype.str}{array.shape}".encode())
                parts.update(np.ascontiguousarray(array).tobytes())
        return parts.hexdigest()

    def split(self, name: str) -> tuple[Any, NDArray[np.integer]]:
        """Inputs and gold labels of a split.

        Raises
        ------
        UsageError
            If there is no such split.
        """
        if name not in self.inputs:
            raise unknown("split", name, self.inputs)
        return self.inputs[name], self.gold[name]

    def one_hot(self) -> NDArray[np.float32]:
        """Gold labels of the training set, shape (n_train, n_classes)."""
        return np.eye(self.n_classes, dtype=np.float32)[self.gold["train"]]


def _is_ragged(values: Any) -> bool:
    return hasattr(values, "values") and hasattr(values, "starts")


def _arrays(values: Any) -> tuple[NDArray[Any], ...]:
    """The arrays that a split's inputs consist of."""
    if _is_ragged(values):
        return np.asarray(values.values), np.asarray(values.starts)
    return (np.asarray(values),)


def _features(split: str, values: Any) -> Any:
    """Features or images in single precision; sequences of different lengths as they are."""
    if _is_ragged(values):
        return values
    try:
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(f"inputs of {split!r} must be numbers in equal rows ({error})") from error
    if array.ndim not in (2, 4):
        raise UsageError(
            f"inputs of {split!r} must have shape (n_examples, n_features), or that of images, "
            f"got {array.shape}"
        )
    if not np.isfinite(array).all():
        raise UsageError(f"inputs of {split!r} must be finite numbers")
    return array


def _classes(split: str, labels: Any, n_classes: int) -> NDArray[np.integer]:
    array = as_row(labels, name=f"gold of {split!r}")
    if array.max() >= n_classes:
        raise UsageError(
            f"gold of {split!r} must be between 0 and {n_classes - 1}, got {array.min()} to "
            f"{array.max()}"
        )
    return array
