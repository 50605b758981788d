"""Train missing runs in processes of this machine or of a cluster, with one bar for all."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stablib.errors import StablibError
from stablib.runs import RunStore
from stablib.runs.cost import Cost
from stablib.runs.interrupt import end_when_terminated
from stablib.runs.obtain import ensure, lacking, units
from stablib.runs.watch import Watch, silent
from stablib.training import Inputs, Recipe, Request, keep_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds that a terminated worker has to write down its state.
GRACE = 3.0


@dataclasses.dataclass(frozen=True)
class Job:
    """A piece of work for one process: what trains under one lock.

    Parameters
    ----------
    unit : Request
        What to train.
    strict : bool
        Refuse data that only stands in for what was asked for.
    key : str
        Identity of the data that the study uses; workers must find the same.
    number : int
        Place among all jobs.
    """

    unit: Request
    strict: bool
    key: str
    number: int


#: Data of a worker process by their name: prepared once for all of its jobs.
_INPUTS: dict[tuple[str, str], Inputs] = {}

#: Where a worker tells of its progress; None where nobody listens.
_TELL: Any = None


def work(job: Job) -> int:
    """Do one job in this process and return its number.

    Raises
    ------
    StablibError
        If this process finds other data than the one that wants the runs.
    """
    recipe, store = job.unit.recipe, RunStore()
    name = (recipe.workload.name, recipe.data_name)
    if name not in _INPUTS:
        # Not what only serves to show runs that another process has just finished.
        every = recipe.workload.inputs(recipe, strict=job.strict)
        _INPUTS[name] = next(inputs for inputs in every if inputs.trainable)
    inputs = _INPUTS[name]
    if inputs.key != job.key:
        raise StablibError(
            f"a worker has other data for {recipe.data_name}: {inputs.source} "
            f"({inputs.key[:12]} instead of {job.key[:12]})"
        )
    ensure(job.unit, store, inputs, watch=_telling(job.number))
    return job.number


def _telling(number: int) -> Watch:
    """Tell the process that wants the runs of work done, a few times a second."""
    if _TELL is None:
        return silent

    @contextmanager
    def watch(title: str, total: int, unit: str) -> Iterator[Callable[[int], object]]:
        done, told = 0, time.monotonic()
        lock = threading.Lock()

        def tell(amount: int) -> None:
            nonlocal done, told
            with lock:
                done += amount
                if time.monotonic() - told > 0.2:
                    _TELL.put((number, done / max(1, total)))
                    told = time.monotonic()

        yield tell

    return watch


def _begin(threads: int, tell: Any, parent: int) -> None:
    """Prepare a worker process: its share of the cores, its ending, its progress."""
    global _TELL
    _TELL = tell
    end_when_terminated()
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # Read by torch when it is loaded, which costs seconds and may not be needed.
    os.environ["OMP_NUM_THREADS"] = str(threads)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, even if it went before this process had begun."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


@contextmanager
def local_executor(workers: int) -> Iterator[tuple[Executor, Any]]:
    """Processes of this machine that share its cores, and where they tell of their progress."""
    context = multiprocessing.get_context("spawn")
    tell = context.Queue()
    threads = max(1, (os.cpu_count() or 1) // workers)
    executor = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(threads, tell, os.getpid())
    )
    try:
        yield executor, tell
    finally:
        processes = list((executor._processes or {}).values())
        manager: Any = executor._executor_manager_thread
        executor.shutdown(wait=False, cancel_futures=True)
        end_all(processes)
        if manager is not None:
            manager.join(GRACE)  # Else it may close its pipe while the interpreter uses it to end.


def end_all(processes: Iterable[Any]) -> None:
    """Terminate processes; what does not end after a grace is killed."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


@contextmanager
def cluster_executor(address: str) -> Iterator[tuple[Executor, Any]]:
    """Workers of a Dask cluster; they need the same stablib, the data and ``STABLIB_CACHE``.

    Raises
    ------
    StablibError
        If Dask is not installed, no scheduler answers, the workers keep runs elsewhere, or die.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise StablibError(
            "--dask needs the package distributed: pip install 'stablib[cluster]'"
        ) from None
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise StablibError(f"no Dask scheduler at {address!r}: {error}") from error
    with client:
        _check_store(client)
        try:
            yield client.get_executor(), None
        except KilledWorker as error:
            raise StablibError(
                f"Dask workers died over a run, perhaps for want of memory: {error}"
            ) from error


def _check_store(client: Any) -> None:
    """Let each worker look for a file that is written here, before hours are spent."""
    folder = RunStore().folder
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / f"{os.getpid()}.mark"
    mark.touch()
    try:
        seen = client.run(_sees, mark.name)
    finally:
        mark.unlink()
    strangers = sorted(worker for worker, sees in seen.items() if not sees)
    if strangers or not seen:
        raise StablibError(
            f"{len(strangers)} of {len(seen)} Dask workers do not share this machine's store of "
            f"runs, {folder}: set STABLIB_CACHE to a folder that all of them see"
        )


def _sees(name: str) -> bool:
    return (RunStore().folder / name).is_file()


def levels(costs: Sequence[Cost]) -> list[list[Cost]]:
    """Split what is missing into what can train at the same time; teachers come first."""
    depth: dict[Recipe, int] = {}
    rows: list[list[Cost]] = []
    for cost in costs:
        before = cost.request.recipe.workload.before(cost.request)
        level = 1 + max((depth.get(r.recipe, 0) for r in before), default=-1)
        depth[cost.request.recipe] = max(level, depth.get(cost.request.recipe, 0))
        while len(rows) <= level:
            rows.append([])
        rows[level].append(cost)
    return rows


def train_all(
    costs: Sequence[Cost],
    executor: Executor,
    tell: Any,
    store: RunStore,
    inputs: Callable[[Recipe], Inputs],
    *,
    strict: bool,
) -> int:
    """Train what is missing, with one bar over all of it, and return the number of groups.

    A finished run is in the store at once, so an interrupted call resumes where it stopped.

    Parameters
    ----------
    costs : sequence of Cost
        Of :func:`stablib.runs.cost.costs`.
    executor : Executor
        Does the jobs.
    tell : Queue or None
        Where workers tell of their progress.
    store : RunStore
        Where the runs must be afterwards.
    inputs : callable
        Gives the data of a recipe.
    strict : bool
        Refuse data that only stands in for what was asked for.

    Raises
    ------
    StablibError
        If the store still lacks runs: the workers have another store.
    """
    total = sum(cost.seconds for cost in costs)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    group = number = 0
    # On stderr: what a command prints is for whoever reads its output.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Training", total=total)
        for level in levels(costs):
            jobs: list[Job] = []
            share: dict[int, float] = {}
            titles: dict[int, str] = {}
            for cost in level:
                group += 1
                parts = units(cost.request)
                key = inputs(cost.request.recipe).key
                for unit in parts:
                    job = Job(unit, strict, key, number)
                    number += 1
                    jobs.append(job)
                    share[job.number] = cost.seconds * len(unit.plans) / len(cost.request.plans)
                    titles[job.number] = (
                        f"group {group} of {len(costs)}: {cost.request.recipe.title()}"
                    )
            _do(jobs, executor, _Bar(progress, bar, share, titles, tell))
            lost = [c for c in level if lacking(c.request, store, inputs(c.request.recipe))]
            if lost:
                raise StablibError(
                    f"{len(lost)} of {len(level)} groups left nothing in the store: do all "
                    "workers have this machine's STABLIB_CACHE?"
                )
    return group


class _Bar:
    """The bar over all jobs of a level, moved by what workers tell and by finished jobs."""

    def __init__(
        self,
        progress: Progress,
        bar: Any,
        share: dict[int, float],
        titles: dict[int, str],
        tell: Any,
    ) -> None:
        self.progress, self.bar, self.tell = progress, bar, tell
        self.share, self.titles = share, titles
        self.told = dict.fromkeys(share, 0.0)
        self.announced: set[str] = set()

    def listen(self) -> None:
        """Show what workers have told since the last time."""
        while self.tell is not None:
            try:
                number, part = self.tell.get_nowait()
            except (queue.Empty, OSError, ValueError):
                return
            if number in self.share:
                self.show(number, part)

    def show(self, number: int, part: float) -> None:
        """Show that a part of a job is done."""
        gained = max(0.0, part - self.told[number])
        self.told[number] += gained
        title = self.titles[number]
        if title not in self.announced and not self.progress.console.is_terminal:
            # A log has no bar: it gets a line a group.
            self.progress.console.print(title, markup=False, soft_wrap=True)
        self.announced.add(title)
        self.progress.update(self.bar, advance=gained * self.share[number], description=title)


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Start worker processes that are deaf to Ctrl-C from their first moment.

    They inherit that it is held back, so that none is interrupted while it loads its packages.
    Here it comes through afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do(jobs: Sequence[Job], executor: Executor, bar: _Bar) -> None:
    """Let the executor do jobs; whatever fails ends the others that have not begun."""
    with _ctrl_c_waits():
        futures: set[Future[int]] = {executor.submit(work, job) for job in jobs}
    try:
        waiting = futures
        while waiting:
            done, waiting = wait(waiting, timeout=0.2)
            bar.listen()
            for future in done:
                bar.show(future.result(), 1.0)
    except BrokenExecutor as error:
        raise StablibError(
            "a training process died, perhaps for want of memory; finished runs are kept, and the "
            "same command with fewer --jobs goes on"
        ) from error
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def side_by_side(
    do: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[Result]:
    """Do something with each item, in processes of this machine where there are several.

    Parameters
    ----------
    do : callable
        A function of a module; what it takes, returns and raises is pickled.
    items : sequence
    workers : int
        Most processes.

    Yields
    ------
    object
        Results in the order of the items.

    Raises
    ------
    StablibError
        If a process dies; what ``do`` raises comes through, and ends the others.
    """
    workers = min(workers, len(items))
    if workers < 2:
        yield from map(do, items)
        return
    with local_executor(workers) as (executor, _):
        with _ctrl_c_waits():
            futures = [executor.submit(do, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        except BrokenExecutor as error:
            raise StablibError(
                "a process died, perhaps for want of memory; the same command with fewer --jobs "
                "goes on"
            ) from error


@contextmanager
def executor_for(jobs: int, dask: str | None) -> Iterator[tuple[Executor, Any]]:
    """A cluster if an address is given, else processes of this machine."""
    with cluster_executor(dask) if dask else local_executor(jobs) as opened:
        yield opened
