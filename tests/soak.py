"""Kill, damage and race real trainings for a given time, and count what is lost or believed.

    python tests/soak.py --minutes 10

Each round is one of these, on small heads, heads with teachers, pairs on streams, and pairs in a
pool of two worker processes:

kill    A training is stopped by SIGKILL, SIGTERM or Ctrl-C at random moments, or one of its
        workers is, until a last one may finish. Its runs must have the bits of an undisturbed
        training, and what was finished before must not be touched.
race    1 to 8 processes want the same runs, at times beside one that collects garbage in a loop,
        at times with one of them killed. No run may be trained twice.
damage  Finished runs, published packs, half-way states and executed pages get bits flipped, are
        truncated, emptied or swapped. None may be believed: it is noticed, or it meant nothing.
mend    A training finds such damage in its store. It must end with the right bits, and train
        nothing but what was damaged.

The figures come at the end on stdout. Exit code 1 and one line on stderr a fault if anything is
wrong; the folder of such a round is kept. A round's choices come from the seed and its number
alone, so `--seed 7 --first 123 --only kill --rounds 1` makes them again. The moments at which
signals arrive are the machine's, so a fault may need some repeats. Needs Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import importlib
import itertools
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from stablib import files
from stablib.errors import StablibError
from stablib.mitigation import TGTSS
from stablib.reproduce import notebooks
from stablib.reproduce.jobs import executor_for, train_all
from stablib.runs import Group, RunStore
from stablib.runs.cost import costs
from stablib.runs.group import plans_key
from stablib.runs.obtain import secure
from stablib.runs.watch import silent
from stablib.studies import open_study
from stablib.training import Final, Inputs, Recipe, Record, Request, Task, seed_plans
from stablib.workloads import HeadRecipe, StreamRecipe
from stablib.workloads.streams import DataModel, PairRecord
from stablib.workloads.streams import training as streams

#: Seconds after which a process hangs: a hundred times what one takes on a quiet machine.
LIMIT = 300.0
#: Seconds that workers have to follow their parent.
FOLLOW = 60.0
#: Seconds between two states of a run, and mini-batches between two reports: many kills of small
#: runs then leave a state.
SAVE_EVERY, STRIDE = 0.05, 512
#: Ways in which a process may end: well, by our signals, by Ctrl-C, by an error of one line.
ENDINGS = {0, -signal.SIGKILL, -signal.SIGTERM, 130, 2}
#: Variable with the file that a training notes its finished runs in.
WRITTEN = "STABLIB_SOAK_WRITTEN"
#: Damaged copies of one file that are read in a round.
COPIES = 60

FORK = multiprocessing.get_context("fork")


# What is trained.


def task() -> Task:
    """Classes that noise blurs, on arrays of one's own."""
    rng = np.random.default_rng(0)
    x = {split: rng.normal(size=(200, 8)) for split in ("train", "test")}
    y = {s: (a[:, :3] + rng.normal(size=(200, 3))).argmax(axis=1) for s, a in x.items()}
    return Task(x, y, 3)


TASK = task()
HEADS = HeadRecipe(hidden=8, batch_size=16, epochs=40)
PAIRS = StreamRecipe(data=DataModel(kind="linear"), hidden=(16, 8, 4, 2), log2_examples=18)


@dataclasses.dataclass(frozen=True)
class Work:
    """Requests that a process trains, in worker processes if there are several."""

    name: str
    requests: tuple[Request, ...]
    jobs: int = 1


WORKS = (
    Work("heads", (Request(HEADS, seed_plans(6), (Final(),)),)),
    Work(
        "students",
        (Request(HEADS.with_method(TGTSS(after_step=2)), seed_plans(4), (Final(),)),),
    ),
    Work("pairs", (Request(PAIRS, seed_plans(5), (PairRecord(),)),)),
    Work(
        "pool",
        tuple(
            Request(PAIRS.model_copy(update={"log2_window": w}), seed_plans(3), (PairRecord(),))
            for w in (0, 5)
        ),
        jobs=2,
    ),
)


def groups_of(work: Work) -> Iterator[tuple[Group, Request]]:
    """Where the runs are kept that are asked for; each request has one record."""
    for request in work.requests:
        yield Group(request.recipe, inputs_of(request.recipe).key, request.records[0]), request


def wanted_names(work: Work) -> set[str]:
    """Names of the files of the runs that are asked for, teachers left out."""
    return {
        f"{group.key}/{plans_key((plan,))}.npz"
        for group, request in groups_of(work)
        for plan in request.plans
    }


def inputs_of(recipe: Recipe) -> Inputs:
    if isinstance(recipe, HeadRecipe):
        return Inputs(TASK.key, "arrays of the soak", TASK)
    return next(recipe.workload.inputs(recipe, strict=False))


def train(work: Work) -> None:
    """Train what the store of this process lacks."""
    store = RunStore()
    if work.jobs > 1:
        missing = costs(work.requests, store, inputs_of, jobs=work.jobs)
        with executor_for(work.jobs, None) as (executor, tell):
            train_all(missing, executor, tell, store, inputs_of, strict=False)
        return
    # One run a stack: each is kept once it is finished, and not all of them together.
    importlib.import_module("stablib.workloads.heads.training").STACK_MEMORY = 1
    for request in work.requests:
        secure(request, store, inputs_of(request.recipe), watch=silent)


def collect_in_a_loop(_: Work) -> None:
    while True:
        RunStore().collect_garbage()
        time.sleep(0.02)


def in_small_steps() -> None:
    """Save states often, and note finished runs. Means of teachers may go, and come again."""
    importlib.import_module("stablib.runs.obtain").SAVE_EVERY = SAVE_EVERY
    streams._STRIDE = STRIDE
    write = RunStore.write

    def noted(self: RunStore, group: Group, plans: Any, arrays: Any, provenance: Any) -> None:
        write(self, group, plans, arrays, provenance)
        if not group.record.pooled and WRITTEN in os.environ:
            with open(os.environ[WRITTEN], "a") as file:
                file.write(f"{group.key}/{plans_key(plans)}.npz\n")

    RunStore.write = noted  # type: ignore[method-assign]


in_small_steps()  # Here, because the workers of a pool import this file and call nothing of it.


# Stores, as the soak sees them.


def bits(folder: Path) -> dict[str, str]:
    """Hash of the arrays of each whole run by the path of its file; means of teachers left out."""
    found = {}
    for path in sorted((folder / "runs").glob("*/*.npz")):
        with contextlib.suppress(files.DamagedFile, FileNotFoundError):
            arrays, header = files.read(path)
            kind = Record.kinds[header["group"]["record"]["kind"]]
            if not kind.pooled:  # type: ignore[attr-defined]
                found[str(path.relative_to(folder / "runs"))] = hashed(arrays)
    return found


def hashed(arrays: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def states(folder: Path) -> list[Path]:
    return sorted((folder / "runs").glob("*/*.unfinished"))


def written(folder: Path) -> list[str]:
    """Runs in the order in which trainings finished them."""
    path = folder / "written.txt"
    return path.read_text().splitlines() if path.exists() else []


# Processes.


@dataclasses.dataclass
class Child:
    """A process with a session of its own, so that whatever it starts can be found."""

    process: Any
    errors: Path

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def members(self) -> list[int]:
        """Living processes of its session, itself first, from the kernel's own list."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.pid and state not in "ZX":
                    found.append(int(stat.parent.name))
        return sorted(found, key=lambda pid: (pid != self.pid, pid))

    def end(self) -> None:
        """Kill whatever is left of it."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.join(10)


def as_a_command(
    function: Callable[[Work], None], work: Work, folder: Path, errors: Path, ready: Any
) -> None:
    """Run a function as the command line does: Ctrl-C is code 130, our errors are one line."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with errors.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    own = {"CACHE": folder, "RESULTS": folder / "none", "SOAK_WRITTEN": folder / "written.txt"}
    os.environ.update({f"STABLIB_{name}": str(path) for name, path in own.items()})
    try:
        ready.set()
        function(work)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except StablibError as error:
        print(f"stablib: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def has_traceback(errors: str) -> bool:
    """Of anything but Ctrl-C, which workers that are still importing hear as well."""
    parts = errors.split("Traceback (most recent call last)")[1:]
    return any("KeyboardInterrupt" not in part for part in parts)


# The soak.

BAD = (
    "runs with other bits",
    "finished runs lost",
    "runs trained twice",
    "stuck locks or processes",
    "left-over processes",
    "bit flips believed",
    "other damage believed",
    "failures with a traceback",
)


class Soak:
    """Rounds, their counts and their faults."""

    def __init__(self, seed: int, scratch: Path) -> None:
        self.seed, self.scratch = seed, scratch
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.children: list[Child] = []
        self.round = "preparation"
        self.reference: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}

    def fault(self, what: str, detail: str) -> None:
        assert what in BAD, what
        self.counts[what] += 1
        self.faults.append(what)
        print(f"\n{self.round}: {what}: {detail}", file=sys.stderr, flush=True)

    # Processes.

    def start(self, function: Callable[[Work], None], work: Work, folder: Path) -> Child:
        folder.mkdir(parents=True, exist_ok=True)
        errors = folder / f"errors-{len(self.children)}-{time.monotonic_ns()}.txt"
        ready = FORK.Event()
        process = FORK.Process(target=as_a_command, args=(function, work, folder, errors, ready))
        process.start()
        child = Child(process, errors)
        self.children.append(child)
        ready.wait(LIMIT)
        return child

    def ended(self, child: Child) -> int | None:
        """Wait for a process and those it started; its exit code, None for one that hangs."""
        child.process.join(LIMIT)
        code = child.process.exitcode
        if code is None:
            self.fault("stuck locks or processes", f"no end after {LIMIT:.0f} s, {child.errors}")
        deadline = time.monotonic() + FOLLOW
        while (left := child.members()) and code is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        if left and code is not None:
            self.fault("left-over processes", f"{len(left)} after {FOLLOW:.0f} s, {child.errors}")
        child.end()
        errors = child.errors.read_text(errors="replace")
        if code is not None and (code not in ENDINGS or has_traceback(errors)):
            self.fault("failures with a traceback", f"exit code {code}\n{errors[-3000:]}")
        self.children.remove(child)
        return code

    def kill(self, child: Child, rng: random.Random) -> None:
        """Send a signal to a process, to one of its workers, or Ctrl-C to all of them."""
        how = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
        among = child.members() or [child.pid]
        victim = rng.choice(among) if rng.random() < 0.3 else child.pid
        with contextlib.suppress(ProcessLookupError):  # It may just have ended by itself.
            if how is signal.SIGINT:
                os.killpg(child.pid, how)
            else:
                os.kill(victim, how)
            self.counts[f"kills by {how.name}"] += 1

    # What must hold.

    def check_kept(self, before: dict[str, str], folder: Path) -> dict[str, str]:
        """Runs that were finished are still there, as they were."""
        now = bits(folder)
        for name in before:
            if now.get(name) != before[name]:
                self.fault("finished runs lost", f"{name} in {folder}")
        return now

    def check_end(self, work: Work, folder: Path) -> bool:
        """All runs are there with the right bits, none was trained twice, no lock is held."""
        wanted, found = self.reference[work.name], bits(folder)
        for name in wanted.keys() - found.keys():
            self.fault("finished runs lost", f"{name} of {work.name} is missing in {folder}")
        for name in wanted.keys() & found.keys():
            if wanted[name] != found[name]:
                self.fault("runs with other bits", f"{name} of {work.name} in {folder}")
        for name, times in Counter(written(folder)).items():
            # Teachers may come again, if one was killed or their means were collected.
            if times > 1 and name in wanted_names(work):
                self.fault("runs trained twice", f"{name} of {work.name}, {times} times")
        for path in (folder / "runs" / "locks").glob("*.lock"):
            try:
                FileLock(path).acquire(timeout=0).lock.release()
            except Timeout:
                self.fault("stuck locks or processes", str(path))
        return wanted == found

    # Preparation.

    def prepare(self) -> None:
        """Train everything undisturbed, and make what is to be damaged."""
        for work in WORKS:
            folder = self.scratch / "reference" / work.name
            began = time.monotonic()
            assert self.ended(self.start(train, work, folder)) == 0, f"{work.name} fails by itself"
            self.seconds[work.name] = time.monotonic() - began
            self.reference[work.name] = bits(folder)
            assert wanted_names(work) <= bits(folder).keys()
        self.halfway = self.scratch / "reference" / "halfway"
        while not states(self.halfway):
            self.make_states()
        self.pages = self.scratch / "reference" / "pages"
        assert self.ended(self.start(make_pages, WORKS[0], self.pages)) == 0
        for number in (0, 2):
            self.publish(WORKS[number])

    def make_states(self) -> None:
        """Kill trainings of pairs once they have written a state."""
        work = WORKS[2]
        child = self.start(train, work, self.halfway)
        while child.process.is_alive() and not states(self.halfway):
            time.sleep(0.005)
        child.end()
        self.ended(child)
        if not states(self.halfway):
            shutil.rmtree(self.halfway)

    def publish(self, work: Work) -> None:
        folder = self.scratch / "reference" / work.name
        ((group, request),) = groups_of(work)
        store = RunStore(folder / "runs", folder / "none")
        store.publish(group, request.plans, self.scratch / "reference" / "packs")

    # Rounds.

    def kill_round(self, rng: random.Random, folder: Path) -> None:
        work = rng.choice(WORKS)
        kept: dict[str, str] = {}
        for _ in range(rng.randint(1, 4)):
            child = self.start(train, work, folder)
            child.process.join(rng.uniform(0.0, 1.1) * self.seconds[work.name])
            self.kill(child, rng)
            self.ended(child)
            kept = self.check_kept(kept, folder)
        something = bool(kept or states(folder))
        code = self.ended(self.start(train, work, folder))
        self.check_kept(kept, folder)
        same = self.check_end(work, folder)
        if code != 0:
            self.fault("failures with a traceback", f"exit code {code} when left alone, {folder}")
        self.counts["resumed"] += something
        self.counts["resumed to the same bits"] += something and same

    def race_round(self, rng: random.Random, folder: Path) -> None:
        work = rng.choice(WORKS)
        collector = self.start(collect_in_a_loop, work, folder) if rng.random() < 0.4 else None
        children = []
        for _ in range(rng.randint(1, 8 // work.jobs)):
            children.append(self.start(train, work, folder))
            time.sleep(rng.choice((0.0, 0.0, 0.1)))
        if len(children) > 1 and rng.random() < 0.3:
            time.sleep(rng.uniform(0.0, self.seconds[work.name]))
            self.kill(rng.choice(children), rng)
            self.counts["races with a kill"] += 1
        codes = [self.ended(child) for child in children]
        if collector:
            self.counts["races beside a collector of garbage"] += 1
            if not collector.process.is_alive():
                self.fault("failures with a traceback", "the collector ended by itself")
            collector.end()
            self.ended(collector)
        self.counts["races"] += 1
        self.counts["processes in races"] += len(children)
        if 0 in codes:
            self.check_end(work, folder)
        elif len(codes) > 1:
            self.fault("failures with a traceback", f"exit codes {codes}, {folder}")

    def damage_round(self, rng: random.Random, folder: Path) -> None:
        victims, read = rng.choice((self.a_run, self.a_pack, self.a_state, self.a_page))(rng)
        place, other = rng.sample(victims, 2) if len(victims) > 1 else (victims[0], None)
        whole = place.read_bytes()
        right = read(place)
        assert right is not None, place
        try:
            for _ in range(COPIES):
                flips, damaged = damage(rng, whole, other and other.read_bytes())
                place.write_bytes(damaged)
                what = "bit flips" if flips else "other damage"
                if not self.judge(what, read(place), right):
                    kept = folder / f"{time.monotonic_ns()}-{place.name}"
                    kept.parent.mkdir(exist_ok=True)
                    kept.write_bytes(damaged)
                    self.fault(f"{what} believed", f"{kept}, a copy of {place}")
        finally:
            place.write_bytes(whole)

    def judge(self, what: str, found: Any, right: Any) -> bool:
        """Whether damage was noticed or meant nothing, and not believed."""
        self.counts[what] += 1
        if found is None:
            self.counts[f"{what} noticed"] += 1
        elif found == right:
            self.counts[f"{what} that meant nothing"] += 1
        else:
            return False
        return True

    def mend_round(self, rng: random.Random, folder: Path) -> None:
        work = rng.choice(WORKS)
        halfway = work.name == "pairs" and rng.random() < 0.5
        source = self.halfway if halfway else self.scratch / "reference" / work.name
        shutil.copytree(source / "runs", folder / "runs")
        runs = [folder / "runs" / name for name in bits(folder)]
        victims = states(folder) if halfway else rng.sample(runs, rng.randint(1, 3))
        for victim in victims:
            others = [path for path in runs if path != victim]
            other = rng.choice(others).read_bytes() if others else None
            victim.write_bytes(damage(rng, victim.read_bytes(), other)[1])
        whole = bits(folder)
        # Which are whole is told by their name as well: a swapped file is a whole one.
        whole = {k: v for k, v in whole.items() if self.reference[work.name][k] == v}
        code = self.ended(self.start(train, work, folder))
        self.counts["stores mended"] += 1
        for name in whole.keys() & set(written(folder)):
            self.fault("runs trained twice", f"{name} of {work.name} was whole")
        # Names alone say what a pool has to train: a damaged file is left to who reads it.
        if code != 0:
            self.fault("failures with a traceback", f"exit code {code}, {folder}")
        elif work.jobs == 1:
            self.check_end(work, folder)

    # What is damaged: files of a kind, and how one of them is read.

    def a_run(self, rng: random.Random) -> tuple[list[Path], Callable[[Path], Any]]:
        work = rng.choice(WORKS)
        folder = self.scratch / "reference" / work.name
        groups = {}
        for group, request in groups_of(work):
            for plan in request.plans:
                groups[f"{group.key}/{plans_key((plan,))}.npz"] = group, plan

        def read(path: Path) -> Any:
            group, plan = groups[str(path.relative_to(folder / "runs"))]
            run = RunStore(folder / "runs", folder / "none").read(group, (plan,))
            return run and (hashed(run.arrays), run.provenance, run.plans)

        return [folder / "runs" / name for name in groups], read

    def a_pack(self, rng: random.Random) -> tuple[list[Path], Callable[[Path], Any]]:
        folder = self.scratch / "reference" / "packs"
        groups = {}
        for work in (WORKS[0], WORKS[2]):
            ((group, request),) = groups_of(work)
            groups[f"{group.key}.npz"] = group, request.plans

        def read(path: Path) -> Any:
            group, plans = groups[path.name]
            store = RunStore(self.scratch / "empty", folder)
            runs = [store.read(group, (plan,)) for plan in plans]
            whole = [(hashed(run.arrays), run.provenance, run.plans) for run in runs if run]
            return whole or None

        return [folder / name for name in groups], read

    def a_state(self, rng: random.Random) -> tuple[list[Path], Callable[[Path], Any]]:
        ((group, request),) = groups_of(WORKS[2])
        plans = {f"{plans_key((plan,))}.unfinished": plan for plan in request.plans}

        def read(path: Path) -> Any:
            store = RunStore(self.halfway / "runs", self.halfway / "none")
            arrays = store.read_unfinished([group], (plans[path.name],))
            return arrays and hashed(arrays)

        return states(self.halfway), read

    def a_page(self, rng: random.Random) -> tuple[list[Path], Callable[[Path], Any]]:
        stamps = json.loads((self.pages / "stamps.json").read_text())

        def read(path: Path) -> Any:
            whole = notebooks._is_whole(path, self.pages / "exhibits", stamps[path.stem])
            return json.loads(path.read_bytes()) if whole else None

        return [self.pages / "notebooks" / "li" / f"{name}.ipynb" for name in stamps], read

    # All of it.

    def run(self, kind: str, number: int) -> None:
        """One round. Whatever it raises is a fault."""
        rng = random.Random(f"{self.seed}-{number}")
        chosen = rng.choice(ROUNDS)  # Drawn in any case: what follows must not depend on --only.
        kind = kind or chosen
        self.round = f"seed {self.seed}, round {number}, {kind}"
        folder = self.scratch / f"round-{number}"
        before = len(self.faults)
        try:
            getattr(self, f"{kind}_round")(rng, folder)
        except Exception:
            self.fault("failures with a traceback", traceback.format_exc())
        finally:
            for child in self.children:
                child.end()
            self.children.clear()
        self.counts["rounds"] += 1
        if len(self.faults) == before:
            shutil.rmtree(folder, ignore_errors=True)


#: Kills and races take seconds, the others less.
ROUNDS = ("kill", "kill", "kill", "race", "race", "damage", "damage", "mend")


def damage(rng: random.Random, whole: bytes, other: bytes | None) -> tuple[int, bytes]:
    """Bits of it flipped, or half of it, or nothing, or another valid file; and how many bits."""
    how = rng.random()
    if how < 0.1:
        return 0, whole[: rng.randrange(len(whole))]
    if how < 0.15:
        return 0, b""
    if how < 0.25 and other is not None:
        return 0, other
    flipped, flips = bytearray(whole), rng.choice((1, 1, 1, 2, 3))
    for place in rng.sample(range(len(whole)), flips):
        flipped[place] ^= 1 << rng.randrange(8)
    return flips, bytes(flipped)


PAGE = """# %% tags=["parameters"]
preset: str = "smoke"

# %%
import os, pathlib
folder = pathlib.Path(os.environ["STABLIB_EXHIBITS"]) / "LI-T1"
folder.mkdir(parents=True, exist_ok=True)
(folder / "numbers.csv").write_text("1")
print("page {number}")
"""


def make_pages(_: Work) -> None:
    """Execute two small notebooks in a folder that counts as a checkout."""
    folder = Path(os.environ["STABLIB_CACHE"])
    (folder / "notebooks" / "li").mkdir(parents=True)
    (folder / "_toc.yml").touch()
    os.chdir(folder)
    stamps = {}
    for name in ("one", "two"):
        source = folder / f"{name}.py"
        source.write_text(PAGE.format(number=name))
        section = notebooks.Section(f"local_instability/{name}", source)
        study = open_study("local_instability", preset="smoke")
        how = notebooks.Execution(folder, study, name)
        notebooks.execute(section, how)
        made = folder / "notebooks" / "local_instability" / f"{name}.ipynb"
        made.replace(folder / "notebooks" / "li" / f"{name}.ipynb")
        stamps[name] = notebooks.fingerprint(section, how)
    (folder / "stamps.json").write_text(json.dumps(stamps))


def numbers(first: int, rounds: int | None, minutes: float) -> Iterator[int]:
    """Numbers of rounds until there were enough of them or the time is over."""
    deadline = time.monotonic() + 60 * minutes
    every = itertools.count(first) if rounds is None else range(first, first + rounds)
    return itertools.takewhile(lambda _: time.monotonic() < deadline, iter(every))


def progress(soak: Soak, began: float) -> None:
    """One line, rewritten at a terminal, else one a minute."""
    seconds = time.monotonic() - began
    text = f"{seconds:5.0f} s: {soak.counts['rounds']} rounds, {len(soak.faults)} faults"
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)
    elif seconds // 60 > soak.counts["minutes told"]:
        soak.counts["minutes told"] = int(seconds // 60)
        print(text, file=sys.stderr, flush=True)


def figures(soak: Soak) -> list[str]:
    """The counts as lines: what was done, then what must be 0."""
    kills = sum(n for what, n in soak.counts.items() if what.startswith("kills by"))
    done = {"kills": kills, **dict(sorted(soak.counts.items()))}
    rows = [(k, n) for k, n in done.items() if k not in (*BAD, "minutes told")]
    rows += [(what, soak.counts[what]) for what in BAD]
    return [f"{n:>8,}  {what}" for what, n in rows]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices (0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first round (0)")
    parser.add_argument("--rounds", type=int, help="at most as many rounds (no limit)")
    parser.add_argument("--only", choices=sorted(set(ROUNDS)), help="rounds of this kind alone")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    began = time.monotonic()
    warnings.simplefilter("ignore")  # Damage is said by a warning, thousands of times here.
    scratch = Path(tempfile.mkdtemp(prefix="stablib-soak-"))
    soak = Soak(asked.seed, scratch)
    try:
        soak.prepare()
        for number in numbers(asked.first, asked.rounds, asked.minutes):
            soak.run(asked.only, number)
            progress(soak, began)
    except KeyboardInterrupt:
        print("\nended by Ctrl-C", file=sys.stderr)
    finally:
        for child in soak.children:
            child.end()
        if soak.faults:
            print(f"\nwhat went wrong is kept in {scratch}", file=sys.stderr)
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    print("\n".join(figures(soak)))
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
