"""Get runs: from the store where they are, by training where they are not."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import stablib
from stablib.data import Dataset
from stablib.errors import StoreError
from stablib.runs.group import Group, plans_key
from stablib.runs.store import Run, RunStore
from stablib.runs.watch import Watch, bar, silent
from stablib.training import Control, Final, Head, Recipe, Record, SeedPlan, train
from stablib.training.task import Task, prepare
from stablib.training.train import chunk_size

#: Head teachers are averaged in blocks of this many, so that an interrupted ensemble resumes.
TEACHER_BLOCK = 25

Block = tuple[SeedPlan, ...]


class Trainer:
    """Train what is missing of one recipe on one data set, and keep it.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    dataset : Dataset
        With texts.
    store : RunStore
        Where finished runs go.
    watch : callable, optional
        Shows the progress of each stack, see :mod:`stablib.runs.watch`; by default nothing does.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        store: RunStore,
        *,
        watch: Watch = silent,
    ) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.store = store
        self.watch = watch

    @cached_property
    def task(self) -> Task:
        """The prepared data; made only if something has to be trained."""
        return prepare(self.recipe, self.dataset)

    def group(self, record: Record, recipe: Recipe | None = None) -> Group:
        """Key of a record of this recipe (or of its teachers')."""
        return Group(recipe=recipe or self.recipe, data=self.dataset.content_hash, record=record)

    def train_missing(self, plans: Sequence[SeedPlan], records: Sequence[Record]) -> None:
        """Train the plans of which the store lacks a record; other processes wait meanwhile."""
        for unit in self._units(plans):
            if not self._lacking(unit, records):
                continue
            with self._lock(self.recipe, unit):
                lacking = self._lacking(unit, records)
                if lacking:
                    lessons = [self.recipe.method.teachers(plan) for plan in lacking]
                    if lessons[0]:
                        self.train_teachers(lessons)
                    blocks = [(plan,) for plan in lacking]
                    self._train(self.recipe, blocks, records, self._targets)

    def _units(self, plans: Sequence[SeedPlan]) -> list[Sequence[SeedPlan]]:
        """Heads train as one stack; fine-tuned models one by one, so that processes can share."""
        return [plans] if isinstance(self.recipe.model, Head) else [(plan,) for plan in plans]

    def _lock(self, recipe: Recipe, unit: Sequence[SeedPlan]) -> AbstractContextManager[None]:
        """Lock of a recipe's stack, or of one fine-tuned run."""
        name = self.group(Final(), recipe).key
        return self.store.lock(
            name if isinstance(recipe.model, Head) else f"{name}-{plans_key(unit)}"
        )

    def _lacking(self, plans: Sequence[SeedPlan], records: Sequence[Record]) -> list[SeedPlan]:
        blocks = [(plan,) for plan in plans]
        lacking = {block[0] for r in records for block in self.store.missing(self.group(r), blocks)}
        return [plan for plan in plans if plan in lacking]

    def _targets(self, plans: Sequence[SeedPlan]) -> list[NDArray[np.float32]]:
        """What each run learns, from trained teachers: one array for all, or one a run."""
        method, one_hot = self.recipe.method, self.task.one_hot()
        lessons = [method.teachers(plan) for plan in plans]
        if len(set(lessons)) == 1:
            lessons = lessons[:1]
        if not lessons[0]:
            return [method.targets(one_hot, None)]
        return [method.targets(one_hot, self._taught(lesson)) for lesson in lessons]

    def teacher_blocks(self, lessons: Sequence[Block]) -> list[Block]:
        """Split the teachers of each lesson into the blocks that are averaged and kept."""
        size = TEACHER_BLOCK if isinstance(self.recipe.model, Head) else 1
        blocks = [
            lesson[start : start + size]
            for lesson in lessons
            for start in range(0, len(lesson), size)
        ]
        return list(dict.fromkeys(blocks))

    def train_teachers(self, lessons: Sequence[Block]) -> None:
        """Train the teachers of which the store lacks what they teach."""
        lesson = self.recipe.method.lesson
        assert lesson is not None
        recipe = self.recipe.with_method(Control())
        group = self.group(lesson, recipe)
        blocks = self.teacher_blocks(lessons)
        units = [blocks] if isinstance(recipe.model, Head) else [[block] for block in blocks]
        for unit in units:
            if not self.store.missing(group, unit):
                continue
            with self._lock(recipe, unit[0]):
                missing = self.store.missing(group, unit)
                self._train(recipe, missing, (Final(), lesson), self._gold)

    def _gold(self, plans: Sequence[SeedPlan]) -> list[NDArray[np.float32]]:
        """What each teacher learns."""
        return [Control().targets(self.task.one_hot(), None)]

    def _taught(self, lesson: Block) -> NDArray[np.float32]:
        """Mean probabilities of a lesson's teachers."""
        record = self.recipe.method.lesson
        assert record is not None
        group = self.group(record, self.recipe.with_method(Control()))
        total = np.zeros((), dtype=np.float64)
        for block in self.teacher_blocks([lesson]):
            run = self.store.read(group, block)
            assert run is not None
            total = total + len(block) * run.arrays["mean"].astype(np.float64)
        return (total / len(lesson)).astype(np.float32)

    def _train(
        self,
        recipe: Recipe,
        blocks: Sequence[Block],
        records: Sequence[Record],
        targets: Callable[[Sequence[SeedPlan]], Sequence[NDArray[np.float32]]],
    ) -> None:
        """Train blocks of runs in chunks that fit the memory; keep each chunk when it is done.

        ``targets`` is asked anew for each chunk: all at once, they would not fit the memory.
        """
        size = chunk_size(recipe, self.task, records)
        start = 0
        while start < len(blocks):
            stop = start + max(1, size // len(blocks[start]))
            chunk = blocks[start:stop]
            plans = [plan for block in chunk for plan in block]
            own = targets(plans)
            began = time.perf_counter()
            steps = len(plans) * recipe.steps(len(self.task.gold["train"]))
            with self.watch(len(plans), steps, "steps") as progress:
                results = train(recipe, plans, self.task, records, targets=own, progress=progress)
            provenance = self._provenance((time.perf_counter() - began) / len(plans))
            place = 0
            for block in chunk:
                runs = results[place : place + len(block)]
                place += len(block)
                self._keep(recipe, block, runs, records, provenance)
            start = stop

    def _keep(
        self,
        recipe: Recipe,
        block: Block,
        runs: Sequence[list[dict[str, NDArray[Any]]]],
        records: Sequence[Record],
        provenance: dict[str, Any],
    ) -> None:
        for number, record in enumerate(records):
            group = self.group(record, recipe)
            if record.kind == "train_mean":
                means = np.stack([run[number]["mean"] for run in runs])
                mean = np.asarray(means.mean(axis=0, dtype=np.float64), dtype=np.float16)
                self.store.write(group, block, {"mean": mean}, provenance)
            else:
                for plan, run in zip(block, runs, strict=True):
                    self.store.write(group, (plan,), run[number], provenance)

    def _provenance(self, seconds: float) -> dict[str, Any]:
        return {
            "data": self.dataset.source,
            "notice": self.dataset.notice,
            "seconds": round(seconds, 3),
            **machine(),
        }


def machine() -> dict[str, Any]:
    """What a result was made with: versions, hardware, date."""
    return {
        "stablib": stablib.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "hardware": f"{_processor()}, {os.cpu_count()} cores",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


class Runs:
    """Runs of one recipe as arrays with a leading run axis.

    Parameters
    ----------
    recipe : Recipe
        What was trained.
    runs : sequence of Run
        In the order of the seeds asked for.
    """

    def __init__(self, recipe: Recipe, runs: Sequence[Run]) -> None:
        self.recipe = recipe
        self.plans = tuple(run.plans[0] for run in runs)
        self.provenance = [run.provenance for run in runs]
        self._runs = runs

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Array of all runs, e.g. ``runs["labels_test"]`` of shape (n_runs, n_examples)."""
        return np.stack([run.arrays[name] for run in self._runs])


def obtain(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    *,
    dataset: Dataset,
    store: RunStore,
    record: Record | None = None,
    watch: Watch = bar,
) -> Runs:
    """Return runs from the store, training those that it lacks.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    plans : sequence of SeedPlan
        Seeds.
    dataset : Dataset
        The data; without texts (a label sheet) only stored runs can be had.
    store : RunStore
        Local and published runs.
    record : Record, default Final()
        What is wanted of each run.
    watch : callable, optional
        Shows the progress of training; by default a bar.

    Returns
    -------
    Runs
        In the order of ``plans``.
    """
    wanted = record or Final()
    trainer = Trainer(recipe, dataset, store, watch=watch)
    trainer.train_missing(plans, [wanted])
    runs = [store.read(trainer.group(wanted), (plan,)) for plan in plans]
    found = [run for run in runs if run is not None]
    if len(found) < len(plans):
        raise StoreError(
            f"{len(plans) - len(found)} runs vanished from {store.folder} while reading"
        )
    return Runs(recipe, found)
