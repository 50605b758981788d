"""How freshly trained runs compare with the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stablib.data import load
from stablib.runs import Group, RunStore
from stablib.studies import StreamSession
from stablib.studies.request import Request


def compare_pairs(study: StreamSession) -> list[dict[str, Any]]:
    """Compare the prediction differences of freshly trained pairs with the published ones.

    Returns
    -------
    list of dict
        One row a group: pairs compared, pairs with identical numbers, largest relative difference.
    """
    fresh, published = _layers()
    rows = []
    for group in study.groups():
        pairs = [(fresh.read(group, (p,)), published.read(group, (p,))) for p in study.study.plans]
        both = [(a.arrays["pd"], b.arrays["pd"]) for a, b in pairs if a and b]
        largest = max((np.max(np.abs(a / b - 1.0)) for a, b in both), default=np.nan)
        rows.append(
            {
                "what": group.title(),
                "pairs": len(both),
                "identical": sum(np.array_equal(a, b) for a, b in both),
                "largest difference of PD (%)": f"{100 * largest:.3g}" if both else "–",
            }
        )
    return rows


def _layers() -> tuple[RunStore, RunStore]:
    """The local layer alone, and the published one alone."""
    fresh, published = RunStore(), RunStore()
    fresh.published = None
    published.folder = published.folder / "empty"
    return fresh, published


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
    fresh, published = _layers()
    rows = []
    for request in requests:
        labels = {"final": "labels_test", "steps": "labels"}.get(request.record.kind)
        if labels is None:
            continue
        recipe = request.recipe
        data = load(recipe.dataset, label=recipe.label, strict=strict)
        group = Group(recipe=recipe, data=data.content_hash, record=request.record)
        pairs = [(fresh.read(group, (p,)), published.read(group, (p,))) for p in request.plans]
        both = [(a.arrays, b.arrays) for a, b in pairs if a and b]
        differing = [np.mean(a[labels] != b[labels]) for a, b in both]
        rows.append(
            {
                "what": group.title(),
                "runs": len(both),
                "identical": sum(d == 0 for d in differing),
                "labels that differ (%)": f"{100 * np.mean(differing):.3f}" if both else "–",
            }
        )
    return rows
