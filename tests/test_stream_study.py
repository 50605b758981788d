"""The synthetic study: what is stored, resumed and claimed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stablib.errors import UsageError
from stablib.papers.claims import read_claims
from stablib.reproduce.jobs import train_missing
from stablib.runs.store import DamagedRun, RunStore
from stablib.show.synthetic_irreproducibility import claims, figures, weights
from stablib.show.synthetic_irreproducibility.comparison import with_long
from stablib.show.synthetic_irreproducibility.widgets import points_frame
from stablib.streams import (
    DataModel,
    StreamGroup,
    StreamRecipe,
    obtain_pairs,
    pairs,
    training,
)
from stablib.studies import open_study
from stablib.studies.synthetic_irreproducibility import windows
from stablib.training.seeds import seed_plans

RECIPE = StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=13, log2_window=3)
PLANS = seed_plans(3)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs", tmp_path / "none")


def trained(store: RunStore) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in store.local_files()}


def test_only_missing_pairs_are_trained(store: RunStore) -> None:
    obtain_pairs(RECIPE, PLANS[:1], store=store)
    first = trained(store)
    arrays, made = obtain_pairs(RECIPE, PLANS, store=store, workers=2)
    assert {path: trained(store)[path] for path in first} == first
    assert arrays["weights"].shape == (3, 2, RECIPE.n_parameters)
    assert len(made) == 3
    everything = trained(store)
    obtain_pairs(RECIPE, PLANS, store=store)
    assert trained(store) == everything


def test_the_order_of_pairs_does_not_matter(store: RunStore) -> None:
    forward, _ = obtain_pairs(RECIPE, PLANS, store=store)
    backward, _ = obtain_pairs(RECIPE, PLANS[::-1], store=store)
    assert np.array_equal(forward["pd"], backward["pd"][::-1])


def test_a_truncated_pair_is_trained_again(store: RunStore) -> None:
    before, _ = obtain_pairs(RECIPE, PLANS[:1], store=store)
    (path,) = store.local_files()
    path.write_bytes(path.read_bytes()[:-40])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedRun)
        after, _ = obtain_pairs(RECIPE, PLANS[:1], store=store)
    assert np.array_equal(before["weights"], after["weights"])


def test_pairs_can_be_published_and_are_listed(store: RunStore, tmp_path: Path) -> None:
    arrays, _ = obtain_pairs(RECIPE, PLANS, store=store)
    store.publish(StreamGroup(recipe=RECIPE), PLANS, tmp_path / "packs")
    fresh = RunStore(tmp_path / "fresh", tmp_path / "packs")
    published, made = obtain_pairs(RECIPE, PLANS, store=fresh)
    assert made[0]["origin"] == "published runs"
    assert np.array_equal(arrays["pd"], published["pd"])
    assert "2^13 examples" in fresh.catalogue()[0]["what"]
    assert store.collect_garbage() == (0, 0)


SCRIPT = """
import pathlib, sys
from stablib.runs.store import RunStore
from stablib.streams import DataModel, StreamRecipe, obtain_pairs
from stablib.training.seeds import seed_plans
folder = pathlib.Path(sys.argv[1])
r = StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=19)
obtain_pairs(r, seed_plans(200), store=RunStore(folder, folder / "none"))
"""


def test_kill_loses_only_the_pair_in_flight(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stderr=subprocess.DEVNULL
    )
    store = RunStore(tmp_path, tmp_path / "none")
    while len(store.local_files()) < 2 and process.poll() is None:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    assert len(store.local_files()) >= 2
    assert store.damaged() == []


@pytest.mark.parametrize("warm_start", [None, 0.1])
@pytest.mark.parametrize("done", [300, 600, 1000])
def test_an_interrupted_pair_goes_on_where_it_was(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, warm_start: float | None, done: int
) -> None:
    """The same bits as without an interruption, and no step is trained twice."""
    recipe = RECIPE.model_copy(update={"warm_start": warm_start, "log2_examples": 14})
    expected = training.train_pair(recipe, PLANS[0])
    monkeypatch.setattr(training, "_STRIDE", 64)
    monkeypatch.setattr(pairs, "SAVE_EVERY", 0.0)
    trained: list[int] = []

    @contextlib.contextmanager
    def stopping(n_runs: int, work: int, unit: str) -> Iterator[Callable[[int], None]]:
        def progress(examples: int) -> None:
            if sum(trained) + examples > 32 * done:
                raise KeyboardInterrupt
            trained.append(examples)

        yield progress

    @contextlib.contextmanager
    def counting(n_runs: int, work: int, unit: str) -> Iterator[Callable[[int], None]]:
        told: list[int] = []
        yield told.append
        assert told[0] == sum(trained)
        assert sum(told) == work

    with pytest.raises(KeyboardInterrupt):
        obtain_pairs(recipe, PLANS[:1], store=store, watch=stopping)
    assert store.local_files() == []
    (left,) = store.folder.glob("*/*.unfinished")
    arrays, _ = obtain_pairs(recipe, PLANS[:1], store=store, watch=counting)
    assert all(np.array_equal(arrays[name][0], expected[name]) for name in expected)
    assert not left.exists()


def test_ctrl_c_keeps_the_pairs_at_work(tmp_path: Path) -> None:
    """They stop at once, and what they were is kept."""
    script = SCRIPT.replace("log2_examples=19", "log2_examples=26")
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "examples/s" not in process.stderr.read(64):
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in errors
    store = RunStore(tmp_path, tmp_path / "none")
    assert store.local_files() == []
    assert len(list(tmp_path.glob("*/*.unfinished"))) == 1
    assert store.collect_garbage()[0] == 1


MEMORY = """
import pathlib
from stablib.streams import DataModel, StreamRecipe, train_pair
from stablib.training.seeds import SeedPlan
r = StreamRecipe(data=DataModel(kind="linear"), log2_examples=26, log2_window=21)
train_pair(r, SeedPlan.same(0))
status = pathlib.Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def test_the_papers_widest_window_fits_one_gibibyte() -> None:
    """The whole process, libraries included, after a pair on 2^26 examples."""
    outcome = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    assert int(outcome.stdout) < 2**20  # KiB.


def test_windows_reach_from_one_batch_to_the_stream_or_the_papers_widest() -> None:
    assert windows(21, 5) == (0, 4, 8, 12, 16)
    assert windows(26, 5) == (0, 5, 10, 15, 20)
    assert windows(5, 5) == (0,)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"n_pairs": 1}, "n_pairs"),
        ({"log2_examples": 3}, "log2_examples: must be between 5 and 26, got 3"),
        ({"beta": -1.0}, "beta"),
        ({"n_pair": 3}, "did you mean 'n_pairs'"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)
def test_bad_settings_are_refused(changes: dict[str, float], hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        open_study("smoke", paper="synthetic_irreproducibility", **changes)


@pytest.mark.slow
def test_every_claim_is_answered_by_its_exhibit(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    study = open_study("smoke", paper="synthetic_irreproducibility")
    assert train_missing(study, jobs=2) == len(study.groups())
    assert study.missing() == []
    simple, towers = study.simple(), study.towers()
    figures.simple(simple)
    figures.towers(towers, simple)
    figures.embeddings(study.embeddings())
    figures.quadratic(study.quadratic())
    weights.pair_weights(simple)
    weights.weight_differences(simple)
    weights.parameter_cloud(towers)
    weights.embedding_clouds(study.embedding_weights())
    rows = [
        row
        for path in tmp_path.glob("SI-*/claims.json")
        for row in json.loads(path.read_text())
        if row["measured"]
    ]
    assert {row["claim"]["claim"] for row in rows} == set(
        read_claims("synthetic_irreproducibility")
    )
    frame, kept = points_frame([simple, towers])
    assert not frame.duplicated(["curve", "log2_window", "log2_examples"]).any()
    assert kept


def test_long_streams_count_at_the_windows_that_all_curves_have(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partly published length is compared where it can be, and never mislabelled."""
    monkeypatch.setenv("STABLIB_RESULTS", str(own_cache))
    study = open_study(
        "smoke",
        paper="synthetic_irreproducibility",
        log2_examples=8,
        log2_examples_long=9,
        n_windows=3,
    )
    curves = study.simple()
    assert study.long() is None
    wanted = study.study.simple(long=True)
    assert {r.log2_window for c in wanted for r in c.recipes} == {0, 2, 4}
    for curve in wanted:
        for recipe in curve.recipes:
            if (curve.name, recipe.log2_window) not in (("relu 2", 2), ("linear", 4)):
                study.train(StreamGroup(recipe=recipe), workers=1)
    long = study.long()
    assert long is not None
    assert with_long(curves, long) == [curves]  # The linear model lacks the widest window.
    study.train(StreamGroup(recipe=wanted[0].recipes[-1]), workers=1)
    both = with_long(curves, study.long())
    assert [[p.recipe.log2_window for p in c.points] for c in both[1].curves] == [[0, 4]] * 10
    assert all(m.variant == "T = 2^9" for m in claims.simple(both[1]))
