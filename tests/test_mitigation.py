"""Mitigation methods against scipy, torch and numpy."""

import numpy as np
import pytest
import scipy.special
import torch
from torch.optim.swa_utils import AveragedModel

from stablib.errors import UsageError
from stablib.mitigation import (
    L2,
    SWA,
    TGTSS,
    Ensemble,
    LabelSmoothing,
    TemporalMean,
    average_weights,
    smooth_labels,
    temper,
)
from stablib.training import Control, SeedPlan, TrainMean, seed_plans


def random_probabilities(seed=0, n_examples=30, n_classes=7):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), size=n_examples)


@pytest.mark.parametrize("temperature", [0.25, 0.5, 0.9, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("reading", ["sharpen", "printed"])
def test_temper_is_a_softmax_of_log_probabilities(temperature, reading):
    probabilities = random_probabilities()
    divisor = temperature if reading == "sharpen" else 1.0 / temperature
    expected = scipy.special.softmax(np.log(probabilities) / divisor, axis=-1)
    tempered = temper(probabilities, temperature, reading=reading)
    assert tempered.dtype == np.float32
    np.testing.assert_allclose(tempered, expected, rtol=1e-6, atol=1e-7)


def test_readings_are_inverse_temperatures():
    probabilities = random_probabilities()
    np.testing.assert_array_equal(
        temper(probabilities, 0.5), temper(probabilities, 2.0, reading="printed")
    )


def test_sharpen_sharpens_and_printed_flattens_below_one():
    probabilities = random_probabilities()
    top = probabilities.max(axis=1)
    assert (temper(probabilities, 0.5).max(axis=1) > top).all()
    assert (temper(probabilities, 0.5, reading="printed").max(axis=1) < top).all()


@pytest.mark.parametrize("reading", ["sharpen", "printed"])
def test_temperature_one_changes_nothing(reading):
    probabilities = random_probabilities()
    np.testing.assert_allclose(temper(probabilities, 1.0, reading=reading), probabilities, 1e-6)


def test_temper_of_extreme_rows_stays_finite():
    rows = np.array([[1.0, 0.0], [0.5, 0.5], [1 - 1e-7, 1e-7]])
    tempered = temper(rows, 0.001)
    assert np.isfinite(tempered).all()
    np.testing.assert_allclose(tempered.sum(axis=1), 1.0)
    np.testing.assert_allclose(tempered[1], [0.5, 0.5])


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_bad_temperature(temperature):
    with pytest.raises(ValueError, match="temperature"):
        temper(random_probabilities(), temperature)


@pytest.mark.parametrize("reading", ["sharpen", "printed"])
@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ([0.0, 0.0], "sum to 0"),
        ([1.2, -0.2], "0 or more"),
        ([np.nan, 1.0], "finite"),
        ([np.inf, 1.0], "finite"),
    ],
)
def test_temper_refuses_what_is_no_probability(row, hint, reading):
    with pytest.raises(UsageError, match=f"probabilities must .*{hint}"):
        temper(np.array([[0.5, 0.5], row]), 0.5, reading=reading)


def test_bad_reading():
    with pytest.raises(UsageError, match="did you mean 'sharpen'"):
        temper(random_probabilities(), 0.5, reading="sharpn")


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
def test_smooth_labels_give_torch_its_own_loss(alpha):
    rng = np.random.default_rng(0)
    gold = rng.integers(5, size=40)
    logits = torch.from_numpy(rng.normal(size=(40, 5)).astype(np.float32))
    smoothed = smooth_labels(np.eye(5, dtype=np.float32)[gold], alpha)
    ours = torch.nn.functional.cross_entropy(logits, torch.from_numpy(smoothed))
    theirs = torch.nn.functional.cross_entropy(
        logits, torch.from_numpy(gold), label_smoothing=alpha
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1.0, rtol=1e-6)
    targets = LabelSmoothing(alpha=alpha or 1.0).targets(np.eye(5, dtype=np.float32)[gold], None)
    if alpha:
        np.testing.assert_array_equal(targets, smoothed)


@pytest.mark.parametrize("alpha", [-0.1, 1.1])
def test_bad_alpha(alpha):
    with pytest.raises(ValueError, match="alpha"):
        smooth_labels(np.eye(2), alpha)
    with pytest.raises(ValueError, match="alpha"):
        LabelSmoothing(alpha=alpha)


def test_average_weights_agrees_with_torch():
    models = []
    for seed in range(3):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            models.append(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)))
    average = AveragedModel(models[0])
    for model in models:
        average.update_parameters(model)
    ours = average_weights([model.state_dict() for model in models])
    for key, value in average.module.state_dict().items():
        torch.testing.assert_close(ours[key], value, rtol=1e-6, atol=1e-6)
    models[0].load_state_dict(ours)


def test_average_weights_takes_counters_from_the_last():
    states = [
        {"w": torch.tensor([float(k)]), "num_batches_tracked": torch.tensor(k)} for k in (1, 2, 6)
    ]
    ours = average_weights(states)
    assert ours["w"].item() == 3.0
    assert ours["num_batches_tracked"].item() == 6


def test_average_weights_errors():
    with pytest.raises(ValueError, match="states"):
        average_weights([])
    with pytest.raises(ValueError, match="states"):
        average_weights([{"a": torch.zeros(1)}, {"b": torch.zeros(1)}])


def test_temporal_mean_agrees_with_numpy():
    steps = [random_probabilities(seed) for seed in range(25)]
    mean = TemporalMean()
    for step in steps:
        mean.update(step)
    np.testing.assert_allclose(mean.value, np.mean(steps, axis=0), rtol=1e-12)


def test_temporal_mean_keeps_no_hand_on_its_input():
    values = np.ones((2, 2))
    mean = TemporalMean()
    mean.update(values)
    values[:] = 9.0
    mean.value[:] = 5.0
    np.testing.assert_array_equal(mean.value, np.ones((2, 2)))


def test_temporal_mean_errors():
    mean = TemporalMean()
    with pytest.raises(ValueError, match="no step"):
        _ = mean.value
    mean.update([[0.5, 0.5]])
    with pytest.raises(ValueError, match="probabilities"):
        mean.update([[0.5, 0.25, 0.25]])


METHODS = [
    (lambda **options: Ensemble(members=20, **options), 20),
    (lambda **options: TGTSS(after_step=5, **options), 1),
]


@pytest.mark.parametrize(("make", "n_teachers"), METHODS)
def test_shared_teachers_are_the_same_for_all(make, n_teachers):
    lessons = {make(teacher="shared", teacher_seed=1000).teachers(p) for p in seed_plans(10)}
    assert lessons == {seed_plans(n_teachers, first_seed=1000)}


@pytest.mark.parametrize(("make", "n_teachers"), METHODS)
def test_own_teachers_are_disjoint(make, n_teachers):
    students = seed_plans(10)
    lessons = [make(teacher="own").teachers(plan) for plan in students]
    assert all(len(lesson) == n_teachers for lesson in lessons)
    everyone = [plan for lesson in lessons for plan in lesson]
    assert len(set(everyone)) == 10 * n_teachers
    assert not set(everyone) & set(students)
    assert lessons == [make(teacher="own").teachers(plan) for plan in students]


@pytest.mark.parametrize("method", [Control(), L2(), SWA(), LabelSmoothing(alpha=0.1)])
def test_methods_without_teachers(method):
    assert method.teachers(SeedPlan.same(0)) == ()
    assert method.lesson is None


def test_what_teachers_are_asked_for():
    assert Ensemble().lesson == TrainMean(after_step=None)
    assert TGTSS(after_step=180, every=2).lesson == TrainMean(after_step=180, every=2)
    assert Ensemble().n_teachers == 200
    assert L2().decay == 0.001
    assert SWA().averaged_epochs == 2


@pytest.mark.parametrize("make", [make for make, _ in METHODS])
def test_soft_labels_are_the_tempered_lesson(make):
    taught = random_probabilities().astype(np.float32)
    one_hot = np.eye(7, dtype=np.float32)[np.zeros(30, dtype=int)]
    np.testing.assert_array_equal(make().targets(one_hot, taught), temper(taught, 0.5))
    np.testing.assert_array_equal(
        make(reading="printed", temperature=0.7).targets(one_hot, taught),
        temper(taught, 0.7, reading="printed"),
    )
    with pytest.raises(ValueError, match="teachers"):
        make().targets(one_hot, None)
