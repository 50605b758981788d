"""Training on arrays of one's own: what is taken, what is refused, teachers included."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from stablib.errors import UsageError
from stablib.mitigation import TGTSS, Ensemble, LabelSmoothing, temper
from stablib.models.tokens import Ragged
from stablib.runs import RunStore
from stablib.runs import train as train_own
from stablib.runs.watch import silent
from stablib.training import (
    Final,
    Method,
    Probabilities,
    SeedPlan,
    Steps,
    Task,
    TrainMean,
    seed_plans,
)
from stablib.workloads import HeadRecipe, StreamRecipe
from stablib.workloads.streams import PairRecord
from tests.test_training import make_task, train

RECIPE = HeadRecipe(hidden=8, epochs=3, batch_size=64, learning_rate=0.02)
PLANS = seed_plans(3)
TEST = Probabilities(split="test")


def arrays(n: int = 300, width: int = 16) -> tuple[dict, dict]:
    """Features in double precision, without a validation set."""
    rng = np.random.default_rng(1)
    gold = {split: rng.integers(4, size=n) for split in ("train", "test")}
    return {s: rng.normal(size=(n, width)) + y[:, None] / 3 for s, y in gold.items()}, gold


def test_doubles_train_as_the_singles_they_become() -> None:
    inputs, gold = arrays()
    records = [Final(), TEST]
    runs = train_own(RECIPE, PLANS, Task(inputs, gold, 4), records, watch=silent)
    singles = Task({split: x.astype(np.float32) for split, x in inputs.items()}, gold, 4)
    for k, run in enumerate(train(RECIPE, PLANS, singles, records)):
        assert run[0].keys() == {"labels_test", "gold_test"}
        for name, array in (run[0] | run[1]).items():
            assert runs[name].dtype == array.dtype
            np.testing.assert_array_equal(runs[name][k], array)
    assert (runs.plans, len(runs), runs.recipe) == (PLANS, 3, RECIPE)


def test_other_splits_are_evaluated_under_their_names() -> None:
    inputs, gold = arrays()
    task = Task(
        {"train": inputs["train"], "march": inputs["test"][:7], "april": inputs["test"]},
        {"train": gold["train"].tolist(), "march": gold["test"][:7], "april": gold["test"]},
        4,
    )
    runs = train_own(RECIPE, PLANS, task, [Final()], watch=silent)
    assert runs["labels_march"].shape == (3, 7)
    np.testing.assert_array_equal(runs["labels_march"], runs["labels_april"][:, :7])
    assert task.sizes == {"train": 300, "march": 7, "april": 300}


def test_runs_come_in_the_order_of_the_plans_and_from_the_store_the_second_time(tmp_path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    inputs, gold = arrays()
    opened = []

    def watch(title: str, work: int, unit: str) -> Any:
        opened.append(title)
        return silent(title, work, unit)

    def go(plans: Any, inputs: dict = inputs) -> np.ndarray:
        task = Task(inputs, gold, 4)
        return train_own(RECIPE, plans, task, [TEST], store=store, watch=watch)["probabilities"]

    forward, backward = go(PLANS), go(PLANS[::-1])
    np.testing.assert_array_equal(forward, backward[::-1])
    assert len(opened) == 1
    go(seed_plans(4))
    assert [title.split()[0] for title in opened] == ["3", "1"]
    other = {**inputs, "train": inputs["train"] + 1e-3}
    assert (go(PLANS, other) != forward).any()
    assert len(opened) == 3


class Taught(Method):
    """Learns what is given: the targets of a student, computed by hand."""

    kind: Literal["toy_taught"] = "toy_taught"
    rows: tuple[tuple[float, ...], ...]

    def targets(self, one_hot: Any, taught: Any) -> Any:
        return np.array(self.rows, dtype=np.float32)


def by_hand(method: Any, plan: SeedPlan, task: Task, lesson: TrainMean) -> np.ndarray:
    """A student of teachers that are trained here, one record and one mean at a time."""
    teachers = method.teachers(plan)
    means = [run[0]["mean"] for run in train(RECIPE, teachers, task, [lesson])]
    mean = np.mean(means, axis=0, dtype=np.float64).astype(np.float16)
    targets = temper(mean.astype(np.float32), method.temperature, reading=method.reading)
    student = RECIPE.with_method(Taught(rows=tuple(map(tuple, targets.tolist()))))
    return train(student, [plan], task, [TEST])[0][0]["probabilities"]


@pytest.mark.parametrize("teacher", ["shared", "own"])
@pytest.mark.parametrize(
    ("make", "lesson"),
    [
        (lambda **o: TGTSS(after_step=8, every=2, **o), TrainMean(after_step=8, every=2)),
        (lambda **o: Ensemble(members=3, temperature=2.0, **o), TrainMean()),
    ],
    ids=["tgtss", "ensemble"],
)
def test_students_learn_their_teachers_tempered_mean(teacher, make, lesson, tmp_path) -> None:
    inputs, gold = arrays()
    task, method = Task(inputs, gold, 4), make(teacher=teacher, teacher_seed=50)
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    recipe = RECIPE.with_method(method)
    runs = train_own(recipe, PLANS, task, [TEST], store=store, watch=silent)
    for k, plan in enumerate(PLANS):
        np.testing.assert_array_equal(runs["probabilities"][k], by_hand(method, plan, task, lesson))
    (alone,) = train_own(recipe, PLANS[1:2], task, [TEST], watch=silent)["probabilities"]
    np.testing.assert_array_equal(alone, runs["probabilities"][1])
    n_groups = 1 if teacher == "shared" else 3
    n_teachers = len(method.teachers(PLANS[0])) * n_groups
    kept = {row["what"].rsplit(", ", 1)[-1]: row["runs"] for row in store.catalogue()}
    assert kept["control [final]"] == n_teachers
    assert kept["control [train_mean]"] == n_groups


def test_a_large_ensemble_is_the_mean_of_all_its_members() -> None:
    """More than are kept as one mean; the last block is smaller."""
    inputs, gold = arrays()
    task, method = Task(inputs, gold, 4), Ensemble(members=28, teacher="own", temperature=1.0)
    (found,) = train_own(RECIPE.with_method(method), PLANS[:1], task, [TEST], watch=silent)[
        "probabilities"
    ]
    expected = by_hand(method, PLANS[0], task, TrainMean())
    np.testing.assert_allclose(found, expected, atol=3e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_classes": 3}, "gold of 'train' must be between 0 and 2, got 0 to 3"),
        ({"inputs": {"test": np.eye(4)}}, "inputs must have a split 'train', got ['test']"),
        (
            {"gold": {"train": np.arange(4)}},
            "inputs and gold must have the same splits, got ['test', 'train'] and ['train']",
        ),
        (
            {"gold": {"train": np.arange(3), "test": np.arange(4)}},
            "split 'train' must have as many labels as inputs, got 3 and 4",
        ),
        (
            {"inputs": {"train": np.eye(4), "test": np.eye(4)[:0]},
             "gold": {"train": np.arange(4), "test": np.arange(0)}},
            "gold of 'test' must have shape (n_examples,) with n_examples >= 1, got shape (0,)",
        ),
        (
            {"gold": {"train": np.eye(4), "test": np.arange(4)}},
            "gold of 'train' must have shape (n_examples,) with n_examples >= 1, got shape (4, 4)",
        ),
        (
            {"gold": {"train": np.arange(4), "test": ["a", "b", "c", "d"]}},
            "gold of 'test' must be integers (class indices), got strings; number them, those of "
            "all runs and of gold together, by pandas.factorize or numpy.unique(..., "
            "return_inverse=True)",
        ),
        (
            {"gold": {"train": np.arange(4), "test": np.arange(4) - 1}},
            "gold of 'test' must be class indices >= 0, got -1",
        ),
        (
            {"inputs": {"train": np.eye(4), "test": np.eye(4) * np.nan}},
            "inputs of 'test' must be finite numbers",
        ),
    ],
)  # fmt: skip
def test_arrays_that_are_no_task_are_refused(change: dict, said: str) -> None:
    good = {
        "inputs": {"train": np.eye(4), "test": np.eye(4)},
        "gold": {"train": np.arange(4), "test": np.arange(4)},
        "n_classes": 4,
    }
    assert Task(**good).sizes == {"train": 4, "test": 4}
    with pytest.raises(UsageError) as refused:
        Task(**{**good, **change})
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("recipe", "plans", "records", "said"),
    [
        (RECIPE, [], [Final()], "a request needs at least one seed plan and one record"),
        (RECIPE, PLANS, [], "a request needs at least one seed plan and one record"),
        (RECIPE, PLANS, [PairRecord()], "a classifier keeps no record of the kind 'pair'"),
        (RECIPE, PLANS, [TrainMean(after_step=15)], "after_step=15 leaves no step to average"),
        (
            RECIPE.with_method(TGTSS(after_step=15)),
            PLANS,
            [Final()],
            "after_step=15 leaves no step to average",
        ),
        (
            StreamRecipe(
                data={"kind": "linear"}, log2_examples=40, method=LabelSmoothing(alpha=0.1)
            ),
            PLANS,
            [PairRecord()],
            "workload 'stream' cannot honour the method 'label_smoothing': it changes targets",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(recipe, plans, records, said) -> None:
    with pytest.raises(UsageError) as refused:
        train_own(recipe, plans, make_task(), records, watch=silent)
    assert said in str(refused.value)


def test_the_key_of_a_task_is_that_of_its_numbers() -> None:
    def key(scale: float = 1.0, test: int = 300, n_classes: int = 4, dtype: type = float) -> str:
        inputs, gold = arrays()
        inputs = {s: (scale * x[:test] if s == "test" else x) for s, x in inputs.items()}
        gold = {s: (y[:test] if s == "test" else y) for s, y in gold.items()}
        return Task({s: x.astype(dtype) for s, x in inputs.items()}, gold, n_classes).key

    assert key() == key(dtype=np.float32)
    assert len({key(), key(scale=2.0), key(test=299), key(n_classes=5)}) == 4


@pytest.mark.parametrize("record", [Steps(split="val"), Probabilities(split="val")])
def test_a_record_of_a_split_that_is_not_there_is_refused_by_name(record) -> None:
    with pytest.raises(UsageError, match="split 'val'"):
        train_own(RECIPE, PLANS, Task(*arrays(), 4), [Final(), record], watch=silent)


@pytest.mark.parametrize(
    "records",
    [
        [Steps(split="val"), Steps(split="test")],
        [TrainMean(), TrainMean(after_step=3)],
        [Probabilities(split="test"), Probabilities(split="val")],
    ],
    ids=lambda records: records[0].kind,
)
def test_no_record_takes_the_place_of_another(records) -> None:
    with pytest.raises(UsageError):
        train_own(RECIPE, PLANS, make_task(), records, watch=silent)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.tolist(),
        lambda x: np.round(9 * x).astype(int),
        lambda x: x[:, 0],
        lambda x: x[:, :, None],
        lambda x: x[:, : len(x) // 20],
    ],
    ids=["lists", "integers", "one axis", "three axes", "widths"],
)
def test_odd_features_are_trained_as_floats_or_refused(change) -> None:
    inputs, gold = arrays()
    gold["test"] = gold["test"][:100]
    odd = {"train": change(inputs["train"]), "test": change(inputs["test"][:100])}
    try:
        found = train_own(RECIPE, PLANS, Task(odd, gold, 4), [TEST], watch=silent)
    except UsageError:
        return
    floats = Task({s: np.array(x, dtype=float) for s, x in odd.items()}, gold, 4)
    expected = train_own(RECIPE, PLANS, floats, [TEST], watch=silent)
    np.testing.assert_array_equal(found["probabilities"], expected["probabilities"])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_features_that_are_infinite_in_single_precision_are_refused() -> None:
    with pytest.raises(UsageError, match="inputs of 'train' must be finite"):
        Task({"train": np.full((2, 2), 1e300)}, {"train": [0, 1]}, 2)


def test_a_synthetic_stream_takes_no_arrays() -> None:
    recipe = StreamRecipe(data={"kind": "linear"}, log2_examples=8)
    with pytest.raises(UsageError):
        train_own(recipe, PLANS, make_task(), [PairRecord()], watch=silent)


def test_the_key_of_texts_is_that_of_their_tokens() -> None:
    def key(token: int) -> str:
        texts = Ragged(np.array([token, 2, 3]), np.array([0, 1, 3]))
        return Task({"train": texts}, {"train": [0, 1]}, 2).key

    keys = [key(token) for token in (1, 1, 5, 6, 7, 8)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5


@pytest.mark.parametrize(
    "gold", [[True, False, True, True], [1.0, 0.0, 1.0, 1.0], np.array([1, 0, 1, 1], dtype=object)]
)
def test_gold_labels_are_read_by_the_rule_of_the_metrics(gold: Any) -> None:
    task = Task({"train": np.eye(4)}, {"train": gold}, 2)
    np.testing.assert_array_equal(task.gold["train"], [1, 0, 1, 1])
    assert task.key == Task({"train": np.eye(4)}, {"train": [1, 0, 1, 1]}, 2).key


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ([0.5, 0, 1, 1], "gold of 'train' must be integers"),
        (["a", "b", "a", "b"], "pandas.factorize"),
        ([0, 1, 2, 1], "between 0 and 1, got 0 to 2"),
        ([0, 1, -1, 1], "gold of 'train' must"),
    ],
)
def test_other_gold_labels_are_refused(gold: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Task({"train": np.eye(4)}, {"train": gold}, 2)


@pytest.mark.parametrize(
    ("plans", "records", "message"),
    [
        (50, [Final()], r"plans must be a sequence such as seed_plans\(50\), got 50"),
        (PLANS[0], [Final()], "plans must be a sequence"),
        (PLANS, Final(), r"records must be a sequence such as \[Final\(\)\]"),
        (PLANS, [Final], "records must be a sequence"),
        ((), [Final()], "at least one seed plan"),
    ],
)
def test_what_is_no_list_of_plans_and_records_is_refused(
    plans: Any, records: Any, message: str
) -> None:
    inputs, gold = arrays()
    with pytest.raises(UsageError, match=message):
        train_own(RECIPE, plans, Task(inputs, gold, 4), records, watch=silent)


def test_what_is_no_task_is_refused_by_name() -> None:
    inputs, _ = arrays()
    with pytest.raises(UsageError, match=r"task must be a stablib\.training\.Task, got dict"):
        train_own(RECIPE, PLANS, inputs, [Final()], watch=silent)
