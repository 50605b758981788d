"""What a run was made with, and how runs of two machines compare."""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_name

from stablib.reproduce.compare import compare, only_local
from stablib.runs import RunStore
from stablib.runs.cost import costs
from stablib.runs.obtain import ensure, groups
from stablib.runs.provenance import machine
from stablib.runs.watch import silent
from stablib.studies import open_study
from stablib.training import Final, Inputs, Request, SeedPlan, Task, TrainMean, seed_plans
from stablib.training.workload import in_blocks
from stablib.workloads import HeadRecipe

_X, _Y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
TASK = Task({"train": _X[:40], "test": _X[40:]}, {"train": _Y[:40], "test": _Y[40:]}, 3)
INPUTS = Inputs(key=TASK.key, source="arrays of your own", data=TASK)
#: Teachers two by two.
TAUGHT = Request(HeadRecipe(hidden=4, batch_size=10), seed_plans(4), (TrainMean(),), pool=2)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="has no AVX2")
def test_provenance_tells_runs_of_other_instructions_apart() -> None:
    """The same processor, told to use fewer, gives other last bits."""
    found = {
        name: said(package, {name: value})
        for package, name, value in (
            ("torch", "ATEN_CPU_CAPABILITY", "default"),
            ("numba", "NUMBA_CPU_NAME", "generic"),
        )
    }
    assert found["ATEN_CPU_CAPABILITY"] != said("torch", {"ATEN_CPU_CAPABILITY": "avx2"})
    assert found["NUMBA_CPU_NAME"] == "generic"
    assert machine(["numba"])["instructions"] == get_host_cpu_name()


def said(package: str, environment: dict[str, str]) -> str:
    """What another process says of its vector instructions."""
    script = "import sys; from stablib.runs.provenance import machine; "
    script += "print(machine(sys.argv[1:])['instructions'])"
    return subprocess.run(
        [sys.executable, "-c", script, package],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_compare_says_which_instructions_differ(tmp_path: Path, own_cache: Path) -> None:
    study = open_study("synthetic_irreproducibility", preset="smoke")
    request = study.wanted()[0]
    sides = []
    for kind in ("AVX512", "AVX2"):
        side = RunStore(tmp_path / kind, tmp_path / "none")
        for group in groups(request, study.inputs(request.recipe)):
            for plan in request.plans:
                arrays = {"pd": np.zeros(3)}
                side.write(group, (plan,), arrays, {"seconds": 1.0, "instructions": kind})
        sides.append(only_local(side))
    (row,) = [row for row in compare(study, *sides) if row["runs"]]
    assert row["instructions"] == "AVX512 against AVX2"


def test_compare_finds_what_several_runs_left_as_one(tmp_path: Path) -> None:
    study = SimpleNamespace(wanted=lambda: [TAUGHT], inputs=lambda recipe: INPUTS)
    (pooled,) = groups(TAUGHT, INPUTS)
    sides = []
    for name, last in (("one", 0.25), ("other", 0.5)):
        side = RunStore(tmp_path / name, tmp_path / "none")
        for block in TAUGHT.blocks:
            mean = np.full((2, 3), last if block == TAUGHT.blocks[-1] else 0.0)
            side.write(pooled, block, {"mean": mean}, {"seconds": 1.0})
        sides.append(only_local(side))
    (row,) = compare(study, *sides)
    assert (row["runs"], row["identical"], row["largest difference"]) == (2, 1, "0.25")


def test_what_several_runs_left_tells_what_all_of_them_took(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    request = Request(TAUGHT.recipe, TAUGHT.plans, (Final(), *TAUGHT.records), pool=2)
    ensure(request, store, INPUTS, watch=silent)
    final, pooled = groups(request, INPUTS)
    for block in request.blocks:
        each = [store.read(final, (plan,)).provenance["seconds"] for plan in block]
        assert store.read(pooled, block).provenance["seconds"] == pytest.approx(sum(each), abs=0.01)


def test_a_plan_says_how_much_memory_like_runs_took(tmp_path: Path, own_cache: Path) -> None:
    study = open_study("synthetic_irreproducibility", preset="smoke")
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    first, second = study.wanted()[:2]
    assert costs([second], store, study.inputs)[0].memory is None
    for group in groups(first, study.inputs(first.recipe)):
        for number, plan in enumerate(first.plans):
            made = {"seconds": 1.0, "memory": 100 + number}
            store.write(group, (plan,), {"pd": np.zeros(3)}, made)
    (cost,) = costs([second], store, study.inputs)
    assert cost.memory in range(100, 100 + len(first.plans))
    peak = machine(["numpy"])["memory"]
    assert 20 < peak < 100_000


def test_a_plan_scales_what_runs_took_with_the_pace_of_their_machine(
    tmp_path: Path, own_cache: Path
) -> None:
    study = open_study("synthetic_irreproducibility", preset="smoke")
    first, second = study.wanted()[:2]
    estimates = {}
    here = machine(["numpy"])["pace"]
    # Runs of before 2026-12-02 tell a calibration instead, whose unit was another.
    for name, tells in {
        "half": {"pace": 2 * here},
        "same": {"pace": here},
        "old": {"calibration": 0.007},
    }.items():
        store = RunStore(tmp_path / name, tmp_path / "none")
        for group in groups(first, study.inputs(first.recipe)):
            for plan in first.plans:
                store.write(group, (plan,), {"pd": np.zeros(3)}, {"seconds": 60.0, **tells})
        (cost,) = costs([second], store, study.inputs)
        estimates[name] = cost.seconds
    assert estimates["same"] == pytest.approx(2 * estimates["half"])
    assert estimates["old"] == pytest.approx(estimates["same"])


def test_a_plan_reads_the_price_of_one_run_from_what_several_left(tmp_path: Path) -> None:
    """The same trainings, told run by run and by pools of two."""
    (pooled,) = groups(TAUGHT, INPUTS)
    one = dataclasses.replace(TAUGHT, plans=(SeedPlan.same(99),), pool=1)
    estimates = []
    for pool in (1, 2):
        store = RunStore(tmp_path / str(pool), tmp_path / "none")
        for block in in_blocks(TAUGHT.plans, pool):
            store.write(pooled, block, {"mean": np.zeros((2, 3))}, {"seconds": 60.0 * pool})
        (cost,) = costs([one], store, lambda recipe: INPUTS)
        assert not cost.guessed
        estimates.append(cost.seconds)
    assert estimates[0] == pytest.approx(estimates[1])
