"""Mitigation methods against scipy, torch and numpy."""

import copy

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
        temper(probabilities, 0.5, reading="sharpen"),
        temper(probabilities, 2.0, reading="printed"),
    )


def test_sharpen_sharpens_and_printed_flattens_below_one():
    probabilities = random_probabilities()
    top = probabilities.max(axis=1)
    assert (temper(probabilities, 0.5, reading="sharpen").max(axis=1) > top).all()
    assert (temper(probabilities, 0.5, reading="printed").max(axis=1) < top).all()
    np.testing.assert_array_equal(  # Equation 2 as it stands is what is meant without a word.
        temper(probabilities, 0.5), temper(probabilities, 0.5, reading="printed")
    )


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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_average_weights_keeps_the_type_of_tensors(dtype):
    ours = average_weights([{"w": torch.tensor([k, 2.0], dtype=dtype)} for k in (1.0, 3.0)])
    assert ours["w"].dtype == dtype
    assert ours["w"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_average_weights_of_arrays(dtype):
    states = [
        {"w": np.array([k, 2.0], dtype), "b": np.array(k, dtype), "n": np.array(k)} for k in (1, 3)
    ]
    ours = average_weights(states)
    assert {key: value.dtype for key, value in ours.items()} == {
        key: value.dtype for key, value in states[0].items()
    }
    assert [ours[key].tolist() for key in ("w", "b", "n")] == [[2.0, 2.0], 2.0, 3]


def moved_checkpoints(keep):
    """Two checkpoints of one model, whose weights are 1 at the first and 3 at the second."""
    model = torch.nn.Linear(2, 1, bias=False)
    states = []
    for value in (1.0, 3.0):
        with torch.no_grad():
            model.weight.fill_(value)
        states.append(keep(model))
    return states


@pytest.mark.parametrize(
    "keep",
    [
        lambda model: copy.deepcopy(model.state_dict()),
        lambda model: {k: v.clone() for k, v in model.state_dict().items()},
        lambda model: {k: v.numpy().copy() for k, v in model.state_dict().items()},
    ],
)
def test_copies_of_a_live_model_are_averaged(keep):
    assert average_weights(moved_checkpoints(keep))["weight"].tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize(
    "keep",
    [
        lambda model: model.state_dict(),
        lambda model: dict(model.named_parameters()),
        lambda model: {k: v.numpy() for k, v in model.state_dict().items()},
        lambda model: {k: v.numpy()[:, ::-1] for k, v in model.state_dict().items()},
    ],
)
def test_live_weights_are_refused(keep):
    with pytest.raises(UsageError, match=r"copies, .*'weight': .*deepcopy\(model.state_dict\(\)\)"):
        average_weights(moved_checkpoints(keep))


def test_checkpoints_may_lie_side_by_side_in_one_array():
    tensors, arrays = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    assert average_weights([{"w": row} for row in tensors])["w"].tolist() == [2.0, 3.0]
    assert average_weights([{"w": column} for column in arrays.T])["w"].tolist() == [1.5, 3.5]
    empty = [{"w": torch.zeros(0)}, {"w": torch.zeros(0)}]
    assert average_weights(empty)["w"].shape == (0,)


def test_tied_weights_of_one_checkpoint_are_no_shared_checkpoints():
    shared = [torch.tensor([1.0]), torch.tensor([3.0])]
    ours = average_weights([{"in": tensor, "out": tensor} for tensor in shared])
    assert (ours["in"].item(), ours["out"].item()) == (2.0, 2.0)


@pytest.mark.parametrize("of", ["tensor", "array"])
def test_the_average_is_not_a_view_of_a_checkpoint(of):
    make = torch.tensor if of == "tensor" else np.array
    states = [{"w": make([1.0]), "steps": make([k])} for k in (1, 2)]
    ours = average_weights(states)
    ours["w"][:], ours["steps"][:] = 9, 9
    assert [state["steps"].item() for state in states] == [1, 2]
    assert [state["w"].item() for state in states] == [1.0, 1.0]
    assert average_weights(states[:1])["steps"].item() == 1


ZEROS = torch.zeros(2)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([torch.nn.Linear(1, 1)], r"states\[0\] must be a dict, got Linear; .*deepcopy"),
        (torch.nn.Linear(1, 1), "sequence of state_dict.* got one Linear"),
        (torch.nn.Sequential(torch.nn.ReLU()), r"states\[0\] must be a dict, got ReLU"),
        ([{"w": ZEROS}, {"w": torch.zeros(3)}], r"states\[1\]\['w'\] .*\(2,\).* got shape \(3,\)"),
        ([{"w": ZEROS}, {"w": ZEROS.double()}], r"states\[1\]\['w'\] .*float32, got .*float64"),
        ([{"w": ZEROS}, {"w": np.zeros(2)}], r"states\[1\]\['w'\] must be as in states\[0\]"),
        ([{"w": ZEROS, "b": ZEROS}, {"w": ZEROS}], r"same keys, .*states\[1\] differ in b"),
        ([{"w": 1.0}], r"states\[0\]\['w'\] must be a tensor or an array, got float"),
        ([{"w": np.ma.masked_equal([0.0, 1.0], 0.0)}], r"states\[0\]\['w'\] .*masked"),
        (iter([]), "at least one checkpoint, got none"),
        (None, "got one NoneType"),
    ],
)
def test_what_is_no_checkpoint_is_refused(states, said):
    with pytest.raises(UsageError, match=said):
        average_weights(states)


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
    values = np.full((2, 2), 0.5)
    mean = TemporalMean()
    mean.update(values)
    values[:] = 9.0
    mean.value[:] = 5.0
    np.testing.assert_array_equal(mean.value, np.full((2, 2), 0.5))


def test_temporal_mean_errors():
    mean = TemporalMean()
    with pytest.raises(ValueError, match="no step"):
        _ = mean.value
    mean.update([[0.5, 0.5]])
    with pytest.raises(ValueError, match="probabilities"):
        mean.update([[0.5, 0.25, 0.25]])


@pytest.mark.parametrize("logits", [[[2.0, -1.0]], [[1.5, 1.0]], [[np.nan, 1.0]]])
def test_refused_logits_leave_the_temporal_mean_as_it_was(logits):
    mean = TemporalMean()
    with pytest.raises(UsageError, match="probabilities must"):
        mean.update(logits)
    mean.update([[0.75, 0.25]])
    with pytest.raises(UsageError, match="probabilities must"):
        mean.update(logits)
    np.testing.assert_array_equal(mean.value, [[0.75, 0.25]])


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
    assert SWA().last_epochs == 2


@pytest.mark.parametrize(("last_epochs", "mean"), [(1, 5.0), (2, 4.5), (4, 3.5), (9, 3.0)])
def test_swa_puts_the_mean_of_the_last_epochs_in_place_for_each_model(last_epochs, mean):
    averager = SWA(last_epochs=last_epochs).averager(5)
    weights = torch.zeros(2, 3)
    for epoch in range(1, 6):
        weights[0], weights[1] = epoch, 10 * epoch
        averager.after_step(7 * epoch, weights)
        averager.after_epoch(epoch, weights)
    assert weights.tolist() == [[5.0] * 3, [50.0] * 3]
    averager.finish(weights)
    assert weights.tolist() == [[mean] * 3, [10 * mean] * 3]


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        (Control(), set()),
        (L2(), {"decay"}),
        (SWA(), {"averager"}),
        (LabelSmoothing(alpha=0.1), {"targets"}),
        (Ensemble(), {"lesson", "targets"}),
        (TGTSS(after_step=5), {"lesson", "targets"}),
    ],
)
def test_a_method_says_what_it_changes(method, changes):
    assert method.changes == changes
    assert method.decay == (0.001 if method.kind == "l2" else 0.0)
    assert method.rate(1, 10) == method.rate(10, 10) == 1.0
    assert (method.averager(5) is None) == (method.kind != "swa")
    assert tuple(method.snapshots(5)) == (5,)
    (view,) = method.views()
    inputs = np.arange(3)
    assert view(inputs) is inputs


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
