"""The store of finished runs: a local layer that is written, and published layers that are read."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

import stablib
from stablib import files
from stablib.data.registry import cache_folder
from stablib.errors import StoreError
from stablib.runs.group import Group, plans_key
from stablib.runs.watch import say
from stablib.training import Recipe, SeedPlan
from stablib.training.record import Arrays, Lesson, Record
from stablib.training.tagged import identity
from stablib.training.workload import Block, in_blocks

#: Suffix of the state of a run in the making.
_UNFINISHED = ".unfinished"

#: Seconds after which a process that waits for another says so.
_PATIENCE = 1.0

#: Seconds after which a half-written file belongs to nobody any more.
_ABANDONED = 24 * 3600.0


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished run: its arrays and where they came from."""

    plans: tuple[SeedPlan, ...]
    arrays: Arrays
    provenance: dict[str, Any]


class RunStore:
    """Find, keep and check runs.

    Parameters
    ----------
    folder : Path, optional
        Local layer; ``STABLIB_CACHE/runs`` by default.
    published : Path, optional
        Read-only layer of packs, one file a group; see :func:`default_published`.

    Notes
    -----
    Local layer: ``<group key>/<plans key>.npz``. Published layer: ``<group key>.npz``, arrays with
    a leading run axis. Files are checked when read, and must be what their name says; a damaged
    one is named in a warning and treated as missing until a new run or :meth:`collect_garbage`
    removes it.
    """

    def __init__(self, folder: Path | None = None, published: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "runs"
        self.published = published or default_published()
        self._packs: dict[str, dict[str, Run]] = {}
        self._names: dict[str, frozenset[str]] = {}

    def read(self, group: Group, plans: Sequence[SeedPlan]) -> Run | None:
        """Return a run (or what several left, of a pooled record), None if missing."""
        key = plans_key(plans)
        path = self._path(group, key)
        try:
            arrays, header = files.read(path)
            _check_place(path, header, group)
            _check_plans(path, header, plans)
        except FileNotFoundError:
            return self._pack(group).get(key)
        except files.DamagedFile as error:
            # It stays: by now it may be the run with which another process replaced it.
            warnings.warn(f"{error}; it counts as missing", files.Damaged, stacklevel=2)
            return self._pack(group).get(key)
        return Run(tuple(plans), arrays, {**header["provenance"], "origin": "local store"})

    def write(
        self, group: Group, plans: Sequence[SeedPlan], arrays: Arrays, provenance: dict[str, Any]
    ) -> None:
        """Keep a run in the local layer.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        path = self._path(group, plans_key(plans))
        files.write(path, arrays, {**_header(group, plans), "provenance": provenance})
        path.with_suffix(_UNFINISHED).unlink(missing_ok=True)

    def read_unfinished(self, groups: Sequence[Group], plans: Sequence[SeedPlan]) -> Arrays | None:
        """Return the state of a run that was interrupted while it was trained for these groups.

        None if there is none, it is damaged, or of a training that kept other records.
        """
        path = self._path(groups[0], plans_key(plans)).with_suffix(_UNFINISHED)
        try:
            arrays, header = files.read(path)
            _check_place(path, header, groups[0])
            _check_plans(path, header, plans)
        except (FileNotFoundError, files.DamagedFile):
            return None
        return arrays if header.get("groups") == [group.key for group in groups] else None

    def write_unfinished(
        self, groups: Sequence[Group], plans: Sequence[SeedPlan], arrays: Arrays
    ) -> None:
        """Keep the state of a run in the making; the finished run takes its place.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        path = self._path(groups[0], plans_key(plans)).with_suffix(_UNFINISHED)
        header = {**_header(groups[0], plans), "groups": [group.key for group in groups]}
        files.write(path, arrays, header, compress=False)

    def missing(
        self, group: Group, blocks: Sequence[Block], *, by_reading: bool = False
    ) -> list[Block]:
        """Which of the runs (or pooled blocks) are in no layer.

        By their names alone, or by reading them, which finds damaged ones too.
        """
        if by_reading:
            return [block for block in blocks if self.read(group, block) is None]
        keys = {block: plans_key(block) for block in blocks}
        lacking = [b for b in blocks if not self._path(group, keys[b]).is_file()]
        if not lacking:
            return []
        published = self._published_names(group)
        return [block for block in lacking if keys[block] not in published]

    @contextmanager
    def lock(self, name: str, title: str = "") -> Iterator[None]:
        """Hold a lock among processes; the system releases it if the holder dies.

        Parameters
        ----------
        name : str
            Of the lock.
        title : str
            What is done meanwhile, for others that wait longer than a second.
        """
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock, holder = FileLock(folder / f"{name}.lock"), folder / f"{name}.holder"
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            with suppress(OSError):
                command, _, who = holder.read_text("utf-8").partition("\n")
                if command != _command():  # Processes of one command wait for each other unseen.
                    say(f"waiting for {who or 'another process'}")
            lock.acquire()
        try:
            with suppress(OSError):  # Only for those who wait.
                who = f"process {os.getpid()} on {platform.node()}: {title}"
                holder.write_text(f"{_command()}\n{who}", "utf-8")
            yield
        finally:
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()

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
        """Delete what is damaged, abandoned, of an old version, or can be remade.

        Left alone: half-written files and states younger than a day, which another process may
        be writing or going on from, and runs of workloads that are not known here.

        Returns
        -------
        removed, size : int
            Number of files and of bytes.
        """
        doomed = [path for path in self.local_files() if _is_garbage(path)]
        unfinished = [*self.folder.glob("*/*.partial"), *self.folder.glob(f"*/*{_UNFINISHED}")]
        doomed += [path for path in unfinished if _is_abandoned(path)]
        removed = size = 0
        for path in doomed:
            with suppress(FileNotFoundError):
                bytes_freed = path.stat().st_size
                path.unlink()
                removed, size = removed + 1, size + bytes_freed
        return removed, size

    def local_files(self) -> list[Path]:
        """All run files of the local layer."""
        return sorted(self.folder.glob("*/*.npz"))

    def published_files(self) -> list[Path]:
        """All packs of the published layer."""
        return sorted(self.published.glob("*.npz")) if self.published else []

    def publish(
        self, group: Group, plans: Sequence[SeedPlan], folder: Path, *, pool: int = 1
    ) -> Path:
        """Write the runs of one group as a pack into ``folder`` and return its path.

        Of a pooled record so many consecutive plans have left one set of arrays.

        Raises
        ------
        StoreError
            If a run is missing, or the pack has pools of another size.
        """
        # What was published stays as it was: a run made here may differ in its last bits.
        before = self._pack(group)
        if any(len(run.plans) != pool for run in before.values()):
            raise StoreError(f"{group.title()}: its pack has pools of another size than {pool}")
        if not before and (folder / f"{group.key}.npz").exists():
            raise StoreError(f"{group.title()}: its pack is damaged, and would be replaced")
        blocks = in_blocks(plans, pool)
        runs = [before.get(plans_key(block)) or self.read(group, block) for block in blocks]
        found = [run for run in runs if run is not None]
        if len(found) < len(runs):
            raise StoreError(
                f"{group.title()}: {len(runs) - len(found)} of {len(runs)} runs missing"
            )
        arrays = {name: np.stack([run.arrays[name] for run in found]) for name in found[0].arrays}
        made = [{k: v for k, v in run.provenance.items() if k != "origin"} for run in found]
        path = folder / f"{group.key}.npz"
        header = {**_header(group, plans), "provenance": made}
        files.write(path, arrays, header | ({"pool": pool} if pool > 1 else {}), published=True)
        return path

    def published_plans(self, group: Group) -> list[SeedPlan]:
        """Seed plans of a group's published runs."""
        return [plan for run in self._pack(group).values() for plan in run.plans]

    def _path(self, group: Group, key: str) -> Path:
        return self.folder / group.key / f"{key}.npz"

    def _published_names(self, group: Group) -> frozenset[str]:
        """Plans keys of a group's pack, from its header alone; read once."""
        if group.key not in self._names:
            self._names[group.key] = self._read_names(group)
        return self._names[group.key]

    def _read_names(self, group: Group) -> frozenset[str]:
        if group.key in self._packs:
            return frozenset(self._packs[group.key])
        if self.published is None:
            return frozenset()
        path = self.published / f"{group.key}.npz"
        try:
            header = files.read_header(path)
            _check_place(path, header, group)
            return frozenset(map(plans_key, _blocks_of(header)))
        except FileNotFoundError:
            return frozenset()
        except files.DamagedFile:
            return frozenset(self._pack(group))  # Which says so.

    def _pack(self, group: Group) -> dict[str, Run]:
        """Runs of a published group by plans key; read once."""
        if group.key not in self._packs:
            self._packs[group.key] = self._read_pack(group)
            self._names[group.key] = frozenset(self._packs[group.key])
        return self._packs[group.key]

    def _read_pack(self, group: Group) -> dict[str, Run]:
        if self.published is None:
            return {}
        path = self.published / f"{group.key}.npz"
        try:
            arrays, header = files.read(path)
            _check_place(path, header, group)
        except FileNotFoundError:
            return {}
        except files.DamagedFile as error:
            warnings.warn(f"{error}; its runs count as missing", files.Damaged, stacklevel=2)
            return {}
        runs = {}
        for row, (block, provenance) in enumerate(
            zip(_blocks_of(header), header["provenance"], strict=True)
        ):
            one = {name: array[row] for name, array in arrays.items()}
            origin = {**provenance, "origin": "published runs"}
            runs[plans_key(block)] = Run(block, one, origin)
        return runs


def _blocks_of(header: Mapping[str, Any]) -> list[Block]:
    """The plans of a pack, in the groups of which it has one set of arrays."""
    return in_blocks([SeedPlan(**fields) for fields in header["plans"]], header.get("pool", 1))


def _command() -> str:
    """The command to which this process belongs, which may be one of its workers."""
    pid = os.getpid() if multiprocessing.parent_process() is None else os.getppid()
    return f"{pid} {platform.node()}"


def _header(group: Group, plans: Sequence[SeedPlan]) -> dict[str, Any]:
    return {
        "group": group.identity,
        "title": group.title(),
        "plans": [identity(plan) for plan in plans],
    }


def _check_place(path: Path, header: Mapping[str, Any], group: Group) -> None:
    """Refuse a whole file that lies where another should."""
    if header.get("group") != group.identity:
        raise files.DamagedFile(f"file {path} is damaged (it belongs to another group)")


def _check_plans(path: Path, header: Mapping[str, Any], plans: Sequence[SeedPlan]) -> None:
    if header.get("plans") != [identity(plan) for plan in plans]:
        raise files.DamagedFile(f"file {path} is damaged (it is a run of other seeds)")


def _is_garbage(path: Path) -> bool:
    """Damaged, of another version of a workload that is known, or what teachers say."""
    try:
        header = files.read(path)[1]
    except FileNotFoundError:
        return False
    except files.DamagedFile:
        return True
    group = header.get("group", {})
    recipe = Recipe.kinds.get(group.get("recipe", {}).get("kind"))
    record = Record.kinds.get(group.get("record", {}).get("kind"))
    if recipe is None or not issubclass(recipe, Recipe):
        return False
    of_teachers = record is not None and issubclass(record, Lesson)
    return of_teachers or bool(group["version"] != recipe.workload.version)


def _is_abandoned(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _ABANDONED
    except FileNotFoundError:
        return False


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


def default_published() -> Path | None:
    """Find the published runs.

    ``STABLIB_RESULTS`` if it is set, else ``results`` beside the package's folder (a checkout),
    else where a wheel puts them, ``share/stablib/results`` of the environment.
    """
    value = os.environ.get("STABLIB_RESULTS")
    places = [Path(stablib.__file__).parent.parent, Path(sys.prefix) / "share" / "stablib"]
    folders = [Path(value)] if value else [place / "results" for place in places]
    return next((folder / "runs" for folder in folders if folder.is_dir()), None)
