"""The random seed study: what it asks for, and what its exhibits say of known spreads."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from stablib.data import sentiment
from stablib.data.entries import entry
from stablib.models.attention import TextClassifier
from stablib.runs import Runs
from stablib.runs.store import Run
from stablib.show.random_seed import comparison, figures, illustrations, one_text, questions, tables
from stablib.studies import open_study
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
    Results,
    Variant,
)
from stablib.studies.random_seed.design import Design
from stablib.studies.random_seed.outcomes import Again, Matrix
from stablib.studies.random_seed.settings import CELLS, DATASETS, ENCODERS, PRESETS
from stablib.training import Request

N_RUNS, STARTS = 5, np.array([0, 3, 5, 9, 10])
MADE = {"torch": "2", "trained": "2026-01-01", "hardware": "p, 2 cores", "seconds": 1.0}


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
        parts["best_epoch"] = np.int32(3)
        runs.append(Run((plan,), parts, MADE))
    return Runs(request.recipe, runs)


class Gold:
    """Labels of twelve test texts, and of as many others as the paper has, as a data set."""

    name, source, label_names = "sst", "made up", ("negative", "positive")
    n_classes = 2
    gold = {split: np.arange(n) % 2 for split, n in (("train", 6355), ("val", 800), ("test", 12))}
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
    assert study.changed(dataset="adr").cells == [Cell("adr", "cnn"), Cell("adr", "bilstm")]
    assert study.changed(encoder="bilstm").cells == [
        Cell(dataset, "bilstm") for dataset in dict.fromkeys(name for name, _ in CELLS["laptop"])
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
    other = dataclasses.replace(results, cell=Cell("sst", "bilstm"))
    tables.data([results], {})
    tables.accuracy([results], "RS-T2")
    tables.accuracy([other], "RS-T3")
    tables.thresholds([results])
    tables.sharpness([results])
    one_text.two_seeds(results)
    one_text.attention_sd(results)
    for measure, single, several in (
        (comparison.PREDICTION_SD, "RS-F3", "RS-F6"),
        (comparison.ATTENTION_ENTROPY, "RS-F4", "RS-F8"),
        (comparison.ATTENTION_JACCARD, "RS-F5", None),
        (comparison.GRADIENT_JACCARD, None, "RS-F7"),
        (comparison.LIME_JACCARD, None, "RS-F10"),
    ):
        if single:
            figures.by_score([results, other], measure, single)
        if several:
            of_both = [results] if several == "RS-F8" else [results, other]
            figures.by_method(of_both, measure, several)
    figures.by_method([other], comparison.ATTENTION_ENTROPY, "TH-F4.16")
    figures.by_method([results], comparison.ATTENTION_ENTROPY, "TH-F4.17")
    illustrations.two_distributions(results.study)  # type: ignore[arg-type]
    questions.again(Again(results.study, results.runs[PLAIN], results.runs[PLAIN]))
    answered = {
        row["claim"]["claim"]
        for path in tmp_path.glob("*/claims.json")
        for row in json.loads(path.read_text())
        if row["answers"]
    }
    about = {name for name, claim in results.study.claims().items() if claim.dataset in ("sst", "")}
    assert answered == about


def test_accuracies_on_a_sample_of_the_papers_texts_are_not_judged(
    results: Results, tmp_path: Path
) -> None:
    few = Gold()
    few.gold = {**Gold.gold, "train": np.arange(3_000) % 2, "val": np.arange(177) % 2}
    page = tables.accuracy([dataclasses.replace(results, dataset=few)], "RS-T2")._repr_html_()  # type: ignore[arg-type]
    assert "at hand (3,177 of 6,355 of SST, CNN), accuracies, gains and sds are not judged" in page
    answered = {
        row["claim"]["claim"]
        for row in json.loads((tmp_path / "RS-T2" / "claims.json").read_text())
        if row["answers"]
    }
    means = {"t2-similar", "t2-mean-aswa", "t2-mean-naswa", "t2-mean-plain-sd"}
    assert answered == {*means, "t2-sst-aswa-sd-reduction", "t2-sst-naswa-sd-reduction"}
    tables.data([dataclasses.replace(results, dataset=few)], {})  # type: ignore[arg-type]
    assert not [name for name in judged(tmp_path, "RS-T1") if "-train-" in name]
    assert "t1-sst-test-smaller" in judged(tmp_path, "RS-T1")


def judged(folder: Path, exhibit: str) -> dict[str, list[dict[str, Any]]]:
    """What was measured for each claim of an exhibit, the one that is judged first."""
    rows = json.loads((folder / exhibit / "claims.json").read_text())
    return {
        row["claim"]["claim"]: [answer["measured"] for answer in row["answers"]]
        for row in rows
        if row["answers"]
    }


def right(results: Results, variant: Variant) -> Any:
    """Accuracy of each run, in percent, from its scores."""
    return 100.0 * ((results.scores[variant] > 0.5) == (results.gold == 1)).mean(axis=1)


def entropy_of_pairs(results: Results, variant: Variant) -> Any:
    """Mean relative entropy of attention of each text, by scipy, one ordered pair at a time."""
    return np.array(
        [
            np.mean([scipy.stats.entropy(a, b) for a, b in itertools.permutations(text, 2)])
            for text in results.attention[variant]
        ]
    )


def test_a_gain_is_what_a_method_is_more_accurate_by(results: Results, tmp_path: Path) -> None:
    tables.accuracy([results], "RS-T2")
    found = judged(tmp_path, "RS-T2")
    plain, null = right(results, PLAIN), right(results, NULL)
    for name, variants in (("aswa", [ASWA_TEXT]), ("naswa", [NASWA_TEXT, NASWA_CODE])):
        for measured, variant in zip(found[f"t2-sst-{name}-gain"], variants, strict=True):
            correct = right(results, variant)
            assert correct.mean() != plain.mean()
            assert measured["value"] == pytest.approx(correct.mean() - plain.mean())
            assert measured["null"] == pytest.approx(null.mean() - plain.mean())
    above = [right(results, v).mean() - right(results, ASWA_TEXT).mean() for v in variants]
    assert [m["value"] for m in found["t2-similar"]] == pytest.approx(above)
    below = 100 * (1 - right(results, ASWA_TEXT).std(ddof=1) / plain.std(ddof=1))
    (mean,) = found["t2-mean-aswa"]
    assert mean["value"] == pytest.approx(below)
    assert mean["variant"] == "1 of the paper's six data sets"


def test_middle_scores_are_compared_with_those_at_the_edges(
    results: Results, tmp_path: Path
) -> None:
    shown = figures.by_score([results], comparison.PREDICTION_SD, "RS-F3")
    sds, mean = results.scores[PLAIN].std(axis=0), results.scores[PLAIN].mean(axis=0)
    middle, edge = (mean >= 0.3) & (mean < 0.7), (mean < 0.2) | (mean >= 0.8)
    assert 0 < edge.sum() < 5 <= middle.sum()
    (measured,) = judged(tmp_path, "RS-F3")["f3-sst-cnn-middle"]
    assert measured["value"] == pytest.approx(sds[middle].mean() - sds[edge].mean())
    # Of so few texts at the edges nothing is said, and those in the middle are told all the same.
    said = f"over runs is {sds[middle].mean():.2f} (SST, CNN) between .3 and .7."
    assert said in shown._repr_html_()


def test_bilstms_are_compared_with_cnns(results: Results, tmp_path: Path) -> None:
    wider = dataclasses.replace(
        results, cell=Cell("sst", "bilstm"), runs={**results.runs, PLAIN: results.runs[ASWA_TEXT]}
    )
    figures.by_score([results, wider], comparison.ATTENTION_ENTROPY, "RS-F4")
    (measured,) = judged(tmp_path, "RS-F4")["f4-sst-bilstm-above"]
    above = entropy_of_pairs(wider, PLAIN).mean() - entropy_of_pairs(results, PLAIN).mean()
    assert measured["value"] == pytest.approx(above)


def test_naswa_is_compared_with_aswa_in_both_readings(results: Results, tmp_path: Path) -> None:
    figures.by_method([results], comparison.ATTENTION_ENTROPY, "RS-F8")
    found = judged(tmp_path, "RS-F8")["f8-naswa-below-aswa"]
    aswa = entropy_of_pairs(results, ASWA_TEXT).mean()
    below = [
        100 * (1 - entropy_of_pairs(results, v).mean() / aswa) for v in (NASWA_TEXT, NASWA_CODE)
    ]
    assert [measured["value"] for measured in found] == pytest.approx(below)
    assert found[0]["variant"].startswith("as printed, 1 of")


def top_fifth(weights: Any) -> set[int]:
    return set(np.argsort(-weights)[: -(-len(weights) // 5)].tolist())


def test_the_most_important_tokens_are_the_top_fifth(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of texts so long that a fifth is several tokens, and another number than a tenth."""
    monkeypatch.setattr(sys.modules[__name__], "STARTS", np.array([0, 12, 27, 42, 63]))
    long = {v: made(Request(r.recipe, r.plans), 1.0, seed=0) for v, r in results.runs.items()}
    results = dataclasses.replace(results, runs=long)
    texts = results.attention[PLAIN]
    assert [text.shape[1] for text in texts] == [12, 15, 15, 21]
    differing = comparison.attention_differing(results, PLAIN).values
    distance = comparison.attention_jaccard(results, PLAIN).values
    for text, share, jaccard in zip(texts, differing, distance, strict=True):
        pairs = [(top_fifth(a), top_fifth(b)) for a, b in itertools.combinations(text, 2)]
        assert share == pytest.approx(np.mean([len(a - b) / len(a) for a, b in pairs]))
        assert jaccard == pytest.approx(np.mean([1 - len(a & b) / len(a | b) for a, b in pairs]))


def test_the_floor_of_lime_is_between_two_explanations_of_one_model(results: Results) -> None:
    for run in results.runs[PLAIN]._runs:  # Another token is the most important one.
        run.arrays["log_lime_again"] = -run.arrays["log_lime"]
    once, again = (results.explained(PLAIN, kind)[0] for kind in ("lime", "lime_again"))
    pairs = [
        (top_fifth(a), top_fifth(b))
        for first, second in zip(once, again, strict=True)
        for a, b in zip(first, second, strict=True)
    ]
    floor = np.mean([1 - len(a & b) / len(a | b) for a, b in pairs])
    assert floor > 0.5
    assert comparison.lime_floor(results, PLAIN) == pytest.approx(floor)


def test_lime_is_not_judged_where_its_own_noise_is_nearly_as_large(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distance = float(comparison.lime_jaccard(results, PLAIN).values.mean())
    for share, said in ((0.5, True), (0.9, False)):
        monkeypatch.setattr(figures, "lime_floor", lambda *_, share=share: share * distance)
        page = figures.by_method([results], comparison.LIME_JACCARD, "RS-F10")._repr_html_()
        assert ("f10-sst-cnn-naswa-reduction" in judged(tmp_path, "RS-F10")) == said
        assert ("own noise, and is not judged" in page) != said


def test_at_a_fixed_rate_all_runs_call_equally_many_texts_positive(results: Results) -> None:
    table = tables.thresholds([results]).numbers
    n_positive = int(results.gold.sum())
    for variant in (PLAIN, ASWA_TEXT):
        scores = results.scores[variant]
        called = np.zeros_like(scores, dtype=bool)
        np.put_along_axis(called, np.argsort(-scores, axis=1)[:, :n_positive], True, axis=1)
        sd = (100.0 * (called == (results.gold == 1)).mean(axis=1)).std(ddof=1)
        shown = table["sd at a fixed rate (points)"]["SST, CNN", variant.title]
        assert shown.startswith(f"{sd:.2f} [")


def test_flat_attention_has_the_entropy_of_equal_weights(results: Results) -> None:
    table = tables.sharpness([results]).numbers
    flatness = np.mean(
        [
            scipy.stats.entropy(text, axis=1) / np.log(text.shape[1])
            for text in results.attention[PLAIN]
            if text.shape[1] > 1
        ]
    )
    assert table["flatness (0 to 1)"]["SST, CNN", "Plain"].startswith(f"{flatness:.3f} [")


def test_the_text_on_which_two_runs_differ_most_has_its_label_from_both(results: Results) -> None:
    shown = one_text.two_seeds(results).numbers
    differ = {
        k: sum(scipy.stats.entropy(a, b) for a, b in itertools.permutations(text[:2], 2))
        for k, text in enumerate(results.attention[PLAIN])
        if (
            (results.scores[PLAIN][:2, place := results.places[k]] > 0.5) == results.gold[place]
        ).all()
    }
    assert len(differ) > 1
    chosen = max(differ, key=differ.__getitem__)
    np.testing.assert_allclose(shown["first"], results.attention[PLAIN][chosen][0])


def test_every_panel_of_the_papers_figures_has_its_claims() -> None:
    """The paper draws six data sets for each, the thesis as many."""
    names = open_study("random_seed").claims()
    for figure, encoders in (("f6", ENCODERS), ("f8", ["cnn"]), ("f4.16", ["bilstm"])):
        for dataset, encoder in itertools.product(DATASETS, encoders):
            for method in ("aswa", "naswa"):
                assert f"{figure}-{dataset}-{encoder}-{method}-reduction" in names
    for dataset in DATASETS:
        assert f"f4-{dataset}-bilstm-above" in names
        for encoder in ENCODERS:
            assert f"f3-{dataset}-{encoder}-middle" in names


def test_other_seeds_are_the_null_of_a_reduction(results: Results, tmp_path: Path) -> None:
    figures.by_method([results], comparison.PREDICTION_SD, "RS-F6")
    rows = json.loads((tmp_path / "RS-F6" / "claims.json").read_text())
    (row,) = (r for r in rows if r["claim"]["claim"] == "f6-sst-cnn-aswa-reduction")
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


@pytest.mark.parametrize(
    ("name", "shown"),
    [("adr", 0), ("anemia", 0), ("diabetes", 0), ("imdb", 40), ("sst", 40), ("reviews", 999)],
)
def test_texts_are_quoted_as_far_as_their_makers_allow(
    results: Results, name: str, shown: int
) -> None:
    for n_tokens in (3, 41, 400):
        data = Gold()
        data.name = name
        data.texts = {"test": [" ".join(f"w{k}" for k in range(n_tokens))] * 12}
        quoted = dataclasses.replace(results, dataset=data)  # type: ignore[arg-type]
        tokens = one_text.tokens_of(quoted, 0, n_tokens)
        assert tokens[0] == ("w0" if n_tokens <= shown else "token 1")


def test_a_label_is_looked_at_alone(results: Results) -> None:
    labels = results.by_label()
    assert [label.title for label in labels] == ["SST, CNN: negative", "SST, CNN: positive"]
    assert [label.claimed_as for label in labels] == ["sst-negative", "sst-positive"]
    np.testing.assert_allclose(labels[0].scores[PLAIN], 1.0 - results.scores[PLAIN])
    assert labels[0].places.tolist() == [0, 4, 8]
    assert labels[1].places.tolist() == [11]
    assert len(labels[0].attention[PLAIN]) == 3


def test_the_same_attention_again_has_no_gap(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = results.runs[PLAIN]
    other = made(Request(kept.recipe, kept.plans), 1.0, seed=99)
    for now, said in ((kept, "5 of 5 runs have the same bits"), (other, "0 of 5 runs")):
        found = Again(results.study, kept, now)
        assert said in questions.again(found)._repr_html_()
    numbers = json.loads((tmp_path / "TH-F4.5" / "numbers.json").read_text())
    assert {row["name"] for row in numbers} == {"as kept", "trained again"}


def test_training_length_compares_runs_of_one_length(results: Results, tmp_path: Path) -> None:
    steadier = dataclasses.replace(
        results, runs={**results.runs, ASWA_TEXT: results.runs[NASWA_CODE]}
    )
    questions.training_length([{2: steadier, 20: results}])
    rows = json.loads((tmp_path / "RS-X1" / "numbers.json").read_text())
    found = {(r["epochs"], r["method"], r["what"]): r["value"] for r in rows}
    assert found[2, "Plain", "sd of p below plain (%)"] == 0.0
    for epochs, of in ((2, steadier), (20, results)):
        sds = [comparison.prediction_sd(of, v).values.mean() for v in (ASWA_TEXT, PLAIN)]
        assert found[epochs, "ASWA", "sd of p below plain (%)"] == pytest.approx(
            100 * (1 - sds[0] / sds[1])
        )
    assert "left out" in questions.training_length([])._repr_html_()


def test_training_length_is_followed_on_whole_data_sets_of_one_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = open_study("random_seed")
    followed = [design.cell for design in study._followed]
    assert followed == [Cell("sst", "cnn"), Cell("agnews", "cnn"), Cell("adr", "cnn")]
    cells = {"laptop": (*CELLS["laptop"], ("imdb", "cnn"))}
    monkeypatch.setattr("stablib.studies.random_seed.study.CELLS", cells)
    # IMDB is trained on a part of its texts alone.
    assert [design.cell.dataset for design in study._followed] == ["sst", "agnews", "adr"]
    assert study.changed(epochs=2)._followed == []


def test_further_cells_are_shown_where_a_store_has_all_their_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = open_study("random_seed")
    wanted = study.wanted()
    monkeypatch.setattr(study, "has", lambda r: r.recipe.encoder == "bilstm")
    further = {Cell("adr", "bilstm"), Cell("agnews", "bilstm")}
    assert {*study.shown} - {*study.cells} == further
    assert study.wanted() == wanted
    monkeypatch.setattr(study, "has", lambda r: r.recipe.method.kind == "control")
    del study.shown
    assert {*study.shown} == {*study.cells}
    chosen = open_study("random_seed", dataset="sst")
    assert chosen.shown == chosen.cells


def test_what_is_kept_of_a_text_follows_from_its_length() -> None:
    """So that a run of long texts takes no more room than one of short ones."""
    settings = PRESETS["laptop"]
    assert [settings.kept(name) for name in ("sst", "adr", "agnews", "imdb")] == [200, 100, 50, 20]
    assert settings.model_copy(update={"n_texts": 7}).kept("imdb") == 7
    assert settings.first("imdb") == 2_000
    assert settings.first("sst") is None
    assert settings.model_copy(update={"limit": 99}).first("imdb") == 99


def test_sources_are_compared_with_plain_runs_of_the_same_source(
    results: Results, tmp_path: Path
) -> None:
    alike = dataclasses.replace(results, runs={**results.runs, ASWA_TEXT: results.runs[PLAIN]})
    page = questions.sources({"order of the texts": alike, "both": results})
    column = page.numbers["sd of p over runs, below plain (%)"]
    assert column["order of the texts", "ASWA"] == "0 [0, 0]"
    less = comparison.reduction(*(comparison.prediction_sd(results, v) for v in (ASWA_TEXT, PLAIN)))
    assert column["both", "ASWA"].startswith(f"{less[0]:.0f} [")


def test_an_explanation_that_is_right_lies_on_the_deciding_words(results: Results) -> None:
    """Plain runs point at them alone, ASWA's at all other words."""
    told_texts = entry("reviews").generate().texts["test"][:12]  # type: ignore[misc]
    places = np.array([0, 4, 8, 11])
    chosen = [told_texts[place] for place in places]
    starts = np.cumsum([0, *(len(text.split()) for text in chosen)])
    decides = np.concatenate(
        [np.isin(np.arange(len(text.split())), sentiment.positions(text)) for text in chosen]
    )

    def pointing(runs: Runs, mask: Any) -> Runs:
        logs = np.where(mask, 0.0, -80.0)
        names = ["log_attention_best", "log_gradients", "log_gradients_cut", "log_lime"]
        kept = dict.fromkeys(names, logs)
        kept |= {f"{of}_starts": starts for of in ("attention", "explained", "lime")}
        kept |= {f"{of}_texts": places for of in ("attention", "explained", "lime")}
        found = []
        for run in runs._runs:
            own = {n: a for n, a in run.arrays.items() if not n.startswith(("step_swa", "ema"))}
            found.append(Run(run.plans, {**own, **kept}, run.provenance))
        return Runs(runs.recipe, found)

    class Reviews(Gold):
        name = "reviews"
        texts = {"test": told_texts}

    plain, aswa = results.runs[PLAIN], results.runs[ASWA_TEXT]
    told = dataclasses.replace(
        results,
        dataset=Reviews(),  # type: ignore[arg-type]
        runs={PLAIN: pointing(plain, decides), ASWA_TEXT: pointing(aswa, ~decides)},
    )
    shares = questions.known_words(told).numbers["share on deciding words (%)"]
    for explanation in ("attention", "gradients", "gradients, cut at attention", "LIME"):
        assert shares[explanation, "Plain"] == "100.0 [100.0, 100.0]"
        assert shares[explanation, "ASWA"] == "0.0 [0.0, 0.0]"
    assert "left out" in questions.known_words(results)._repr_html_()


def test_the_matrix_has_both_workloads_and_all_their_methods(results: Results) -> None:
    rng = np.random.default_rng(0)
    plans = results.runs[PLAIN].plans
    heads = {
        name: Runs(
            results.recipe,
            [Run((plan,), {"labels_test": labels}, MADE) for plan, labels in zip(plans, of)],  # noqa: B905
        )
        for name, of in {
            "Plain": rng.integers(0, 2, (N_RUNS, 12)),
            "Plain, other seeds": rng.integers(0, 2, (N_RUNS, 12)),
            "ASWA": np.tile(np.arange(12) % 2, (N_RUNS, 1)),
        }.items()
    }
    found = Matrix(results.study, results, {"SWA": results.runs[ASWA_TEXT]}, heads, Gold())  # type: ignore[arg-type]
    table = questions.matrix(found).numbers
    assert table["SST, head"]["ΔLE_m (%)"]["ASWA"] == "100.0 [100.0, 100.0]"
    assert table["SST, head"]["accuracy (%)"]["ASWA"] == "100.0 [100.0, 100.0]"
    here = table["SST, CNN"]["ΔLE_m (%)"]
    assert here["SWA"] == here["ASWA"]
    assert table["SST, CNN"]["accuracy (%)"].index[0] == "Plain"


def test_what_varies_most_is_shown_with_other_seeds_beside_it(
    results: Results, tmp_path: Path
) -> None:
    shown = one_text.attention_sd(results)
    rows = json.loads((tmp_path / "TH-F4.19" / "numbers.json").read_text())
    sds = [np.std(weights, axis=0) for weights in results.attention[PLAIN]]
    chosen = int(np.argmax([sd.max() for sd in sds]))
    np.testing.assert_allclose([row["Plain"] for row in rows], sds[chosen])
    np.testing.assert_allclose(
        [row["ASWA"] for row in rows], np.std(results.attention[ASWA_TEXT][chosen], axis=0)
    )
    others = sorted(rows, key=lambda row: row["Plain"])[:-1]
    left = sum(row["ASWA"] for row in others) / sum(row["Plain"] for row in others)
    *_, of_others = shown.page.partition("other words is lower on average by: ASWA ")
    assert of_others.startswith(f"{100 * (1 - left):.0f} [".replace("-", "\u2212"))


def test_what_an_exhibit_needs_is_asked_for_once_and_by_its_name() -> None:
    study = open_study("random_seed")
    needs = study.requests()
    assert {r.recipe.attention for r in needs["TH-F4.17"]} == {"dot"}  # type: ignore[attr-defined]
    assert {r.recipe.dataset for r in needs["RS-F9"]} == {"snli"}  # type: ignore[attr-defined]
    varied = {source for r in needs["RS-X2"] for plan in r.plans for source, _ in plan.seeds}
    assert varied == {"init", "shuffle"}
    assert {r.recipe.n_epochs for r in needs["RS-X1"]} == {2, 5, 10, 20}
    (again,) = needs["TH-F4.5"]
    assert again.recipe.n_epochs == 2
    shorter = study.changed(epochs=3)
    assert {r.recipe.n_epochs for r in shorter.requests()["RS-X1"]} == {2, 3}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_the_released_norm_is_of_the_authors_seventh_and_tenth_tensor(
    encoder: str, attention: str
) -> None:
    """Theirs begin with the embedding; before the encoder's biases stand all of its weights."""
    names = [f"encoder.{name}" for name in AUTHORS[encoder]]
    names += ["attention.states.weight"] if attention == "additive" else ["attention.scores.weight"]
    settings = PRESETS["laptop"].model_copy(update={"attention": attention})
    method = Design(settings, Cell("sst", encoder)).methods()[NASWA_CODE]
    chosen = [["embedding", *names][k] for k in (6, 9)]
    assert list(method.tensors) == chosen  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    model = TextClassifier(encoder, attention, 8, 2, rng)  # type: ignore[arg-type]
    assert set(chosen) <= {name for name, _ in model.named_parameters()}


#: The parameters of the authors' encoders in their order, by our names: each kernel's weight and
#: bias, and those of torch's LSTM.
AUTHORS = {
    "cnn": [f"{kind}.{k}" for k in range(4) for kind in ("weights", "biases")],
    "bilstm": [
        f"{way}.{name}_l0"
        for way in ("forwards", "backwards")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ],
}


def test_every_claim_names_an_answer_that_a_preset_can_give() -> None:
    """By exhibit, data set, encoder and method; the names are built in several places."""
    study = open_study("random_seed", preset="paper")
    cells = {f"{c.dataset}-{c.encoder}" for c in study.cells}
    for name, claim in study.claims().items():
        figure, *rest = name.split("-")
        if rest[-1] == "reduction" and figure.startswith("f") and figure != "f4.19":
            *about, encoder, method = rest[:-1]
            assert method in ("aswa", "naswa")
            where = f"{about[0]}-{encoder}"
            assert where in cells or where == "snli-cnn", name
            assert encoder in claim.what.lower() or encoder.upper() in claim.what.upper()
            assert claim.exhibit.endswith(figure.upper())
