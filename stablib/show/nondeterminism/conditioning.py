"""What one bit does epoch by epoch, and by how much training multiplies it (section 4.1)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.metrics import Interval, centred_interval
from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import RUNS, answer
from stablib.studies.nondeterminism import BIT, Trainings

#: Epochs after which the paper's pair is looked at, beside the last: in the last of them the
#: learning rate stops growing.
_EPOCHS = (1, 2, 3)
_MEASURES = ("accuracy (points)", "cross-entropy (nats)")
#: How the paper's pair differs after those epochs and in the end: 90.0 % and .3519, 90.12 % and
#: .34335.
_PAPER = {1: ("0.18", "–"), 2: ("2.33", "–"), 3: ("10.42", "–"), None: ("0.12", "0.0086")}


def conditioning(trainings: Trainings) -> Exhibit:
    """What one bit does epoch by epoch, and over the size of the change (ND-X5)."""
    n_epochs = trainings.recipe.epochs
    base, twins = trainings.runs["unchanged"], trainings.runs[BIT]
    sizes = trainings.bit_sizes(BIT)
    # Of shape (n_twins, n_epochs), in the order of the measures.
    apart = [
        np.abs(100.0 * (twins["correct"] - base["correct"]) / trainings.n_test),
        np.abs(twins["losses"] - base["losses"]),
    ]
    table = {
        f"epoch {epoch}": _cells([of[:, epoch - 1] for of in apart], _PAPER[epoch], ".2g")
        for epoch in _EPOCHS
        if epoch < n_epochs
    }
    table[f"epoch {n_epochs}, the last"] = _cells([of[:, -1] for of in apart], _PAPER[None], ".2g")
    conditions = [of[:, -1] / sizes for of in apart]
    table["the last, over the size of the change"] = _cells(
        conditions, ("at least 2.6e+08", "at least 1.8e+07"), ".1e"
    )
    measured: list[Measured] = []
    if n_epochs > max(_EPOCHS):
        points = apart[0]
        grown = points[:, max(_EPOCHS) - 1] - points[:, 0]
        shrunk = points[:, max(_EPOCHS) - 1] - points[:, -1]
        measured += answer("x5-grows", _mean(grown)) + answer("x5-shrinks", _mean(shrunk))
    for name, values in zip(("accuracy", "ce"), conditions, strict=True):
        measured += answer(f"x5-condition-{name}", _mean(values))
    (points, _), (end, loss) = ([of[:, e].mean() for of in apart] for e in (0, -1))
    finding = (
        f"A change of {sizes.min():.0e} to {sizes.max():.0e} in one weight makes {points:.2f} "
        f"points of accuracy after the first epoch and {end:.2f} at the end, {loss:.4f} nats of "
        f"loss (means over {len(sizes)} twins): {conditions[0].mean():.0e} and "
        f"{conditions[1].mean():.0e} times the change."
    )
    return record(
        "ND-X5",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=conditioning,
        results=[trainings],
        measured=measured,
        finding=finding,
        caption=(
            "Absolute differences on the test images of runs that differ by one bit of one weight "
            "from one run: means, and from the smallest to the largest twin; the paper's are of "
            "one pair. In the last row each is over the size of its change: a condition number of "
            "training."
        ),
    )


def _cells(values: list[NDArray[np.float64]], paper: tuple[str, str], form: str) -> dict[str, str]:
    found = {}
    for measure, of, reported in zip(_MEASURES, values, paper, strict=True):
        found[measure] = f"{of.mean():{form}} ({of.min():{form}} to {of.max():{form}})"
        found[f"{measure}, the paper's pair"] = reported
    return found


def _mean(values: NDArray[np.float64]) -> tuple[float, Interval]:
    """Mean over twins, with a 95 % bootstrap interval."""
    mean = float(values.mean())
    return mean, centred_interval(mean, RUNS.weights(len(values)) @ values / len(values))
