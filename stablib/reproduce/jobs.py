"""Split wanted runs into jobs, and train the jobs whose runs are missing."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stablib.data import Dataset, load
from stablib.errors import StablibError, UsageError
from stablib.runs import RunStore, Trainer
from stablib.studies import Session, StreamSession
from stablib.studies.request import Request
from stablib.training import Control, Head, SeedPlan


@dataclasses.dataclass(frozen=True)
class Job:
    """A piece of work for one process.

    Parameters
    ----------
    request : Request
        The runs that it serves.
    lessons : tuple of tuple of SeedPlan
        If not empty, train these teachers; else train the request's own runs.
    """

    request: Request
    lessons: tuple[tuple[SeedPlan, ...], ...] = ()

    @property
    def n_runs(self) -> int:
        """Runs that it trains if none is there yet."""
        return len({p for lesson in self.lessons for p in lesson}) or len(self.request.plans)


def phases(requests: Iterable[Request]) -> tuple[list[Job], list[Job]]:
    """Split requests into jobs: teachers first, then everything that only needs those.

    Heads train as one stack, so a request is one job; fine-tuned runs are a job each.
    """
    teachers, students = [], []
    for request in requests:
        if isinstance(request.recipe.model, Head):
            if request.lessons:
                teachers.append(Job(request, request.lessons))
            students.append(Job(request))
        else:
            each = {plan: None for lesson in request.lessons for plan in lesson}
            teachers += [Job(request, ((plan,),)) for plan in each]
            students += [Job(dataclasses.replace(request, plans=(plan,))) for plan in request.plans]
    return list(dict.fromkeys(teachers)), list(dict.fromkeys(students))


@cache
def _dataset(name: str, label: str, strict: bool) -> Dataset:
    return load(name, label=label, strict=strict)


def _trainer(job: Job, strict: bool) -> Trainer:
    recipe = job.request.recipe
    return Trainer(recipe, _dataset(recipe.dataset, recipe.label, strict), RunStore())


def is_missing(job: Job, dataset: Dataset, store: RunStore) -> bool:
    """Whether the store lacks something that the job would make."""
    trainer = Trainer(job.request.recipe, dataset, store)
    if not job.lessons:
        blocks = [(plan,) for plan in job.request.plans]
        return bool(store.missing(trainer.group(job.request.record), blocks))
    recipe = job.request.recipe
    lesson = recipe.method.lesson
    assert lesson is not None
    group = trainer.group(lesson, recipe.with_method(Control()))
    return bool(store.missing(group, trainer.teacher_blocks(job.lessons)))


def work(job: Job, strict: bool) -> int:
    """Do one job in this process and return its number of runs."""
    trainer = _trainer(job, strict)
    if job.lessons:
        trainer.train_teachers(job.lessons)
    else:
        trainer.train_missing(job.request.plans, [job.request.record])
    return job.n_runs


def default_workers() -> int:
    """Cores of this machine: fine-tuning runs one thread a process."""
    return os.cpu_count() or 1


def _limit_threads(threads: int) -> None:
    torch.set_num_threads(threads)


def local_executor(workers: int) -> ProcessPoolExecutor:
    """Processes of this machine that share its cores."""
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_limit_threads,
        initargs=(max(1, default_workers() // workers),),
    )


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started inside do not hear Ctrl-C: it is for this one, which ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def cluster_executor(address: str) -> Iterator[Any]:
    """Workers of a Dask cluster; they need the same stablib, the data and ``STABLIB_CACHE``.

    Raises
    ------
    StablibError
        If Dask is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StablibError(
            "--dask needs the package distributed: pip install distributed"
        ) from None
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise StablibError(f"no Dask scheduler at {address!r}: {error}") from error
    with client:
        yield client.get_executor()


def train_missing(
    study: Session | StreamSession, *, jobs: int, strict: bool = False, dask: str | None = None
) -> int:
    """Train everything that a study's exhibits need and no store has.

    Parameters
    ----------
    study : Session or StreamSession
        What is wanted.
    jobs : int
        Processes, or threads for synthetic streams.
    strict : bool, default False
        Fail instead of using stand-in data.
    dask : str, optional
        Address of a Dask scheduler that trains instead of this machine.

    Returns
    -------
    int
        Jobs, or groups of pairs, that were trained.

    Raises
    ------
    UsageError
        If synthetic streams are asked of a cluster.
    """
    if isinstance(study, StreamSession):
        if dask:
            raise UsageError("synthetic streams train in threads of this machine: no --dask")
        groups = study.missing()
        for number, group in enumerate(groups, start=1):
            print(f"[{number}/{len(groups)}] {group.title()}", flush=True)
            study.train(group, workers=jobs)
        return len(groups)
    missing = study.missing()
    if not missing:
        return 0
    with cluster_executor(dask) if dask else local_executor(jobs) as executor:
        return train_all(missing, executor, strict=strict)


def _stop(executor: Executor, futures: Sequence[Future[int]]) -> None:
    """Cancel what has not begun, and wait for nothing."""
    if isinstance(executor, ProcessPoolExecutor):
        # Not one by one: it would stumble over a cancelled future when its workers are ended.
        executor.shutdown(wait=False, cancel_futures=True)
        return
    for future in futures:
        future.cancel()
    executor.shutdown(wait=False)


def train_all(requests: Sequence[Request], executor: Executor, *, strict: bool) -> int:
    """Train what is missing, with a progress bar, and return the number of jobs done.

    A finished run is in the store at once, so an interrupted call resumes where it stopped.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, after pending jobs were cancelled.
    StablibError
        If the store still lacks runs: the workers have another store or other data.
    """
    done = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        for title, jobs in zip(("teachers", "runs"), phases(requests), strict=True):
            todo = [job for job in jobs if is_missing(job, _job_data(job, strict), RunStore())]
            if not todo:
                continue
            bar = progress.add_task(f"Training {title}", total=sum(job.n_runs for job in todo))
            with _deaf_children():
                futures: list[Future[int]] = [executor.submit(work, j, strict) for j in todo]
            try:
                for future in as_completed(futures):
                    progress.advance(bar, future.result())
                    done += 1
            except BaseException:
                _stop(executor, futures)
                raise
            lacking = [job for job in todo if is_missing(job, _job_data(job, strict), RunStore())]
            if lacking:
                raise StablibError(
                    f"{len(lacking)} of {len(todo)} jobs left nothing in the store: do all workers "
                    "have this machine's STABLIB_CACHE and the same data?"
                )
    return done


def _job_data(job: Job, strict: bool) -> Dataset:
    return _dataset(job.request.recipe.dataset, job.request.recipe.label, strict)
