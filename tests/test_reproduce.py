"""Reproducing: interrupted and resumed, without data, trained anew, on a cluster."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stablib.data import entry, stand_in
from stablib.errors import StablibError
from stablib.mitigation import L2
from stablib.reproduce import cli, jobs
from stablib.reproduce.notebooks import NotebookFailed, execute, fingerprint, select
from stablib.runs import RunStore, Trainer
from stablib.studies import local_instability as study
from stablib.training import Final

ROOT = Path(__file__).parent.parent
STABLIB = str(Path(sys.executable).with_name("stablib"))
#: Part of every preset's wishes, and needs no data: control runs on the generated corpus.
REQUEST = dataclasses.replace(study.standin(study.PRESETS["smoke"]), record=Final())


@pytest.fixture
def nothing(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data, no hub, no published runs; returns the empty cache."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    monkeypatch.setenv("STABLIB_DATA", str(folder))
    monkeypatch.setenv("STABLIB_RESULTS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return own_cache


def run_files(cache: Path, group: str = "*") -> dict[Path, int]:
    """Finished runs, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in (cache / "runs").glob(f"{group}/*.npz")}


def stopped(command: list[str], cwd: Path, *, when: Callable[[], object]) -> tuple[int, str]:
    """Press Ctrl-C, which a whole process group hears; return exit code and standard error."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        start_new_session=True,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 120
        while not when() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.mark.slow
def test_after_ctrl_c_the_same_command_resumes(nothing: Path) -> None:
    """Exit code 130 and one line; what was finished is not trained again."""
    settings = study.PRESETS["smoke"]
    recipe = study.Study(settings, "massive").control.with_method(L2(weight_decay=0.001))
    group = Trainer(recipe, stand_in(), RunStore()).group(Final()).key

    command = [STABLIB, "train", "--preset", "smoke", "--jobs", "2"]
    code, errors = stopped(
        command, ROOT, when=lambda: len(run_files(nothing, group)) == settings.n_runs
    )
    assert code == 130, errors
    assert "Traceback" not in errors
    assert (
        "finished runs and notebooks are kept, the same command resumes"
        in (errors.splitlines()[-1])
    )
    before, kept = run_files(nothing), run_files(nothing, group)
    resumed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    assert len(run_files(nothing)) > len(before)
    assert run_files(nothing, group) == kept


@pytest.mark.slow
def test_ctrl_c_stops_a_notebook_and_its_kernel(nothing: Path, tmp_path: Path) -> None:
    """The same one line, and nothing of the kernel's log."""
    page = "local_instability/03_measurement"
    checkout(tmp_path)
    command = [STABLIB, "reproduce", page, "--preset", "smoke"]
    code, errors = stopped(command, tmp_path, when=lambda: run_files(nothing))
    assert code == 130, errors
    assert errors.startswith("stablib: stopped")
    assert len(errors.splitlines()) == 1
    assert not list((tmp_path / "_build").rglob("notebooks/*/03_measurement.ipynb"))


def checkout(folder: Path) -> None:
    """Make a folder count as a checkout, so that the real one's _build stays as it is."""
    (folder / "_toc.yml").touch()
    (folder / "notebooks").symlink_to(ROOT / "notebooks")


@pytest.mark.slow
def test_without_data_the_published_runs_are_shown(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers are those of the real data, and utterances appear by their id."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("STABLIB_RESULTS", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name = "local_instability/05_results"
    execute(name, select(name)[name], given={}, build=tmp_path)

    made_from = set()
    for path in (tmp_path / "exhibits").glob("*/provenance.json"):
        made_from |= {r["data content"] for r in json.loads(path.read_text())["results"]}
    assert made_from == {entry("massive").content["domain"], entry("clinc150").content["intent"]}
    sizes = (tmp_path / "exhibits" / "LI-T2" / "numbers.csv").read_text()
    assert all(size in sizes for size in ("11,514", "2,974", "15,000", "3,000"))
    page = (tmp_path / "notebooks" / f"{name}.ipynb").read_text()
    assert "generated stand-in" not in page
    assert len(set(re.findall(r"\btest-\d+\b", page))) > 100
    assert not run_files(own_cache)


@pytest.mark.slow
def test_fresh_runs_are_compared_with_the_published_ones(
    nothing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four runs are published, one of them with one label of another class."""
    store = RunStore()
    trainer = Trainer(REQUEST.recipe, stand_in(), store)
    trainer.train_missing(REQUEST.plans, [REQUEST.record])
    group, plans = trainer.group(REQUEST.record), REQUEST.plans
    run = store.read(group, plans[:1])
    assert run is not None
    labels = run.arrays["labels_test"].copy()
    labels[0] = (labels[0] + 1) % 18
    store.write(group, plans[:1], {**run.arrays, "labels_test": labels}, run.provenance)
    (tmp_path / "results" / "runs").mkdir(parents=True)
    store.publish(group, plans, tmp_path / "results" / "runs")

    checkout(tmp_path)
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("COLUMNS", "200")
    command = [STABLIB, "reproduce", "--fresh", "--preset", "smoke", "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [[c.strip() for c in line.split("│")[1:-1]] for line in done.stdout.splitlines()]
    compared = [row[1:] for row in rows if row and row[1] != "0"]
    assert compared == [["4", "3", f"{100 / (4 * len(labels)):.3f}"]]
    assert not list((tmp_path / "_build").rglob("*.npz"))  # The next --fresh starts anew too.


def test_without_dask_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is trained."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = ["stablib", "train", "--preset", "smoke", "--dask", "tcp://127.0.0.1:8786"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "stablib: --dask needs the package distributed: pip install distributed"
    ]


def test_workers_with_another_store_are_noticed(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that return but leave nothing in this store are an error, not a success."""
    monkeypatch.setattr(jobs, "work", lambda job, strict: job.n_runs)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(StablibError, match="1 of 1 jobs .* STABLIB_CACHE"),
    ):
        jobs.train_all([REQUEST], executor, strict=False)


@pytest.mark.slow
def test_a_dask_cluster_trains_into_the_store(nothing: Path) -> None:
    """Two worker processes; a second call finds nothing to do."""
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, jobs.cluster_executor(cluster.scheduler_address) as executor:
        done = [jobs.train_all([REQUEST], executor, strict=True) for _ in range(2)]
    assert done == [1, 0]
    assert len(run_files(nothing)) == len(REQUEST.plans)


WARNING_NOTEBOOK = """# %% tags=["parameters"]
preset: str = "smoke"

# %%
import warnings
warnings.warn("numbers are off")
"""


def test_a_warning_in_a_cell_is_no_page(own_cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "warns.py"
    source.write_text(WARNING_NOTEBOOK)
    with pytest.raises(NotebookFailed, match="numbers are off"):
        execute("local_instability/warns", source, given={}, build=tmp_path / "build")
    assert not (tmp_path / "build/notebooks/local_instability/warns.ipynb").exists()


def test_a_changed_byte_of_data_or_published_runs_makes_a_page_stale(
    nothing: Path, tmp_path: Path
) -> None:
    """Name, size and time of the file stay as they are."""
    folder = tmp_path / "nothing"
    data, pack = folder / entry("massive").file, folder / "runs" / "abc.npz"
    pack.parent.mkdir()
    for path in (data, pack):
        path.write_bytes(b"before")
        known = fingerprint(Path(__file__), {})
        assert fingerprint(Path(__file__), {}) == known
        state = path.stat()
        path.write_bytes(b"after!")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert fingerprint(Path(__file__), {}) != known
