"""Get pairs: from the store where they are, by training where they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any

import numba
import numpy as np

from stablib.runs.obtain import machine
from stablib.runs.store import RunStore
from stablib.runs.watch import Watch, bar
from stablib.streams.group import FEW_WEIGHTS, PairRecord, StreamGroup
from stablib.streams.recipe import BATCH, StreamRecipe
from stablib.streams.training import State, train_pair, warm_batches
from stablib.training.observe import Arrays
from stablib.training.seeds import SeedPlan
from stablib.training.threads import one_thread_workers

#: Seconds between two times that an unfinished pair is kept, to go on from.
SAVE_EVERY = 30.0


def obtain_pairs(
    recipe: StreamRecipe,
    plans: Sequence[SeedPlan],
    *,
    store: RunStore,
    record: PairRecord = FEW_WEIGHTS,
    watch: Watch = bar,
    workers: int = 1,
) -> tuple[Arrays, list[dict[str, Any]]]:
    """Return pairs from the store, training those that it lacks; each is kept when it is done.

    A long one is kept half-way too: the same call goes on where it was interrupted.

    Parameters
    ----------
    recipe : StreamRecipe
        What to train.
    plans : sequence of SeedPlan
        One a pair.
    store : RunStore
        Local and published layer.
    record : PairRecord, optional
        What is wanted of each pair.
    watch : callable, optional
        Shows the progress of training; by default a bar.
    workers : int, default 1
        Pairs trained side by side, in threads; results do not depend on it.

    Returns
    -------
    arrays : dict of str to ndarray
        As :class:`PairRecord` says, with a leading axis of pairs.
    provenance : list of dict
        One a pair.
    """
    group = StreamGroup(recipe=recipe, record=record)
    lacking = [block[0] for block in store.missing(group, [(plan,) for plan in plans])]
    if lacking:
        with store.lock(group.key):
            lacking = [b[0] for b in store.missing(group, [(plan,) for plan in lacking])]
            examples = (warm_batches(recipe) + 2 * recipe.n_batches) * BATCH
            stop = threading.Event()
            with (
                watch(len(lacking), examples * len(lacking), "examples") as progress,
                one_thread_workers(workers) as pool,
            ):
                try:
                    list(pool.map(lambda plan: _train(group, plan, store, progress, stop), lacking))
                finally:
                    stop.set()  # After Ctrl-C the pairs at work are kept as they are.
    runs = [store.read(group, (plan,)) for plan in plans]
    found = [run for run in runs if run is not None]
    names = found[0].arrays
    return (
        {name: np.stack([run.arrays[name] for run in found]) for name in names},
        [run.provenance for run in found],
    )


def _train(
    group: StreamGroup,
    plan: SeedPlan,
    store: RunStore,
    progress: Callable[[int], object],
    stop: threading.Event,
) -> None:
    """Train a pair, from where an earlier call left it, and keep it."""
    began = saved = time.perf_counter()
    left = store.read_unfinished(group, (plan,))
    earlier = 0.0 if left is None else float(left.pop("seconds"))

    def seconds() -> float:
        return earlier + time.perf_counter() - began

    def keep(state: State) -> None:
        nonlocal saved
        stopping = stop.is_set()
        if stopping or time.perf_counter() - saved > SAVE_EVERY:
            arrays = {name: np.asarray(value) for name, value in vars(state).items()}
            store.write_unfinished(group, (plan,), {**arrays, "seconds": np.asarray(seconds())})
            saved = time.perf_counter()
        if stopping:
            raise CancelledError

    arrays = train_pair(
        group.recipe,
        plan,
        record=group.record,
        progress=lambda steps: progress(steps * BATCH),
        unfinished=None if left is None else State(done=int(left.pop("done")), **left),
        keep=keep,
    )
    notes = {"data": f"synthetic, {group.recipe.data.kind}", "seconds": round(seconds(), 3)}
    store.write(group, (plan,), arrays, {**notes, **machine(), "numba": numba.__version__})
