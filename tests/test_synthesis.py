"""The closing chapter: what stands beside each other, and how it is compared."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import pytest

from stablib.data.entries import stand_in
from stablib.metrics import Interval, disagreement_of_runs, pair_mean, pairwise_disagreement
from stablib.runs import Run, Runs
from stablib.show.synthesis.matrix import Effect, _cell, _effect, _failed, _finding
from stablib.show.synthesis.sources import _finding as sources_finding
from stablib.studies import open_study
from stablib.studies.synthesis import ENSEMBLE, PRESETS
from stablib.studies.synthesis.design import CONTROL, METHODS, columns, further_sources, sources
from stablib.studies.synthesis.further import _cycles, further
from stablib.studies.synthesis.look import (
    JointLook,
    Look,
    Predicted,
    hit_of_candidates,
    of_candidates,
    of_items,
    of_words,
)
from stablib.training import Final, seed_plans
from stablib.training.workload import Request
from stablib.workloads import HeadRecipe, JointWords, LanguageRecipe
from stablib.workloads.language.training import prepare


def predicted(labels: np.ndarray) -> Predicted:
    """Runs on examples that are all of class 0."""
    return Predicted(labels, 100.0 * (labels == 0).mean(axis=1))


def flipped(n_runs: int, share: float, seed: int) -> Predicted:
    """Runs that leave the common answer 0 with some chance."""
    rng = np.random.default_rng(seed)
    return predicted((rng.random((n_runs, 400)) < share).astype(int))


def test_disagreement_of_runs_and_of_examples_have_one_mean() -> None:
    labels = np.random.default_rng(0).integers(4, size=(7, 50))
    matrix = disagreement_of_runs(labels)
    assert pair_mean(matrix) == pytest.approx(pairwise_disagreement(labels).mean())
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0.0).all()
    one, other = labels[2], labels[5]
    assert matrix[2, 5] == (one != other).mean()


def test_the_same_runs_have_no_effect_and_steadier_ones_have_theirs() -> None:
    plain = flipped(10, 0.2, seed=1)
    same = _effect(plain, plain, same_seeds=True)
    assert (same.reduction, same.gain) == (0.0, 0.0)
    assert same.interval == pytest.approx((0.0, 0.0))
    assert same.gain_interval == pytest.approx((0.0, 0.0))
    steady = _effect(flipped(10, 0.05, seed=2), plain, same_seeds=True)
    # Two runs differ with 2 p (1 - p).
    assert steady.reduction == pytest.approx(100.0 * (1 - 0.095 / 0.32), abs=5.0)
    assert steady.gain == pytest.approx(15.0, abs=1.5)
    assert steady.interval.low < steady.reduction < steady.interval.high
    assert steady.gain_interval.low < steady.gain < steady.gain_interval.high
    others = _effect(flipped(5, 0.2, seed=3), plain, same_seeds=False)
    assert others.interval.low < 0.0 < others.interval.high
    few = Predicted(plain.labels[:4], plain.accuracies[:4])
    effect = _effect(few, few, same_seeds=True)
    assert effect.reduction == 0.0
    assert np.isnan([effect.interval, effect.gain_interval]).all()


def test_how_far_runs_are_apart_and_how_accurate_they_are_is_that_of_a_plain_count() -> None:
    own, plain = flipped(6, 0.1, seed=4), flipped(9, 0.3, seed=5)
    effect = _effect(own, plain, same_seeds=False)
    by_hand = [
        np.mean([100.0 * (own.labels[i] != own.labels[j]).mean() for j in range(6) if j != i])
        for i in range(6)
    ]
    np.testing.assert_allclose(effect.apart, by_hand)
    assert effect.disagreement == pytest.approx(
        100.0 * float(pairwise_disagreement(own.labels).mean())
    )
    # The interval of a difference of two means, by their standard errors.
    error = np.hypot(*(each.accuracies.std() / np.sqrt(len(each.labels)) for each in (own, plain)))
    width = effect.gain_interval.high - effect.gain_interval.low
    # Student's t of five degrees of freedom, and sd with ddof 1.
    assert width == pytest.approx(2 * 2.571 * np.sqrt(6 / 5) * error, rel=0.15)


def test_an_ensemble_is_drawn_with_its_members() -> None:
    members = flipped(10, 0.2, seed=1)
    # Right if one of two is.
    both = predicted(members.labels.reshape(5, 2, -1).min(axis=1))
    effect = _effect(both, members, same_seeds=True)
    assert effect.reduction == pytest.approx(100.0 * (1 - 0.0768 / 0.32), abs=5.0)
    assert effect.interval.low > 50.0
    # Members that are copies of each other make ensembles that change nothing.
    copies = predicted(np.repeat(both.labels, 2, axis=0))
    effect = _effect(both, copies, same_seeds=True)
    assert effect.gain == 0.0
    assert effect.gain_interval == pytest.approx((0.0, 0.0))


def test_runs_that_all_agree_leave_nothing_to_reduce() -> None:
    plain = predicted(np.zeros((4, 10), int))
    effect = _effect(plain, plain, same_seeds=True)
    assert np.isnan(effect.reduction)
    assert np.isnan(effect.interval.low)


def made(low: float, gain_low: float = 0.0, accuracies: tuple[float, ...] = (80.0, 80.0)) -> Effect:
    return Effect(
        np.ones(2),
        10.0,
        Interval(low, 20.0),
        gain_low + 0.25,
        Interval(gain_low, gain_low + 0.5),
        np.array(accuracies),
        3,
    )


def test_a_method_helps_only_by_its_whole_interval_and_if_it_costs_no_accuracy() -> None:
    every = {
        "a": {CONTROL: made(1.0), "SWA": made(1.0), "L2": made(1.0), "EMA": made(-1.0)},
        "b": {CONTROL: made(1.0), "SWA": made(2.0), "L2": made(-1.0), "EMA": made(-1.0)},
        # Of 80 % of accuracy, one percent is 0.8 points.
        "c": {CONTROL: made(1.0), "ASWA": made(1.0), "NASWA": made(1.0, -0.9)},
        "d": {CONTROL: made(1.0), "EMA": made(np.nan), "NASWA": made(1.0, -0.7)},
    }
    criterion = (
        "Two runs differ less, and accuracy falls by less than 1 % of itself, both by whole "
        "intervals: "
    )
    assert _finding(every) == (
        f"{criterion}with SWA (2) in every column; with L2 (1 of 2), NASWA (1 of 2) in some "
        "columns; with EMA (2) in none."
    )
    alone = {name: {CONTROL: made(1.0), "EMA": made(-1.0)} for name in "ab"}
    assert _finding(alone) == (f"{criterion}with no method in every column; with EMA (2) in none.")


def test_a_cell_has_both_effects_with_intervals_and_the_cost() -> None:
    assert _cell(made(1.0)) == "10 [1, 20]; +0.2 [0.0, 0.5]; \u00d73"
    assert _cell(made(1.0, -2.0)) == "10 [1, 20]; -1.8 [-2.0, -1.5]; \u00d73"


def test_runs_that_failed_are_named() -> None:
    usual = made(0.0)
    every = {
        "a": {CONTROL: usual, "SWA": made(0.0, accuracies=(41.0, 39.0)), "L2": usual},
        "b": {CONTROL: usual, "EMA": made(0.0, accuracies=(70.0, 72.0, 59.0))},
    }
    assert _failed(every) == (
        "Runs that failed, with less than 50 % of the accuracy of plain ones or 10 points less "
        "than the median of their cell: 1 of 2 with SWA on a; 1 of 3 with EMA on b."
    )
    assert _failed({"a": {CONTROL: usual, "L2": usual}}) == ""


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_every_row_is_known_and_every_empty_cell_has_a_reason(preset: str) -> None:
    for name, column in columns(preset, PRESETS[preset]).items():
        assert set(column.methods) | set(column.further) <= set(METHODS), name
        assert not set(column.methods) & set(column.further), name
        assert set(column.absent) <= set(METHODS), name
        assert not set(column.absent) & (set(column.methods) | set(column.further)), name
        # Once its further runs are there, a cell is empty only where a method has no place.
        whole = column.shown(lambda request: True)
        assert set(whole.methods) | set(column.absent) == set(METHODS), name


def test_what_the_chapter_needs_belongs_to_the_study_of_another_text() -> None:
    others = ("local_instability", "nondeterminism", "random_seed", "recommender")
    known = {
        (request.recipe, plan)
        for paper in others
        for study in (open_study(paper), *open_study(paper).variants())
        for request in (*study.wanted(), *study.optional())
        for plan in request.plans
    }
    own = {(r.recipe, plan) for r in open_study("synthesis").wanted() for plan in r.plans}
    assert own <= known


def test_further_methods_have_the_seeds_of_plain_runs() -> None:
    recipe = HeadRecipe(dataset="massive", label="domain")
    plain = Look(Request(recipe, seed_plans(8)), "labels_test")
    found = further(plain, Final(), PRESETS["laptop"])
    assert set(found) | {ENSEMBLE, "Views", "Control, other seeds"} == set(METHODS)
    for row, look in found.items():
        assert look.request.plans == plain.request.plans[:5], row
        beside = look.request.recipe == recipe
        assert beside == (row in ("EMA", "SWA of every step")), row
        assert look.array.endswith("labels_test")
    # 45 steps an epoch; the last fifth of 225 in sixteen looks.
    taught = found["TGTSS, own"].request.recipe.method
    assert (taught.after_step, taught.every, taught.teacher) == (180, 2, "own")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("n_epochs", "cycles"), [(2, 2), (5, 5), (6, 3), (7, 7), (20, 4), (36, 3), (500, 4)]
)
def test_members_of_a_snapshot_ensemble_divide_the_epochs(n_epochs: int, cycles: int) -> None:
    assert _cycles(n_epochs) == cycles


def test_what_sources_do_is_said_as_a_share_of_what_all_do() -> None:
    rows = [
        *(
            ("a", source, value)
            for source, value in (("all", 4.0), ("order", 2.0), ("one bit", 1.0))
        ),
        *(
            ("b", source, value)
            for source, value in (("all", 2.0), ("order", 1.0), ("dropout", 1.8))
        ),
        ("c", "all", 0.0),
    ]
    frame = pd.DataFrame(rows, columns=["workload", "source", "disagreement (%)"])
    assert sources_finding(frame) == (
        "The strongest single source does 50 % (a) to 90 % (b) of what all sources do together; "
        "one bit does 25 % (a) of what all sources do together."
    )


def test_every_workload_has_its_sources() -> None:
    found = {name: set(rows) for name, rows in sources("laptop").items()}
    for name, rows in further_sources("laptop").items():
        found[name] |= set(rows)
    everywhere = {"all", "initial weights", "one bit"}
    own = {
        "heads on MASSIVE": {"order", "dropout"},
        "top layer on MASSIVE": {"order", "dropout"},
        **{
            f"{encoder} on SST, {epoch} epoch": {"order"}
            for encoder in ("CNN", "BiLSTM")
            for epoch in ("best", "last")
        },
        "ResNet-6 at 16 x 16 on CIFAR-10": {"order", "augmentation", "low level"},
        "small network on MNIST": {"order", "low level"},
        "language model on PTB": {"dropout"},
        "DeepICF on MovieLens-100K": {"order", "negatives"},
    }
    assert found == {name: everywhere | rows for name, rows in own.items()}


def test_what_a_language_model_gets_right_is_how_likely_the_right_words_are() -> None:
    look = of_words(Request(HeadRecipe(), seed_plans(1)))
    kept = {
        "labels": np.array([[3, 4]]),
        "losses": -np.log([[0.5, 0.25]]),
        "ema_labels": np.array([[3, 3]]),
        "ema_losses": -np.log([[0.5, 0.75]]),
    }
    nothing = np.zeros(9, int)
    assert look.accuracies(kept, nothing).tolist() == [37.5]  # type: ignore[arg-type]
    beside = look.beside("ema")
    assert beside.labels(kept).tolist() == [[3, 3]]  # type: ignore[arg-type]
    assert beside.accuracies(kept, nothing).tolist() == [62.5]  # type: ignore[arg-type]


def test_items_are_hit_or_missed() -> None:
    request = Request(HeadRecipe(), seed_plans(1))
    kept = {"ranks": np.array([[0, 9, 10, 99]])}
    found = of_items(request).labels(kept)  # type: ignore[arg-type]
    assert found.tolist() == [[1, 1, 0, 0]]


def test_the_same_of_scores_of_all_candidates() -> None:
    """A tie goes against the item held out; a candidate that does not count is behind all."""
    scores = np.full((1, 3, 12, 1), 0.25)
    scores[0, 0, 0] = 0.5
    scores[0, 2, 1:6] = np.nan
    assert hit_of_candidates(of_candidates(scores)).tolist() == [[1, 0, 1]]


def test_at_smoke_teachers_of_language_models_converge_on_generated_lines_too() -> None:
    of = columns("smoke", PRESETS["smoke"])["language model on PTB"].further
    recipe = cast(LanguageRecipe, of["TGTSS, own"].request.recipe)
    lesson, n_words = recipe.method.lesson, prepare(recipe, stand_in()).sizes["train"]
    assert lesson is not None
    lesson.check(recipe.steps(n_words))


def test_ensembles_made_while_their_members_were_trained_stand_beside_these() -> None:
    """Accuracy is the mean probability of the right word, of ensembles and of members."""
    labels, alone = np.array([[1, 2], [3, 3]]), np.array([[[1, 2], [1, 3]], [[3, 3], [2, 3]]])
    chances, alone_chances = np.array([[0.5, 0.3], [0.2, 0.2]]), np.full((2, 2, 2), 0.25)
    stored = [
        Run(
            seed_plans(2, first_seed=2 * number),
            {
                "labels": labels[number],
                "losses": -np.log(chances[number]),
                "labels_alone": alone[number],
                "losses_alone": -np.log(alone_chances[number]),
            },
            {},
        )
        for number in range(2)
    ]
    request = Request(HeadRecipe(), seed_plans(4), (JointWords(),), pool=2)
    look = JointLook(request, "labels", losses="losses")
    found = look.ensembles(Runs(request.recipe, stored), 2, np.zeros(2, int))
    assert found is not None
    together, members = found
    np.testing.assert_array_equal(together.labels, labels)
    np.testing.assert_array_equal(members.labels, [[1, 2], [1, 3], [3, 3], [2, 3]])
    np.testing.assert_allclose(together.accuracies, [40.0, 20.0])
    np.testing.assert_allclose(members.accuracies, [25.0] * 4)
