"""The run store under damage, full disks, races and sudden death."""

import errno
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stablib.errors import StoreError
from stablib.runs import DamagedRun, Group, RunStore, files
from stablib.training import Final, Recipe, SeedPlan, seed_plans

GROUP = Group(recipe=Recipe(dataset="massive", label="domain"), data="abc", record=Final())
PLAN = (SeedPlan.same(0),)


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
    assert store.missing(GROUP, [PLAN, (SeedPlan.same(1),)]) == [(SeedPlan.same(1),)]


def test_other_groups_and_plans_are_missing(store, written):
    assert store.read(GROUP.model_copy(update={"data": "abd"}), PLAN) is None
    assert store.read(GROUP.model_copy(update={"version": 99}), PLAN) is None
    assert store.read(GROUP, (SeedPlan(init=0, shuffle=0, dropout=1),)) is None
    assert store.read(GROUP, seed_plans(2)) is None


def assert_damaged(store, path):
    with pytest.warns(DamagedRun, match="counts as missing") as caught:
        assert store.read(GROUP, PLAN) is None
    assert str(path) in str(caught[0].message)
    with pytest.warns(DamagedRun):
        assert store.missing(GROUP, [PLAN]) == [PLAN]
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
        with pytest.warns(DamagedRun):
            assert store.read(GROUP, PLAN) is None
    assert_equal(store.read(GROUP, PLAN).arrays, make_arrays())


def test_a_published_run_stands_in_for_a_damaged_one(store, written, tmp_path):
    store.publish(GROUP, PLAN, tmp_path / "packs")
    written.write_bytes(b"damaged")
    both = RunStore(store.folder, tmp_path / "packs")
    with pytest.warns(DamagedRun):
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


def test_no_bit_flip_anywhere_is_believed(written):
    data = written.read_bytes()
    wrong = []
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 8)
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
        patch.setattr(np, "load", too_many)
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


def test_local_runs_come_before_published_ones(store, written, tmp_path):
    store.publish(GROUP, PLAN, tmp_path / "packs")
    store.write(GROUP, PLAN, make_arrays(5), {})
    both = RunStore(store.folder, tmp_path / "packs")
    assert_equal(both.read(GROUP, PLAN).arrays, make_arrays(5))


def test_damaged_pack(store, written, tmp_path):
    path = store.publish(GROUP, PLAN, tmp_path / "packs")
    path.write_bytes(path.read_bytes()[:100])
    fresh = RunStore(tmp_path / "fresh", tmp_path / "packs")
    with pytest.warns(DamagedRun, match="count as missing"):
        assert fresh.read(GROUP, PLAN) is None
    assert path.exists()


def test_publishing_a_missing_run(store, written, tmp_path):
    with pytest.raises(KeyError, match="1 of 2 runs missing"):
        store.publish(GROUP, seed_plans(2), tmp_path / "packs")


# What several processes do. Each trains on the stand-in and tells what it trained.

SCRIPT = """
import contextlib, importlib, itertools, os, pathlib, signal, sys
from stablib.models.head import HeadStack
from stablib.runs import RunStore, obtain
from stablib.training import Head, Recipe, seed_plans
from stablib.data import stand_in

folder, n_runs, epochs, kill_at_write, kill_at_step = sys.argv[1], *map(int, sys.argv[2:])
importlib.import_module("stablib.training.train").STACK_MEMORY = 1  # One run a chunk.

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
def counted(n_runs, work, unit):
    yield lambda done: None
    print("trained", n_runs, flush=True)

recipe = Recipe(
    dataset="standin", label="domain", limit=200, model=Head(hidden=8), epochs=epochs,
    batch_size=16,
)
store = RunStore(pathlib.Path(folder), pathlib.Path(folder) / "none")
print("ready", flush=True)
runs = obtain(
    recipe, seed_plans(n_runs), dataset=stand_in(), store=store,
    watch=counted,
)
assert len(runs) == n_runs
print("finished", flush=True)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Cache with the stand-in's features."""
    folder = tmp_path_factory.mktemp("cache")
    process = start(folder, folder / "warm", 1, 1)
    assert trained(process) == 1
    return folder


def start(cache, folder, n_runs, epochs, kill_at_write=0, kill_at_step=0):
    environment = {**os.environ, "STABLIB_CACHE": str(cache)}
    arguments = [str(x) for x in (folder, n_runs, epochs, kill_at_write, kill_at_step)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trained(process):
    output, errors = process.communicate(timeout=120)
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


def test_two_processes_train_every_run_once(cache, tmp_path):
    processes = [start(cache, tmp_path / "runs", 6, 20) for _ in range(2)]
    assert sum(trained(process) for process in processes) == 6
    assert len(bits(tmp_path / "runs")) == 6


@pytest.fixture(scope="module")
def uninterrupted(cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert trained(start(cache, folder, 5, 60)) == 5
    return bits(folder)


STEPS_A_RUN = 60 * 13


@pytest.mark.parametrize(
    "death", [{"kill_at_write": 3}, {"kill_at_step": 2 * STEPS_A_RUN + 300}], ids=str
)
def test_a_killed_study_resumes_with_the_same_bits(cache, uninterrupted, tmp_path, death):
    process = start(cache, tmp_path, 5, 60, **death)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    kept = bits(tmp_path)
    assert len(kept) == 2
    assert trained(start(cache, tmp_path, 5, 60)) == 3
    assert bits(tmp_path) == uninterrupted
    assert kept.items() <= uninterrupted.items()
