"""Studies: N on other data, settings that leave nothing to average, what is missing, provenance."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from stablib.data import Dataset, stand_in
from stablib.data.sheets import read_sheet
from stablib.errors import UsageError
from stablib.mitigation import TGTSS, Ensemble
from stablib.mitigation.soft_labels import SoftLabels
from stablib.runs import Results, Runs, RunStore, obtain
from stablib.runs.store import Run
from stablib.show.exhibit import record
from stablib.streams import StreamRecipe
from stablib.studies import local_instability as study
from stablib.studies import open_study
from stablib.training import Head, Recipe, SeedPlan, seed_plans

RESULTS = Path(__file__).parent.parent / "results"
LAPTOP = study.PRESETS["laptop"]


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data, no hub, no published runs."""
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def sheet(name: str) -> Dataset:
    found = read_sheet(name, study.LABELS[name], RESULTS / "data")
    assert found is not None
    return found


def after_steps(requests: Sequence[study.Request]) -> set[tuple[str, int]]:
    methods = [(r.recipe.dataset, r.recipe.method) for r in requests]
    return {(name, m.after_step) for name, m in methods if isinstance(m, TGTSS)}


@pytest.mark.parametrize("name", study.LABELS)
def test_real_data_have_the_papers_size_and_change_no_request(name: str) -> None:
    data = sheet(name)
    assert len(data.gold["train"]) == study.N_TRAIN[name]
    for preset in study.PRESETS.values():
        for request in study.requests(preset, [name]):
            if request.recipe.dataset == name:
                assert study.fitted(request, data) == request


def test_on_the_standin_tgtss_averages_the_same_share_of_steps(nothing: None) -> None:
    """4,000 texts are 16 batches; 11,514 and 15,000 are 45 and 59, for 5 epochs each."""
    session = open_study("laptop", n_runs=2, step_runs=1, members=2)
    assert after_steps(session.missing()) == {
        ("massive", int(180 / 225 * 80)),
        ("clinc150", int(200 / 295 * 80)),
    }
    assert after_steps(study.requests(LAPTOP)) == {("massive", 180), ("clinc150", 200)}


def untrained(request: study.Request, dataset: Dataset) -> Runs:
    """In the place of training and reading."""
    return Runs(request.recipe, [Run(request.plans[:1], {}, {})])


def test_the_standins_notice_says_its_n(nothing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_study("laptop")
    monkeypatch.setattr(session, "_get", untrained)
    results = session.results(methods=["TGTSS, shared"])
    assert "after step 64 instead of 180" in results.notice
    assert results.runs["TGTSS, shared"].recipe.method.model_dump()["after_step"] == 64
    assert "after step" not in session.results(methods=["Control"]).notice


def test_smoke_trains_as_many_steps_on_the_standin(nothing: None) -> None:
    session = open_study("smoke")
    assert set(session.requests()) == set(study.requests(session.settings))


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"after_step": 225}, "at most 224"),
        ({"after_step": 295, "dataset": "clinc150"}, "at most 294"),
        ({"epochs": 1}, "at most 44"),
        ({"after_step": 222}, "at most 220"),  # Fine-tuned teachers: every fifth step.
    ],
)
def test_settings_that_leave_no_step_are_refused(changes: dict[str, Any], most: str) -> None:
    with pytest.raises(UsageError, match=most):
        open_study("laptop", **changes)


def test_a_number_holds_for_the_data_set_looked_at() -> None:
    session = open_study("laptop", dataset="clinc150", after_step=290, alpha=0.3)
    assert session.settings.after_step == {"massive": 180, "clinc150": 290}
    assert session.settings.alpha == {"massive": 0.1, "clinc150": 0.3}
    assert session.changed(after_step=280).settings.after_step["clinc150"] == 280
    with pytest.raises(UsageError, match="did you mean 'massive'"):
        open_study("laptop", alpha={"masive": 0.3})


def test_too_few_real_examples_are_refused_before_training() -> None:
    few = dataclasses.replace(sheet("massive"), gold={"train": np.zeros(1000, int)})
    shared = study.Study(LAPTOP, "massive").methods()["TGTSS, shared"]
    with pytest.raises(UsageError, match="training takes 20 steps"):
        study.fitted(study.Study(LAPTOP, "massive").runs(shared), few)


@pytest.mark.parametrize("field", ["temperature", "learning_rate", "weight_decay", "alpha"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1.0, 0.0])
def test_no_number_is_infinite_or_negative(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=field):
        open_study("laptop", **{field: value})


@pytest.mark.parametrize(("field", "value"), [("alpha", 2.0), ("after_step", -5)])
def test_shares_and_steps_stay_in_their_range(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{field}.massive"):
        open_study("laptop", **{field: value})


@pytest.mark.parametrize("field", ["beta", "learning_rate"])
def test_streams_take_finite_numbers(field: str) -> None:
    with pytest.raises(UsageError, match=f"{field}: .* finite"):
        open_study("laptop", paper="synthetic_irreproducibility", **{field: float("inf")})
    with pytest.raises(ValidationError, match=f"{field}\n.* finite"):
        StreamRecipe.model_validate(
            {"data": {"kind": "linear"}, "log2_examples": 9, field: float("inf")}
        )


@pytest.mark.parametrize("options", [{}, {"dataset": "clinc150"}, {"split": "val"}])
def test_missing_is_everything_a_page_trains(
    nothing: None, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever section 5 asks for has been announced before."""
    session = open_study("smoke", **options)
    announced = set(session.missing())
    asked: list[study.Request] = []

    def note(request: study.Request, dataset: Dataset) -> Runs:
        asked.append(request)
        return untrained(request, dataset)

    monkeypatch.setattr(session, "_get", note)
    session.each(watched=True)
    session.ablation(split="val")
    assert asked
    assert set(asked) <= announced


def test_targets_are_made_chunk_by_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run a chunk: never two students' targets at once, and the same bits as in one stack."""
    recipe = Recipe(
        dataset="standin",
        label="domain",
        limit=200,
        model=Head(hidden=8),
        epochs=2,
        batch_size=64,
        method=Ensemble(members=2, teacher="own"),
    )
    plans = seed_plans(4)

    def labels(folder: str) -> np.ndarray:
        store = RunStore(tmp_path / folder, tmp_path / "none")
        return obtain(recipe, plans, dataset=stand_in(), store=store)["gold_test"]

    whole = labels("whole")
    events: list[str] = []

    def spied(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            events.append(name)
            return function(*args, **kwargs)

        return call

    train_module = importlib.import_module("stablib.training.train")
    obtain_module = importlib.import_module("stablib.runs.obtain")
    monkeypatch.setattr(train_module, "STACK_MEMORY", 1)
    monkeypatch.setattr(SoftLabels, "targets", spied("target", SoftLabels.targets))
    monkeypatch.setattr(obtain_module, "train", spied("train", obtain_module.train))
    np.testing.assert_array_equal(labels("chunks"), whole)
    students = events[events.index("target") :]
    assert students == ["target", "train"] * len(plans)


MADE = {
    "origin": "local store",
    "date": "2020-01-01",
    "hardware": "abacus",
    "stablib": "0.1",
    "torch": "2.0",
    "numpy": "2.1",
}


def results(seeds: dict[str, int], *versions: str) -> Results:
    recipe = Recipe(dataset="massive", label="domain")
    runs = {
        method: Runs(
            recipe,
            [
                Run((SeedPlan.same(first + k),), {}, {**MADE, "numpy": version})
                for k, version in enumerate(versions)
            ],
        )
        for method, first in seeds.items()
    }
    context = {"preset": "smoke", "encoder": "e", "model": "head", "n_runs": "3", "asked": "x"}
    return Results(stand_in(), "test", runs, {}, {}, context)


def test_the_line_names_seeds_that_differ() -> None:
    versions = ("2.1", "2.1", "2.2")
    same = results({"Control": 0, "L2": 0}, *versions).basis()
    assert "(seeds 0–2)" in same
    other = results({"Control": 0, "A": 100, "L2": 0, "B": 100, "null": 1000}, *versions).basis()
    assert "(seeds 0–2; A and B: 100–102; null: 1000–1002)" in other


def test_an_exhibit_keeps_versions_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    many = [results({"Control": 0}, "2.1", "2.2")]
    record("X", pd.DataFrame({"a": [1]}), made_by=results, results=many, caption="c")
    kept = json.loads((tmp_path / "X" / "provenance.json").read_text())
    run = kept["results"][0]["runs"]["Control"]
    assert (run["stablib"], run["torch"], run["numpy"]) == (["0.1"], ["2.0"], ["2.1", "2.2"])
    assert kept["commit"]


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    """Hash of git; dirty after a change; unknown for a copy that git does not track."""
    code = Path(study.__file__).parent.parent / "commit.py"

    def commit() -> str:
        spec = importlib.util.spec_from_file_location("copied", tmp_path / "commit.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return str(module.commit())

    (tmp_path / "commit.py").write_text(code.read_text())
    assert commit() == "unknown"
    git(tmp_path, "init", "-q")
    assert commit() == "unknown"
    git(tmp_path, "add", "commit.py")
    git(tmp_path, "commit", "-q", "-m", "m")
    short = git(tmp_path, "rev-parse", "--short", "HEAD")
    (tmp_path / "untracked").touch()
    assert commit() == short
    (tmp_path / "commit.py").write_text(code.read_text() + "\n")
    assert commit() == f"{short}-dirty"
