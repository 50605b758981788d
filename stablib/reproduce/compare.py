"""How freshly trained runs compare with the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stablib.data import load
from stablib.runs import Group, RunStore
from stablib.studies.request import Request


def compare(requests: Sequence[Request], *, strict: bool) -> list[dict[str, Any]]:
    """Compare predicted labels, run by run.

    Parameters
    ----------
    requests : sequence of Request
        What was trained.
    strict : bool
        As in :func:`stablib.data.load`.

    Returns
    -------
    list of dict
        One row a group: runs compared, runs with identical labels, share of labels that differ.
    """
    fresh, published = RunStore(), RunStore()
    fresh.published = None
    # An empty local layer: only the published runs are read.
    published.folder = published.folder / "empty"
    rows = []
    for request in requests:
        if request.record.kind != "final":
            continue
        recipe = request.recipe
        data = load(recipe.dataset, label=recipe.label, strict=strict)
        group = Group(recipe=recipe, data=data.content_hash, record=request.record)
        pairs = [(fresh.read(group, (p,)), published.read(group, (p,))) for p in request.plans]
        both = [(a.arrays, b.arrays) for a, b in pairs if a and b]
        differing = [np.mean(a["labels_test"] != b["labels_test"]) for a, b in both]
        rows.append(
            {
                "what": group.title(),
                "runs": len(both),
                "identical": sum(d == 0 for d in differing),
                "labels that differ (%)": f"{100 * np.mean(differing):.3f}" if both else "–",
            }
        )
    return rows
