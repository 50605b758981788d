"""Widget: twins part step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.show.widgets._inputs import check_finite, check_gold, check_mapping, check_texts
from stablib.show.widgets.hosted import (
    HostedWidget,
    check_choice,
    encode_array,
    module_text,
)

#: What is followed of each twin.
FOLLOWED = ("distance", "disagreement", "loss", "logits")


class DivergenceViewer(HostedWidget):
    """The view that :func:`divergence_viewer` fills; its state traits may be read and set."""

    _esm = module_text("divergence_viewer.js")

    source = traitlets.Unicode().tag(sync=True, state=True)
    #: Which twin of the source, from 0.
    twin = traitlets.Int(0).tag(sync=True, state=True)
    #: Place among the steps that were looked at, from 0.
    point = traitlets.Int(0).tag(sync=True, state=True)
    #: Which example's logits are shown, from 0.
    example = traitlets.Int(0).tag(sync=True, state=True)

    @traitlets.validate("source")
    def _check_source(self, proposal: Any) -> str:
        return check_choice("source", proposal.value, [s["name"] for s in self.data["sources"]])

    @traitlets.validate("twin", "point", "example")
    def _check_place(self, proposal: Any) -> int:
        key = proposal.trait.name
        count = {
            "twin": min(source["n_twins"] for source in self.data["sources"]),
            "point": len(self.data["steps"]),
            "example": len(self.data["texts"]),
        }[key]
        if not 0 <= proposal.value < count:
            raise traitlets.TraitError(f"{key} must be 0 to {count - 1}, got {proposal.value}")
        return int(proposal.value)


def divergence_viewer(
    twins: Mapping[str, Mapping[str, ArrayLike]],
    unchanged: Mapping[str, ArrayLike],
    *,
    steps: ArrayLike,
    gold: ArrayLike,
    label_names: Sequence[str],
    texts: Sequence[str],
    name: str,
    picture: str = "",
) -> DivergenceViewer:
    """Watch twins part: weights, labels, loss and the logits of an example, step by step.

    Parameters
    ----------
    twins : mapping of str to mapping of str to array_like of float
        By what a twin differs in from the unchanged run, of every twin at every step that was
        looked at: ``"distance"`` of the weights, ``"disagreement"`` of the labels (both fractions)
        and ``"loss"`` (nats), of shape (n_twins, n_points), and ``"logits"``, of shape (n_twins,
        n_points, n_examples, n_classes).
    unchanged : mapping of str to array_like of float
        ``"loss"`` and ``"logits"`` of the run that all are compared with, without the first axis.
    steps : array_like of int, shape (n_points,)
        Optimization steps that were looked at, from 1, ascending.
    gold : array_like of int, shape (n_examples,)
        Gold class indices of the examples.
    label_names : sequence of str, length n_classes
        Names of the classes.
    texts : sequence of str, length n_examples
        Names of the examples.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    DivergenceViewer
        Its state: ``source``, ``twin``, ``point`` (place among the steps), ``example``.

    Raises
    ------
    ValueError
        If shapes do not fit, something is missing, or a value is not allowed; names the argument.
    """
    check_mapping("twins", twins)
    if not twins:
        raise UsageError("twins must hold at least one source, got none")
    gold = check_gold(gold, label_names)
    named = check_texts(texts, gold.size)
    points = _check_steps(steps)
    shape = (gold.size, len(label_names))
    base = {
        "loss": check_finite(
            "unchanged['loss']", _part("unchanged", unchanged, "loss"), (points.size,)
        ),
        "logits": check_finite(
            "unchanged['logits']", _part("unchanged", unchanged, "logits"), (points.size, *shape)
        ),
    }
    data = {
        "steps": points.tolist(),
        "label_names": [str(label) for label in label_names],
        "texts": named,
        "gold": gold.tolist(),
        "unchanged": {key: _encoded(array) for key, array in base.items()},
        "sources": [
            {"name": str(source), **_checked(str(source), arrays, points.size, shape)}
            for source, arrays in twins.items()
        ],
    }
    return DivergenceViewer(
        name=name,
        data=data,
        picture=picture,
        source=data["sources"][0]["name"],
        point=int(points.size - 1),
    )


def _check_steps(steps: ArrayLike) -> NDArray[np.integer]:
    array = np.asarray(steps)
    if array.ndim != 1 or array.size < 2 or not np.issubdtype(array.dtype, np.integer):
        raise UsageError(
            f"steps must be at least two whole numbers, shape (n_points,), got shape {array.shape}"
        )
    if array[0] < 1 or (np.diff(array) <= 0).any():
        raise UsageError("steps must ascend from 1 or more")
    return array


def _part(argument: str, arrays: Mapping[str, ArrayLike], key: str) -> ArrayLike:
    check_mapping(argument, arrays)
    if key not in arrays:
        raise UsageError(f"{argument} must hold {key!r}, it has {', '.join(map(str, arrays))}")
    return arrays[key]


def _checked(
    source: str, arrays: Mapping[str, ArrayLike], n_points: int, shape: tuple[int, int]
) -> dict[str, Any]:
    """Encode what is followed of the twins of one source."""
    argument = f"twins[{source!r}]"
    given = {key: np.asarray(_part(argument, arrays, key)) for key in FOLLOWED}
    n_twins = given["distance"].shape[0] if given["distance"].ndim else 0
    if n_twins == 0:
        raise UsageError(f"{argument} must hold at least one twin, got none")
    found: dict[str, Any] = {"n_twins": n_twins}
    for key, array in given.items():
        size = (n_twins, n_points, *(shape if key == "logits" else ()))
        checked = check_finite(f"{argument}[{key!r}]", array, size)
        if key != "logits" and checked.min() < 0.0:
            raise UsageError(f"{argument}[{key!r}] must not be negative, got {checked.min():g}")
        found[key] = _encoded(checked)
    return found


def _encoded(array: NDArray[np.float64]) -> dict[str, Any]:
    return encode_array(array.astype(np.float32))
