"""Reproducing: interrupted and resumed, with a bar at the terminal, staged, on a cluster."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stablib.errors import StablibError
from stablib.mitigation import L2
from stablib.reproduce import cli, jobs
from stablib.reproduce.budget import make
from stablib.reproduce.dependencies import code_of
from stablib.reproduce.jobs import side_by_side
from stablib.reproduce.notebooks import Execution, NotebookFailed, Section, execute, fingerprint
from stablib.runs import RunStore
from stablib.runs.cost import costs
from stablib.runs.obtain import groups
from stablib.studies import open_study
from stablib.studies.local_instability import PRESETS
from stablib.studies.local_instability.design import Design

ROOT = Path(__file__).parent.parent
STABLIB = str(Path(sys.executable).with_name("stablib"))
LI = "local_instability"
#: A training in two processes that ends soon: few texts for the encoder to read.
FEW = {"dataset": "massive", "limit": 128, "after_step": 1}
SOON = ["--preset", "smoke", *(f"--param={name}={value}" for name, value in FEW.items())]
SOON += [f"--skip={exhibit}" for exhibit in ("LI-X1", "LI-X5", "LI-X6")]
TRAIN = [STABLIB, "train", LI, *SOON, "--jobs", "2"]


@pytest.fixture
def empty(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No published runs; returns the empty cache."""
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    return own_cache


def run_files(cache: Path, group: str = "*") -> dict[Path, int]:
    """Finished runs, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in (cache / "runs").glob(f"{group}/*.npz")}


def user_environment() -> dict[str, str]:
    """Without pytest's own variables, which switch captures and bars off."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}


def stablib(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STABLIB, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=user_environment(),
        timeout=900,
    )


def stopped(command: list[str], cwd: Path, *, when: Callable[[], object]) -> tuple[int, str]:
    """Press Ctrl-C, which a whole process group hears; return exit code and standard error."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        start_new_session=True,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=user_environment(),
    )
    try:
        deadline = time.monotonic() + 300
        while not when() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        return process.returncode, errors
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill a process that leads a session, and all of its workers, which a failure may leave."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_after_ctrl_c_the_same_command_resumes(empty: Path) -> None:
    """Exit code 130 and one line; what was finished is not trained again; no worker stays."""
    study = open_study(LI, preset="smoke").changed(**FEW)
    request = Design(study.settings, "massive").of(L2(weight_decay=0.001))
    group, n_runs = groups(request, study.inputs(request.recipe))[0].key, len(request.plans)
    code, errors = stopped(TRAIN, ROOT, when=lambda: len(run_files(empty, group)) == n_runs)
    assert code == 130, errors
    assert "Traceback" not in errors
    last = errors.splitlines()[-1]
    assert "finished runs and notebooks are kept, the same command resumes" in last
    before, kept = run_files(empty), run_files(empty, group)
    resumed = stablib(*TRAIN[1:], cwd=ROOT)
    assert resumed.returncode == 0, resumed.stderr
    assert len(run_files(empty)) > len(before)
    assert run_files(empty, group) == kept


def children(pid: int) -> list[int]:
    """Processes whose parent it is, from the kernel's own list."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{pid}\n" in text:
            found.append(int(status.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the list in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
def test_workers_end_with_their_parent(empty: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        TRAIN,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 300
        while len(run_files(empty)) < 2 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers = children(process.pid)
        assert workers
        process.send_signal(number)
        process.wait(timeout=60)
        deadline = time.monotonic() + 60
        while any(alive(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [worker for worker in workers if alive(worker)]
    finally:
        end_group(process)


ORPHAN = """
import os, sys, time
from stablib.reproduce import jobs
parent = int(sys.argv[1])
while os.getppid() == parent:
    time.sleep(0.01)
print("alone", flush=True)
jobs._begin(1, None, parent)
time.sleep(600)
"""


def test_a_worker_that_begins_after_its_parent_went_ends_too() -> None:
    """Starting takes a worker seconds, in which the command may be killed."""
    code = (
        "import os, subprocess, sys;"
        f"subprocess.Popen([sys.executable, '-c', {ORPHAN!r}, str(os.getpid())]);"
        "os._exit(0)"
    )
    # The worker holds the pipe as well: it can be read to its end once the worker has ended.
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert parent.communicate(timeout=200)[0] == "alone\n"
    finally:
        end_group(parent)


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_section_that_trains_for_seconds_succeeds_at_once(empty: Path, checkout: Path) -> None:
    """The progress is the terminal's; a bar in a cell would refuse the notebook.

    The command says what it made and where, and leaves the book's own exhibits alone.
    """
    words = [*SOON, "--param", "n_runs=30", "--budget", "none"]
    done = stablib("reproduce", f"{LI}/05_results", *words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert "group 1 of" in done.stderr
    assert "groups of runs are missing, about" in done.stdout
    (path,) = re.findall(r"^(/.*\.ipynb)$", done.stdout, re.MULTILINE)
    assert Path(path).is_file()
    assert "LI-T3: On MASSIVE" in done.stdout
    page = Path(path).read_text()
    assert "Training" not in page
    assert re.search(r"preset smoke, [^·]*n_runs=30", page)
    assert "no verdict" in page
    exhibits = [p.parent.parent.name for p in (checkout / "_build").rglob("LI-T3/claims.json")]
    assert exhibits == ["exhibits"]
    assert not list((checkout / "_build").glob("smoke/_build/exhibits"))


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_without_data_the_network_or_training_the_published_runs_are_shown(
    own_cache: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are in the package, so pages show utterances on any machine."""
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("STABLIB_RESULTS", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = stablib("reproduce", f"{LI}/05_results", cwd=checkout)
    assert done.returncode == 0, done.stderr
    sizes = (checkout / "_build" / "exhibits" / "LI-T2" / "numbers.csv").read_text()
    assert all(size in sizes for size in ("11,514", "2,974", "15,000", "3,000"))
    page = (checkout / "_build" / "notebooks" / LI / "05_results.ipynb").read_text()
    assert "stand-in" not in page
    assert not re.findall(r"\btest-\d+\b", page)
    assert not run_files(own_cache)


def test_without_dask_one_line_says_how_to_get_it(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is trained."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = ["stablib", "train", LI, "--preset", "smoke", "--dask", "tcp://127.0.0.1:8786"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "stablib: --dask needs the package distributed: pip install 'stablib[cluster]'"
    ]


class Nowhere:
    """An executor whose jobs return and leave nothing."""

    def submit(self, function, job):  # type: ignore[no-untyped-def]
        from concurrent.futures import Future

        future: Future[int] = Future()
        future.set_result(job.number)
        return future


def test_workers_with_another_store_are_noticed(empty: Path) -> None:
    """Jobs that return but leave nothing in this store are an error, not a success."""
    study = open_study(LI, preset="smoke")
    request = Design(PRESETS["smoke"], "massive").null()
    missing = costs([request], study.store, study.inputs)
    with pytest.raises(StablibError, match="1 of 1 groups .* STABLIB_CACHE"):
        jobs.train_all(missing, Nowhere(), None, study.store, study.inputs, strict=False)  # type: ignore[arg-type]


def test_a_foreign_store_of_a_cluster_is_found_before_training(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tiny job a worker looks for a file that is written here."""

    class Client:
        def run(self, function, name):  # type: ignore[no-untyped-def]
            monkeypatch.setenv("STABLIB_CACHE", str(tmp_path / "elsewhere"))
            try:
                return {"tcp://a": function(name)}
            finally:
                monkeypatch.setenv("STABLIB_CACHE", str(empty))

    with pytest.raises(StablibError, match="1 of 1 Dask workers do not share"):
        jobs._check_store(Client())


def test_workers_of_a_cluster_that_die_are_one_line(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")

    class Client(contextlib.nullcontext):
        def run(self, function, name):  # type: ignore[no-untyped-def]
            return {"tcp://a": True}

        def get_executor(self) -> object:
            return object()

    monkeypatch.setattr(distributed, "Client", Client)
    with (
        pytest.raises(StablibError, match="Dask workers died over a run"),
        jobs.cluster_executor("tcp://127.0.0.1:8786"),
    ):
        raise distributed.KilledWorker("work", SimpleNamespace(address="tcp://a"), 3)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
def test_workers_are_deaf_to_ctrl_c_from_the_start(own_cache: Path) -> None:
    """One that is interrupted while it loads its packages would print where it was."""
    with jobs.local_executor(1) as (executor, _), jobs._ctrl_c_waits():
        in_the_worker = executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result(120)
    assert signal.SIGINT in in_the_worker
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


SLOW_NOTEBOOK = """# %% tags=["parameters"]
preset: str = "smoke"

# %%
"""


@pytest.fixture
def page(own_cache: Path, checkout: Path) -> Callable[[str], bool]:
    """Execute a notebook of one cell in a build folder."""
    study = open_study(LI, preset="smoke")

    def run(cell: str, name: str = "made") -> bool:
        source = checkout / f"{name}.py"
        source.write_text(SLOW_NOTEBOOK + cell)
        how = Execution(checkout / "build", study, f"{LI}/{name}")
        return execute(Section(f"{LI}/{name}", source), how)

    return run


def test_a_warning_in_a_cell_is_no_page(page: Callable[[str], bool], checkout: Path) -> None:
    with pytest.raises(NotebookFailed, match="numbers are off"):
        page("import warnings\nwarnings.warn('numbers are off')")
    assert (
        not list((checkout / "build").rglob("made*.ipynb"))
        or not (checkout / "build/notebooks/local_instability/made.ipynb").exists()
    )


RECORDING = """
import os, pathlib
folder = pathlib.Path(os.environ["STABLIB_EXHIBITS"]) / "LI-T1"
folder.mkdir(parents=True)
(folder / "numbers.csv").write_text("{number}")
{after}
"""


def test_a_failed_notebook_leaves_the_exhibits_as_they_were(
    page: Callable[[str], bool], checkout: Path
) -> None:
    numbers = checkout / "build" / "exhibits" / "LI-T1" / "numbers.csv"
    assert page(RECORDING.format(number=1, after=""))
    assert numbers.read_text() == "1"
    with pytest.raises(NotebookFailed):
        page(RECORDING.format(number=2, after="raise ValueError('late')"))
    assert numbers.read_text() == "1"
    assert not list((checkout / "build" / "staged").glob("*"))


def test_a_damaged_page_or_exhibit_is_made_again(
    page: Callable[[str], bool], checkout: Path
) -> None:
    cell = RECORDING.format(number=1, after="")
    assert page(cell)
    assert not page(cell)
    numbers = checkout / "build" / "exhibits" / "LI-T1" / "numbers.csv"
    numbers.write_text("7")
    assert page(cell)
    assert numbers.read_text() == "1"
    executed = checkout / "build" / "notebooks" / LI / "made.ipynb"
    whole = executed.read_bytes()
    altered = [whole.replace(name, name.swapcase(), 1) for name in (b"folder", b"python3")]
    for damage in (b"", b"{", whole[:100], b"[1]", *altered):
        executed.write_bytes(damage)
        assert page(cell)
    assert not page(cell)


def test_a_page_depends_on_its_own_papers_code(tmp_path: Path) -> None:
    """And on the trunk: a line changed in one paper re-executes no page of the other."""
    notebooks = ROOT / "notebooks"
    names = {}
    for paper in (LI, "synthetic_irreproducibility"):
        source = sorted((notebooks / paper).glob("0*.py"))[-1]
        names[paper] = {
            p.relative_to(ROOT).as_posix() for p in code_of(source, f"stablib.studies.{paper}")
        }
        assert {"stablib/runs/obtain.py", "stablib/studies/base.py"} <= names[paper]
        assert f"stablib/studies/{paper}/study.py" in names[paper]
    workloads = {LI: "heads", "synthetic_irreproducibility": "streams"}
    own = {
        paper: {n for n in found if f"/{paper}/" in n or f"/{workloads[paper]}/" in n}
        for paper, found in names.items()
    }
    assert all(f"stablib/workloads/{workloads[p]}/training.py" in n for p, n in names.items())
    assert all(own.values())
    for paper, found in names.items():
        others = {n for other, files in own.items() if other != paper for n in files}
        assert not found & others
        assert "stablib/reproduce/cli.py" not in found


def test_a_changed_byte_of_data_or_of_its_runs_makes_a_page_stale(
    own_cache: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, size and time of the file stay as they are; packs of others do not matter."""
    monkeypatch.setenv("STABLIB_RESULTS", str(checkout / "results"))
    (checkout / "results" / "runs").mkdir(parents=True)
    study = open_study(LI, preset="smoke")
    request = study.wanted()[0]
    (group,) = groups(request, study.inputs(request.recipe))
    source = sorted((ROOT / "notebooks" / LI).glob("*.py"))[0]
    section, how = Section(f"{LI}/{source.stem}", source), Execution(checkout, study, "")
    packs = checkout / "results" / "runs"
    for path, matters in ((packs / f"{group.key}.npz", True), (packs / "abc.npz", False)):
        path.write_bytes(b"before")
        known = fingerprint(section, how)
        assert fingerprint(section, how) == known
        state = path.stat()
        path.write_bytes(b"after!")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert (fingerprint(section, how) != known) == matters


def test_costs_know_teachers_and_count_nothing_twice(own_cache: Path) -> None:
    """The laptop's ensemble with another temperature needs 200 shared teachers, once."""
    study = open_study(LI, temperature=0.9, dataset="massive")
    missing = costs(study.wanted(["LI-T3"]), study.store, study.inputs)
    assert all(cost.seconds > 0.0 and not cost.guessed for cost in missing)
    teachers = [c for c in missing if any(r.pooled for r in c.request.records)]
    assert 200 in [len(cost.request.plans) for cost in teachers]
    kinds = [c.request.recipe.method.kind for c in missing]
    assert kinds.index("control") < kinds.index("ensemble")  # Teachers come first.
    blocks = [(c.request.recipe, c.request.records, b) for c in missing for b in c.request.blocks]
    assert len(blocks) == len(set(blocks))


def test_levels_put_teachers_before_students(own_cache: Path) -> None:
    study = open_study(LI, temperature=0.9, dataset="massive")
    first, second = jobs.levels(costs(study.wanted(["LI-T3"]), study.store, study.inputs))
    assert {cost.request.recipe.method.kind for cost in first} == {"control"}
    assert {"ensemble", "tgtss"} == {cost.request.recipe.method.kind for cost in second}


def test_exhibits_are_recorded_with_their_command(page: Callable[[str], bool]) -> None:
    assert page("import os\nassert os.environ['STABLIB_PAGE'] == 'local_instability/made'")


def test_the_store_is_left_alone_by_planning(own_cache: Path) -> None:
    open_study(LI, n_runs=60).missing()
    assert not list(own_cache.glob("runs/*/*"))
    assert json.dumps(open_study(LI, n_runs=60).changes) == '{"n_runs": 60}'
    assert RunStore().local_files() == []


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_items_are_done_side_by_side_in_their_order(workers: int) -> None:
    assert list(side_by_side(math.sqrt, [9.0, 4.0, 1.0], workers)) == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_beside_others_is_raised(workers: int) -> None:
    done = side_by_side(math.sqrt, [9.0, -1.0, 1.0], workers)
    assert next(done) == 3.0
    with pytest.raises(ValueError, match="math domain error|nonnegative"):
        next(done)


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(StablibError, match="a process died"):
        list(side_by_side(os._exit, [1, 1], 2))


def test_what_is_optional_is_trained_when_asked_for_and_as_far_as_the_budget_goes(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(LI, preset="smoke")
    massive = Design(study.settings, "massive")
    extra = [massive.of(L2(weight_decay=decay)) for decay in (0.5, 0.25)]
    monkeypatch.setattr(study, "optional", lambda: extra)

    def decays(**options: Any) -> list[float]:
        plan = make(study, ["LI-F4"], **options)
        methods = [cost.request.recipe.method for cost in plan.costs]
        return [m.weight_decay for m in methods if isinstance(m, L2)]

    assert decays() == []
    assert decays(optional=True) == [0.5, 0.25]
    price = make(study, ["LI-F4"]).seconds
    both = make(study, ["LI-F4"], optional=True).seconds
    assert decays(optional=True, budget=(price + both) / 2) == [0.5]
