"""Widget: on which examples two runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics import label_entropy
from stablib.metrics._check import as_array, as_whole
from stablib.show.widgets._inputs import (
    check_fractions,
    check_gold,
    check_known,
    check_mapping,
    check_named,
    check_runs,
    check_texts,
    name_runs,
    narrow,
    switching,
)
from stablib.show.widgets.hosted import (
    HostedWidget,
    check_choice,
    check_position,
    encode_array,
    module_text,
)

MAX_STEPS = 120
ORDERS = ("entropy", "text", "position")


class SeedExplorer(HostedWidget):
    """The view that :func:`seed_explorer` fills; its state traits may be read, observed and set."""

    _esm = module_text("seed_explorer.js")

    method = traitlets.Unicode().tag(sync=True, state=True)
    #: Rows (counted from 0) of the two runs compared.
    rows = traitlets.List(traitlets.Int(), [0, 1], minlen=2, maxlen=2).tag(sync=True, state=True)
    #: Position of the picked example in the data; -1 for none.
    picked = traitlets.Int(-1).tag(sync=True, state=True)
    search = traitlets.Unicode("").tag(sync=True, state=True)
    #: Gold label listed; -1 for all.
    gold = traitlets.Int(-1).tag(sync=True, state=True)
    order = traitlets.Enum(ORDERS, "entropy").tag(sync=True, state=True)

    @traitlets.validate("method")
    def _check_method(self, proposal: Any) -> str:
        names = [method["name"] for method in self.data["methods"]]
        return check_choice("method", proposal.value, names)

    @traitlets.validate("rows")
    def _check_rows(self, proposal: Any) -> list[int]:
        n_runs = len(self.data["run_names"][0])
        if not all(0 <= row < n_runs for row in proposal.value):
            raise traitlets.TraitError(f"rows must be 0 to {n_runs - 1}, got {proposal.value}")
        return list(proposal.value)

    @traitlets.validate("picked")
    def _check_picked(self, proposal: Any) -> int:
        return check_position("picked", proposal.value, self.data["n_examples"])

    @traitlets.validate("gold")
    def _check_gold(self, proposal: Any) -> int:
        return check_position("gold", proposal.value, len(self.data["label_names"]))


def seed_explorer(
    labels: Mapping[str, ArrayLike],
    *,
    gold: ArrayLike,
    label_names: Sequence[str],
    texts: Sequence[str],
    seeds: Mapping[str, Sequence[int]] | None = None,
    trajectories: Mapping[str, ArrayLike] | None = None,
    steps: ArrayLike | None = None,
    name: str,
    picture: str = "",
) -> SeedExplorer:
    """Compare two runs of a method, example by example.

    Only examples on which the runs of at least one method disagree go into the page; of the
    others the page needs to know how many there are and how many of them are right.

    Parameters
    ----------
    labels : mapping of str to array_like of int, shape (n_runs, n_examples)
        Predicted class indices by method; at least two runs, all methods of one shape.
    gold : array_like of int, shape (n_examples,)
        Gold class indices.
    label_names : sequence of str, length n_classes
        Names of the classes.
    texts : sequence of str, length n_examples
        What to show of each example; ids where the data may not be shown.
    seeds : mapping of str to sequence of int, length n_runs, optional
        Seeds of the runs by method; without it runs are numbered from 1.
    trajectories : mapping of str to array_like of float, shape (n_steps, n_examples), optional
        Probability (fraction) of the gold label over the steps of one run, by method of
        ``labels``. The page gets at most 120 of the steps, and values to the nearest 1/255.
    steps : array_like of int, shape (n_steps,), optional
        Optimization step of each row of ``trajectories``; 1, 2, ... without it.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    SeedExplorer
        Its state: ``method``, ``rows`` (two rows of ``labels``), ``picked`` (position of an
        example), ``search``, ``gold`` (class index, -1 for all), ``order``.

    Raises
    ------
    ValueError
        If shapes do not fit or a value is out of range; names the argument.
    """
    gold = check_gold(gold, label_names)
    runs = check_runs(labels, gold.size, at_least=2)
    for method, array in runs.items():
        check_named(f"labels[{method!r}]", array, label_names)
    all_texts = check_texts(texts, gold.size)
    entropies = {method: label_entropy(array) for method, array in runs.items()}
    embedded = np.any([switching(array) for array in runs.values()], axis=0)
    positions = np.flatnonzero(embedded)
    kept_steps, curves = _thin({} if trajectories is None else trajectories, steps, gold.size)
    check_known("trajectories", curves, runs)
    first = next(iter(runs))
    n_runs = next(iter(runs.values())).shape[0]
    data = {
        "offered": {"method": list(runs)},
        "ranges": {
            "rows": [0, n_runs - 1],
            "gold": [-1, len(label_names) - 1],
            "picked": [-1, int(gold.size) - 1],
        },
        "n_examples": int(gold.size),
        "label_names": [str(label) for label in label_names],
        "positions": encode_array(narrow(positions)),
        "texts": [all_texts[i] for i in positions],
        "gold": encode_array(narrow(gold[embedded])),
        "run_names": name_runs(runs, n_runs, seeds),
        "methods": [
            {
                "name": method,
                "labels": encode_array(narrow(array[:, embedded])),
                "entropy": encode_array(entropies[method][embedded].astype(np.float32)),
                "omitted_right": int(np.sum(array[0] == gold, where=~embedded)),
            }
            for method, array in runs.items()
        ],
        "steps": kept_steps,
        "trajectories": [
            {"name": curve, "values": encode_array(_quantise(values[:, embedded]))}
            for curve, values in curves.items()
        ],
    }
    picked = int(positions[entropies[first][positions].argmax()]) if positions.size else -1
    return SeedExplorer(name=name, data=data, picture=picture, method=first, picked=picked)


def _thin(
    trajectories: Mapping[str, ArrayLike], steps: ArrayLike | None, n_examples: int
) -> tuple[list[int], dict[str, NDArray[np.float64]]]:
    """Check the trajectories and keep at most ``MAX_STEPS`` of their steps, both ends included."""
    check_mapping("trajectories", trajectories)
    if not trajectories:
        return [], {}
    first = as_array(next(iter(trajectories.values())), name="trajectories")
    n_steps = len(np.atleast_1d(first))
    if n_steps < 2:
        raise UsageError(f"trajectories must hold at least two steps, got {n_steps}")
    given = np.arange(1, n_steps + 1) if steps is None else as_array(steps, name="steps")
    # As int64: differences of unsigned numbers are never negative.
    numbers = as_whole(given, name="steps", what="step numbers").astype(np.int64)
    if numbers.shape != (n_steps,) or not np.all(np.diff(numbers) > 0):
        raise UsageError(f"steps must be {n_steps} ascending numbers, got shape {numbers.shape}")
    kept = np.linspace(0, n_steps - 1, min(n_steps, MAX_STEPS)).round().astype(int)
    curves = {
        curve: check_fractions(f"trajectories[{curve!r}]", values, (n_steps, n_examples))[kept]
        for curve, values in trajectories.items()
    }
    return [int(step) for step in numbers[kept]], curves


def _quantise(fractions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Store fractions in [0, 1] as multiples of 1/255."""
    return np.round(fractions * 255).astype(np.uint8)
