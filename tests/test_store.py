"""The run store under damage, full disks, races and sudden death."""

import dataclasses
import errno
import os
import pickle
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from stablib import files
from stablib.errors import StoreError
from stablib.files import Damaged
from stablib.mitigation import TGTSS
from stablib.runs import Group, RunStore, obtain
from stablib.runs.group import plans_key
from stablib.runs.obtain import groups, lacking, secure
from stablib.training import (
    Final,
    Inputs,
    Probabilities,
    Request,
    SeedPlan,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.workloads import HeadRecipe, JointWords

GROUP = Group(HeadRecipe(dataset="massive", label="domain"), "abc", Final())
PLAN, OTHER_PLAN = (SeedPlan.same(0),), (SeedPlan.same(1),)
#: Groups that differ from it in one thing each.
OTHER_GROUPS = [
    dataclasses.replace(GROUP, data="abd"),
    dataclasses.replace(GROUP, record=Probabilities(split="test")),
    dataclasses.replace(GROUP, recipe=GROUP.recipe.model_copy(update={"hidden": 7})),
]
DAMAGED_IS_FINE = pytest.mark.filterwarnings("ignore::stablib.files.Damaged")


def make_arrays(seed=0, n_examples=30):
    rng = np.random.default_rng(seed)
    return {
        "labels_test": rng.integers(18, size=n_examples).astype(np.uint8),
        "gold_test": rng.random(n_examples).astype(np.float16),
    }


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name])


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs", tmp_path / "published")


@pytest.fixture
def written(store):
    store.write(GROUP, PLAN, make_arrays(), {"seconds": 1.5})
    (path,) = store.local_files()
    return path


def test_round_trip(store, written):
    run = store.read(GROUP, PLAN)
    assert run.plans == PLAN
    assert run.provenance == {"seconds": 1.5, "origin": "local store"}
    assert_equal(run.arrays, make_arrays())
    assert files.read_header(written)["group"]["data"] == "abc"
    for by_reading in (False, True):
        assert store.missing(GROUP, [PLAN, OTHER_PLAN], by_reading=by_reading) == [OTHER_PLAN]


def test_other_groups_and_plans_are_missing(store, written, monkeypatch):
    for other in OTHER_GROUPS:
        assert store.read(other, PLAN) is None
    assert store.read(GROUP, (SeedPlan(init=0, shuffle=0, dropout=1),)) is None
    assert store.read(GROUP, seed_plans(2)) is None
    monkeypatch.setattr(type(HeadRecipe.workload), "version", 99)
    assert store.read(dataclasses.replace(GROUP), PLAN) is None


def assert_damaged(store, path):
    with pytest.warns(Damaged, match="counts as missing") as caught:
        assert store.read(GROUP, PLAN) is None
    assert str(path) in str(caught[0].message)
    assert store.missing(GROUP, [PLAN]) == []  # By its name it is there.
    with pytest.warns(Damaged):
        assert store.missing(GROUP, [PLAN], by_reading=True) == [PLAN]
    store.write(GROUP, PLAN, make_arrays(), {})
    assert_equal(store.read(GROUP, PLAN).arrays, make_arrays())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file(store, written, share):
    data = written.read_bytes()
    written.write_bytes(data[: int(len(data) * share)])
    assert_damaged(store, written)


def test_a_damaged_file_that_is_replaced_meanwhile_is_kept(store, written, monkeypatch):
    """Another process may train and write the run between our reading and what we do then."""
    written.write_bytes(b"damaged")
    read = files.read

    def slow_read(path):
        try:
            return read(path)
        finally:
            if path == written:
                store.write(GROUP, PLAN, make_arrays(), {})

    with monkeypatch.context() as patch:
        patch.setattr(files, "read", slow_read)
        with pytest.warns(Damaged):
            assert store.read(GROUP, PLAN) is None
    assert_equal(store.read(GROUP, PLAN).arrays, make_arrays())


def test_a_published_run_stands_in_for_a_damaged_one(store, written, tmp_path):
    store.publish(GROUP, PLAN, tmp_path / "packs")
    written.write_bytes(b"damaged")
    both = RunStore(store.folder, tmp_path / "packs")
    with pytest.warns(Damaged):
        assert_equal(both.read(GROUP, PLAN).arrays, make_arrays())


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6])
def test_bit_flip_in_the_data(store, written, share):
    data = bytearray(written.read_bytes())
    data[int(len(data) * share)] ^= 0b100
    written.write_bytes(data)
    try:
        files.read(written)
    except files.DamagedFile:
        assert_damaged(store, written)
    else:  # A bit that means nothing, such as a time stamp: the arrays are still right.
        assert_equal(store.read(GROUP, PLAN).arrays, make_arrays())


def every_place(data):
    """A bit of each byte."""
    return [(place, place % 8) for place in range(len(data))]


def whole_directory(data):
    """Every bit of the table that tells where the arrays lie, and how they are compressed."""
    return [(p, bit) for p in range(data.index(b"PK\x01\x02"), len(data)) for bit in range(8)]


@pytest.mark.parametrize("bits_of", [every_place, whole_directory])
def test_no_bit_flip_anywhere_is_believed(written, bits_of):
    data = written.read_bytes()
    wrong = []
    for place, bit in bits_of(data):
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        written.write_bytes(flipped)
        try:
            arrays, _ = files.read(written)
        except files.DamagedFile:
            continue
        except Exception as error:  # Anything else would end the study instead of a warning.
            wrong.append((place, repr(error)))
            continue
        assert_equal(arrays, make_arrays())
    assert not wrong, wrong[:5]


def test_altered_array_with_a_valid_zip(store, written):
    with np.load(written) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["labels_test"] = arrays["labels_test"][::-1].copy()
    np.savez_compressed(written, **arrays)
    assert_damaged(store, written)


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps([1, 2, 3])])
def test_not_a_run_file(store, written, content):
    written.write_bytes(content)
    assert_damaged(store, written)


class Trap:
    """Unpickling it would leave a trace."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_never_unpickles(store, written, tmp_path):
    trace = tmp_path / "unpickled"
    with np.load(written) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(written, **arrays, trap=np.array([Trap(trace)], dtype=object))
    assert_damaged(store, written)
    written.write_bytes(pickle.dumps(Trap(trace)))
    assert_damaged(store, written)
    assert not trace.exists()


def full_disk(descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(StoreError, match="No space left on device"):
            store.write(GROUP, PLAN, make_arrays(), {})
    assert not [path for path in store.folder.rglob("*") if path.is_file()]
    assert store.read(GROUP, PLAN) is None


def test_full_disk_leaves_the_old_run(store, written, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(StoreError):
            store.write(GROUP, PLAN, make_arrays(1), {})
    assert_equal(store.read(GROUP, PLAN).arrays, make_arrays())
    assert not list(store.folder.rglob("*.partial"))


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write"):
        RunStore(tmp_path / "file" / "runs", tmp_path).write(GROUP, PLAN, make_arrays(), {})


def test_an_unreadable_file_is_not_deleted(store, written, monkeypatch):
    """Too many open files, say, is no damage: the run must survive it."""

    def too_many(*args, **kwargs):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(files.zipfile, "ZipFile", too_many)
        with pytest.raises(StoreError, match="Too many open files"):
            store.read(GROUP, PLAN)
    assert written.exists()


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.*")}


def test_published_runs_are_read_and_never_written(store, tmp_path):
    plans = seed_plans(3)
    for seed, plan in enumerate(plans):
        store.write(GROUP, (plan,), make_arrays(seed), {"seconds": seed})
    published = tmp_path / "packs"
    path = store.publish(GROUP, plans, published)
    before = snapshot(published)
    assert list(before) == [path]
    fresh = RunStore(tmp_path / "fresh", published)
    assert fresh.published_files() == [path]
    for seed, plan in enumerate(plans):
        run = fresh.read(GROUP, (plan,))
        assert run.plans == (plan,)
        assert run.provenance == {"seconds": seed, "origin": "published runs"}
        assert_equal(run.arrays, make_arrays(seed))
    extra = SeedPlan.same(3)
    assert fresh.missing(GROUP, [(p,) for p in (*plans, extra)]) == [(extra,)]
    fresh.write(GROUP, (extra,), make_arrays(3), {})
    assert_equal(fresh.read(GROUP, (extra,)).arrays, make_arrays(3))
    assert snapshot(published) == before


def test_what_several_runs_left_is_published_and_read_by_all_of_their_plans(store, tmp_path):
    group, plans = dataclasses.replace(GROUP, record=JointWords()), seed_plans(6)
    pairs = [plans[:2], plans[2:4], plans[4:]]
    for number, pair in enumerate(pairs):
        store.write(group, pair, make_arrays(number), {"seconds": number})
    store.publish(group, plans, tmp_path / "packs", pool=2)
    fresh = RunStore(tmp_path / "fresh", tmp_path / "packs")
    assert fresh.published_plans(group) == list(plans)
    assert fresh.missing(group, [*pairs, plans[1:3], plans[:1]]) == [plans[1:3], plans[:1]]
    for number, pair in enumerate(pairs):
        run = fresh.read(group, pair)
        assert run.plans == pair
        assert run.provenance["seconds"] == number
        assert_equal(run.arrays, make_arrays(number))
    assert store.collect_garbage() == (0, 0)


def test_local_runs_come_before_published_ones(store, written, tmp_path):
    store.publish(GROUP, PLAN, tmp_path / "packs")
    store.write(GROUP, PLAN, make_arrays(5), {})
    both = RunStore(store.folder, tmp_path / "packs")
    assert_equal(both.read(GROUP, PLAN).arrays, make_arrays(5))


def test_damaged_pack(store, written, tmp_path):
    path = store.publish(GROUP, PLAN, tmp_path / "packs")
    path.write_bytes(path.read_bytes()[:100])
    fresh = RunStore(tmp_path / "fresh", tmp_path / "packs")
    with pytest.warns(Damaged, match="count as missing"):
        assert fresh.read(GROUP, PLAN) is None
    assert path.exists()


def test_publishing_a_missing_run(store, written, tmp_path):
    with pytest.raises(StoreError, match="1 of 2 runs missing"):
        store.publish(GROUP, seed_plans(2), tmp_path / "packs")
    assert not (tmp_path / "packs").exists()


@pytest.mark.parametrize(
    ("group", "plans"), [(GROUP, OTHER_PLAN), *((other, PLAN) for other in OTHER_GROUPS)]
)
def test_a_whole_run_in_anothers_place_is_not_believed(store, written, group, plans):
    store.write(group, plans, make_arrays(1), {})
    (other,) = set(store.local_files()) - {written}
    shutil.copy(other, written)
    assert_equal(files.read(written)[0], make_arrays(1))
    assert_damaged(store, written)


@pytest.mark.parametrize("other", OTHER_GROUPS)
@pytest.mark.parametrize("first", ["read", "missing"])
def test_a_whole_pack_in_anothers_place_is_not_believed(store, tmp_path, other, first):
    packs = tmp_path / "packs"
    store.write(other, PLAN, make_arrays(1), {})
    store.publish(other, PLAN, packs).rename(packs / f"{GROUP.key}.npz")
    fresh = RunStore(tmp_path / "fresh", packs)
    with pytest.warns(Damaged, match="belongs to another group.* count as missing"):
        fresh.read(GROUP, PLAN) if first == "read" else fresh.missing(GROUP, [PLAN])
    assert fresh.read(GROUP, PLAN) is None
    assert fresh.missing(GROUP, [PLAN]) == [PLAN]


@pytest.mark.parametrize(("group", "plans"), [(GROUP, OTHER_PLAN), (OTHER_GROUPS[0], PLAN)])
def test_a_state_in_anothers_place_is_not_gone_on_from(store, group, plans):
    store.write_unfinished([GROUP], PLAN, make_arrays())
    (own,) = store.folder.glob("*/*.unfinished")
    store.write_unfinished([group], plans, make_arrays(1))
    (other,) = set(store.folder.glob("*/*.unfinished")) - {own}
    shutil.copy(other, own)
    assert store.read_unfinished([GROUP], PLAN) is None
    assert_equal(store.read_unfinished([group], plans), make_arrays(1))


def test_a_state_of_a_training_that_kept_other_records_is_not_gone_on_from(store):
    """Teachers of two methods and plain runs all keep their final predictions first."""

    def with_mean(every):
        return [GROUP, dataclasses.replace(GROUP, record=TrainMean(after_step=3, every=every))]

    store.write_unfinished(with_mean(1), PLAN, make_arrays())
    assert store.read_unfinished(with_mean(2), PLAN) is None
    assert store.read_unfinished([GROUP], PLAN) is None
    assert_equal(store.read_unfinished(with_mean(1), PLAN), make_arrays())


def test_missing_reads_no_whole_run(store, written, tmp_path, monkeypatch):
    store.publish(GROUP, PLAN, tmp_path / "packs")
    published = RunStore(tmp_path / "fresh", tmp_path / "packs")
    request = Request(GROUP.recipe, (*PLAN, *OTHER_PLAN), (GROUP.record,))

    def refuse(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(files, "read", refuse)
    for layer in (store, published):
        assert layer.missing(GROUP, [PLAN, OTHER_PLAN]) == [OTHER_PLAN]
        assert layer.missing(OTHER_GROUPS[0], [PLAN]) == [PLAN]
        assert lacking(request, layer, Inputs(GROUP.data, "nowhere")).plans == OTHER_PLAN


# Garbage.


def make_older(path, hours):
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))


def everything(store):
    return set(store.folder.glob("*/*"))


@pytest.mark.parametrize("name", ["x.npz.12345678.partial", "x.unfinished"])
def test_what_another_process_may_be_writing_is_no_garbage(store, written, name):
    made = written.with_name(name)
    made.write_bytes(b"half of it")
    make_older(made, hours=23)
    assert store.collect_garbage() == (0, 0)
    make_older(made, hours=25)
    assert store.collect_garbage() == (1, len(b"half of it"))
    assert everything(store) == {written}


def test_old_versions_damaged_files_and_means_of_teachers_are_garbage(store, written, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(HeadRecipe.workload), "version", HeadRecipe.workload.version - 1)
        store.write(dataclasses.replace(GROUP), PLAN, make_arrays(), {})
    store.write(dataclasses.replace(GROUP, record=TrainMean()), seed_plans(2), make_arrays(), {})
    store.write(GROUP, OTHER_PLAN, make_arrays(), {})
    (damaged,) = set(written.parent.glob("*")) - {written}
    damaged.write_bytes(b"damaged")
    doomed = everything(store) - {written}
    assert len(doomed) == 3
    size = sum(path.stat().st_size for path in doomed)
    assert store.collect_garbage() == (3, size)
    assert everything(store) == {written}


@pytest.mark.parametrize("record", [Final(), TrainMean()])
def test_runs_of_an_unknown_workload_are_no_garbage(store, record):
    """It may belong to a package that is not installed here; its version cannot be told."""
    store.write(dataclasses.replace(GROUP, record=record), PLAN, make_arrays(), {})
    (path,) = store.local_files()
    arrays, header = files.read(path)
    header["group"] |= {"workload": "theirs", "version": 7, "recipe": {"kind": "theirs"}}
    files.write(path, arrays, header)
    assert store.collect_garbage() == (0, 0)
    assert_equal(files.read(path)[0], arrays)


# Training what is missing, on arrays of one's own.

RNG = np.random.default_rng(0)
TASK = Task(
    {split: RNG.normal(size=(60, 5)) for split in ("train", "test")},
    {split: RNG.integers(3, size=60) for split in ("train", "test")},
    3,
)
INPUTS = Inputs(TASK.key, "arrays of the test", TASK)
CONTROL = HeadRecipe(hidden=4, batch_size=20, epochs=2)
STUDENTS = Request(CONTROL.with_method(TGTSS(after_step=2)), seed_plans(2))
(TEACHERS,) = CONTROL.workload.before(STUDENTS)


def predictions(store, request=STUDENTS):
    runs = obtain(request, store, inputs=INPUTS)
    assert runs.plans == request.plans
    return {name: runs[name] for name in ("labels_test", "gold_test")}


def paths(store, request):
    (group,) = groups(request, INPUTS)
    return [store.folder / group.key / f"{plans_key((plan,))}.npz" for plan in request.plans]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    return predictions(RunStore(folder, folder / "none"))


@DAMAGED_IS_FINE
@pytest.mark.parametrize("wrong", ["another seed's", "another group's", "truncated"])
def test_a_wrong_file_is_trained_again_and_no_other(store, expected, wrong):
    predictions(store)
    first, second = paths(store, STUDENTS)
    written = second.stat().st_mtime_ns
    if wrong == "another seed's":
        shutil.copy(second, first)
    elif wrong == "another group's":
        control = Request(CONTROL, STUDENTS.plans)
        predictions(store, control)
        shutil.copy(paths(store, control)[0], first)
    else:
        first.write_bytes(first.read_bytes()[:-30])
    assert_equal(predictions(store), expected)
    assert store.damaged() == []
    assert second.stat().st_mtime_ns == written


@DAMAGED_IS_FINE
@pytest.mark.parametrize("spoil", [Path.unlink, lambda p: p.write_bytes(b"x")], ids=["gone", "bad"])
@pytest.mark.parametrize("pooled", [False, True], ids=["student", "teachers' mean"])
def test_what_goes_between_training_and_reading_is_trained_again(
    store, expected, monkeypatch, spoil, pooled
):
    write, spoilt = RunStore.write, []

    def write_and_spoil(self, group, plans, arrays, provenance):
        write(self, group, plans, arrays, provenance)
        of_a_student = group.recipe.method.lesson is not None
        if not spoilt and (group.record.pooled if pooled else of_a_student):
            spoilt.append(self.folder / group.key / f"{plans_key(plans)}.npz")
            spoil(spoilt[0])

    monkeypatch.setattr(RunStore, "write", write_and_spoil)
    assert_equal(predictions(store), expected)
    assert files.read(spoilt[0])


@pytest.mark.parametrize("request_", [STUDENTS, TEACHERS], ids=["students", "teachers"])
@pytest.mark.parametrize("everything_", [True, False], ids=["all", "one"])
def test_runs_that_never_last_are_an_error(store, monkeypatch, request_, everything_):
    write = RunStore.write

    def write_some(self, group, plans, arrays, provenance):
        if not everything_ and plans[0] != request_.plans[-1]:
            write(self, group, plans, arrays, provenance)

    monkeypatch.setattr(RunStore, "write", write_some)
    with pytest.raises(StoreError, match="vanish from"):
        secure(request_, store, INPUTS)


# What several processes do. Each trains on the stand-in and tells what it trained.

SCRIPT = """
import contextlib, itertools, os, pathlib, signal, sys
from stablib.models.head import HeadStack
from stablib.runs import RunStore, obtain
from stablib.training import Request, seed_plans
from stablib.workloads import HeadRecipe
from stablib.workloads.heads import training

folder, n_runs, epochs, kill_at_write, kill_at_step = sys.argv[1], *map(int, sys.argv[2:])
training.STACK_MEMORY = 1  # One run a chunk.

def dying(function, at):
    calls = itertools.count(1)
    def call(*args, **kwargs):
        if next(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

os.fsync = dying(os.fsync, kill_at_write)
HeadStack.backward = dying(HeadStack.backward, kill_at_step)

@contextlib.contextmanager
def counted(title, work, unit):
    told = []
    yield told.append
    assert (sum(told), unit) == (work, "examples")
    print("trained", title.split()[0], flush=True)

recipe = HeadRecipe(
    dataset="standin", label="domain", limit=200, hidden=8, epochs=epochs, batch_size=16
)
store = RunStore(pathlib.Path(folder), pathlib.Path(folder) / "none")
print("ready", flush=True)
runs = obtain(Request(recipe, seed_plans(n_runs)), store, watch=counted)
assert len(runs) == n_runs
print("finished", flush=True)
"""


class Children:
    """Processes that run the script; none outlives its test."""

    def __init__(self):
        self.processes = []

    def start(self, cache, folder, n_runs, epochs, kill_at_write=0, kill_at_step=0):
        arguments = [str(x) for x in (folder, n_runs, epochs, kill_at_write, kill_at_step)]
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments],
            env={**os.environ, "STABLIB_CACHE": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            with process:
                process.kill()


@pytest.fixture(scope="module")
def children():
    started = Children()
    yield started
    started.end()


@pytest.fixture(scope="module")
def cache(tmp_path_factory, children):
    """Cache with the stand-in's features."""
    folder = tmp_path_factory.mktemp("cache")
    assert trained(children.start(folder, folder / "warm", 1, 1)) == 1
    return folder


def trained(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert output.splitlines()[-1] == "finished"
    return sum(int(line.split()[1]) for line in output.splitlines() if line.startswith("trained"))


def bits(folder):
    return {
        path.relative_to(folder): {
            name: array.tobytes() for name, array in files.read(path)[0].items()
        }
        for path in sorted(folder.glob("*/*.npz"))
    }


@pytest.mark.slow
def test_two_processes_train_every_run_once(cache, tmp_path, children):
    processes = [children.start(cache, tmp_path / "runs", 6, 20) for _ in range(2)]
    assert sum(trained(process) for process in processes) == 6
    assert len(bits(tmp_path / "runs")) == 6


@pytest.fixture(scope="module")
def uninterrupted(cache, tmp_path_factory, children):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert trained(children.start(cache, folder, 5, 60)) == 5
    return bits(folder)


STEPS_A_RUN = 60 * 13


@pytest.mark.slow
@pytest.mark.parametrize(
    "death", [{"kill_at_write": 3}, {"kill_at_step": 2 * STEPS_A_RUN + 300}], ids=str
)
def test_a_killed_study_resumes_with_the_same_bits(cache, uninterrupted, tmp_path, children, death):
    process = children.start(cache, tmp_path, 5, 60, **death)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    kept = bits(tmp_path)
    assert len(kept) == 2
    assert trained(children.start(cache, tmp_path, 5, 60)) == 3
    assert bits(tmp_path) == uninterrupted
    assert kept.items() <= uninterrupted.items()


def test_who_waits_for_a_lock_says_for_whom(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    script = (
        "import sys, pathlib\n"
        "from stablib.runs import RunStore\n"
        "with RunStore(pathlib.Path(sys.argv[1])).lock('x', 'head, control'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(store.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "held\n"
            release = threading.Timer(3.0, lambda: print(file=holder.stdin, flush=True))
            release.start()
            with store.lock("x"):
                pass
            said = capfd.readouterr().err
            assert said == f"stablib: waiting for process {holder.pid} on {platform.node()}: " + (
                "head, control\n"
            )
        finally:
            release.cancel()
            holder.kill()
    # On an executed page nothing is said, and nobody who does not wait says anything.
    with store.lock("x", "again"):
        pass
    assert capfd.readouterr().err == ""
    assert list((store.folder / "locks").glob("*.holder")) == []
