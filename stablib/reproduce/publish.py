"""Put finished runs of a study among the published ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from stablib.data import ENTRIES, Dataset
from stablib.data.sheets import write_sheet
from stablib.runs import Group
from stablib.runs.obtain import groups
from stablib.runs.store import RunStore
from stablib.studies.base import Study
from stablib.training import Inputs, SeedPlan
from stablib.training.record import Lesson
from stablib.training.workload import in_blocks


@dataclasses.dataclass(frozen=True)
class Published:
    """A pack that was written: what it holds, how many runs, and its size."""

    group: Group
    n_runs: int
    path: Path


def publish(study: Study, folder: Path) -> Iterator[Published]:
    """Write packs of all groups of a study of which the local store has runs that no pack has.

    The labels of data that may not be shipped are written too, into ``data`` beside the packs.

    Parameters
    ----------
    study : Study
        What is shown; runs of it that are missing are left out.
    folder : Path
        ``results/runs`` of the checkout.

    Yields
    ------
    Published
        Each pack as it is written. Runs that were published before stay in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted: dict[Group, dict[SeedPlan, None]] = {}
    pools: dict[Group, int] = {}
    data: dict[Group, Inputs] = {}
    for request in (*study.wanted(), *study.optional()):
        inputs = study.inputs(request.recipe)
        for group in groups(request, inputs):
            # What teachers say is needed to train, and not to show.
            if not isinstance(group.record, Lesson):
                pools[group] = request.pool if group.record.pooled else 1
                wanted.setdefault(group, {}).update(dict.fromkeys(request.plans))
                data[group] = inputs
    shown: dict[str, Inputs] = {}
    for group, plans in wanted.items():
        store = RunStore(study.store.folder, folder)
        before = store.published_plans(group)
        blocks = in_blocks(list(plans), pools[group])
        here = [plan for block in blocks if not store.missing(group, [block]) for plan in block]
        everything = list(dict.fromkeys([*before, *here]))
        if everything:
            shown[data[group].key] = data[group]
        if len(everything) > len(before):
            path = store.publish(group, everything, folder, pool=pools[group])
            yield Published(group, len(everything), path)
    _write_labels(shown.values(), folder.parent / "data")


def _write_labels(shown: Iterable[Inputs], folder: Path) -> None:
    """Write the labels of data that the package has not, so that all can see the runs."""
    for inputs in shown:
        data = inputs.data
        known = ENTRIES.get(data.name) if isinstance(data, Dataset) else None
        if known and not known.shipped and data.content_hash == known.content.get(data.label):
            write_sheet(data, folder)
