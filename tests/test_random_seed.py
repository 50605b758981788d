"""The random seed study: what it asks for, and what its exhibits say of known spreads."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from stablib.runs import Runs
from stablib.runs.store import Run
from stablib.show.random_seed import comparison, figures, illustrations, tables
from stablib.studies import open_study
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
    Results,
)
from stablib.studies.random_seed.design import Design
from stablib.studies.random_seed.settings import CELLS, PRESETS
from stablib.training import Request

N_RUNS, STARTS = 5, np.array([0, 3, 5, 9, 10])
MADE = {"torch": "2", "trained": "2026-01-01", "processor": "p", "cores": 2, "seconds": 1.0}


def arrays(rng: np.random.Generator, spread: float, prefix: str = "") -> dict[str, Any]:
    """A run on twelve texts; its scores and attention are the farther off the larger the spread."""
    common = np.random.default_rng(0)
    odds = common.normal(0.0, 2.0, (12, 1)) + spread * rng.normal(0.0, 1.0, (12, 1))
    logs = common.normal(0.0, 1.0, STARTS[-1]) + spread * rng.normal(0.0, 1.0, STARTS[-1])
    kept = {"attention_texts": np.array([0, 4, 8, 11]), "attention_starts": STARTS}
    for checkpoint in ("best", "last"):
        kept |= {f"scores_{checkpoint}": odds, f"log_attention_{checkpoint}": logs}
    if not prefix:
        for kind in ("gradients", "gradients_cut", "lime", "lime_again"):
            kept[f"log_{kind}"] = logs + 0.1 * rng.normal(size=logs.shape)
        for of in ("explained", "lime"):
            kept |= {f"{of}_texts": np.array([0, 4, 8, 11]), f"{of}_starts": STARTS}
    return {f"{prefix}{name}": array for name, array in kept.items()}


def made(request: Request, spread: float, seed: int) -> Runs:
    rng = np.random.default_rng(seed)
    runs = []
    for plan in request.plans[:N_RUNS]:
        parts = arrays(rng, spread)
        for beside in ("step_swa_", "ema_"):
            parts |= arrays(rng, spread / 2, beside)
        runs.append(Run((plan,), parts, MADE))
    return Runs(request.recipe, runs)


class Gold:
    """Labels of twelve texts, in the place of a data set."""

    name, source, label_names = "sst", "made up", ("negative", "positive")
    gold = {split: np.arange(12) % 2 for split in ("train", "val", "test")}
    texts: dict[str, list[str]] = {}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Plain runs that differ as much as those of the null, and averaged ones that differ less."""
    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    study = open_study("random_seed")
    monkeypatch.setattr(study, "inputs", lambda recipe: Source())
    spreads = {PLAIN: 1.0, ASWA_TEXT: 0.3, NASWA_TEXT: 0.3, NASWA_CODE: 0.5, NULL: 1.0}
    wanted = Design(study.settings, Cell("sst", "cnn")).runs()
    runs = {v: made(r, spreads[v], seed) for seed, (v, r) in enumerate(wanted.items())}
    return Results(study, Cell("sst", "cnn"), Gold(), "best", runs)  # type: ignore[arg-type]


@dataclasses.dataclass
class Source:
    """Where the data come from."""

    notice: str = ""
    key: str = "key"
    source: str = "made up"


def test_the_papers_means_are_those_of_its_tables() -> None:
    """72 % is the mean over data sets of what ASWA takes from the sd of CNNs (section 5.1)."""
    claims = open_study("random_seed").claims()
    taken = [
        100.0 * (1 - claims[f"t2-{name}-aswa-sd"].target / claims[f"t2-{name}-plain-sd"].target)  # type: ignore[operator]
        for name in ("imdb", "diabetes", "sst", "anemia", "agnews", "adr")
    ]
    assert claims["t2-mean-aswa"].target == pytest.approx(np.mean(taken), abs=0.5)
    assert max(taken) == pytest.approx(89, abs=0.5)  # Diabetes, also in section 5.1.
    for name, claim in claims.items():
        if name.endswith("-sd-reduction"):
            table, dataset, method = name.split("-")[:3]
            sds = [claims[f"{table}-{dataset}-{m}-sd"].target for m in (method, "plain")]
            assert claim.target == pytest.approx(100.0 * (1 - sds[0] / sds[1]), abs=0.06)  # type: ignore[operator]


def test_a_preset_trains_its_cells_and_a_choice_takes_their_place() -> None:
    study = open_study("random_seed")
    assert [tuple(cell) for cell in study.cells] == list(CELLS["laptop"])
    assert study.changed(dataset="adr").cells == [Cell("adr", "cnn")]
    assert study.changed(encoder="bilstm").cells == [
        Cell(dataset, "bilstm") for dataset, _ in CELLS["laptop"]
    ]
    paper = open_study("random_seed", preset="paper")
    assert len(paper.cells) == 12


def test_the_null_shares_no_seed_with_plain_runs() -> None:
    wanted = Design(PRESETS["laptop"], Cell("sst", "cnn")).runs()
    assert wanted[NULL].recipe == wanted[PLAIN].recipe
    assert not set(wanted[NULL].plans) & set(wanted[PLAIN].plans)
    assert {request.plans for v, request in wanted.items() if v != NULL} == {wanted[PLAIN].plans}


def test_measures_are_those_of_scipy(results: Results) -> None:
    scores = results.scores[PLAIN]
    assert ((scores > 0) & (scores < 1)).all()
    np.testing.assert_allclose(
        comparison.prediction_sd(results, PLAIN).values, np.std(scores, axis=0)
    )
    text = results.attention[PLAIN][2]
    assert text.shape == (N_RUNS, 4)
    pairs = [
        scipy.stats.entropy(text[i], text[j])
        for i in range(N_RUNS)
        for j in range(N_RUNS)
        if i != j
    ]
    found = comparison.attention_entropy(results, PLAIN)
    np.testing.assert_allclose(found.values[2], np.mean(pairs))
    np.testing.assert_allclose(found.scores, scores[:, [0, 4, 8, 11]].mean(axis=0))


def test_runs_that_agree_have_no_spread(results: Results) -> None:
    same = results.runs[PLAIN]
    alike = Runs(same.recipe, [Run((plan,), same._runs[0].arrays, MADE) for plan in same.plans])
    agreeing = dataclasses.replace(results, runs={**results.runs, ASWA_TEXT: alike})
    for measure in (comparison.PREDICTION_SD, comparison.ATTENTION_ENTROPY):
        spread = measure.of(agreeing, ASWA_TEXT)
        np.testing.assert_allclose(spread.values, 0.0, atol=1e-12)
        value, (low, high) = comparison.reduction(spread, measure.of(agreeing, PLAIN))
        assert (value, low, high) == pytest.approx((100.0, 100.0, 100.0))
    assert comparison.sd_reduction(np.full(5, 80.0), np.array([80.0, 81, 82, 83, 84]))[0] == 100.0


def test_the_order_of_runs_does_not_matter(results: Results) -> None:
    turned = {v: Runs(r.recipe, r._runs[::-1]) for v, r in results.runs.items()}
    other = dataclasses.replace(results, runs=turned)
    for measure in (comparison.attention_entropy, comparison.attention_jaccard):
        np.testing.assert_allclose(measure(results, PLAIN).values, measure(other, PLAIN).values)


def test_every_exhibit_answers_the_claims_about_its_data(results: Results, tmp_path: Path) -> None:
    tables.data([results])
    tables.accuracy([results], "RS-T2")
    tables.thresholds([results])
    tables.sharpness([results])
    figures.two_seeds(results)
    for measure, single, several in (
        (comparison.PREDICTION_SD, "RS-F3", "RS-F6"),
        (comparison.ATTENTION_ENTROPY, "RS-F4", "RS-F8"),
        (comparison.ATTENTION_JACCARD, "RS-F5", None),
        (comparison.GRADIENT_JACCARD, None, "RS-F7"),
        (comparison.LIME_JACCARD, None, "RS-F10"),
    ):
        if single:
            figures.by_score([results], measure, single)
        if several:
            figures.by_method([results], measure, several)
    illustrations.two_distributions(results.study)  # type: ignore[arg-type]
    answered = {
        row["claim"]["claim"]
        for path in tmp_path.glob("*/claims.json")
        for row in json.loads(path.read_text())
        if row["answers"]
    }
    about = {
        name
        for name, claim in results.study.claims().items()
        if claim.dataset in ("sst", "") and claim.exhibit != "RS-T3"
    }
    assert answered == about


def test_other_seeds_are_the_null_of_a_reduction(results: Results, tmp_path: Path) -> None:
    figures.by_method([results], comparison.PREDICTION_SD, "RS-F6")
    rows = json.loads((tmp_path / "RS-F6" / "claims.json").read_text())
    (row,) = (r for r in rows if r["claim"]["claim"] == "f6-sst-aswa-reduction")
    plain, null, aswa = (
        comparison.prediction_sd(results, v).values.mean() for v in (PLAIN, NULL, ASWA_TEXT)
    )
    (answer,) = row["answers"]
    assert answer["measured"]["null"] == pytest.approx(100 * (1 - null / plain))
    assert answer["measured"]["value"] == pytest.approx(100 * (1 - aswa / plain))
    assert answer["verdict"] == "reproduced"


def test_an_encoder_that_is_not_looked_at_is_left_out_by_name() -> None:
    page = tables.accuracy([], "RS-T3")._repr_html_()
    assert "RS-T3" in page
    assert "no runs with this encoder" in page


def test_tweets_are_never_quoted(results: Results) -> None:
    class Tweets(Gold):
        name = "adr"
        texts = {"test": ["w1 w2 w3"] * 12}

    tweets = dataclasses.replace(results, dataset=Tweets())  # type: ignore[arg-type]
    assert "w1" not in figures.two_seeds(tweets)._repr_html_()
