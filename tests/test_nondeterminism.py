"""The nondeterminism study: what it asks for, and what its exhibits say of known spreads."""

from __future__ import annotations

import csv
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from stablib.errors import UsageError
from stablib.metrics import Interval, Variability, variability_reduction
from stablib.mitigation import vanilla_ensembles
from stablib.models.qrnn import LanguageModel
from stablib.models.resnet import ResNet
from stablib.papers.claims import judge
from stablib.runs import Runs
from stablib.runs.store import Run
from stablib.show.exhibit import with_interval
from stablib.show.nondeterminism import across as across_workloads
from stablib.show.nondeterminism import (
    comparison,
    conditioning,
    ensembles,
    figures,
    generalization,
    language,
    shallow,
    tables,
)
from stablib.show.nondeterminism.comparison import Varied, varied
from stablib.studies import open_study
from stablib.studies.nondeterminism import BIT, ROWS, Across, Results, Trainings, across, elsewhere
from stablib.studies.nondeterminism import language as reading
from stablib.studies.nondeterminism.design import FOLLOWED, Design
from stablib.studies.nondeterminism.settings import PRESETS
from stablib.training import Request, SeedPlan
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
    np.testing.assert_allclose(found.levels, correct)


def test_a_ratio_to_what_may_be_nothing_has_no_interval_and_decides_nothing() -> None:
    usual = of(1.0, 1)
    around = usual.replicates.copy()
    around[:, 4] = np.linspace(-0.1, 0.1, len(around))  # The gain of a pair.
    vague = usual._replace(replicates=around)
    found = comparison.ratios(usual, vague)
    assert np.isnan(found[4][1]).all()
    assert np.isfinite(found[4][0])
    assert all(np.isfinite(interval).all() for _, interval in found[:4])
    (said,) = comparison.answer("t3-ratio-delta", found[4])
    assert judge(comparison.CLAIMS["t3-ratio-delta"], said) == "undecided"
    assert np.isnan(comparison.reduction(usual, vague)[1]).all()
    assert with_interval(*found[4]).endswith("[–, –]")


def test_equal_runs_do_not_vary() -> None:
    same = varied(np.repeat(logits(1.0, 1)[:1], 4, axis=0), GOLD)
    np.testing.assert_allclose(same.amounts, 0.0, atol=1e-12)
    drawn = same.replicates[np.isfinite(same.replicates).all(axis=1)]  # One run has no pairs.
    assert len(drawn) > 900
    np.testing.assert_allclose(drawn[:, [0, 1, 2, 4]], 0.0, atol=1e-12)


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


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("t6-other-bit-disagreement", ["far", "near"]),  # About 1.
        ("t1-ratio-disagreement", ["far", "near"]),  # At most 2.
        ("a1-momentum", ["near", "far"]),  # At least .75.
        ("t7-longer-disagreement", ["near", "far"]),  # Greater.
    ],
)
def test_of_a_claim_about_all_the_least_favourable_is_judged(
    claim: str, expected: list[str]
) -> None:
    found = {"near": (1.2, Interval(1.0, 1.4)), "far": (1.9, Interval(1.5, 2.3))}
    said = comparison.answer_of_all(claim, found)
    assert [each.variant for each in said] == expected
    assert comparison.answer_of_all("of-nobody", found) == []


def test_more_spread_is_more_of_every_measure() -> None:
    little, much = of(0.3, 1), of(1.5, 1)
    found = comparison.ratios(much, little)
    assert all(value > 1.0 for value, _ in found)
    # Of runs so close to each other, the gain of a pair may be nothing.
    assert all(interval.low < value < interval.high for value, interval in found[:4])
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
    others = elsewhere.architectures(PRESETS[preset]) | elsewhere.large(PRESETS[preset])
    wanted += [of[BIT] for of in others.values()]
    words = reading.rows(PRESETS[preset])[BIT]
    size = LanguageModel(
        9, words.recipe.embedding, words.recipe.hidden, 3, np.random.default_rng(0)
    )  # type: ignore[attr-defined]
    n_weights = size.layers[0].gates.weight.numel()  # type: ignore[union-attr,operator]
    assert all(plan.bit.index < n_weights for plan in words.plans if plan.bit)
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
        off = rng.normal()
        for view, less in (("", 1.0), ("_flip", 0.8), ("_crop25", 0.7), ("_flip_crop25", 0.5)):
            mean = scores.mean(axis=0)
            seen = mean + less * (scores[number] - mean)
            arrays |= {
                f"logits{view}": seen,
                f"labels{view}": seen.argmax(axis=1),
                f"loss{view}": np.asarray(1.0 + spread * less * off),
            }
        if "next_words" in kinds(request):
            losses = np.abs(3.0 + spread * rng.normal(size=N_TEST))
            arrays = {"losses": losses, "loss": losses.mean(), "labels": seen.argmax(axis=1)}
            found.append(Run((plan,), arrays, MADE))
            continue
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
        if getattr(request.recipe, "model", "") == "linear" and request.plans[0].bit:
            spread = 1e-7
        if request.plans[0].onset:
            spread = 0.1
        seed = zlib.crc32(f"{request.recipe!r} {request.plans[0]!r}".encode())
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
    ensembles.mitigations(study.mitigations(), study.sources(), study.at_equal_cost())
    numbers, answers = read(tmp_path, "ND-T5")
    reduced = {k: a[0]["measured"]["value"] for k, a in answers.items() if "reduction" in k and a}
    assert reduced["t5-snapshots-reduction"] > 40
    by_title = {next(iter(row.values())): row for row in numbers}
    # Sds of accuracy over six runs on thirty images vary too much to be ordered: pairs are not.
    apart = {row: float(row_of["disagreement (%)"].split()[0]) for row, row_of in by_title.items()}
    assert apart["single, flip and 25 crops"] < apart["single, flip"] < apart["single"]
    # Two sets of six runs: what the more alike of them is below the mean of both.
    alone, sets = comparison.single_runs(study.sources(), 6)
    luck = [comparison.reduction(one, alone)[0] for one in sets]
    assert len(luck) == 2
    assert answers["t5-snapshots-reduction"][0]["measured"]["null"] == pytest.approx(max(luck))
    assert answers["t5-single-flip-reduction"][0]["measured"]["null"] == 0.0  # The same runs.
    titles = [next(iter(row.values())) for row in numbers]
    assert "ensemble of 2" in titles
    assert "ensemble of 3" not in titles  # Twelve runs make four of them: too few.
    assert "ensemble of 2, each 1/2 as long" in titles
    # Of shorter trainings there are as few as of others here, not two and three times as many.
    assert {row["predictors"] for row in numbers if "as long" not in str(row)} == {"6"}


def test_shallow_networks_are_compared_with_the_linear_one(study: Any, tmp_path: Path) -> None:
    by_model = study.shallow()
    shallow.shallow(by_model)
    _, answers = read(tmp_path, "ND-T8")
    assert answers["t8-hidden-dense-above-linear"][0]["measured"]["value"] > 1e5
    figures.over_epochs(by_model)
    _, answers = read(tmp_path, "ND-F3")
    assert answers["f3-lower"][0]["measured"]["value"] > 1e5


def test_twins_are_compared_with_the_unchanged_run_at_each_rate(study: Any, tmp_path: Path) -> None:
    by_model = study.rates()
    shallow.by_rate(by_model)
    numbers, _ = read(tmp_path, "ND-X2")
    assert len(numbers) == sum(len(results.runs) for results in by_model.values())
    results = by_model["one hidden layer at 16 x 16"]
    labels = results.labels["0.4"]
    apart = [100 * (twin != labels[0]).mean() for twin in labels[1:]]
    (row,) = (
        r
        for r in numbers
        if float(r["learning rate"]) == 0.4 and r["network"] == "one hidden layer"
    )
    said = [float(row[f"disagreement (%){end}"]) for end in ("", ", least", ", most")]
    assert said == pytest.approx([np.mean(apart), min(apart), max(apart)])
    assert int(row["twins"]) == len(labels) - 1


def test_twins_that_differ_nowhere_are_drawn_too(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = study.get

    def alike(request: Request) -> Runs:
        runs = get(request)
        for run in runs._runs:
            run.arrays["labels"] = runs._runs[0].arrays["labels"]
        return runs

    monkeypatch.setattr(study, "get", alike)
    shallow.by_rate(study.rates())
    numbers, _ = read(tmp_path, "ND-X2")
    assert {float(row["disagreement (%)"]) for row in numbers} == {0.0}


def test_what_one_bit_does_is_set_over_the_size_of_the_bit(study: Any, tmp_path: Path) -> None:
    curves = study.curves()
    twins, base = curves.runs[BIT], curves.runs["unchanged"]
    initial = ResNet(6, 3, 10, SeedPlan().generator("init"), stride=2)
    weights = initial.get_parameter("stem.weight").detach().numpy().ravel()
    sizes = [
        abs(np.nextafter(w, np.float32(np.inf if up else -np.inf)).astype(float) - float(w))
        for w, up in ((weights[p.bit.index], p.bit.direction == "up") for p in twins.plans)
    ]
    np.testing.assert_array_equal(curves.bit_sizes(BIT), sizes)
    conditioning.conditioning(curves)
    _, answers = read(tmp_path, "ND-X5")
    last = np.abs(twins["losses"][:, -1] - base["losses"][0, -1])
    (condition,) = answers["x5-condition-ce"]
    assert condition["measured"]["value"] == pytest.approx(np.mean(last / sizes))
    assert set(answers) == {
        "x5-grows", "x5-shrinks", "x5-condition-accuracy", "x5-condition-ce"
    }  # fmt: skip


def test_networks_that_diverge_are_told_and_not_drawn(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diverging(study, monkeypatch, lambda r: r.recipe.learning_rate == 0.4)
    shallow.by_rate(study.rates())
    numbers, _ = read(tmp_path, "ND-X2")
    without = {float(r["learning rate"]) for r in numbers if r["accuracy (%)"] in ("", None)}
    assert without == {0.4}
    said = json.loads((tmp_path / "ND-X2" / "provenance.json").read_text())["finding"]
    assert "at 0.2" in said
    assert "at 0.4" not in said


def test_sources_are_set_side_by_side_across_workloads(study: Any, tmp_path: Path) -> None:
    runs = study.sources().runs
    rows = {"order": runs["order"], "all": runs["all"]}
    across_workloads.across(
        Across(study, {"here": Gold, "there": Gold}, {"here": rows, "there": rows})
    )  # type: ignore[dict-item]
    numbers, _ = read(tmp_path, "ND-X1")
    assert len(numbers) == 4
    assert numbers[0]["disagreement (%)"] == numbers[2]["disagreement (%)"]
    assert numbers[1]["of that of all (%)"] == "–"


def test_the_other_papers_runs_are_those_that_they_have() -> None:
    """No run is trained for the comparison alone where its paper has them: none has twins."""
    found = across.requests("laptop").values()
    others = [r for rows in found for row, r in rows.items() if row != BIT]
    others += [rows["all"] for rows in across.others("laptop", 8).values()]
    known = {
        (r.recipe, record, plan)
        for paper in ("local_instability", "random_seed")
        for r in open_study(paper).wanted()
        for record in r.records
        for plan in r.plans
    }
    # A paper that shows a model beside its own knows it as a variant.
    known |= {
        (r.recipe, record, plan)
        for r in open_study("local_instability").optional()
        for record in r.records
        for plan in r.plans
    }
    assert all(
        (r.recipe, record, plan) in known
        for r in others
        for record in r.records
        for plan in r.plans
    )


@pytest.mark.parametrize("workload", ["heads on MASSIVE", "CNN on SST"])
def test_twins_of_other_papers_differ_by_one_bit_alone(workload: str) -> None:
    rows = across.requests("laptop")[workload]
    twins, source = rows[BIT], rows["order"]
    assert (twins.recipe, twins.records) == (source.recipe, source.records)
    assert len({plan.bit for plan in twins.plans}) == len(source.plans)
    assert {plan.model_copy(update={"bit": None}) for plan in twins.plans} == {SeedPlan()}


def test_language_models_are_compared_by_perplexity(study: Any, tmp_path: Path) -> None:
    readings = study.language()
    language.language_sources(readings)
    numbers, answers = read(tmp_path, "ND-T2")
    assert [next(iter(row.values())) for row in numbers][:2] == [
        "initial weights",
        "stochastic operations",
    ]
    losses = readings.losses["initial weights"]
    perplexities = np.exp(losses.mean(axis=1))
    assert numbers[0]["perplexity"] == f"{perplexities.mean():.2f}"
    assert numbers[0]["sd of perplexity"].startswith(f"{perplexities.std():.2f} ")
    pairs = [
        np.exp(-np.log((np.exp(-losses[i]) + np.exp(-losses[j])) / 2).mean())
        - (perplexities[i] + perplexities[j]) / 2
        for i in range(6)
        for j in range(i)
    ]
    assert numbers[0]["change by a pair (perplexity)"].startswith(f"{np.mean(pairs):.2f} ")
    assert np.mean(pairs) < 0.0
    # What the paper's own model reaches is asked of that alone.
    assert {name for name, answer in answers.items() if not answer} == {"t2-baseline-ppl"}
    language.language_bit(readings)
    _, answers = read(tmp_path, "ND-T4")
    sds = [np.exp(readings.losses[row].mean(axis=1)).std() for row in (BIT, "initial weights")]
    assert answers["t4-ratio-ppl-sd"][0]["measured"]["value"] == pytest.approx(sds[0] / sds[1])


def test_other_networks_are_compared_with_their_own_initial_weights(
    study: Any, tmp_path: Path
) -> None:
    by_model = study.architectures()
    generalization.architectures(by_model, study.sources())
    numbers, answers = read(tmp_path, "ND-T6")
    assert len(numbers) == sum(len(results.runs) for results in by_model.values())
    # The network of Table 1 is shown, and is none of the others.
    titles = {model: results.recipe.model_name for model, results in by_model.items()}
    said = [each["measured"] for each in answers["t6-other-bit-disagreement"]]
    assert {each["variant"] for each in said} == set(titles.values()) - {
        titles["resnet6"],
        titles["digit_net"],
    }
    less = answers["t6-mnist-snapshots-disagreement"][0]["measured"]["value"]
    assert less > 20.0
    assert np.isfinite(answers["t6-other-snapshots-disagreement"][0]["measured"]["null"])
    sizes = answers["t6-size-ce-sd"][0]["measured"]
    smallest = answers["t6-smallest-ce-sd"][0]["measured"]
    other = next(
        each["measured"]
        for each in answers["t6-other-snapshots-disagreement"]
        if each["measured"]["variant"] == sizes["variant"]
    )
    assert other
    assert sizes["low"] < sizes["value"] < sizes["high"]
    assert np.isfinite(smallest["value"])


def diverging(study: Any, monkeypatch: pytest.MonkeyPatch, which: Any) -> None:
    """Let some runs have a loss far above that of guessing."""
    get = study.get

    def got(request: Request) -> Runs:
        runs = get(request)
        if which(request):
            for run in runs._runs:
                run.arrays["loss"] = np.asarray(100.0)
        return runs

    monkeypatch.setattr(study, "get", got)


def test_a_row_that_has_diverged_is_told_and_not_judged(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diverging(study, monkeypatch, lambda r: getattr(r.recipe, "momentum", 0.9) == 0.99)
    generalization.in_vain(study.in_vain())
    numbers, answers = read(tmp_path, "ND-A1")
    (row,) = [row for row in numbers if "SGD, momentum 0.99" in row.values()]
    assert re.fullmatch(r"[1-9]\d* of \d+ diverged", row["accuracy (%)"])
    assert len(answers["a1-momentum"]) == 2
    diverging(study, monkeypatch, lambda r: r.plans[0].bit is not None)
    generalization.lengths(study.lengths(), study.sources())
    numbers, answers = read(tmp_path, "ND-T7")
    assert answers["t7-bit-disagreement"] == []
    assert sum(row["accuracy (%)"].endswith("diverged") for row in numbers) == 1


def test_lengths_are_compared_with_the_usual_one(study: Any, tmp_path: Path) -> None:
    results = study.lengths()
    generalization.lengths(results, study.sources())
    numbers, answers = read(tmp_path, "ND-T7")
    titles = [next(iter(row.values())) for row in numbers]
    assert titles[0] == "all / 0.2 / 36"
    assert set(titles) > {"all / 0.2 / 144", "all / 0.4 / 36", "snapshots / 0.2 / 15"}
    longer = {each["measured"]["variant"] for each in answers["t7-longer-disagreement"]}
    assert longer == {"all / 0.2 / 144", "all / 0.2 / 72"}
    assert len(answers["t7-length-ce-sd"]) == len(elsewhere.LENGTHS)
    assert len(answers["t7-rate-ce-sd"]) == len(elsewhere.RATES)
    labels = {row: results.labels[row] for row in titles}

    def apart(row: str) -> float:
        return float(np.mean([(a != b).mean() for a in labels[row] for b in labels[row]]))

    value = answers["t7-bit-disagreement"][0]["measured"]["value"]
    assert value == pytest.approx(apart("one bit / 0.2 / 15") / apart("all / 0.2 / 15"))
    less = answers["t7-snapshots-disagreement"][0]["measured"]
    assert less["value"] > 20.0
    assert np.isfinite(less["null"])


@pytest.mark.parametrize("epochs", [6, 12, 36])
def test_short_runs_are_compared_with_plain_ones_as_fast_and_as_long(epochs: int) -> None:
    """Also where the shortest length that there can be is the usual one."""
    settings = PRESETS["laptop"].model_copy(update={"epochs": epochs})
    rows = elsewhere.lengths(settings)
    bit = next(row for row in rows if row.startswith(BIT))
    plain = rows[bit.replace(BIT, "all", 1)]
    assert plain.recipe == rows[bit].recipe


def test_attempts_are_compared_with_the_usual_optimizer(study: Any, tmp_path: Path) -> None:
    generalization.in_vain(study.in_vain())
    numbers, answers = read(tmp_path, "ND-A1")
    assert len(numbers) == 7
    assert len(answers["a1-momentum"]) == 3
    assert set(answers) == {"a1-momentum", "a1-adam", "a1-weight-augmentation", "a1-aswa"}
    of_momentum = [each["measured"]["value"] for each in answers["a1-momentum"]]
    assert min(of_momentum) == of_momentum[0]


def test_a_repetition_that_differs_is_told_from_one_that_does_not(
    study: Any, tmp_path: Path
) -> None:
    by_model = study.again()
    (model, trainings), *_ = by_model.items()
    same = {**trainings.runs, "once more": trainings.runs["unchanged"]}
    twice = study.twice()
    generalization.again({model: Trainings(study, Gold, same)}, twice)  # type: ignore[arg-type]
    numbers, _ = read(tmp_path, "ND-X3")
    assert len(numbers) == len(same) - 1
    assert numbers[0]["same bits"] == "yes"
    assert numbers[0]["labels that differ (%)"] == "0.0"
    assert numbers[0]["weights apart from step"] == "–"
    assert numbers[0]["largest difference of a weight"] == "0"
    assert numbers[-1]["same bits"] == "no"


def test_the_same_training_on_two_processors_is_compared(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice, by_model = study.twice(), study.again()
    assert len({(runs.recipe, runs.plans) for runs in twice.runs.values()}) == 1
    monkeypatch.setattr(generalization, "_processors", lambda _: ["one", "another"])
    generalization.again(by_model, twice)
    numbers, _ = read(tmp_path, "ND-X3")
    one, other = twice.labels.values()
    assert numbers[-1]["labels that differ (%)"] == f"{100 * (one != other).mean():.1f}"
    assert numbers[-1]["largest difference of a weight"] == "–"


def test_what_is_asked_again_has_the_same_seeds_but_for_low_level() -> None:
    for rows in elsewhere.again(PRESETS["laptop"]).values():
        first, *others = rows.values()
        assert len({request.recipe for request in rows.values()}) == 4
        for request in others:
            seeds = dict(request.plans[0].seeds)
            assert seeds in ({}, {"low_level": 1})
            changed = {"threads": 1, "attempt": 1}
            assert request.recipe.model_copy(update=changed) == first.recipe


def test_every_preset_has_other_networks() -> None:
    for model in ("resnet6", "resnet10", "resnet14", "resnet18"):
        settings = PRESETS["paper"].model_copy(update={"model": model})
        models = [r["all"].recipe.model for r in elsewhere.architectures(settings).values()]  # type: ignore[attr-defined]
        assert len(set(models)) == len(models)
        assert {"resnet6", "resnet10", "resnet18", "vgg11", "shufflenet"} <= set(models)
    with pytest.raises(UsageError, match="large_epochs must be more than the warm-up, 3, got 2"):
        open_study("nondeterminism", large_epochs=2)


def test_large_networks_have_fewer_rows_only_on_a_laptop() -> None:
    laptop, paper = (PRESETS[name] for name in ("laptop", "paper"))
    assert set(elsewhere.large(laptop)) == set(elsewhere.LARGE)
    assert not set(elsewhere.LARGE) & set(elsewhere.architectures(laptop))
    assert not elsewhere.large(paper)
    assert set(elsewhere.LARGE) < set(elsewhere.architectures(paper))


@pytest.mark.parametrize("preset", PRESETS)
def test_lengths_fit_the_cycles_and_the_warm_up(preset: str) -> None:
    settings = PRESETS[preset]
    for factor in (elsewhere.SHORT, *elsewhere.LENGTHS):
        epochs = elsewhere.epochs(settings, factor)
        assert epochs % settings.cycles == 0
        assert epochs > 3
    if preset == "paper":
        lengths = [elsewhere.epochs(settings, factor) for factor in elsewhere.LENGTHS]
        assert lengths == [50, 125, 200, 1_000, 2_000]


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
