"""How freshly trained runs compare with the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stablib.data.registry import cache_folder
from stablib.runs import RunStore
from stablib.runs.obtain import groups, kept_blocks
from stablib.runs.provenance import instructions_of
from stablib.studies.base import Study


def compare(study: Study, fresh: RunStore, published: RunStore) -> list[dict[str, Any]]:
    """Compare runs of a study, one by one, by the measure that each record brings.

    Parameters
    ----------
    study : Study
        What was trained.
    fresh, published : RunStore
        Two stores, see :func:`only_local` and :func:`only_published`.

    Returns
    -------
    list of dict
        One row a group: runs compared, runs with identical arrays, the largest difference and
        what it measures, and the vector instructions of both sides.
    """
    rows = []
    for request in study.wanted():
        for group in groups(request, study.inputs(request.recipe)):
            blocks = kept_blocks(request, group)
            pairs = [(fresh.read(group, block), published.read(group, block)) for block in blocks]
            found = [(a, b) for a, b in pairs if a and b]
            both = [(a.arrays, b.arrays) for a, b in found]
            sides = zip(*found, strict=True)
            kinds = [instructions_of(run.provenance for run in side) for side in sides]
            same = [all(np.array_equal(a[name], b[name]) for name in b) for a, b in both]
            differences = [group.record.difference(a, b) for a, b in both]
            rows.append(
                {
                    "what": group.title(),
                    "runs": len(both),
                    "identical": sum(same),
                    "largest difference": f"{max(differences):.3g}" if both else "–",
                    "of": group.record.measure,
                    "instructions": " against ".join(dict.fromkeys(kinds)) or "–",
                }
            )
    return rows


def only_local(store: RunStore) -> RunStore:
    """The local layer alone."""
    alone = RunStore(store.folder)
    alone.published = None
    return alone


def only_published(published: Path | None) -> RunStore:
    """A published layer alone; nothing may be written into it."""
    return RunStore(cache_folder() / "none", published)
