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
    data: dict[Group, Inputs] = {}
    for request in (*study.wanted(), *study.optional()):
        inputs = study.inputs(request.recipe)
        for group in groups(request, inputs):
            if not group.record.pooled:
                wanted.setdefault(group, {}).update(dict.fromkeys(request.plans))
                data[group] = inputs
    shown: dict[str, Inputs] = {}
    for group, plans in wanted.items():
        store = RunStore(study.store.folder, folder)
        before = store.published_plans(group)
        here = [plan for plan in plans if not store.missing(group, [(plan,)])]
        everything = list(dict.fromkeys([*before, *here]))
        if everything:
            shown[data[group].key] = data[group]
        if len(everything) > len(before):
            yield Published(group, len(everything), store.publish(group, everything, folder))
    _write_labels(shown.values(), folder.parent / "data")


def _write_labels(shown: Iterable[Inputs], folder: Path) -> None:
    """Write the labels of data that the package has not, so that all can see the runs."""
    for inputs in shown:
        data = inputs.data
        known = ENTRIES.get(data.name) if isinstance(data, Dataset) else None
        if known and not known.shipped and data.content_hash == known.content.get(data.label):
            write_sheet(data, folder)
