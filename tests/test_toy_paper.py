"""A whole paper defined in this file: adding one changes nothing in the package.

It is the worked example of CONTRIBUTING.md: a workload (least squares by stochastic gradient
descent on noisy data), a study with one exhibit and one claim, what shows the exhibit, and a
notebook. The tests take it through the store, a kill, a process pool, a cluster, the command line,
a notebook with parameters, the exhibit and the scorecard.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandas as pd
import pytest
from pydantic import Field

from stablib.errors import UsageError
from stablib.mitigation import LabelSmoothing
from stablib.papers.claims import Measured
from stablib.reproduce.parameters import cell
from stablib.runs import Runs, RunStore, obtain
from stablib.runs.obtain import groups
from stablib.show.exhibit import Exhibit, record
from stablib.studies import open_study
from stablib.studies.base import Outcome, Study
from stablib.studies.settings import Settings
from stablib.training import Inputs, Recipe, Record, Request, SeedPlan, Workload, seed_plans
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught

ROOT = Path(__file__).parent.parent


# The workload: its recipe, what is kept of a run, and how a run is trained.


class LineRecipe(Recipe):
    """A line through noisy points, fitted point by point."""

    kind: Literal["toy_line"] = "toy_line"
    noise: float = Field(default=1.0, ge=0.0)
    passes: int = Field(default=20, ge=1)

    @property
    def data_name(self) -> str:
        return f"noisy line {self.noise:g}"

    @property
    def model_name(self) -> str:
        return "line"


class Slope(Record):
    """Slope and intercept of the fitted line: ``weights`` (2,)."""

    kind: Literal["toy_slope"] = "toy_slope"
    measure = "largest difference of a weight"

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        return float(np.abs(fresh["weights"] - published["weights"]).max())


class Lines(Workload):
    """Fits one line after the other; a line can go on from where it was interrupted."""

    name = "toy_line"
    version = 1
    unit = "passes"

    def inputs(self, recipe: Recipe, *, strict: bool) -> Iterator[Inputs]:
        noise = cast(LineRecipe, recipe).noise
        rng = np.random.default_rng(0)
        x = rng.normal(size=50)
        points = np.stack([x, 2.0 * x + 1.0 + noise * rng.normal(size=50)], axis=1)
        yield Inputs(key=f"noisy-line-{noise:g}", source="made points", data=points)

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        (plan,) = request.plans
        weights = plan.generator("init").normal(size=2) if state is None else state["weights"]
        done = 0 if state is None else int(state["done"])
        report(done)
        for number in range(done, cast(LineRecipe, request.recipe).passes):
            # A generator of each pass alone, so that a resumed run draws what it would have drawn.
            rng = np.random.default_rng([plan.seed("shuffle"), number])
            for x, y in rng.permutation(inputs.data):
                weights = weights - 0.02 * (weights @ [x, 1.0] - y) * np.array([x, 1.0])
            now = {"weights": weights, "done": np.asarray(number + 1)}
            report(1, lambda now=now: now)
        yield [(plan, [{"weights": weights} for _ in request.records])]

    def work(self, request: Request, inputs: Inputs) -> int:
        return len(request.plans) * cast(LineRecipe, request.recipe).passes


LineRecipe.workload = Lines()


# The study: settings with presets, what each exhibit needs, claims, and results.


class ToySettings(Settings):
    n_runs: int = Field(default=4, ge=2, le=100, description="lines")
    noise: float = Field(default=1.0, ge=0.0, description="sd of the noise")
    passes: int = Field(default=20, ge=1, le=1_000_000, description="passes over the points")


class Claims:
    """The claims, where others have a csv file."""

    def read_text(self, encoding: str) -> str:
        return (
            "claim,exhibit,dataset,what,unit,reported,target,tolerance,null,rule,read_at\n"
            "toy-slope,TOY-T1,,the mean slope,,2,2,0.5,0,value,section 1\n"
        )


@dataclasses.dataclass(frozen=True)
class Fitted(Outcome):
    runs: Runs

    def all_runs(self) -> dict[str, Runs]:
        return {"lines": self.runs}

    def about(self) -> str:
        return f"50 made points, {len(self.runs)} lines"


class Toy(Study):
    """Train the same line twice."""

    name = "toy"
    title = "Toy"
    rules = "The value is within the tolerance."
    presets = {"smoke": ToySettings(n_runs=2), "laptop": ToySettings()}
    claims_file = Claims()  # type: ignore[assignment]

    def requests(self) -> dict[str, list[Request]]:
        return {"TOY-T1": [self.lines()]}

    def lines(self) -> Request:
        s = self.settings
        recipe = LineRecipe(noise=s.noise, passes=s.passes)
        return Request(recipe, seed_plans(s.n_runs), (Slope(),))

    def fitted(self) -> Fitted:
        return Fitted(self, self.get(self.lines()))


# What shows the exhibit, and the notebook.


def table(fitted: Fitted) -> Exhibit:
    slopes = fitted.runs["weights"][:, 0]
    return record(
        "TOY-T1",
        pd.DataFrame({"slope": [f"{slopes.mean():.3f}"], "sd": [f"{slopes.std(ddof=1):.1e}"]}),
        made_by=table,
        results=[fitted],
        measured=[Measured("toy-slope", float(slopes.mean()), slopes.min(), slopes.max())],
        caption="Slopes of lines that differ by their seeds.",
        finding=f"The mean slope is {slopes.mean():.2f}.",
    )


NOTEBOOK = f"""# %% [markdown]
# # Lines
#
# (toy-t1)=
# ## TOY-T1

{cell(Toy)}
# %%
from stablib.studies import open_study
from tests.test_toy_paper import table

study = open_study("toy", vars())
table(study.fitted())
"""


# The tests.

PAPERS = "toy=tests.test_toy_paper:Toy"


@pytest.fixture
def toy(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the toy's notebook alone, and the toy among the papers; its folder."""
    project = tmp_path / "project"
    (project / "notebooks" / "toy").mkdir(parents=True)
    (project / "notebooks" / "toy" / "01_lines.py").write_text(NOTEBOOK)
    (project / "_toc.yml").touch()
    monkeypatch.setenv("STABLIB_PAPERS", PAPERS)
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return project


def stablib(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("stablib")), *words]
    # As a user would: pytest's own variables change what libraries do.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=300
    )


def make_store(folder: Path) -> RunStore:
    return RunStore(folder / "runs", folder / "none")


def test_store_and_seeds(tmp_path: Path) -> None:
    """Trained once, the same to the last bit whatever the order; each source counts."""
    store, recipe = make_store(tmp_path), LineRecipe()
    first = obtain(Request(recipe, seed_plans(3), (Slope(),)), store)
    written = {p: p.stat().st_mtime_ns for p in store.local_files()}
    again = obtain(Request(recipe, seed_plans(3)[::-1], (Slope(),)), store)
    assert np.array_equal(first["weights"], again["weights"][::-1])
    assert {p: p.stat().st_mtime_ns for p in store.local_files()} == written
    plans = (SeedPlan(), SeedPlan(init=1), SeedPlan(shuffle=1))
    varied = obtain(Request(recipe, plans, (Slope(),)), store)["weights"]
    assert len(np.unique(varied, axis=0)) == 3


def test_what_the_workload_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"'toy_line' cannot honour .*'label_smoothing'.*targets"):
        Request(LineRecipe(method=LabelSmoothing(alpha=0.1)), seed_plans(2), (Slope(),))
    with pytest.raises(UsageError, match="unknown source of toy_line 'dropout'"):
        Request(LineRecipe(), seed_plans(2, vary=["dropout"]), (Slope(),))


SCRIPT = """
import pathlib, sys
sys.path.insert(0, sys.argv[2])
from tests.test_toy_paper import *
sys.modules["stablib.runs.obtain"].SAVE_EVERY = 0.0
save = RunStore.write_unfinished

def save_and_die(self, group, plans, arrays):
    save(self, group, plans, arrays)
    if arrays["done"] == 7:
        os.kill(os.getpid(), signal.SIGKILL)

RunStore.write_unfinished = save_and_die
folder = pathlib.Path(sys.argv[1])
obtain(Request(LineRecipe(), seed_plans(1), (Slope(),)), make_store(folder))
"""


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """It dies at a given pass: one that is killed from outside may have finished before."""
    words = [sys.executable, "-c", SCRIPT, str(tmp_path), str(ROOT)]
    died = subprocess.run(words, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert make_store(tmp_path).local_files() == []
    request = Request(LineRecipe(), seed_plans(1), (Slope(),))
    told: list[int] = []
    resumed = obtain(request, make_store(tmp_path), watch=_noting(told))
    whole = obtain(request, make_store(tmp_path / "other"))
    assert np.array_equal(resumed["weights"], whole["weights"])
    assert told[0] == 7  # What was done before is reported at once, and not done again.
    assert sum(told) == LineRecipe().passes


def _noting(told: list[int]):  # type: ignore[no-untyped-def]
    import contextlib

    @contextlib.contextmanager
    def watch(title: str, work: int, unit: str):  # type: ignore[no-untyped-def]
        yield told.append

    return watch


@pytest.mark.timeout(1200)  # Several commands, each of which starts processes.
def test_the_command_line_plans_and_trains_in_processes(toy: Path, own_cache: Path) -> None:
    planned = stablib("train", "toy", "--plan", cwd=toy)
    assert planned.returncode == 0, planned.stderr
    assert "one group is missing" in planned.stdout
    assert not list((own_cache / "runs").glob("*/*.npz"))
    trained = stablib("train", "toy", "--jobs", "2", "--param", "n_runs=3", cwd=toy)
    assert trained.returncode == 0, trained.stderr
    store = RunStore()
    study = open_study("toy", n_runs=3)
    assert study.missing() == []
    run = store.read(groups(study.lines(), study.inputs(LineRecipe()))[0], seed_plans(1))
    assert run is not None
    assert run.provenance["numpy"] == np.__version__


@pytest.mark.slow
@pytest.mark.timeout(1200)  # Several commands, each of which starts processes.
def test_notebook_parameters_exhibit_and_scorecard(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stablib("reproduce", "toy", cwd=toy)
    assert made.returncode == 0, made.stderr
    exhibit = toy / "_build" / "exhibits" / "TOY-T1"
    (claim,) = json.loads((exhibit / "claims.json").read_text())
    assert [answer["verdict"] for answer in claim["answers"]] == ["reproduced"]
    before = (exhibit / "numbers.csv").read_bytes()
    assert "unchanged" in stablib("reproduce", "toy", cwd=toy).stdout

    rerun = stablib(
        "reproduce", "toy/01_lines", "--param", "noise=3", "--param", "n_runs=3", cwd=toy
    )
    assert rerun.returncode == 0, rerun.stderr
    assert "TOY-T1: The mean slope is" in rerun.stdout
    assert (exhibit / "numbers.csv").read_bytes() == before
    (beside,) = (toy / "_build" / "reruns").glob("*/exhibits/TOY-T1/claims.json")
    assert json.loads(beside.read_text())[0]["answers"][0]["verdict"] == "no verdict"

    monkeypatch.setenv("COLUMNS", "200")
    scored = stablib("scorecard", cwd=toy)
    assert "toy: preset laptop; executed at " in scored.stdout
    assert "● reproduced" in scored.stdout
    wrong = stablib("reproduce", "toy", "--param", "nose=3", cwd=toy)
    assert wrong.returncode == 2
    assert "did you mean 'noise'" in wrong.stderr


@pytest.mark.slow
@pytest.mark.timeout(1200)  # Several commands, each of which starts processes.
def test_published_runs_are_found_and_compared(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stablib("train", "toy", cwd=toy).returncode == 0
    published = stablib("runs", "publish", "toy", cwd=toy)
    assert published.returncode == 0, published.stderr
    monkeypatch.setenv("STABLIB_RESULTS", str(toy / "results"))
    monkeypatch.setenv("STABLIB_CACHE", str(toy / "empty"))
    assert open_study("toy").missing() == []
    assert open_study("toy").fitted().runs.provenance[0]["origin"] == "published runs"
    monkeypatch.setenv("COLUMNS", "200")
    fresh = stablib("reproduce", "toy", "--fresh", cwd=toy)
    assert fresh.returncode == 0, fresh.stderr
    rows = [[c.strip() for c in line.split("│")[1:-1]] for line in fresh.stdout.splitlines()]
    assert ["4", "4", "0", Slope.measure, "unknown"] in [row[1:] for row in rows]


@pytest.mark.slow
def test_a_cluster_trains(toy: Path, own_cache: Path) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster:
        done = stablib("train", "toy", "--dask", cluster.scheduler_address, cwd=toy)
    assert done.returncode == 0, done.stderr
    assert open_study("toy").missing() == []
