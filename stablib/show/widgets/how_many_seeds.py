"""Widget: what a study with fewer seeds would have reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_row
from stablib.show.widgets._inputs import check_runs, narrow, switching
from stablib.show.widgets.hosted import HostedWidget, encode_array, module_text

#: Draws that have a number of their own.
_MOST_DRAWS = 1_000_000


class HowManySeeds(HostedWidget):
    """The view that :func:`how_many_seeds` fills; its state traits may be read and set."""

    _esm = module_text("how_many_seeds.js")

    #: Number of runs drawn.
    k = traitlets.Int().tag(sync=True, state=True)
    #: Number of the draw; the same number and k give the same runs.
    draw = traitlets.Int(1, min=0).tag(sync=True, state=True)
    #: Rows (counted from 0) that the view drew; setting it has no effect on the view.
    rows = traitlets.List(traitlets.Int()).tag(sync=True, state=True)

    @traitlets.validate("k")
    def _check_k(self, proposal: Any) -> int:
        low, high = self.data["ranges"]["k"]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(f"k must be {low} to {high}, got {proposal.value}")
        return int(proposal.value)


def how_many_seeds(
    labels: Mapping[str, ArrayLike],
    *,
    baseline: str,
    gold: ArrayLike,
    name: str,
    picture: str = "",
    n_resamples: int = 200,
) -> HowManySeeds:
    """Draw k of the runs and see how the comparison of the methods changes.

    Parameters
    ----------
    labels : mapping of str to array_like of int, shape (n_runs, n_examples)
        Predicted class indices by method; at least two runs, all methods of one shape, as label
        entropy grows with the number of runs. A draw takes the same rows of every method.
    baseline : str
        Method that the others' reduction of the sum of LE_m (percent) is measured against.
    gold : array_like of int, shape (n_examples,)
        Gold class indices, for the accuracy (percent) of the drawn runs.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.
    n_resamples : int, default 200
        Draws behind each 95 % interval.

    Returns
    -------
    HowManySeeds
        Its state: ``k`` (runs drawn), ``draw`` (number of the draw), and ``rows``, which the view
        sets to the rows it drew.

    Raises
    ------
    ValueError
        If shapes do not fit, ``baseline`` is not a method or ``n_resamples`` is too small; names
        the argument.

    Notes
    -----
    The intervals are the middle 95 % over draws without replacement. They tell how much studies
    with k of these runs differ from one another; as k nears ``n_runs`` the draws share most of
    their runs, and the intervals shrink for that reason too.
    """
    gold_labels = as_row(gold, name="gold")
    runs = check_runs(labels, gold_labels.size, at_least=2)
    if baseline not in runs:
        raise unknown("baseline", baseline, runs)
    if n_resamples < 1:
        raise UsageError(f"n_resamples must be at least 1, got {n_resamples}")
    n_runs = next(iter(runs.values())).shape[0]
    data = {
        "n_runs": n_runs,
        "ranges": {"k": [2, n_runs], "draw": [0, _MOST_DRAWS]},
        "baseline": list(runs).index(baseline),
        "n_resamples": int(n_resamples),
        "methods": [
            {
                "name": method,
                "labels": encode_array(narrow(array[:, switching(array)])),
                "accuracy": _accuracies(array, gold_labels),
            }
            for method, array in runs.items()
        ],
    }
    return HowManySeeds(name=name, data=data, picture=picture, k=min(10, n_runs))


def _accuracies(labels: NDArray[np.integer], gold: NDArray[np.integer]) -> list[float]:
    """Accuracy (fraction) of each run, to five digits."""
    return [round(float(value), 5) for value in (labels == gold).mean(axis=1)]
