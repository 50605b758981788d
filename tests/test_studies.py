"""Studies: what they ask for, settings that arrive or are refused, what results say."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import subprocess
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import stablib.commit
from stablib.data import Dataset, Entry, entry, find_local, registry, stand_in
from stablib.errors import UsageError
from stablib.mitigation import TGTSS, Ensemble
from stablib.mitigation.soft_labels import SoftLabels
from stablib.papers.claims import Measured
from stablib.reproduce.scorecard import collect
from stablib.runs import Runs, RunStore, obtain
from stablib.runs.store import Run
from stablib.show.exhibit import comparison, record, summary, titled
from stablib.show.local_instability import extras, figures
from stablib.show.synthetic_irreproducibility.figures import simple_long
from stablib.studies import PAPERS, open_study, papers, study_class
from stablib.studies.base import Outcome, Study
from stablib.studies.local_instability import CONTROL, Results, SourceResults, Variant
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.local_instability.design import dependence
from stablib.studies.local_instability.settings import LABELS, LocalInstabilitySettings
from stablib.studies.local_instability.settings import PRESETS as LOCAL_PRESETS
from stablib.studies.nondeterminism import NondeterminismSettings
from stablib.studies.nondeterminism.elsewhere import DIGITS, LARGE
from stablib.studies.random_seed import RandomSeedSettings
from stablib.studies.synthetic_irreproducibility import Curves
from stablib.studies.synthetic_irreproducibility.settings import (
    SyntheticIrreproducibilitySettings,
)
from stablib.training import Final, Inputs, Request, SeedPlan, Task, seed_plans
from stablib.training.observe import observers
from stablib.workloads import FineTuneRecipe, HeadRecipe, StreamRecipe, TopLayerRecipe
from stablib.workloads.heads import training as heads
from stablib.workloads.streams import PairRecord

ROOT = Path(__file__).parent.parent
LI, ND, RS, SI = (
    "local_instability",
    "nondeterminism",
    "random_seed",
    "synthetic_irreproducibility",
)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.py"))


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No published runs, no hub, no data but the package's."""
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.setenv("STABLIB_RESULTS", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


# The data, and which settings fit them.


@pytest.mark.parametrize("name", LABELS)
def test_the_data_have_the_size_by_which_settings_are_checked(name: str, nothing: None) -> None:
    data = find_local(name, LABELS[name])
    assert data is not None
    assert {split: len(gold) for split, gold in data.gold.items()} == entry(name).sizes


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"after_step": 225}, "at most 224"),
        ({"after_step": 295, "dataset": "clinc150"}, "at most 294"),
        ({"epochs": 1}, "at most 44"),
        ({"after_step": 222}, "at most 220"),  # Fine-tuned teachers: every fifth step.
        ({"limit": 1000}, "training takes 20 steps here, so it must be at most 19"),
    ],
)
def test_settings_that_leave_no_step_are_refused(changes: dict[str, Any], most: str) -> None:
    with pytest.raises(UsageError, match=most):
        open_study(LI, **changes)


def test_a_number_holds_for_the_data_set_looked_at() -> None:
    study = open_study(LI, dataset="clinc150", after_step=290, alpha=0.3)
    (smoothed,) = {r.recipe for r in study.wanted() if r.recipe.method.kind == "label_smoothing"}
    assert (smoothed.dataset, smoothed.method.alpha) == ("clinc150", 0.3)
    assert after_steps(study.requests()["LI-T3"]) == {("clinc150", 290)}
    assert after_steps(study.changed(after_step=280).requests()["LI-T3"]) == {("clinc150", 280)}
    both = open_study(LI).requests()["LI-T3"]
    assert after_steps(both) == {("massive", 180), ("clinc150", 200)}


def after_steps(requests: Sequence[Request]) -> set[tuple[str, int]]:
    methods = [(r.recipe.data_name.split("/")[0], r.recipe.method) for r in requests]
    return {(name, m.after_step) for name, m in methods if isinstance(m, TGTSS)}


@pytest.mark.parametrize("field", ["temperature", "learning_rate", "weight_decay", "alpha"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1.0, 0.0])
def test_no_number_is_infinite_or_negative(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"^{field}: "):
        open_study(LI, **{field: value})


@pytest.mark.parametrize(
    ("field", "value"), [("alpha", 2.0), ("after_step", -5), ("alpha", {"massive": 0.3})]
)
def test_shares_and_steps_stay_in_their_range(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{field}: "):
        open_study(LI, **{field: value})


def test_an_unknown_data_set_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'massive'"):
        open_study(LI, dataset="masive")


@pytest.mark.parametrize("field", ["beta", "learning_rate"])
def test_streams_take_finite_numbers(field: str) -> None:
    with pytest.raises(UsageError, match=f"{field}: .* finite"):
        open_study(SI, **{field: float("inf")})
    with pytest.raises(ValidationError, match=f"{field}\n.* finite"):
        StreamRecipe.model_validate(
            {"data": {"kind": "linear"}, "log2_examples": 9, field: float("inf")}
        )


# Settings arrive in the recipes: which requests, what of them, and what it must be.

Case = tuple[dict[str, Any], Callable[[Request], bool], Callable[[Request], object], object]


def kind(*names: str) -> Callable[[Request], bool]:
    return lambda r: r.recipe.method.kind in names


def is_head(r: Request) -> bool:
    return isinstance(r.recipe, HeadRecipe)


def teaches(teacher: str) -> Callable[[Request], bool]:
    return lambda r: kind("ensemble")(r) and r.recipe.method.teacher == teacher and is_head(r)


def watched(r: Request) -> bool:
    return r.records[0].kind == "steps"


def varies_all(r: Request) -> bool:
    """Runs that are no single source's, no null's and not fine-tuned: those of the tables."""
    return is_head(r) and not watched(r) and r.plans[0].base not in (0, 1000)


def counts_stuck(r: Request) -> bool:
    """Of towers, pairs have distinct initial weights only where stuck ones are counted."""
    return len(r.recipe.hidden) == 4 and not r.recipe.same_init


def anything(r: Request) -> bool:
    return True


LI_CASES: dict[str, Case] = {
    "dataset": (
        {"dataset": "clinc150"},
        kind("l2", "swa", "label_smoothing"),
        lambda r: r.recipe.data_name,
        "clinc150/intent",
    ),
    "split": ({"split": "val"}, watched, lambda r: r.records[0].split, "val"),
    "encoder": (
        {"encoder": "distilbert-base-uncased"},
        anything,
        lambda r: r.recipe.encoder,
        "distilbert-base-uncased",
    ),
    "model": (
        {"model": "top_layer"},
        kind("l2", "swa"),
        lambda r: type(r.recipe),
        TopLayerRecipe,
    ),
    "n_runs": (
        {"n_runs": 7},
        lambda r: is_head(r) and kind("l2", "swa", "label_smoothing")(r) and not watched(r),
        lambda r: len(r.plans),
        7,
    ),
    "first_seed": (
        {"first_seed": 70},
        lambda r: is_head(r) and not kind("control")(r),
        lambda r: r.plans[0],
        SeedPlan.same(70),
    ),
    "step_runs": (
        {"step_runs": 3},
        lambda r: watched(r) and not r.records[0].confidence,
        lambda r: len(r.plans),
        3,
    ),
    "members": ({"members": 9}, teaches("shared"), lambda r: r.recipe.method.members, 9),
    "own_members": ({"own_members": 9}, teaches("own"), lambda r: r.recipe.method.members, 9),
    "learning_rate": (
        {"learning_rate": 0.01},
        kind("l2", "swa"),
        lambda r: r.recipe.learning_rate,
        0.01,
    ),
    "epochs": ({"epochs": 6}, kind("l2", "swa"), lambda r: r.recipe.epochs, 6),
    "batch_size": ({"batch_size": 128}, anything, lambda r: r.recipe.batch_size, 128),
    "hidden": ({"hidden": 9}, is_head, lambda r: r.recipe.hidden, 9),
    "limit": ({"limit": 2000, "after_step": 10}, anything, lambda r: r.recipe.limit, 2000),
    "temperature": (
        {"temperature": 0.7},
        lambda r: kind("tgtss", "ensemble")(r) and r.recipe.method.temperature != 1.0,
        lambda r: r.recipe.method.temperature,
        0.7,
    ),
    "reading": (
        {"reading": "sharpen"},
        kind("ensemble"),
        lambda r: r.recipe.method.reading,
        "sharpen",
    ),
    "weight_decay": (
        {"weight_decay": 0.02},
        kind("l2"),
        lambda r: r.recipe.method.weight_decay,
        0.02,
    ),
    "alpha": (
        {"alpha": 0.3},
        kind("label_smoothing"),
        lambda r: r.recipe.method.alpha,
        0.3,
    ),
    "after_step": (
        {"after_step": 150},
        lambda r: kind("tgtss")(r) and r.recipe.dataset == "clinc150",
        lambda r: r.recipe.method.after_step,
        150,
    ),
    "teacher_every": (
        {"teacher_every": 2},
        lambda r: kind("tgtss")(r) and is_head(r),
        lambda r: r.recipe.method.every,
        2,
    ),
    "step_every": ({"step_every": 3}, watched, lambda r: r.records[0].every, 3),
    "fine_tuned_runs": (
        {"fine_tuned_runs": 3},
        lambda r: isinstance(r.recipe, FineTuneRecipe),
        lambda r: len(r.plans),
        3,
    ),
    "source_runs": (
        {"source_runs": 6, "n_runs": 7},
        lambda r: any(seeds for plan in r.plans for seeds in plan.seeds),
        lambda r: len(r.plans),
        6,
    ),
}


def of_truth(name: str) -> Callable[[Request], bool]:
    return lambda r: r.recipe.data.kind == name


def narrow(r: Request) -> bool:
    return of_truth("linear")(r) and not r.recipe.embedding and r.recipe.learning_rate == 0.1


SI_CASES: dict[str, Case] = {
    "n_pairs": (
        {"n_pairs": 5},
        lambda r: of_truth("linear")(r) and not counts_stuck(r),
        lambda r: len(r.plans),
        5,
    ),
    "n_pairs_quadratic": (
        {"n_pairs_quadratic": 5},
        of_truth("quadratic"),
        lambda r: len(r.plans),
        5,
    ),
    "first_pair": ({"first_pair": 5}, anything, lambda r: r.plans[0], SeedPlan.same(5)),
    "log2_examples": (
        {"log2_examples": 19},
        lambda r: (
            len(r.recipe.hidden) in (1, 4)
            and not r.recipe.embedding
            and not counts_stuck(r)
            and r.recipe.log2_examples > 16  # What is trained again for a page is that short.
        ),
        lambda r: r.recipe.log2_examples,
        19,
    ),
    "log2_examples_embedding": (
        {"log2_examples_embedding": 19},
        lambda r: r.recipe.embedding,
        lambda r: r.recipe.log2_examples,
        19,
    ),
    "log2_examples_wide": (
        {"log2_examples_wide": 12},
        of_truth("quadratic"),
        lambda r: r.recipe.log2_examples,
        12,
    ),
    "n_windows": (
        {"n_windows": 2},
        lambda r: r.recipe.hidden == (2,),
        lambda r: r.recipe.log2_window in (0, 16),
        True,
    ),
    "truth": ({"truth": 4}, of_truth("linear"), lambda r: r.recipe.data.seed, 4),
    "truth_quadratic": (
        {"truth_quadratic": 4},
        of_truth("quadratic"),
        lambda r: r.recipe.data.seed,
        4,
    ),
    "n_towers": (
        {"n_towers": 6},
        counts_stuck,
        lambda r: len(r.plans),
        3,
    ),
    "beta": (
        {"beta": 0.7},
        lambda r: r.recipe.activation == "smelu" and len(r.recipe.hidden) == 4,
        lambda r: r.recipe.beta,
        0.7,
    ),
    "learning_rate": (
        {"learning_rate": 0.2},
        lambda r: not r.recipe.embedding and r.recipe.warm_start is None and bool(r.recipe.hidden),
        lambda r: r.recipe.learning_rate,
        0.2,
    ),
}


def of_tables(request: Request) -> bool:
    """Whether the tables of the random seed paper, and no other question, ask for it."""
    kinds = {record.kind for record in request.records}
    return "explanations" in kinds and request.recipe.data_name != "reviews"


RS_CASES: dict[str, Case] = {
    "dataset": ({"dataset": "adr"}, of_tables, lambda r: r.recipe.dataset, "adr"),
    "encoder": ({"encoder": "bilstm"}, of_tables, lambda r: r.recipe.encoder, "bilstm"),
    "attention": ({"attention": "dot"}, of_tables, lambda r: r.recipe.attention, "dot"),
    "vectors": ({"vectors": "drawn"}, of_tables, lambda r: r.recipe.vectors, "drawn"),
    "n_runs": ({"n_runs": 4}, of_tables, lambda r: len(r.plans), 4),
    "first_seed": (
        {"first_seed": 7},
        lambda r: of_tables(r) and r.recipe.method.kind == "aswa",
        lambda r: r.plans[0].base,
        7,
    ),
    "epochs": ({"epochs": 3}, of_tables, lambda r: r.recipe.epochs, 3),
    "learning_rate": ({"learning_rate": 0.01}, of_tables, lambda r: r.recipe.learning_rate, 0.01),
    "limit": ({"limit": 99}, of_tables, lambda r: r.recipe.limit, 99),
    "imdb_limit": (
        {"imdb_limit": 98, "dataset": "imdb"},
        lambda r: r.recipe.data_name == "imdb",
        lambda r: r.recipe.limit,
        98,
    ),
    "n_texts": ({"n_texts": 5}, of_tables, lambda r: r.records[0].n_texts, 5),
    "n_lime": ({"n_lime": 5}, of_tables, lambda r: r.records[1].n_lime, 5),
    "n_samples": ({"n_samples": 50}, of_tables, lambda r: r.records[1].n_samples, 50),
}


def of_images(request: Request) -> bool:
    """Whether it is one of images, and none of the twins at several learning rates (ND-X2)."""
    by_rate = len(request.plans) > 1 and request.plans[0] == SeedPlan()
    of_table_6 = getattr(request.recipe, "model", "") in (DIGITS, *LARGE)
    return request.recipe.kind == "image" and not by_rate and not of_table_6


def of_resnets(request: Request) -> bool:
    return of_images(request) and request.recipe.model.startswith("resnet")  # type: ignore[attr-defined]


def of_words(request: Request) -> bool:
    return request.recipe.kind == "language"


def _of_words(setting: str, value: Any, field: str = "") -> Case:
    return ({setting: value}, of_words, lambda r: getattr(r.recipe, field or setting), value)


def _field(field: str, value: Any) -> Case:
    return ({field: value}, of_images, lambda r: getattr(r.recipe, field), value)


ND_CASES: dict[str, Case] = {
    **{
        field: _field(field, value)
        for field, value in (
            ("epochs", 33),
            ("batch_size", 32),
            ("limit", 99),
            ("n_test", 77),
            ("side", 8),
            ("stride", 1),
            ("crop", 1),
            ("device", "cuda"),
        )
    },
    "learning_rate": (
        {"learning_rate": 0.01},
        of_resnets,
        lambda r: r.recipe.learning_rate,
        0.01,
    ),
    "shallow_rate": (
        {"shallow_rate": 0.01},
        lambda r: of_images(r) and not of_resnets(r),
        lambda r: r.recipe.learning_rate,
        0.01,
    ),
    "dataset": ({"dataset": "mnist", "side": 14}, of_images, lambda r: r.recipe.dataset, "mnist"),
    "model": ({"model": "resnet10"}, of_resnets, lambda r: r.recipe.model, "resnet10"),
    "n_runs": (
        {"n_runs": 7, "few_runs": 7},
        lambda r: of_images(r) and len(r.plans) > 1,
        lambda r: len(r.plans),
        7,
    ),
    "few_runs": (
        {"few_runs": 4},
        lambda r: of_images(r) and r.records[0].kind == "curve",
        lambda r: len(r.plans),
        4,
    ),
    "first_seed": (
        {"first_seed": 7},
        lambda r: of_images(r) and r.recipe.method.kind == "snapshot",
        lambda r: r.plans[0].seed("init"),
        7,
    ),
    "cycles": (
        {"cycles": 2},
        lambda r: of_images(r) and r.recipe.method.kind == "snapshot",
        lambda r: r.recipe.method.cycles,
        2,
    ),
    "n_logits": (
        {"n_logits": 9},
        lambda r: of_images(r) and getattr(r.records[0], "n_logits", None) is not None,
        lambda r: r.records[0].n_logits,
        9,
    ),
    "digit_rate": (
        {"digit_rate": 0.01},
        lambda r: getattr(r.recipe, "model", "") == DIGITS,
        lambda r: r.recipe.learning_rate,
        0.01,
    ),
    "large_runs": (
        {"large_runs": 3},
        lambda r: getattr(r.recipe, "model", "") in LARGE,
        lambda r: len(r.plans),
        3,
    ),
    "large_epochs": (
        {"large_epochs": 5},
        lambda r: getattr(r.recipe, "model", "") in LARGE,
        lambda r: r.recipe.epochs,
        5,
    ),
    "lines": _of_words("lines", 99, "limit"),
    "vocabulary": _of_words("vocabulary", 99),
    "embedding": _of_words("embedding", 9),
    "hidden": _of_words("hidden", 9),
    "window": _of_words("window", 9),
    "dropout": _of_words("dropout", 0.0, "drop_input"),
    "text_optimizer": _of_words("text_optimizer", "sgd", "optimizer"),
    "text_rate": _of_words("text_rate", 3.0, "learning_rate"),
    "text_epochs": _of_words("text_epochs", 2, "epochs"),
}

#: Exhibits that look at networks as they are usually trained.
USUAL = ("ND-T1", "ND-F1", "ND-F2", "ND-T8", "ND-T2")


def of_all(study: Study) -> list[Request]:
    """Requests of a study, but for those that change one of its settings themselves."""
    if study.name != ND:
        return study.wanted()
    snapshots = [r for r in study.wanted(["ND-T5"]) if r.recipe.method.kind == "snapshot"]
    digits = [r for r in study.wanted(["ND-T6"]) if getattr(r.recipe, "model", "") == DIGITS]
    return [*study.wanted(USUAL), *snapshots, *digits, *study.optional()]


CASES = {
    (paper, field): case
    for paper, cases in ((LI, LI_CASES), (ND, ND_CASES), (RS, RS_CASES), (SI, SI_CASES))
    for field, case in cases.items()
}


@pytest.mark.parametrize(("paper", "field"), CASES)
def test_a_changed_setting_arrives_in_every_request_that_uses_it(paper: str, field: str) -> None:
    changes, uses, read, value = CASES[paper, field]
    before = {read(r) for r in of_all(open_study(paper)) if uses(r)}
    after = {read(r) for r in of_all(open_study(paper, **changes)) if uses(r)}
    assert after == {value}
    assert before != after


def test_long_streams_are_optional_and_as_long_as_asked_for() -> None:
    optional = open_study(SI, log2_examples_long=20).optional()
    assert {r.recipe.log2_examples for r in optional} == {20}
    assert not set(optional) & set(open_study(SI, log2_examples_long=20).wanted())
    assert not open_study(SI, preset="paper").optional()


def test_no_setting_is_without_a_test() -> None:
    assert LI_CASES.keys() == LocalInstabilitySettings.model_fields.keys()
    tested = {*SI_CASES, "log2_examples_long"}
    assert tested == SyntheticIrreproducibilitySettings.model_fields.keys()
    assert {*RS_CASES, "checkpoint"} == RandomSeedSettings.model_fields.keys()
    assert ND_CASES.keys() == NondeterminismSettings.model_fields.keys()


# Notebooks: what is announced is what their pages ask for.


class Untrained(Runs):
    """In the place of training and reading: zeros under every name."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.recipe, [Run((plan,), {}, {}) for plan in request.plans])

    def __getitem__(self, name: str) -> Any:
        return np.zeros((len(self), 2))


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, str], Dataset | None]:
    """Data sets that were read."""
    return {}


@pytest.fixture
def read_once(kept: dict[tuple[str, str], Dataset | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each data set once for all pages: that takes longer than what is asked of them."""
    read = registry.read_local

    def once(item: Entry, label: str) -> Dataset | None:
        if (item.name, label) not in kept:
            kept[item.name, label] = read(item, label)
        return kept[item.name, label]

    monkeypatch.setattr(registry, "read_local", once)


def asked_by(notebook: Path, study: Study, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Execute a notebook with nothing trained and nothing drawn."""
    asked: list[Request] = []

    def note(request: Request) -> Runs:
        asked.append(request)
        return Untrained(request)

    monkeypatch.setattr(study, "get", note)
    monkeypatch.setattr(study, "anew", note)
    monkeypatch.setattr("stablib.studies.open_study", lambda *words, **options: study)
    names: dict[str, Any] = {}
    for part in notebook.read_text("utf-8").split("\n# %%")[1:]:
        head, _, code = part.partition("\n")
        if "[markdown]" not in head:
            exec(code, names)
            shown = {n: MagicMock() for n, v in names.items() if isinstance(v, types.ModuleType)}
            names.update(shown)
    return asked


def runs_of(requests: Iterable[Request]) -> set[tuple[object, ...]]:
    return {(r.recipe, record, plan) for r in requests for record in r.records for plan in r.plans}


def exhibits_of(notebook: Path) -> list[str]:
    """As ``stablib reproduce`` finds them."""
    anchors = r"^# \(([a-z]+-[a-z][\d.]+)\)=$"
    return [a.upper() for a in re.findall(anchors, notebook.read_text("utf-8"), re.MULTILINE)]


OPTIONS: dict[str, list[dict[str, str]]] = {
    LI: [{}, {"dataset": "massive"}, {"dataset": "clinc150"}, {"split": "val"}],
    ND: [{}, {"dataset": "digits"}],
    RS: [{}, {"dataset": "adr"}, {"encoder": "bilstm"}],
    SI: [{}],
    "recommender": [{}, {"dataset": "tastes"}],
    "synthesis": [{}],
}


@pytest.mark.parametrize(
    ("notebook", "options"),
    [(path, options) for path in NOTEBOOKS for options in OPTIONS[path.parent.name]],
    ids=lambda value: value.stem if isinstance(value, Path) else "".join(value.values()) or "all",
)
@pytest.mark.filterwarnings("ignore::stablib.data.notices.DataNotice")  # Not all are shipped.
@pytest.mark.usefixtures("nothing", "read_once")
def test_missing_is_everything_a_page_trains(
    notebook: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a section asks for has been announced before, by its exhibits alone."""
    study = open_study(notebook.parent.name, preset="smoke", **options)
    announced = runs_of(study.missing(exhibits_of(notebook)))
    asked = runs_of(asked_by(notebook, study, monkeypatch))
    assert bool(asked) == bool(announced)  # A page may rest on no runs at all.
    assert asked <= announced
    assert announced <= runs_of(study.missing())


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("read_once")
def test_a_page_is_announced_at_laptop_too(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With full fine-tuning, and streams that are shown where they are published."""
    study = open_study(notebook.parent.name)
    announced = runs_of(study.wanted(exhibits_of(notebook))) | runs_of(study.optional())
    assert runs_of(asked_by(notebook, study, monkeypatch)) <= announced


def test_soft_labels_are_followed_over_one_number_at_a_time() -> None:
    """At the usual rate and length the runs are those of the ablation, with the paper's N."""
    settings = LOCAL_PRESETS["laptop"]
    found = dependence(settings)
    assert len(found) == 7
    usual = (1e-3, 5)
    assert all(cell[0] == usual[0] or cell[1] == usual[1] for cell in found)
    of_tables = LocalDesign(settings, "massive")
    shared = {v: r for v, r in of_tables.ablation().items() if v.teacher != "own"}
    for variant, request in shared.items():
        assert found[usual][variant] == dataclasses.replace(request, plans=request.plans[:20])
    for (_, epochs), wanted in found.items():
        steps = {r.recipe.method.after_step for r in wanted.values() if kind("tgtss")(r)}  # type: ignore[attr-defined]
        assert steps == {36 * epochs}


# One data set alone.


def test_exhibits_of_a_data_set_that_is_not_looked_at_are_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    study = open_study(LI, dataset="massive")
    assert study.on("clinc150") is None
    made = {
        "LI-F5": figures.confidence_map(None, "LI-F5"),
        "LI-F6": figures.le_s_against_le_m(None, "LI-F6"),
        "LI-F7": figures.le_m_against_sigma(None, "LI-F7"),
        "LI-X1": extras.fine_tuning(None),
        "SI-X1": simple_long(None),
    }
    for name, exhibit in made.items():
        assert exhibit.exhibit == name
        assert f"<strong>{name}</strong> is left out: " in exhibit._repr_html_()
        assert exhibit.numbers.empty
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dataset", LABELS)
def test_only_the_data_set_looked_at_is_loaded(dataset: str) -> None:
    study = open_study(LI, dataset=dataset)
    (results,) = study.each()
    assert results.dataset.name == dataset
    assert study.on(dataset) is not None


def test_without_fine_tuned_runs_there_is_nothing_to_train_for_them() -> None:
    study = open_study(LI, fine_tuned_runs=0)
    assert study.fine_tuning() is None
    assert study.requests()["LI-X1"] == []


# Training.


def test_targets_are_made_chunk_by_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run a chunk: never two students' targets at once, and the same bits as in one stack."""
    rng = np.random.default_rng(0)
    task = Task(
        {split: rng.normal(size=(200, 6)) for split in ("train", "test")},
        {split: rng.integers(3, size=200) for split in ("train", "test")},
        3,
    )
    inputs = Inputs(task.key, "arrays", task)
    method = Ensemble(members=2, teacher="own")
    recipe = HeadRecipe(hidden=8, epochs=2, batch_size=64, method=method)
    plans = seed_plans(4)

    def labels(folder: str) -> np.ndarray:
        store = RunStore(tmp_path / folder, tmp_path / "none")
        return obtain(Request(recipe, plans), store, inputs=inputs)["gold_test"]

    whole = labels("whole")
    events: list[str] = []

    def spied(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            events.append(name)
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(heads, "STACK_MEMORY", 1)
    monkeypatch.setattr(SoftLabels, "targets", spied("target", SoftLabels.targets))
    monkeypatch.setattr(heads, "_train", spied("train", heads._train))
    np.testing.assert_array_equal(labels("chunks"), whole)
    students = events[events.index("target") :]
    assert students == ["target", "train"] * len(plans)


TASK = Task(
    {"train": np.ones((4, 2)), "test": np.ones((4, 2))},
    {"train": np.arange(4) % 2, "test": np.arange(4) % 2},
    2,
)


def test_a_classifier_refuses_records_that_it_does_not_know() -> None:
    """They would be left out, and the arrays of those after them kept under their names."""
    for records in ([PairRecord(), Final()], [Final(), PairRecord()]):
        with pytest.raises(UsageError, match="keeps no record of the kind 'pair'"):
            observers(records, TASK, 1)
    assert len(observers([Final(), Final()], TASK, 1)) == 2


def test_workloads_keep_nothing_under_the_name_of_a_record_they_refuse(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    inputs = Inputs(TASK.key, "arrays", TASK)
    head = Request(HeadRecipe(hidden=2), seed_plans(2), (PairRecord(), Final()))
    with pytest.raises(UsageError, match="keeps no record of the kind 'pair'"):
        obtain(head, store, inputs=inputs)
    stream = StreamRecipe.model_validate({"data": {"kind": "linear"}, "log2_examples": 8})
    with pytest.raises(UsageError, match="streams keep records of pairs, got .*'final'"):
        obtain(Request(stream, seed_plans(1), (PairRecord(), Final())), store)
    assert store.local_files() == []


# What results say of themselves.

MADE = {
    "origin": "local store",
    "date": "2020-01-01",
    "hardware": "abacus",
    "stablib": "0.1",
    "torch": "2.0",
    "numpy": "2.1",
}
RECIPE = HeadRecipe(dataset="massive", label="domain")


def runs(plans: Sequence[SeedPlan], *made: dict[str, str]) -> Runs:
    """Runs made in different ways."""
    each = [made[number % len(made)] if made else {} for number in range(len(plans))]
    pairs = zip(plans, each, strict=True)
    return Runs(RECIPE, [Run((plan,), {}, {**MADE, **how}) for plan, how in pairs])


def results(of: dict[str, Runs], preset: str = "smoke", **changes: Any) -> Results:
    study = open_study(LI, preset=preset, **changes)
    variants = {Variant(name) if name in ("l2", "swa") else CONTROL: r for name, r in of.items()}
    return Results(study, stand_in(), "test", variants)


def test_the_line_names_seeds_that_differ() -> None:
    three, other = seed_plans(3), seed_plans(3, first_seed=100)
    assert (
        "(seeds: all sources 0–2)" in results({"control": runs(three), "l2": runs(three)}).basis()
    )
    null = runs(seed_plans(3, first_seed=1000))
    many = Results(
        open_study(LI, preset="smoke"),
        stand_in(),
        "test",
        {
            CONTROL: runs(three),
            Variant("swa"): runs(other),
            Variant("l2"): runs(three),
            Variant("label_smoothing"): runs(other),
            Variant("null"): null,
        },
    )
    assert (
        "(seeds: all sources 0–2; SWA and Label smoothing: all sources 100–102; "
        "Control, other seeds: all sources 1000–1002)" in many.basis()
    )


def test_the_line_says_which_sources_vary() -> None:
    study = open_study(LI, preset="smoke")
    varied = {
        "order": runs(seed_plans(50, vary=["shuffle"])),
        "all three": runs(seed_plans(50)),
    }
    line = SourceResults(study, stand_in(), "test", varied).basis()
    assert "(seeds: order 0–49, all else 0; all three: all sources 0–49)" in line


def test_the_line_names_every_date_processor_and_version() -> None:
    """Not only those of the first run of the first method."""
    ways = [
        {"date": "2021-02-03", "hardware": "slide rule"},
        {"torch": "2.5", "origin": "published runs"},
    ]
    plans = seed_plans(3)
    both = results({"control": runs(plans, {}, {}, ways[0]), "l2": runs(plans, {}, {}, ways[1])})
    line = both.basis()
    assert "trained 2020-01-01 and 2021-02-03 on abacus and slide rule" in line
    assert "torch 2.0 and 2.5" in line
    assert "(local store and published runs)" in line
    kept = both.provenance()["runs"]
    assert kept["Control"]["date"] == ["2020-01-01", "2021-02-03"]
    assert kept["L2"]["torch"] == ["2.0", "2.5"]


def test_watched_runs_count_in_the_line() -> None:
    plans = seed_plans(2)
    made = Results(
        open_study(LI, preset="smoke"),
        stand_in(),
        "test",
        {CONTROL: runs(plans)},
        {CONTROL: runs(plans, {"date": "2021-02-03"})},
        {CONTROL: runs(plans[:1], {"hardware": "slide rule"})},
    )
    line = made.basis()
    assert "2020-01-01 and 2021-02-03 on abacus and slide rule" in line
    assert "(seeds: all sources 0–1);" in line  # Those watched are the first of them.
    assert made.provenance()["runs"]["Control (curve)"]["seeds"] == "all sources 0"


def test_the_line_names_instructions_where_runs_of_several_kinds_are_shown_together() -> None:
    wide, narrow = {"instructions": "AVX512"}, {"instructions": "AVX2"}
    alone = results({"control": runs(seed_plans(2), wide)})
    assert "instructions" not in alone.basis()
    assert alone.provenance()["runs"]["Control"]["instructions"] == ["AVX512"]
    mixed = results({"control": runs(seed_plans(2), wide), "l2": runs(seed_plans(2), narrow)})
    assert " with AVX2 and AVX512 instructions, " in mixed.basis()
    extended = results({"control": runs(seed_plans(2), wide, {})})  # Older runs do not say.
    assert " with AVX512 and unknown instructions, " in extended.basis()


def test_an_exhibit_keeps_versions_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    many = [results({"control": runs(seed_plans(2), {}, {"numpy": "2.2"})})]
    record("X", pd.DataFrame({"a": [1]}), made_by=results, results=many, caption="c")
    kept = json.loads((tmp_path / "X" / "provenance.json").read_text())
    run = kept["results"][0]["runs"]["Control"]
    assert (run["stablib"], run["torch"], run["numpy"]) == (["0.1"], ["2.0"], ["2.1", "2.2"])
    assert run["plans"] == [{}, {"base": 1}]
    assert kept["commit"]


# What is judged.


@pytest.fixture
def verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[Outcome], str, str], tuple[set[str], str]]:
    """Record an exhibit with a value that would be reproduced; its verdicts and its page."""
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))

    def recorded(many: Sequence[Outcome], exhibit: str, claim: str) -> tuple[set[str], str]:
        target = many[0].study.claims()[claim].target or 1.0
        made = record(
            exhibit,
            pd.DataFrame({"a": [1]}),
            made_by=results,
            results=many,
            caption="c",
            measured=[Measured(claim, target, target, target)],
        )
        rows = json.loads((tmp_path / exhibit / "claims.json").read_text())
        answers = [answer for row in rows for answer in row["answers"]]
        return {answer["verdict"] for answer in answers}, made._repr_html_()

    return recorded


def test_of_several_models_the_one_of_which_most_is_trained_is_judged(
    tmp_path: Path, verdicts: Callable[..., Any]
) -> None:
    head = open_study(LI)
    top = next(other for other in head.variants() if other.aside == "top-layer")
    for study in (head, top):
        made = Results(study, stand_in(), "test", {CONTROL: runs(seed_plans(2))})
        verdicts([made], *CLAIM)
    assert (tmp_path / "LI-T3" / "top-layer" / "claims.json").is_file()
    (claim,) = (each for each in collect(tmp_path, LI) if each.claim.claim == CLAIM[1])
    assert [answer.measured.model for answer in claim.answers] == ["top layer", "head"]
    first, second = comparison([claim])["claim"]
    assert first == titled(claim.claim)
    assert second == ""
    assert "Paper against reproduction, 1 claim: " in summary([claim])


def test_other_models_are_the_presets_own() -> None:
    study = open_study(LI)
    for other in study.variants():
        assert other.changes == {}
        assert other.unjudged == ""
        assert other.variants() == []
        assert set(other.wanted()) <= set(study.optional())
    folds = [other.looks_at for other in study.variants()]
    assert folds == ["top layer on MASSIVE", "top layer on CLINC150", "fine-tuned on MASSIVE"]
    assert [other.aside for other in study.beside("LI-F4")] == ["top-layer", "finetune"]
    assert study.beside("LI-X5") == []
    assert study.changed(temperature=0.3).beside("LI-A1") == []
    ablated = [{r.recipe.dataset for r in s.requests()["LI-A1"]} for s in study.variants()]
    assert ablated == [{"massive"}, {"clinc150"}, {"massive"}]
    assert open_study(LI, preset="smoke").variants() == []


CLAIM = ("LI-T3", "t3-massive-tgtss-reduction")


def test_an_unchanged_preset_on_the_real_data_is_judged(verdicts: Callable[..., Any]) -> None:
    for preset in ("laptop", "paper"):
        found, page = verdicts([results({"control": runs(seed_plans(2))}, preset)], *CLAIM)
        assert found == {"reproduced"}
        assert "● reproduced" in page


@pytest.mark.parametrize(
    ("preset", "changes", "why"),
    [
        ("smoke", {}, "preset smoke"),
        ("laptop", {"n_runs": 10}, "n_runs=10"),
        ("laptop", {"alpha": 0.1}, "alpha=0.1"),
        ("paper", {"temperature": 0.6, "hidden": 99}, "hidden=99, temperature=0.6"),
    ],
)
def test_what_was_made_with_other_settings_gets_no_verdict(
    verdicts: Callable[..., Any], preset: str, changes: dict[str, Any], why: str
) -> None:
    judged = results({"control": runs(seed_plans(2))}, "laptop")
    other = results({"control": runs(seed_plans(2))}, preset, **changes)
    for many in ([other], [judged, other]):
        found, page = verdicts(many, *CLAIM)
        assert found == {"no verdict"}
        assert "reproduced</td>" not in page
        assert "◌ no verdict" in page
        assert re.search(rf": 1 no verdict, \d+ not attempted \({why}\)</summary>", page)


def test_streams_of_another_length_get_no_verdict(verdicts: Callable[..., Any]) -> None:
    study = open_study(SI, log2_examples=9)
    found, page = verdicts([Curves(study, (short_curve(study),))], "SI-F2", "si-f2-loss-equal")
    assert found == {"no verdict"}
    assert "log2_examples=9" in page


def short_curve(study: Any) -> Any:
    from stablib.studies.synthetic_irreproducibility import Point, Traced

    request = study.design.request(study.design.simple()[0].recipes[0])
    return Traced("linear", (Point(request.recipe, Untrained(request)),))


def test_what_was_made_with_other_data_gets_no_verdict(
    verdicts: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = results({"control": runs(seed_plans(2))}, "laptop")
    generated = Inputs(
        "key", "generated", stand_in(), notice="The numbers are about generated data."
    )
    monkeypatch.setattr(made.study, "inputs", lambda recipe: generated)
    found, page = verdicts([made], *CLAIM)
    assert found == {"no verdict"}
    assert "reproduced</td>" not in page
    assert "(other data than the paper)" in page
    assert '<p class="exhibit-notice">The numbers are about generated data.</p>' in page
    assert made.provenance()["notice"] == generated.notice


# Papers of others.

PAPER = """
from stablib.studies.local_instability import LocalInstability

class Theirs(LocalInstability):
    name, title = "theirs", "Their paper"
"""


def test_a_variable_adds_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_paper.py").write_text(PAPER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("STABLIB_PAPERS", "theirs=their_paper:Theirs")
    known = list(PAPERS)
    assert list(papers()) == [*known, "theirs"]
    assert study_class("theirs").title == "Their paper"
    assert open_study("theirs", n_runs=3).settings.n_runs == 3
    monkeypatch.setenv("STABLIB_PAPERS", " a=their_paper:Theirs, b=their_paper:Theirs")
    assert list(papers()) == [*known, "a", "b"]
    monkeypatch.setenv("STABLIB_PAPERS", "")
    with pytest.raises(UsageError, match="unknown paper 'theirs'"):
        open_study("theirs")


@pytest.mark.parametrize(
    "value",
    [
        "theirs",
        "theirs=json",
        "=json:loads",
        "theirs=:C",
        "theirs=.json:C",
        "theirs=nowhere:C",
        "theirs=json:",
        "theirs=json:C",
        "theirs=json:loads",
    ],
)
def test_a_malformed_variable_is_refused_in_one_line(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_PAPERS", value)
    with pytest.raises(UsageError) as refused:
        open_study("theirs")
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    assert "STABLIB_PAPERS" in text or "'theirs'" in text


# The commit.


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    """Hash of git; dirty after a change; unknown for a copy that git does not track."""
    code = Path(stablib.commit.__file__)

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
