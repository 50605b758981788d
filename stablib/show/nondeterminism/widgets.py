"""Widgets of the nondeterminism paper, from results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.metrics import relative_weight_distance
from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.nondeterminism import Trainings
from stablib.studies.nondeterminism.elsewhere import FROM_EPOCH


def divergence_viewer(by_network: Mapping[str, Trainings]) -> HostedWidget:
    """Watch twins part from the run that they differ from in one thing, network by network."""
    first = next(iter(by_network.values()))
    runs = next(iter(first.runs.values()))
    n_examples = runs["logits"].shape[2]
    return widgets.divergence_viewer(
        {name: _parting(trainings) for name, trainings in by_network.items()},
        steps=runs["steps"][0],
        gold=first.dataset.gold["test"][:n_examples],
        label_names=first.dataset.label_names,
        texts=[f"test image {number}" for number in range(1, n_examples + 1)],
        name="divergence-viewer",
        picture=picture("ND-X4"),
    )


def _parting(trainings: Trainings) -> dict[str, Any]:
    """The unchanged run of a network, which stands first, and its twins."""
    unchanged, *rows = trainings.runs
    base = trainings.runs[unchanged]
    twins: dict[str, dict[int, Any]] = {}
    for row in rows:
        runs = trainings.runs[row]
        source, _, epoch = row.partition(FROM_EPOCH)
        twins.setdefault(source, {})[int(epoch or 1)] = {
            "distance": distances(runs["weights"], base["weights"]),
            "disagreement": (runs["labels"] != base["labels"]).mean(axis=2),
            "loss": runs["losses"],
            "logits": runs["logits"],
        }
    return {"unchanged": {"loss": base["losses"][0], "logits": base["logits"][0]}, "twins": twins}


def distances(weights: NDArray[np.floating], base: NDArray[np.floating]) -> NDArray[np.float64]:
    """Relative distance of each twin's weights from those of the unchanged run, at each step.

    Parameters
    ----------
    weights : ndarray of float, shape (n_twins, n_points, n_weights)
    base : ndarray of float, shape (1, n_points, n_weights)

    Returns
    -------
    ndarray of float64, shape (n_twins, n_points)
    """
    return relative_weight_distance(weights, np.broadcast_to(base, weights.shape))
