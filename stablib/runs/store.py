"""The store of finished runs: a local layer that is written, and published layers that are read."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock

import stablib
from stablib.data.registry import cache_folder
from stablib.runs import files
from stablib.runs.group import plans_key
from stablib.training import SeedPlan
from stablib.training.observe import Arrays
from stablib.versions import STREAM_VERSION, TRAINING_VERSION

#: Suffix of the state of a run in the making.
_UNFINISHED = ".unfinished"


class DamagedRun(UserWarning):
    """A damaged run file was found; it counts as missing."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished run: its arrays and where they came from."""

    plans: tuple[SeedPlan, ...]
    arrays: Arrays
    provenance: dict[str, Any]


class Keyed(Protocol):
    """What the store needs of a group of runs."""

    @property
    def key(self) -> str:
        """Hash of everything that the runs depend on but the seeds."""

    def title(self) -> str:
        """Name for people."""

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Everything about the group, as JSON values."""


class RunStore:
    """Find, keep and check runs.

    Parameters
    ----------
    folder : Path, optional
        Local layer; ``STABLIB_CACHE/runs`` by default.
    published : Path, optional
        Read-only layer of packs, one file a group; the checkout's ``results/runs`` by default.

    Notes
    -----
    Local layer: ``<group key>/<plans key>.npz``. Published layer: ``<group key>.npz``, arrays with
    a leading run axis. Files are checked when read; a damaged one is named in a warning and
    treated as missing until a new run or :meth:`collect_garbage` removes it.
    """

    def __init__(self, folder: Path | None = None, published: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "runs"
        self.published = published or default_published()
        self._packs: dict[str, dict[str, Run]] = {}

    def read(self, group: Keyed, plans: Sequence[SeedPlan]) -> Run | None:
        """Return a run (or the average of several, for a teacher block), None if missing."""
        key = plans_key(plans)
        path = self._path(group, key)
        try:
            arrays, header = files.read(path)
        except FileNotFoundError:
            return self._pack(group).get(key)
        except files.DamagedFile as error:
            # It stays: by now it may be the run with which another process replaced it.
            warnings.warn(f"{error}; it counts as missing", DamagedRun, stacklevel=2)
            return self._pack(group).get(key)
        return Run(tuple(plans), arrays, {**header["provenance"], "origin": "local store"})

    def write(
        self, group: Keyed, plans: Sequence[SeedPlan], arrays: Arrays, provenance: dict[str, Any]
    ) -> None:
        """Keep a run in the local layer.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        header = {
            "group": group.model_dump(mode="json"),
            "title": group.title(),
            "plans": [plan.model_dump() for plan in plans],
            "provenance": provenance,
        }
        path = self._path(group, plans_key(plans))
        files.write(path, arrays, header)
        path.with_suffix(_UNFINISHED).unlink(missing_ok=True)

    def read_unfinished(self, group: Keyed, plans: Sequence[SeedPlan]) -> Arrays | None:
        """Return the state of a run that was interrupted, None if there is none or damaged."""
        try:
            return files.read(self._path(group, plans_key(plans)).with_suffix(_UNFINISHED))[0]
        except (FileNotFoundError, files.DamagedFile):
            return None

    def write_unfinished(self, group: Keyed, plans: Sequence[SeedPlan], arrays: Arrays) -> None:
        """Keep the state of a run in the making; the finished run takes its place.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        path = self._path(group, plans_key(plans)).with_suffix(_UNFINISHED)
        files.write(path, arrays, {"title": group.title()})

    def missing(
        self, group: Keyed, blocks: Sequence[tuple[SeedPlan, ...]]
    ) -> list[tuple[SeedPlan, ...]]:
        """Which of the runs (or teacher blocks) are in no layer."""
        return [block for block in blocks if self.read(group, block) is None]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock among processes; the system releases it if the holder dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f"{name}.lock"):
            yield

    def catalogue(self) -> list[dict[str, Any]]:
        """Describe every group: key, what it is, number of runs, layer, size, header."""
        rows = []
        for folder in sorted({path.parent for path in self.local_files()}):
            paths = sorted(folder.glob("*.npz"))
            rows.append(_catalogue_row(folder.name, paths, "local", len(paths)))
        for path in self.published_files():
            rows.append(_catalogue_row(path.stem, [path], "published", None))
        return rows

    def damaged(self) -> list[Path]:
        """Read every run file and return the damaged ones."""
        found = []
        for path in (*self.local_files(), *self.published_files()):
            try:
                files.read(path)
            except files.DamagedFile:
                found.append(path)
        return found

    def collect_garbage(self) -> tuple[int, int]:
        """Delete what is damaged, unfinished, of an old training version, or can be remade.

        Returns
        -------
        removed, size : int
            Number of files and of bytes.
        """
        doomed = [path for path in self.local_files() if _is_garbage(path)]
        doomed += [*self.folder.glob("*/*.partial"), *self.folder.glob(f"*/*{_UNFINISHED}")]
        size = sum(path.stat().st_size for path in doomed)
        for path in doomed:
            path.unlink()
        return len(doomed), size

    def local_files(self) -> list[Path]:
        """All run files of the local layer."""
        return sorted(self.folder.glob("*/*.npz"))

    def published_files(self) -> list[Path]:
        """All packs of the published layer."""
        return sorted(self.published.glob("*.npz")) if self.published else []

    def publish(self, group: Keyed, plans: Sequence[SeedPlan], folder: Path) -> Path:
        """Write the runs of one group as a pack into ``folder`` and return its path.

        Raises
        ------
        KeyError
            If a run is missing.
        """
        runs = [self.read(group, (plan,)) for plan in plans]
        found = [run for run in runs if run is not None]
        if len(found) < len(runs):
            raise KeyError(f"{group.title()}: {len(runs) - len(found)} of {len(runs)} runs missing")
        arrays = {name: np.stack([run.arrays[name] for run in found]) for name in found[0].arrays}
        header = {
            "group": group.model_dump(mode="json"),
            "title": group.title(),
            "plans": [plan.model_dump() for plan in plans],
            "provenance": [_without_origin(run.provenance) for run in found],
        }
        path = folder / f"{group.key}.npz"
        files.write(path, arrays, header, published=True)
        return path

    def _path(self, group: Keyed, key: str) -> Path:
        return self.folder / group.key / f"{key}.npz"

    def _pack(self, group: Keyed) -> dict[str, Run]:
        """Runs of a published group by plans key; read once."""
        if group.key not in self._packs:
            self._packs[group.key] = self._read_pack(group)
        return self._packs[group.key]

    def _read_pack(self, group: Keyed) -> dict[str, Run]:
        if self.published is None:
            return {}
        try:
            arrays, header = files.read(self.published / f"{group.key}.npz")
        except FileNotFoundError:
            return {}
        except files.DamagedFile as error:
            warnings.warn(f"{error}; its runs count as missing", DamagedRun, stacklevel=2)
            return {}
        runs = {}
        for row, (fields, provenance) in enumerate(
            zip(header["plans"], header["provenance"], strict=True)
        ):
            plan = SeedPlan(**fields)
            one = {name: array[row] for name, array in arrays.items()}
            origin = {**provenance, "origin": "published runs"}
            runs[plans_key((plan,))] = Run((plan,), one, origin)
        return runs


def _is_garbage(path: Path) -> bool:
    """Damaged, of another training version, or the soft labels of teachers."""
    try:
        group = files.read(path)[1]["group"]
    except files.DamagedFile:
        return True
    kind = group["record"]["kind"]
    current = STREAM_VERSION if kind == "pair" else TRAINING_VERSION
    return group["version"] != current or kind == "train_mean"


def _catalogue_row(key: str, paths: list[Path], layer: str, n_runs: int | None) -> dict[str, Any]:
    size = sum(path.stat().st_size for path in paths) // 1024
    row = {"group": key, "layer": layer, "KiB": size}
    try:
        header = files.read_header(paths[0])
    except files.DamagedFile as error:
        return {**row, "what": str(error), "runs": "?", "header": {}}
    return {
        **row,
        "what": header["title"],
        "runs": n_runs or len(header["plans"]),
        "header": header,
    }


def _without_origin(provenance: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in provenance.items() if key != "origin"}


def default_published() -> Path | None:
    """Find the published runs: ``STABLIB_RESULTS``, or ``results`` beside the package's folder."""
    value = os.environ.get("STABLIB_RESULTS")
    folder = Path(value) if value else Path(stablib.__file__).parent.parent / "results"
    return folder / "runs" if folder.is_dir() else None
