"""The synthetic study: what is stored, resumed and claimed."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from stablib.errors import UsageError
from stablib.files import Damaged
from stablib.papers.claims import Claim, judge
from stablib.reproduce.jobs import local_executor, train_all
from stablib.runs import Group, Runs, RunStore, obtain
from stablib.runs.cost import costs
from stablib.runs.obtain import serving
from stablib.show.synthetic_irreproducibility import claims, figures, tables, weights
from stablib.show.synthetic_irreproducibility.comparison import apart, with_long
from stablib.show.synthetic_irreproducibility.widgets import points_frame
from stablib.studies import open_study
from stablib.studies.base import Study
from stablib.studies.synthetic_irreproducibility import Curves, Point, Traced, windows
from stablib.training import Request, seed_plans
from stablib.workloads import StreamRecipe
from stablib.workloads.streams import DataModel, PairRecord, training

RECIPE = StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=13, log2_window=3)
PLANS = seed_plans(3)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs", tmp_path / "none")


def pairs(store: RunStore, n_pairs: int = 3) -> Runs:
    return obtain(Request(RECIPE, PLANS[:n_pairs], (PairRecord(),)), store)


def trained(store: RunStore) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in store.local_files()}


def train_in_processes(study: Study) -> int:
    """As the command line does: two workers, which share the store."""
    missing = costs(study.wanted(), study.store, study.inputs)
    with local_executor(2) as (executor, tell):
        made = train_all(missing, executor, tell, study.store, study.inputs, strict=True)
    assert made == len(missing)
    return made


def test_the_basis_tells_every_number_of_pairs(store: RunStore) -> None:
    """Wide layers are trained in fewer pairs than the linear model beside them."""
    many, few = (Point(RECIPE, pairs(store, count)) for count in (3, 2))
    study = open_study("synthetic_irreproducibility")
    alike = Curves(study, (Traced("linear", (many,)),))
    assert alike.about().endswith("2^13 examples in batches of 32, 3 pairs a point")
    both = Curves(study, (Traced("linear", (many,)), Traced("relu", (few,))))
    assert both.about().endswith(", 2 or 3 pairs a point")


def test_only_missing_pairs_are_trained(store: RunStore) -> None:
    pairs(store, 1)
    first = trained(store)
    runs = pairs(store)
    assert {path: trained(store)[path] for path in first} == first
    assert runs["weights"].shape == (3, 2, RECIPE.n_parameters)
    assert len(runs.provenance) == 3
    everything = trained(store)
    assert len(everything) == 3
    pairs(store)
    assert trained(store) == everything


@pytest.mark.slow
def test_two_workers_train_only_missing_pairs_and_the_same_ones(
    store: RunStore, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    request = Request(RECIPE, PLANS, (PairRecord(),))
    shared, inputs = RunStore(), serving([request], store)
    pairs(shared, 1)
    first = trained(shared)
    missing = costs([request], shared, lambda recipe: inputs)
    assert [cost.request.plans for cost in missing] == [PLANS[1:]]
    with local_executor(2) as (executor, tell):
        train_all(missing, executor, tell, shared, lambda recipe: inputs, strict=True)
    after = trained(shared)
    assert len(after) == 3
    assert {path: after[path] for path in first} == first
    for name in ("pd", "weights"):
        assert np.array_equal(pairs(shared)[name], pairs(store)[name])
    assert trained(shared) == after


def test_the_order_of_pairs_does_not_matter(store: RunStore) -> None:
    backward = obtain(Request(RECIPE, PLANS[::-1], (PairRecord(),)), store)
    assert backward.plans == PLANS[::-1]
    assert np.array_equal(pairs(store)["pd"], backward["pd"][::-1])


def test_a_truncated_pair_is_trained_again(store: RunStore) -> None:
    before = pairs(store, 1)
    (path,) = store.local_files()
    path.write_bytes(path.read_bytes()[:-40])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Damaged)
        after = pairs(store, 1)
    assert np.array_equal(before["weights"], after["weights"])
    assert store.damaged() == []


def test_pairs_can_be_published_and_are_listed(store: RunStore, tmp_path: Path) -> None:
    trained_here = pairs(store)
    key = serving([Request(RECIPE, PLANS)], store).key
    store.publish(Group(RECIPE, key, PairRecord()), PLANS, tmp_path / "packs")
    fresh = RunStore(tmp_path / "fresh", tmp_path / "packs")
    published = pairs(fresh)
    assert [made["origin"] for made in published.provenance] == ["published runs"] * 3
    assert np.array_equal(trained_here["pd"], published["pd"])
    assert fresh.local_files() == []
    assert "2^13 examples" in fresh.catalogue()[0]["what"]
    assert store.collect_garbage() == (0, 0)


SCRIPT = """
import pathlib, sys
from stablib.runs import RunStore, obtain
from stablib.training import Request, seed_plans
from stablib.workloads import StreamRecipe
from stablib.workloads.streams import DataModel, PairRecord
folder, log2_examples = pathlib.Path(sys.argv[1]), int(sys.argv[2])
r = StreamRecipe(data=DataModel(kind="linear"), hidden=(2,), log2_examples=log2_examples)
obtain(Request(r, seed_plans(200), (PairRecord(),)), RunStore(folder, folder / "none"))
"""


@contextlib.contextmanager
def script(folder: Path, log2_examples: int) -> Iterator[subprocess.Popen[bytes]]:
    """Train 200 pairs in a process, which does not outlive the test."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(log2_examples)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(stream: IO[bytes], pattern: bytes, seconds: float) -> None:
    """Read until something comes; the end of the stream or of the time fails the test."""
    seen, deadline = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not re.search(pattern, seen):
            assert selector.select(max(0.0, deadline - time.monotonic())), seen.decode()
            some = os.read(stream.fileno(), 4096)
            assert some, seen.decode()
            seen += some


@pytest.mark.slow
def test_kill_loses_only_the_pair_in_flight(tmp_path: Path) -> None:
    store = RunStore(tmp_path, tmp_path / "none")
    deadline = time.monotonic() + 240
    with script(tmp_path, 19) as process:
        while len(store.local_files()) < 2 and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    assert 2 <= len(store.local_files()) < 200
    assert store.damaged() == []


@pytest.mark.parametrize("warm_start", [None, 0.1])
@pytest.mark.parametrize("done", [300, 600, 1000])
def test_an_interrupted_pair_goes_on_where_it_was(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, warm_start: float | None, done: int
) -> None:
    """The same bits as without an interruption, and no step is trained twice."""
    recipe = RECIPE.model_copy(update={"warm_start": warm_start, "log2_examples": 14})
    request = Request(recipe, PLANS[:1], (PairRecord(),))
    expected = training.train_pair(recipe, PLANS[0])
    monkeypatch.setattr(training, "_STRIDE", 64)
    monkeypatch.setattr(importlib.import_module("stablib.runs.obtain"), "SAVE_EVERY", 0.0)
    trained: list[int] = []

    @contextlib.contextmanager
    def stopping(title: str, work: int, unit: str) -> Iterator[Callable[[int], None]]:
        def progress(examples: int) -> None:
            if sum(trained) + examples > 32 * done:
                raise KeyboardInterrupt
            trained.append(examples)

        yield progress

    @contextlib.contextmanager
    def counting(title: str, work: int, unit: str) -> Iterator[Callable[[int], None]]:
        told: list[int] = []
        yield told.append
        assert told[0] == sum(trained)
        assert (sum(told), unit) == (work, "examples")

    with pytest.raises(KeyboardInterrupt):
        obtain(request, store, watch=stopping)
    assert store.local_files() == []
    (left,) = store.folder.glob("*/*.unfinished")
    runs = obtain(request, store, watch=counting)
    assert all(np.array_equal(runs[name][0], expected[name]) for name in expected)
    assert not left.exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_keeps_the_pairs_at_work(tmp_path: Path) -> None:
    """They stop at once, and what they were is kept."""
    store = RunStore(tmp_path, tmp_path / "none")
    with script(tmp_path, 26) as process:
        assert process.stderr is not None
        # Some examples have been seen, of the 2^27 that two models will see.
        read_until(process.stderr, rb"\| [1-9][^/]*/134M .*examples/s", seconds=300)
        process.send_signal(signal.SIGINT)
        read_until(process.stderr, b"KeyboardInterrupt", seconds=60)
        process.communicate(timeout=60)
    assert store.local_files() == []
    (left,) = tmp_path.glob("*/*.unfinished")
    assert store.collect_garbage() == (0, 0)  # Somebody may go on from it.
    day_before_yesterday = time.time() - 48 * 3600
    os.utime(left, (day_before_yesterday,) * 2)
    assert store.collect_garbage()[0] == 1


MEMORY = """
import pathlib
from stablib.training import SeedPlan
from stablib.workloads import StreamRecipe
from stablib.workloads.streams import DataModel
from stablib.workloads.streams.training import train_pair
r = StreamRecipe(data=DataModel(kind="linear"), log2_examples=26, log2_window=21)
train_pair(r, SeedPlan.same(0))
status = pathlib.Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the figures in /proc")
def test_the_papers_widest_window_fits_one_gibibyte() -> None:
    """The whole process, libraries included, after a pair on 2^26 examples."""
    command = [sys.executable, "-c", MEMORY]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, timeout=500)
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
        open_study("synthetic_irreproducibility", preset="smoke", **changes)


@pytest.mark.slow
def test_every_claim_is_answered_by_its_exhibit(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    study = open_study("synthetic_irreproducibility", preset="smoke")
    assert train_in_processes(study) == len(study.wanted())
    assert study.missing() == []
    simple, towers = study.simple(), study.towers()
    figures.simple(simple)
    figures.towers(towers, simple, study.stuck())
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
        if row["answers"]
    ]
    unanswered = {name for name, claim in study.claims().items() if "not attempted" in claim.what}
    assert {row["claim"]["claim"] for row in rows} == set(study.claims()) - unanswered
    assert {answer["verdict"] for row in rows for answer in row["answers"]} == {"no verdict"}
    frame, kept = points_frame([simple, towers])
    assert not frame.duplicated(["curve", "log2_window", "log2_examples"]).any()
    assert kept


def test_claims_at_z_1_alone_say_so_and_stand_beside_the_next_window() -> None:
    """Of the published curves: what is said of little shuffling was not measured there."""
    study = open_study("synthetic_irreproducibility")
    known, curves = study.claims(), study.quadratic()
    found = claims.quadratic(curves)
    following = curves["relu"].points[1].recipe.log2_window
    for kind in ("smelu", "swish"):
        answers = [m for m in found if m.claim == f"si-f10-{kind}-small"]
        assert "z = 1 alone" in known[answers[0].claim].what
        length = f"T = 2^{curves.recipe.log2_examples}"
        assert [m.variant for m in answers] == [
            f"{length}, {reading}{window}"
            for reading in ("relative to the truth", "relative to the mean")
            for window in ("", f", log2 z = {following}")
        ]
        smooth = [c.points[0].pd.mean() for c in curves.curves if c.name.startswith(kind)]
        gain = np.log10(curves["relu"].points[0].pd.mean() / min(smooth))
        assert answers[0].value == pytest.approx(gain)


def test_two_curves_are_apart_if_other_seeds_of_one_are_not() -> None:
    rng = np.random.default_rng(0)
    pd = rng.lognormal(sigma=0.3, size=16)
    optimizer = study_claims()["si-f8-optimizer-pd"]
    for one, other in ((pd, 10.0 * pd), (10.0 * pd, pd)):
        found = apart("f8-optimizer-pd", [(one, other)])
        assert found.value == pytest.approx(1.0)
        assert judge(optimizer, found) == "reproduced"
    # The claim is about all candidates, so one that does nothing decides.
    assert apart("f8-optimizer-pd", [(pd, 10.0 * pd), (pd, pd)]).value == pytest.approx(0.0)
    alike = [rng.lognormal(sigma=0.3, size=(2, 16)) for _ in range(40)]
    verdicts = [judge(optimizer, apart("f8-optimizer-pd", [(a, b)])) for a, b in alike]
    assert verdicts.count("reproduced") <= 3


def test_pairs_that_rounding_parts_are_counted_with_their_wilson_interval() -> None:
    """16 of 16: from 80.6 % (Wilson 1927: n / (n + z^2)), never from 100 to 100 %."""
    curves = open_study("synthetic_irreproducibility").simple()
    (found,) = (m for m in claims.simple(curves) if m.claim == "si-f2-linear-rounding")
    assert (found.value, found.high) == (100.0, 100.0)
    assert found.low == pytest.approx(100.0 * 16.0 / (16.0 + 1.959964**2))


def study_claims() -> Mapping[str, Claim]:
    return open_study("synthetic_irreproducibility").claims()


@pytest.mark.slow
def test_pairs_trained_again_are_compared_with_those_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here they are the same; with one pair more off, all tell."""
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path / "exhibits"))
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    study = open_study("synthetic_irreproducibility", preset="smoke", n_pairs=2, store=store)
    found = study.again()
    table = tables.again(found).numbers
    assert set(table["pairs with the same last weights"]) == {"2 of 2"}
    other = dataclasses.replace(found, now={**found.now, "linear": found.kept["relu 1"]})
    table = tables.again(other).numbers["pairs with the same last weights"]
    assert table["linear"] == "0 of 2"
    assert table["relu 2"] == "2 of 2"
    trained = {request.recipe.log2_examples for request in study.requests()["SI-X3"]}
    assert max(trained) <= 16


def test_long_streams_count_at_the_windows_that_all_curves_have(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partly published length is compared where it can be, and never mislabelled."""
    monkeypatch.setenv("STABLIB_RESULTS", str(own_cache))
    study = open_study(
        "synthetic_irreproducibility",
        preset="smoke",
        log2_examples=8,
        log2_examples_long=9,
        n_windows=3,
    )
    curves = study.simple()
    assert study.long() is None
    wanted = study.design.simple(long=True)
    assert {r.log2_window for c in wanted for r in c.recipes} == {0, 2, 4}
    for curve in wanted:
        for recipe in curve.recipes:
            if (curve.name, recipe.log2_window) not in (("relu 2", 2), ("linear", 4)):
                study.get(study.design.request(recipe))
    long = study.long()
    assert long is not None
    assert with_long(curves, long) == [curves]  # The linear model lacks the widest window.
    study.get(study.design.request(wanted[0].recipes[-1]))
    both = with_long(curves, study.long())
    assert [[p.recipe.log2_window for p in c.points] for c in both[1].curves] == [[0, 4]] * 10
    assert all(m.variant.startswith("T = 2^9") for m in claims.simple(both[1]))
