"""Get runs: from the store where they are, by training where they are not."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.errors import DataError, StoreError, UsageError
from stablib.runs.group import Group, digest, plans_key, recipe_identity
from stablib.runs.interrupt import Interrupt, Terminated, held, leave
from stablib.runs.provenance import machine
from stablib.runs.store import Run, RunStore
from stablib.runs.watch import Watch, bar
from stablib.training import Inputs, Recipe, Record, Request, SeedPlan
from stablib.training.record import Arrays, Lesson, Pooled
from stablib.training.workload import Block

#: Seconds between two times that a run in the making is kept, to go on from.
SAVE_EVERY = 30.0


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
        #: Of a pooled record, also those of the other runs that left each one.
        self.every_plan = tuple(plan for run in runs for plan in run.plans)
        self.provenance = [run.provenance for run in runs]
        self._runs = runs

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, name: str) -> bool:
        return name in self._runs[0].arrays

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return list(self._runs[0].arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Array of all runs, e.g. ``runs["labels_test"]`` of shape (n_runs, n_examples)."""
        return np.stack([run.arrays[name] for run in self._runs])

    def beside(self, kind: str, n_runs: int) -> Runs:
        """Take what the first runs hold of averages of a kind, as if these were runs themselves.

        Their arrays have the kind before their names, see :class:`stablib.mitigation.Averaged`.

        Raises
        ------
        UsageError
            If the runs hold no average of the kind.
        """
        start = f"{kind}_"
        if not any(name.startswith(start) for name in self.names):
            raise UsageError(f"kind must be one that was averaged beside the runs, got {kind!r}")
        return Runs(
            self.recipe,
            [
                dataclasses.replace(
                    run,
                    arrays={
                        name.removeprefix(start): array
                        for name, array in run.arrays.items()
                        if name.startswith(start)
                    },
                )
                for run in self._runs[:n_runs]
            ],
        )


def obtain(
    request: Request,
    store: RunStore,
    *,
    inputs: Inputs | None = None,
    strict: bool = False,
    watch: Watch = bar,
) -> Runs:
    """Return runs from the store, training those that it lacks.

    Parameters
    ----------
    request : Request
        What is wanted.
    store : RunStore
        Local and published runs.
    inputs : Inputs, optional
        Data; by default the first of the workload's that can serve the request.
    strict : bool, default False
        Refuse data that only stands in for what was asked for.
    watch : callable, optional
        Shows the progress of training; by default a bar.

    Returns
    -------
    Runs
        In the order of the plans, with the arrays of all records.

    Raises
    ------
    StablibError
        If the data cannot be had, a run cannot be kept, or as the workload says.
    """
    titles = [record.title for record in request.records]
    if len(set(titles)) < len(titles):  # Their arrays have the same names.
        raise UsageError(f"runs hold one record of a kind, got {', '.join(titles)}")
    chosen = inputs or serving([request], store, strict=strict)
    by_record = secure(request, store, chosen, watch=watch)
    merged = []
    for parts in zip(*by_record, strict=True):
        arrays = {name: array for part in parts for name, array in part.arrays.items()}
        merged.append(Run(parts[0].plans, arrays, parts[0].provenance))
    return Runs(request.recipe, merged)


def secure(
    request: Request, store: RunStore, inputs: Inputs, *, watch: Watch = bar
) -> list[list[Run]]:
    """Train what the store lacks of a request and return its runs, of one record after the other.

    Raises
    ------
    StoreError
        If runs vanish as they are made.
    """
    # By its name a damaged file looks whole; the second time every file is read.
    for by_reading in (False, True):
        ensure(request, store, inputs, watch=watch, by_reading=by_reading)
        found = [
            [store.read(group, block) for block in kept_blocks(request, group)]
            for group in groups(request, inputs)
        ]
        whole = [[run for run in runs if run is not None] for runs in found]
        if [len(runs) for runs in whole] == [len(runs) for runs in found]:
            return whole
    raise StoreError(f"runs of {request.recipe.title()} vanish from {store.folder}")


def kept_blocks(request: Request, group: Group) -> list[Block]:
    """In which parts a record of the request is kept."""
    return request.blocks if group.record.pooled else [(plan,) for plan in request.plans]


def serving(requests: Sequence[Request], store: RunStore, *, strict: bool = False) -> Inputs:
    """Choose the data for requests on the same data.

    Published labels alone serve only if every run is in the store; otherwise the next source is
    asked, which may be the network or a stand-in.

    Raises
    ------
    DataError
        If nothing can serve.
    """
    recipe = requests[0].recipe
    for inputs in recipe.workload.inputs(recipe, strict=strict):
        if inputs.trainable or not any(lacking(request, store, inputs) for request in requests):
            return inputs
    raise DataError(f"no source has the data {recipe.data_name!r}")


def groups(request: Request, inputs: Inputs) -> list[Group]:
    """Where the runs of a request are kept, one group a record."""
    return [Group(request.recipe, inputs.key, record) for record in request.records]


def lacking(
    request: Request, store: RunStore, inputs: Inputs, *, by_reading: bool = False
) -> Request | None:
    """The part of a request that the store lacks, None if it has everything."""
    missing: set[SeedPlan] = set()
    for group in groups(request, inputs):
        absent = store.missing(group, kept_blocks(request, group), by_reading=by_reading)
        missing.update(plan for block in absent for plan in block)
    blocks = [block for block in request.blocks if missing.intersection(block)]
    return request.only(blocks) if blocks else None


def units(request: Request) -> list[Request]:
    """The parts of a request that train under one lock: all of it, or each block for itself."""
    if request.recipe.workload.stacked:
        return [request]
    return [request.only([block]) for block in request.blocks]


def ensure(
    request: Request,
    store: RunStore,
    inputs: Inputs,
    *,
    watch: Watch = bar,
    by_reading: bool = False,
) -> None:
    """Train what the store lacks of a request; other processes wait meanwhile.

    What must be trained before, teachers for example, is trained first.
    """
    for unit in units(request):
        if lacking(unit, store, inputs, by_reading=by_reading) is None:
            continue
        with store.lock(_lock_name(unit, inputs), unit.recipe.title()):
            left = lacking(unit, store, inputs, by_reading=by_reading)
            if left is not None:
                for earlier in left.recipe.workload.before(left):
                    ensure(earlier, store, inputs, watch=watch)
                _train(left, store, inputs, watch)


def _lock_name(unit: Request, inputs: Inputs) -> str:
    name = digest(recipe_identity(unit.recipe, inputs.key))
    return name if unit.recipe.workload.stacked else f"{name}-{plans_key(unit.plans)}"


def _train(request: Request, store: RunStore, inputs: Inputs, watch: Watch) -> None:
    """Train all of a request, and keep each run when it is done."""
    workload = request.recipe.workload
    keeper = _Keeper(request, store, inputs)
    title = f"{len(request.plans)} × {request.recipe.title()}"
    work = workload.work(request, inputs)
    with watch(title, work, workload.unit) as progress, held() as interrupt:
        report = _Reporter(keeper, progress, interrupt)
        for finished in workload.train(
            request,
            inputs,
            lambda plan: _taught(request, plan, store, inputs),
            report=report,
            state=keeper.state,
        ):
            keeper.keep(finished)


class _Keeper:
    """Write what a training yields, and the state of a run in the making."""

    def __init__(self, request: Request, store: RunStore, inputs: Inputs) -> None:
        self.request, self.store, self.inputs = request, store, inputs
        self.groups = groups(request, inputs)
        self.saved = self.began = time.perf_counter()
        #: Seconds until the state is kept again.
        self.pause = SAVE_EVERY
        self.earlier = 0.0
        self.state: Arrays | None = None
        # A state belongs to one run; a stack keeps whole runs, and begins the others anew.
        if len(request.plans) == 1:
            self.state = store.read_unfinished(self.groups, request.plans)
            if self.state is not None:
                self.earlier = float(self.state.pop("seconds"))
        #: What the runs of a block that is not whole yet have left, and took.
        self.waiting: list[list[Arrays]] = []
        self.block: list[SeedPlan] = []
        self.spent = 0.0

    def save(self, state: Arrays) -> None:
        """Keep the state of the only run."""
        seconds = self.earlier + time.perf_counter() - self.began
        arrays = {**state, "seconds": np.asarray(seconds)}
        began = time.perf_counter()
        self.store.write_unfinished(self.groups, self.request.plans, arrays)
        self.saved = time.perf_counter()
        # A large state is kept less often: so many seconds for each second that it takes.
        self.pause = SAVE_EVERY * max(1.0, self.saved - began)

    def keep(self, finished: Sequence[tuple[SeedPlan, list[Arrays]]]) -> None:
        """Write runs that were finished together."""
        seconds = (self.earlier + time.perf_counter() - self.began) / len(finished)
        recipe = self.request.recipe
        provenance = {
            "data": self.inputs.source,
            "notice": self.inputs.notice,
            "seconds": round(seconds, 3),
            **machine(recipe.workload.packages, recipe.workload.device(recipe)),
        }
        for plan, arrays in finished:
            self.block.append(plan)
            self.waiting.append(arrays)
            self.spent += seconds
            for group, own in zip(self.groups, arrays, strict=True):
                if not group.record.pooled:
                    self.store.write(group, (plan,), own, provenance)
            if tuple(self.block) in self.request.blocks:
                self._keep_pooled({**provenance, "seconds": round(self.spent, 3)})
        self.began, self.earlier = time.perf_counter(), 0.0

    def _keep_pooled(self, provenance: dict[str, Any]) -> None:
        for number, group in enumerate(self.groups):
            if isinstance(group.record, Pooled):
                pooled = group.record.pool([run[number] for run in self.waiting])
                self.store.write(group, tuple(self.block), pooled, provenance)
        self.block, self.waiting, self.spent = [], [], 0.0


class _Reporter:
    """What a training reports to: progress for the watcher, state for the store, Ctrl-C."""

    def __init__(
        self, keeper: _Keeper, progress: Callable[[int], object], interrupt: Interrupt
    ) -> None:
        self.keeper, self.progress, self.interrupt = keeper, progress, interrupt

    def __call__(self, done: int, state: Callable[[], Arrays] | None = None) -> None:
        """Tell of work done, and how to write down all that is needed to go on."""
        self.progress(done)
        ending = self.interrupt.wanted or Terminated.wanted
        due = ending or time.perf_counter() - self.keeper.saved > self.keeper.pause
        if due and state is not None and len(self.keeper.request.plans) == 1:
            self.keeper.save(state())
        if ending:
            leave(self.interrupt)


def _taught(request: Request, plan: SeedPlan, store: RunStore, inputs: Inputs) -> Any:
    """What a student's teachers say together, None for a method without any."""
    if request.recipe.method.lesson is None:
        return None
    lessons = tuple(request.recipe.workload.before(request.only([(plan,)])))
    # Students of one ensemble follow each other, and reading it takes seconds.
    return inputs.latest(
        "taught", (store.folder, lessons), lambda: _said_by_teachers(lessons, store, inputs)
    )


def _said_by_teachers(lessons: Sequence[Request], store: RunStore, inputs: Inputs) -> Any:
    parts = [
        (record, run)
        for lesson in lessons
        for record, runs in zip(lesson.records, secure(lesson, store, inputs), strict=True)
        for run in runs
        if isinstance(record, Lesson)
    ]
    (record,) = {record for record, _ in parts}
    return record.together([(len(run.plans), run.arrays) for _, run in parts])


def train(
    recipe: Recipe,
    plans: Sequence[SeedPlan],
    task: Any,
    records: Sequence[Record],
    *,
    store: RunStore | None = None,
    watch: Watch = bar,
) -> Runs:
    """Train runs on arrays of your own, teachers included.

    Parameters
    ----------
    recipe : Recipe
        What to train; the name of its data set is for the reader alone.
    plans : sequence of SeedPlan
        Seeds, e.g. ``seed_plans(50)``.
    task : Task
        Arrays that the recipe's workload trains on.
    records : sequence of Record
        What to keep of each run.
    store : RunStore, optional
        Where runs are kept and found again; by default nowhere.
    watch : callable, optional
        Shows the progress; by default a bar.

    Returns
    -------
    Runs
        ``runs["labels_test"]`` and so on, as the records describe them.

    Raises
    ------
    UsageError
        If the recipe, a plan or a record does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from stablib.training import Final, Task, seed_plans
    >>> from stablib.workloads import HeadRecipe
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(300, 8)), rng.integers(3, size=300)
    >>> task = Task({"train": x[:200], "test": x[200:]}, {"train": y[:200], "test": y[200:]}, 3)
    >>> runs = train(HeadRecipe(hidden=8, batch_size=32), seed_plans(4), task, [Final()])
    >>> runs["labels_test"].shape
    (4, 100)
    """
    plans = _each("plans", plans, SeedPlan, "seed_plans(50)")
    records = _each("records", records, Record, "[Final()]")
    request = Request(recipe, plans, records)
    if not recipe.workload.takes_arrays:
        raise UsageError(f"workload {recipe.workload.name!r} takes no arrays of one's own")
    if not hasattr(task, "key"):
        raise UsageError(f"task must be a stablib.training.Task, got {type(task).__name__}")
    inputs = Inputs(key=task.key, source="arrays of your own", data=task)
    if store is not None:
        return obtain(request, store, inputs=inputs, watch=watch)
    with tempfile.TemporaryDirectory() as folder:
        empty = RunStore(Path(folder) / "runs", Path(folder) / "none")
        return obtain(request, empty, inputs=inputs, watch=watch)


def _each(name: str, values: Sequence[Any], kind: type[Any], example: str) -> tuple[Any, ...]:
    """Return several objects of a kind as a tuple; one alone or a number is a frequent slip."""
    given = tuple(values) if isinstance(values, Sequence) else (values,)
    if not isinstance(values, Sequence) or not all(isinstance(value, kind) for value in given):
        raise UsageError(f"{name} must be a sequence such as {example}, got {values!r}")
    return given
