"""The nondeterminism study: what it asks for, and what its exhibits say of known spreads."""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from stablib.errors import UsageError
from stablib.metrics import Variability, variability_reduction
from stablib.mitigation import vanilla_ensembles
from stablib.runs import Runs
from stablib.runs.store import Run
from stablib.show.nondeterminism import comparison, figures, tables
from stablib.show.nondeterminism.comparison import Varied, varied
from stablib.studies import open_study
from stablib.studies.nondeterminism import BIT, ROWS, Across, Results, Trainings
from stablib.studies.nondeterminism.design import FOLLOWED, Design
from stablib.studies.nondeterminism.settings import PRESETS
from stablib.training import Request
from stablib.workloads import Logits, Trace

N_TEST, N_CLASSES = 30, 4
MADE = {"torch": "2", "trained": "2026-01-01", "processor": "p", "cores": 2, "seconds": 1.0}
GOLD = np.arange(N_TEST) % N_CLASSES


def logits(spread: float, seed: int, n_runs: int = 6) -> np.ndarray:
    """Runs about common logits; they are the farther off the larger the spread."""
    common = 2.0 * np.random.default_rng(0).normal(size=(N_TEST, N_CLASSES)) + 2 * np.eye(4)[GOLD]
    return common + spread * np.random.default_rng(seed).normal(size=(n_runs, N_TEST, N_CLASSES))


def of(spread: float, seed: int) -> Varied:
    return varied(logits(spread, seed), GOLD)


# Measures.


def test_the_five_measures_are_those_of_other_implementations() -> None:
    runs = logits(1.0, 1)
    found = varied(runs, GOLD)
    correct = 100.0 * (runs.argmax(axis=2) == GOLD).mean(axis=1)
    losses = -scipy.special.log_softmax(runs, axis=2)[:, np.arange(N_TEST), GOLD].mean(axis=1)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    apart = [100.0 * (runs[i].argmax(1) != runs[j].argmax(1)).mean() for i, j in pairs]
    rho = [scipy.stats.spearmanr(runs[i].ravel(), runs[j].ravel()).statistic for i, j in pairs]
    gains = [
        100.0 * (((runs[i] + runs[j]) / 2).argmax(1) == GOLD).mean() - (correct[i] + correct[j]) / 2
        for i, j in pairs
    ]
    expected = [np.std(correct), np.std(losses), *(np.mean(x) for x in (apart, rho, gains))]
    np.testing.assert_allclose(found.values, expected, rtol=1e-9)
    np.testing.assert_allclose(found.accuracies, correct)


def test_equal_runs_do_not_vary() -> None:
    same = varied(np.repeat(logits(1.0, 1)[:1], 4, axis=0), GOLD)
    np.testing.assert_allclose(same.amounts, 0.0, atol=1e-12)
    np.testing.assert_allclose(same.replicates[:, [0, 1, 2, 4]], 0.0, atol=1e-12)


def test_the_order_of_runs_does_not_matter() -> None:
    runs = logits(1.0, 1)
    np.testing.assert_allclose(varied(runs[::-1], GOLD).values, varied(runs, GOLD).values)


def test_losses_and_labels_that_are_known_better_are_taken() -> None:
    runs = logits(1.0, 1)
    exact = np.arange(6) * 1e-9
    found = varied(runs, GOLD, losses=exact, labels=np.zeros((6, N_TEST), int))
    assert found.values[1] == pytest.approx(np.std(exact))
    assert found.values[[0, 2]].tolist() == [0.0, 0.0]


def test_reductions_are_the_published_ones() -> None:
    """From the published measures of each row to its published reduction."""
    published = {
        "single": ((0.26, 0.0072, 10.7, 0.871, 1.82), 0),
        "snapshots": ((0.19, 0.0044, 6.1, 0.957, 0.63), 48),
        "flip": ((0.24, 0.0061, 8.2, 0.905, 1.20), 21),
        "crops": ((0.21, 0.0055, 8.8, 0.898, 1.39), 21),
        "snapshots, flip": ((0.15, 0.0039, 5.0, 0.967, 0.45), 58),
    }
    rows = {
        name: Varied(np.zeros(2), np.array(values), np.array([values] * 3))
        for name, (values, _) in published.items()
    }
    for name, (_, expected) in published.items():
        value, interval = comparison.reduction(rows[name], rows["single"])
        named = [Variability(*published[row][0]) for row in (name, "single")]
        assert value == pytest.approx(variability_reduction(*named))
        assert round(value) == expected
        assert interval.low == pytest.approx(interval.high)


def test_more_spread_is_more_of_every_measure() -> None:
    little, much = of(0.3, 1), of(1.5, 1)
    for value, interval in comparison.ratios(much, little):
        assert value > 1.0
        assert interval.low < value < interval.high
    most = comparison.largest_ratios([little, much, of(0.5, 2)])
    assert all(ratio >= value - 1e-9 for (ratio, _), (value, _) in zip(
        most, comparison.ratios(much, little), strict=True))  # fmt: skip


def test_ordinary_ensembles_share_no_run() -> None:
    runs = logits(1.0, 1, n_runs=5)
    found = vanilla_ensembles(runs, 2)
    np.testing.assert_allclose(found, [(runs[0] + runs[1]) / 2, (runs[2] + runs[3]) / 2])
    np.testing.assert_array_equal(vanilla_ensembles(runs, 1), runs)
    with pytest.raises(UsageError, match="members must be at most 5, the number of runs, got 6"):
        vanilla_ensembles(runs, 6)


# What the study asks for.


def test_the_rows_of_table_1_vary_what_they_say() -> None:
    design = Design(PRESETS["laptop"])
    wanted = design.sources()
    assert set(wanted) == {*ROWS, BIT, "all, other seeds"}
    for row, sources in ROWS.items():
        assert {source for source, _ in wanted[row].plans[0].seeds} == set(sources)
        assert wanted[row].recipe == design.recipe
    assert not set(wanted["all"].plans) & set(wanted["all, other seeds"].plans)
    assert all(plan.bit is not None for plan in wanted[BIT].plans)


def test_what_several_exhibits_look_at_is_trained_once() -> None:
    """The first trainings keep all that any exhibit wants of the same seeds."""
    design = Design(PRESETS["laptop"])
    together = {r.plans: {record.kind for record in r.records} for r in design.together()}
    for wanted, kind in ((design.layers(), "similarity"), (design.twins(), "trace")):
        for row, request in wanted.items():
            if row != "unchanged":
                assert {"logits", kind} <= together[request.plans]
    first = open_study("nondeterminism").wanted()[: len(together)]
    assert first == design.together()


def test_twins_are_compared_with_the_run_that_they_come_from() -> None:
    twins = Design(PRESETS["laptop"]).twins()
    assert list(twins) == ["unchanged", *FOLLOWED]
    (base,) = twins["unchanged"].plans
    for row in FOLLOWED:
        for plan in twins[row].plans:
            assert plan.base == base.base
            assert plan != base


@pytest.mark.parametrize("preset", PRESETS)
def test_bits_are_drawn_from_all_weights_of_the_tensor(preset: str) -> None:
    """Of whatever size the network's inputs have."""
    from stablib.workloads.images.network import build

    design = Design(PRESETS[preset])
    wanted = [of[BIT] for of in design.shallow().values()] + [design.sources()[BIT]]
    for request in wanted:
        recipe = request.recipe
        model = build(recipe, recipe.shape, 10, np.random.default_rng(0))  # type: ignore[attr-defined,arg-type]
        sizes = {name: p.numel() for name, p in model.named_parameters()}
        for plan in request.plans:
            assert plan.bit is not None
            assert plan.bit.index < sizes[plan.bit.tensor]
        largest = max(plan.bit.index for plan in request.plans if plan.bit)
        assert len(request.plans) < 8 or largest > 0.6 * sizes[request.plans[0].bit.tensor]  # type: ignore[union-attr]


@pytest.mark.parametrize("dataset", ["cifar10", "mnist", "digits"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_and_data_set_opens(preset: str, dataset: str) -> None:
    study = open_study("nondeterminism", preset=preset, dataset=dataset)
    assert study.wanted()
    channels, side, _ = study.design.recipe.shape
    assert (channels, side) in {(3, 32), (3, 16), (1, 28), (1, 14), (1, 8)}


def test_digits_are_neither_mirrored_nor_shifted() -> None:
    recipe = open_study("nondeterminism", dataset="mnist").design.recipe
    assert (recipe.crop, recipe.flip) == (0, False)
    assert open_study("nondeterminism").design.recipe.flip


def test_settings_that_fit_no_training_are_refused_at_once() -> None:
    with pytest.raises(UsageError, match="cycles must divide the epochs, got 3 cycles in 35"):
        open_study("nondeterminism", epochs=35)
    with pytest.raises(UsageError, match="did you mean 'resnet18'"):
        open_study("nondeterminism", model="resnet41")


def test_replicated_claims_are_those_of_the_table(real_data: Path) -> None:
    """The table lies beside the data; it says where its numbers come from."""
    table = real_data.parent / "reported" / "nondeterminism.csv"
    if not table.is_file():
        pytest.skip("the reported numbers are not at hand")
    claims = comparison.CLAIMS
    rows = {row["row"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert claims["t1-all-disagreement"].target == float(rows["all"]["disagreement_pct"])
    assert claims["t3-one-bit-ce-sd"].target == float(rows["random bit"]["ce_sd"])
    snapshots = rows["accelerated ensemble (5 snapshots)"]
    assert claims["t5-snapshots-reduction"].target == float(snapshots["variability_reduction_pct"])
    replicated = [c for c in claims.values() if c.reported == rows["all"]["spearman"]]
    assert all("not the paper's own cell" in claim.read_at for claim in replicated)


# What its exhibits say.


class Gold:
    """Labels of some images, in the place of a data set."""

    name, source = "cifar10", "made up"
    n_classes = N_CLASSES
    gold = {"train": GOLD, "test": GOLD}


def runs_of(request: Request, spread: float, seed: int) -> Runs:
    """Runs of a request whose logits, paths and layers are the farther apart, the more spread."""
    rng = np.random.default_rng(seed)
    found = []
    scores = logits(spread, seed, n_runs=6)
    upper = np.triu_indices(8)
    states = np.random.default_rng(1).normal(size=(8, 5))
    for number, plan in enumerate(request.plans[:6]):
        arrays: dict[str, Any] = {}
        for view, less in (("", 1.0), ("_flip", 0.8), ("_crop25", 0.7), ("_flip_crop25", 0.5)):
            mean = scores.mean(axis=0)
            seen = mean + less * (scores[number] - mean)
            arrays |= {
                f"logits{view}": seen,
                f"labels{view}": seen.argmax(axis=1),
                f"loss{view}": np.asarray(1.0 + spread * less * rng.normal()),
            }
        steps = np.array([1, 10, 100, 200])
        grown = spread * np.array([1e-8, 1e-4, 0.1, 0.5])[:, None]
        arrays |= {
            "losses": 1.0 + spread * rng.normal(size=12) * np.linspace(1, 0.5, 12),
            "correct": np.full(12, 20) + rng.integers(0, 3, size=12),
            "steps": steps,
            "weights": (1.0 + grown * rng.normal(size=(4, 50))).astype(np.float32),
        }
        apart = rng.random((4, N_TEST)) < spread * np.array([0.0, 0.0, 0.1, 0.3])[:, None]
        arrays["labels"] = np.where(apart, 9, 0) if "trace" in kinds(request) else arrays["labels"]
        for layer in ("first_convolution", "block_1", "logits"):
            own = states + spread * rng.normal(size=states.shape)
            own = own - own.mean(axis=0)
            arrays[f"products_{layer}"] = (own @ own.T)[upper]
        found.append(Run((plan,), arrays, MADE))
    return Runs(request.recipe, found)


def kinds(request: Request) -> set[str]:
    return {record.kind for record in request.records}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All runs are as far apart as the others, but for snapshots and twins of linear models."""
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    made = open_study("nondeterminism")

    class Source:
        data, source, key, notice, trainable = Gold, "made up", "k", "", True

    monkeypatch.setattr(made, "inputs", lambda recipe: Source())

    def get(request: Request) -> Runs:
        spread = 1.0
        if request.recipe.method.kind == "snapshot":
            spread = 0.3
        if request.recipe.model == "linear" and request.plans[0].bit:  # type: ignore[attr-defined]
            spread = 1e-7
        if request.plans[0].onset:
            spread = 0.1
        seed = zlib.crc32(repr(request.plans[0]).encode())
        return runs_of(request, spread, seed)

    monkeypatch.setattr(made, "get", get)
    monkeypatch.setattr(
        type(made),
        "_made",
        lambda self, kind, wanted: kind(self, Gold, {k: self.get(r) for k, r in wanted.items()}),
    )
    return made


def read(folder: Path, exhibit: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    numbers = json.loads((folder / exhibit / "numbers.json").read_text())
    claims = json.loads((folder / exhibit / "claims.json").read_text())
    return numbers, {c["claim"]["claim"]: c["answers"] for c in claims}


def test_table_1_measures_each_row_and_answers_what_is_claimed(study: Any, tmp_path: Path) -> None:
    results: Results = study.sources()
    tables.sources(results)
    numbers, answers = read(tmp_path, "ND-T1")
    assert len(numbers) == len(ROWS) + 1
    labels = results.labels["order"]
    apart = np.mean([(one != other).mean() for one in labels for other in labels])
    assert numbers[1]["disagreement (%)"].startswith(f"{100 * apart * 6 / 5:.1f} [")
    assert all(answers[name] for name in answers if "ratio" in name)
    # Cells of another network's replication are shown and not judged.
    assert not any(answers[name] for name in answers if "ratio" not in name)
    assert numbers[1]["replication (disagreement %, ρ)"] == "10.7, 0.871"


def test_table_3_compares_one_bit_with_initial_weights(study: Any, tmp_path: Path) -> None:
    results = study.sources()
    tables.one_bit(results)
    _, answers = read(tmp_path, "ND-T3")
    sds = [results.losses[row].std() for row in (BIT, "initial weights")]
    ratio = answers["t3-ratio-ce-sd"][0]["measured"]["value"]
    assert ratio == pytest.approx(sds[0] / sds[1])


def test_table_5_finds_less_variability_where_there_is_less(study: Any, tmp_path: Path) -> None:
    tables.mitigations(study.mitigations(), study.sources())
    numbers, answers = read(tmp_path, "ND-T5")
    reduced = {k: a[0]["measured"]["value"] for k, a in answers.items() if "reduction" in k}
    assert reduced["t5-snapshots-reduction"] > 40
    assert reduced["t5-single-flip-crop25-reduction"] > reduced["t5-single-flip-reduction"]
    null = answers["t5-snapshots-reduction"][0]["measured"]["null"]
    assert np.isfinite(null)
    titles = [next(iter(row.values())) for row in numbers]
    assert "ensemble of 2" in titles
    assert "ensemble of 3" not in titles  # Twelve runs make four of them: too few.
    assert {row["predictors"] for row in numbers} == {"6"}


def test_shallow_networks_are_compared_with_the_linear_one(study: Any, tmp_path: Path) -> None:
    by_model = study.shallow()
    tables.shallow(by_model)
    _, answers = read(tmp_path, "ND-T8")
    assert answers["t8-hidden-dense-above-linear"][0]["measured"]["value"] > 1e5
    figures.over_epochs(by_model)
    _, answers = read(tmp_path, "ND-F3")
    assert answers["f3-lower"][0]["measured"]["value"] > 1e5


def test_twins_are_compared_with_the_unchanged_run_at_each_rate(study: Any, tmp_path: Path) -> None:
    by_model = study.rates()
    tables.by_rate(by_model)
    numbers, _ = read(tmp_path, "ND-X2")
    assert len(numbers) == sum(len(results.runs) for results in by_model.values())
    results = by_model["hidden_dense"]
    labels = results.labels["0.4"]
    apart = [100 * (twin != labels[0]).mean() for twin in labels[1:]]
    row = next(r for r in numbers if "0.4" in r.values() and "one hidden layer" in str(r))
    said = row["disagreement with the unchanged run (%)"]
    assert said == f"{np.mean(apart):.1f} ({min(apart):.1f} to {max(apart):.1f})"


def test_sources_are_set_side_by_side_across_workloads(study: Any, tmp_path: Path) -> None:
    runs = study.sources().runs
    rows = {"order": runs["order"], "all": runs["all"]}
    tables.across(Across(study, {"here": Gold, "there": Gold}, {"here": rows, "there": rows}))  # type: ignore[dict-item]
    numbers, _ = read(tmp_path, "ND-X1")
    assert len(numbers) == 4
    assert numbers[0]["disagreement (%)"] == numbers[2]["disagreement (%)"]
    assert numbers[1]["of that of all (%)"] == "–"


def test_the_other_papers_runs_are_those_that_they_have() -> None:
    """No run is trained for the comparison alone."""
    asked = open_study("nondeterminism").requests()["ND-X1"]
    others = [r for r in asked if r.recipe.kind != "image"]
    known = {
        (r.recipe, record, plan)
        for paper in ("local_instability", "random_seed")
        for r in open_study(paper).wanted()
        for record in r.records
        for plan in r.plans
    }
    assert others
    assert all(
        (r.recipe, record, plan) in known
        for r in others
        for record in r.records
        for plan in r.plans
    )


def test_figures_show_what_the_runs_are(study: Any, tmp_path: Path) -> None:
    twins: Trainings = study.twins()
    figures.divergence(twins)
    numbers, _ = read(tmp_path, "ND-X4")
    assert {row["row"] for row in numbers} == set(FOLLOWED)
    distances = [row["distance"] for row in numbers if row["row"] == BIT]
    assert distances == sorted(distances)
    figures.similarity(study.layers())
    numbers, answers = read(tmp_path, "ND-F1")
    assert all(0.0 < row["CKA"] < 1.0 for row in numbers)
    assert answers["f1-dwarfed"][0]["measured"]["value"] > 0.0
    figures.onset(study.onsets(), study.sources())
    numbers, answers = read(tmp_path, "ND-F2")
    sds = {row["epoch"]: row["sd"] for row in numbers if "entropy" in row["measure"]}
    assert sds[1] > max(sd for epoch, sd in sds.items() if epoch > 1)
    assert answers["f2-late-ce-sd"][0]["measured"]["value"] == pytest.approx(
        100 * (1 - sds[max(sds)] / sds[1])
    )


def test_records_are_those_that_the_exhibits_read() -> None:
    design = Design(PRESETS["laptop"])
    assert kinds(design.sources()["all"]) == {Logits().kind}
    assert kinds(design.twins()[BIT]) == {Trace().kind}
