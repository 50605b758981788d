"""The workload of texts that are attended to: same bits anywhere, a naive loop as its oracle."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from stablib.data import Dataset, from_frame, sentiment
from stablib.errors import UsageError
from stablib.mitigation import L2, SWA, Ensemble, LabelSmoothing
from stablib.models.words import START
from stablib.runs import RunStore, obtain
from stablib.training import (
    Bit,
    Final,
    Inputs,
    Method,
    Probabilities,
    Record,
    Request,
    SeedPlan,
    Steps,
    seed_plans,
)
from stablib.training.loop import in_random_order
from stablib.training.method import HOOKS
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.workloads import AttentionRecipe, Checkpoints
from stablib.workloads.attention import attended, predictions
from stablib.workloads.attention.network import AttentionNetwork, Prepared
from stablib.workloads.attention.training import by_length, prepare
from tests.test_methods import Kept, Scheduled, Seen, Shrunk
from tests.test_training import assert_same_bits

ROOT = Path(__file__).parent.parent
PLAN = SeedPlan.same(7)
RECIPE = AttentionRecipe(dataset="reviews", vectors="drawn", epochs=3)
RECORDS = (
    Final(),
    Checkpoints(n_texts=20),
    Probabilities(split="val"),
    Steps(split="val", every=4, confidence=True),
)
ENCODERS = ["cnn", "bilstm"]


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


def reviews(n_train: int = 150, n_val: int = 40, n_test: int = 50) -> Dataset:
    frame = sentiment.generate(seed=1, n_train=n_train, n_val=n_val, n_test=n_test)
    return from_frame(frame, name="reviews", label="label", source="made")


def two_texts(n: int = 60) -> Dataset:
    """Pairs: the class is the word that follows the word asked for."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(n):
        places = rng.permutation(["garden", "kitchen", "office"])
        facts = " . ".join(f"{w} is in the {p}" for w, p in zip("abc", places, strict=True))
        asked = rng.integers(3)
        rows.append(
            (("train", "val", "test")[k % 3], f"{facts}\twhere is {'abc'[asked]}", places[asked])
        )
    frame = pd.DataFrame(rows, columns=["split", "text", "label"])
    return from_frame(frame, name="places", label="label", source="made")


def made_inputs(data: Dataset) -> Inputs:
    return Inputs(key=data.content_hash, source="made", data=data)


def quiet(done: int, state: Callable[[], Arrays] | None = None) -> None:
    pass


def train(
    recipe: AttentionRecipe = RECIPE,
    plan: SeedPlan = PLAN,
    data: Dataset | None = None,
    records: tuple[Record, ...] = RECORDS,
    report: Any = quiet,
    state: Arrays | None = None,
) -> list[Arrays]:
    """What the workload keeps of one run."""
    request = Request(recipe, (plan,), records)
    inputs = made_inputs(data or reviews())
    (((_, kept),),) = recipe.workload.train(
        request, inputs, lambda _: None, report=report, state=state
    )
    return kept


# Same bits.


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_run_has_the_same_bits_alone_and_among_others(encoder: str, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"encoder": encoder})
    lonely = train(recipe)
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    request = Request(recipe, (SeedPlan.same(9), PLAN, SeedPlan.same(8)), RECORDS)
    together = obtain(request, store, inputs=made_inputs(reviews()))
    for arrays in lonely:
        for name, array in arrays.items():
            assert together[name][1].tobytes() == array.tobytes(), name
    assert len(np.unique(together["scores_last"], axis=0)) == 3


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_run_has_the_same_bits_in_another_process_with_more_threads(encoder: str) -> None:
    change = f"RECIPE.model_copy(update={{'encoder': '{encoder}'}})"
    code = (
        "import torch, sys; torch.set_num_threads(2); torch.manual_seed(5)\n"
        "from tests.test_attention_texts import *\n"
        f"sys.stdout.buffer.write(train({change})[1]['scores_last'].tobytes())"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    recipe = RECIPE.model_copy(update={"encoder": encoder})
    assert made.stdout == train(recipe)[1]["scores_last"].tobytes()


@pytest.mark.parametrize("step", [2, 5, 10])
def test_a_run_goes_on_from_any_step_to_the_same_bits(step: int) -> None:
    """Within an epoch, and at an epoch's last step, where the best checkpoint is chosen."""
    whole = train()
    states: list[Arrays] = []

    def report(done: int, state: Callable[[], Arrays] | None = None) -> None:
        if state is not None:
            states.append({name: array.copy() for name, array in state().items()})

    train(report=report)
    assert len(states) == 15
    assert_same_bits(train(state=states[step - 1]), whole)


@pytest.mark.parametrize("source", ["init", "shuffle"])
def test_each_source_counts(source: str) -> None:
    varied = train(plan=SeedPlan(base=7, seeds={source: 8}))
    assert varied[1]["scores_last"].tobytes() != train()[1]["scores_last"].tobytes()


def test_a_source_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown source of attention_text 'dropout'"):
        Request(RECIPE, seed_plans(2, vary=["dropout"]))


def test_one_bit_of_a_weight_counts_in_the_end() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 20})
    bit = Bit(tensor="vectors", index=4 * 50)
    changed = train(
        recipe, SeedPlan(base=7, bit=bit), records=(Steps(split="val", confidence=True),)
    )
    plain = train(recipe, records=(Steps(split="val", confidence=True),))
    assert (changed[0]["gold"][0] == plain[0]["gold"][0]).mean() > 0.9
    assert not np.array_equal(changed[0]["gold"], plain[0]["gold"])


# A naive loop, as the released code has it.


class Naive(torch.nn.Module):
    """Padded batches, one product a kernel, packed sequences."""

    def __init__(self, network: AttentionNetwork) -> None:
        super().__init__()
        self.model = network.model
        self.embedding = torch.nn.Embedding.from_pretrained(
            network.vectors.detach().clone(), freeze=False, padding_idx=0
        )

    def forward(self, rows: list[torch.Tensor]) -> torch.Tensor:
        lengths = torch.tensor([len(row) for row in rows])
        ids = pad_sequence(rows, batch_first=True)
        x = self.embedding(ids)
        inner = (ids > 3) | (ids == 1)
        encoder = self.model.encoder
        if hasattr(encoder, "weights"):
            outputs = [
                torch.nn.functional.conv1d(x.transpose(1, 2), w, b, padding=w.shape[2] // 2)
                for w, b in zip(encoder.weights, encoder.biases, strict=True)
            ]
            hidden = torch.relu(torch.cat(outputs, dim=1)).transpose(1, 2) * inner.unsqueeze(-1)
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            flipped = pad_sequence([v[:n].flip(0) for v, n in zip(x, lengths, strict=True)], True)
            back = pack_padded_sequence(flipped, lengths, batch_first=True, enforce_sorted=False)
            one, _ = pad_packed_sequence(encoder.forwards(packed)[0], batch_first=True)
            two, _ = pad_packed_sequence(encoder.backwards(back)[0], batch_first=True)
            two = pad_sequence([v[:n].flip(0) for v, n in zip(two, lengths, strict=True)], True)
            hidden = torch.cat([one, two], dim=2)
        layer = self.model.attention
        scores = layer.scores(torch.tanh(layer.states(hidden))).squeeze(-1)
        attention = torch.softmax(scores.masked_fill(~inner, -torch.inf), dim=-1)
        return self.model.decoder((attention.unsqueeze(-1) * hidden).sum(1)).squeeze(-1)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
def test_training_is_that_of_a_naive_loop(encoder: str, frozen: bool) -> None:
    """The same batches from the same weights: probabilities agree after ten steps of Adam."""
    recipe = RECIPE.model_copy(
        update={"encoder": encoder, "frozen": frozen, "epochs": 2, "batches": "random"}
    )
    prepared = prepare(recipe, made_inputs(reviews()))
    goals = prepared.task.one_hot()
    network = AttentionNetwork(recipe, PLAN, prepared, goals, pause=lambda: None)
    naive = Naive(network)
    naive.embedding.weight.requires_grad_(not frozen)
    adam = torch.optim.Adam(
        [p for p in naive.parameters() if p.requires_grad],
        lr=1e-3,
        weight_decay=1e-5,
        amsgrad=True,
    )
    gold = torch.from_numpy(goals[:, 1])
    weight = len(gold) / gold.sum() - 1
    criterion = torch.nn.BCEWithLogitsLoss(reduction="none")

    def rows_of(split: str, rows: np.ndarray) -> list[torch.Tensor]:
        texts = prepared.task.inputs[split].take(rows)
        return list(torch.from_numpy(texts.values).split(texts.lengths.tolist()))

    rng = PLAN.generator("shuffle")
    for _ in range(2):
        for rows in in_random_order(rng, len(gold), 32):
            target = gold[torch.from_numpy(rows)]
            loss = criterion(naive(rows_of("train", rows)), target)
            loss = (loss * (target * weight + (1 - target))).sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
    with torch.no_grad():
        expected = torch.sigmoid(naive(rows_of("val", np.arange(40)))).numpy()
    (found,) = train(recipe, records=(Probabilities(split="val"),))
    np.testing.assert_allclose(found["probabilities"][:, 1], expected, atol=2e-3)
    assert expected.std() > 0.005


@pytest.mark.parametrize("encoder", ENCODERS)
def test_it_learns_what_decides(encoder: str) -> None:
    recipe = RECIPE.model_copy(update={"encoder": encoder, "epochs": 6, "learning_rate": 5e-3})
    data = reviews(n_train=600, n_test=200)
    (kept,) = train(recipe, data=data, records=(Final(),))
    assert (kept["labels_test"] == data.gold["test"]).mean() > 0.85


def test_pairs_and_more_classes_learn() -> None:
    recipe = RECIPE.model_copy(update={"epochs": 30, "learning_rate": 5e-3})
    data = two_texts(450)
    final, checkpoints = train(recipe, data=data, records=(Final(), Checkpoints(n_texts=5)))
    # Chance is a third, with a standard deviation of .04.
    assert (final["labels_test"] == data.gold["test"]).mean() > 0.55
    assert checkpoints["scores_best"].shape == (150, 3)
    assert data.texts is not None
    facts = [data.texts["test"][k].split("\t")[0].split() for k in checkpoints["attention_texts"]]
    assert np.diff(checkpoints["attention_starts"]).tolist() == [len(words) for words in facts]


# Batches.


def test_batches_by_length_hold_every_text_once_and_differ_little() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 1000)
    parts = by_length(lengths)(np.random.default_rng(1), 1000, 32)
    assert sorted(np.concatenate(parts).tolist()) == list(range(1000))
    assert sorted(map(len, parts)) == [8, *[32] * 31]
    spread = max(float(np.ptp(lengths[rows]) / lengths[rows].max()) for rows in parts)
    assert spread < 0.35
    other = by_length(lengths)(np.random.default_rng(2), 1000, 32)
    assert {frozenset(r.tolist()) for r in parts} != {frozenset(r.tolist()) for r in other}


# What is kept.


def test_the_best_checkpoint_is_a_training_that_ended_there() -> None:
    """With a constant rate, the model of epoch k is the last one of k epochs."""
    recipe = RECIPE.model_copy(update={"epochs": 8, "learning_rate": 0.1})
    (kept,) = train(recipe, records=(Checkpoints(n_texts=9),))
    best = int(kept["best_epoch"])
    assert best == 2 + kept["validation"][1:].argmax()
    assert best < 8
    shorter = recipe.model_copy(update={"epochs": best})
    (ended,) = train(shorter, records=(Checkpoints(n_texts=9),))
    for name in ("scores", "log_attention"):
        assert kept[f"{name}_best"].tobytes() == ended[f"{name}_last"].tobytes()


def test_validation_is_the_area_under_the_curve() -> None:
    _, checkpoints, probabilities, _ = train()
    expected = roc_auc_score(reviews().gold["val"], probabilities["probabilities"][:, 1])
    assert checkpoints["validation"][-1] == pytest.approx(expected, abs=5e-3)  # float16 makes ties
    assert checkpoints["validation"].shape == (3,)


def test_scores_are_the_predictions() -> None:
    final, checkpoints, _, _ = train()
    found = predictions(checkpoints["scores_last"])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found.argmax(axis=1) == final["labels_test"]).all()
    gold = reviews().gold["test"]
    of_gold = found[np.arange(len(gold)), gold]
    np.testing.assert_allclose(of_gold, final["gold_test"], atol=2e-3)


def test_attention_is_a_distribution_over_the_words_of_each_chosen_text() -> None:
    kept = train()[1]
    texts = reviews().texts
    assert texts is not None
    rows, starts = kept["attention_texts"], kept["attention_starts"]
    assert len(set(rows.tolist())) == 20
    assert (rows[0], rows[-1]) == (0, 49)
    assert np.diff(starts).tolist() == [len(texts["test"][k].split()) for k in rows]
    shares = attended(kept["log_attention_best"], starts)
    np.testing.assert_allclose(np.add.reduceat(shares, starts[:-1]), 1.0)
    raw = np.exp(kept["log_attention_best"].astype(float))
    np.testing.assert_allclose(raw, shares, rtol=5e-3)  # Rounding alone is made good.


def test_without_a_second_epoch_the_best_is_the_last() -> None:
    (kept,) = train(RECIPE.model_copy(update={"epochs": 1}), records=(Checkpoints(),))
    assert kept["best_epoch"] == 1
    assert kept["scores_best"].tobytes() == kept["scores_last"].tobytes()


def test_work_adds_up_to_what_is_reported() -> None:
    inputs = made_inputs(reviews())
    told: list[int] = []
    request = Request(RECIPE, (PLAN,), RECORDS)
    list(
        RECIPE.workload.train(
            request,
            inputs,
            lambda _: None,
            report=lambda done, state=None: told.append(done),
            state=None,
        )
    )
    assert sum(told) == RECIPE.workload.work(request, inputs)


# Methods.


METHODS: dict[str, Method] = {
    "decay": L2(weight_decay=0.5),
    "rate": Scheduled(until=3),
    "averager": SWA(),
    "snapshots": Kept(after=(1, 3)),
    "views": Seen(factors=(1.0,)),
    "targets": LabelSmoothing(alpha=0.9),
    "lesson": Ensemble(members=2),
}


def test_every_hook_is_honoured() -> None:
    assert METHODS.keys() == set(HOOKS)
    assert RECIPE.workload.honours == set(HOOKS)
    for hook, method in METHODS.items():
        assert hook in method.changes


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - {"views"}))
def test_every_hook_changes_the_model(hook: str, tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    recipe = RECIPE.with_method(METHODS[hook])
    runs = obtain(Request(recipe, (PLAN,), RECORDS[:2]), store, inputs=made_inputs(reviews()))
    assert runs["scores_last"][0].tobytes() != train()[1]["scores_last"].tobytes()


def test_views_of_the_same_texts_are_averaged() -> None:
    twice = RECIPE.with_method(Seen(factors=(1.0, 1.0)))
    np.testing.assert_array_equal(train(twice)[1]["scores_best"], train()[1]["scores_best"])


def test_the_method_averages_before_the_epochs_end_is_judged() -> None:
    """Weights that are shrunk to nothing at each epoch's end tell no texts apart."""
    recipe = RECIPE.with_method(Shrunk(epoch=0.0))
    (kept,) = train(recipe, records=(Checkpoints(),))
    assert kept["validation"].tolist() == [0.5] * 3
    assert not kept["scores_best"].any()


def test_snapshots_leave_both_checkpoints_as_they_should_be() -> None:
    """The last predicts as the mean of its members, the best as one model."""
    recipe = RECIPE.with_method(Kept(after=(1, 3)))
    (kept,) = train(recipe, records=(Checkpoints(),))
    (plain,) = train(records=(Checkpoints(),))
    (first,) = train(RECIPE.model_copy(update={"epochs": 1}), records=(Checkpoints(),))
    mean = (first["scores_last"].astype(float) + plain["scores_last"].astype(float)) / 2
    np.testing.assert_allclose(kept["scores_last"], mean, atol=5e-3)
    np.testing.assert_array_equal(kept["scores_best"], plain["scores_best"])


# The registry and the store.


def test_named_data_are_found_and_limited(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", tmp_path / "none")
    recipe = RECIPE.model_copy(update={"limit": 40, "epochs": 1})
    runs = obtain(Request(recipe, (PLAN,), (Checkpoints(),)), store)
    assert runs["scores_last"].shape == (1, 40, 1)
    assert "grammar of reviews" in runs.provenance[0]["data"]


def test_word_vectors_are_part_of_what_a_run_depends_on() -> None:
    drawn, glove = (
        RECIPE.workload.depends(AttentionRecipe(dataset="sst", vectors=vectors))
        for vectors in ("drawn", "glove-6b-50d")
    )
    assert drawn == {"vectors": "drawn"}
    assert len(glove["vectors"]) == 64


def test_sst_trains_on_its_own_words(real_data: Path) -> None:
    recipe = AttentionRecipe(dataset="sst", epochs=1, frozen=True, learning_rate=5e-3)
    (data,) = recipe.workload.inputs(recipe, strict=True)
    ((((_, (kept,)),),)) = [
        *recipe.workload.train(
            Request(recipe, (PLAN,), (Final(),)), data, lambda _: None, report=quiet, state=None
        )
    ]
    assert (kept["labels_test"] == data.data.gold["test"]).mean() > 0.65


# What is refused, before anything is trained.


def changed(split: str, text: str) -> Dataset:
    data = reviews()
    assert data.texts is not None
    texts = {**data.texts, split: (*data.texts[split][:-1], text)}
    return dataclasses.replace(data, texts=texts)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed("train", " "), "reviews, train: text 149 is empty"),
        (changed("test", "xyzzy plugh"), "reviews, test: text 49 has only unknown words"),
        (changed("val", "the plot\tis good"), "texts must all have one part, or all two"),
    ],
    ids=["empty", "unknown", "pair"],
)
def test_texts_of_which_nothing_can_be_said_are_refused(data: Dataset, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train(data=data, report=refuse)


def refuse(done: int, state: Callable[[], Arrays] | None = None) -> None:
    assert state is None, "it trained"


def test_one_label_only_is_refused() -> None:
    data = reviews()
    gold = {**data.gold, "train": np.ones_like(data.gold["train"])}
    with pytest.raises(UsageError, match="all training texts have the label 'positive'"):
        train(data=dataclasses.replace(data, gold=gold), report=refuse)
    gold = {**data.gold, "val": np.ones_like(data.gold["val"])}
    with pytest.raises(UsageError, match="validation texts of both classes"):
        train(data=dataclasses.replace(data, gold=gold), report=refuse)


def test_checkpoints_need_a_validation_split() -> None:
    frame = sentiment.generate(n_train=64, n_val=0, n_test=32)
    data = from_frame(frame, name="reviews", label="label", source="made")
    with pytest.raises(UsageError, match="unknown split 'val'"):
        train(data=data, records=(Checkpoints(),), report=refuse)


def test_vectors_with_nan_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STABLIB_MODELS", str(tmp_path))
    (tmp_path / "wiki.simple.vec").write_text(f"the {' '.join(['nan'] * 300)}\n")
    with pytest.raises(UsageError, match=r"wiki\.simple\.vec: line 1, 'the': a number"):
        train(RECIPE.model_copy(update={"vectors": "wiki.simple"}), report=refuse)


def test_known_words_and_vectors_are_shared_by_all_runs() -> None:
    """Encoders and seeds share what is prepared: START is the same row for everyone."""
    inputs = made_inputs(reviews())
    seen: list[Prepared] = []
    for encoder in ENCODERS:
        recipe = RECIPE.model_copy(update={"encoder": encoder, "epochs": 1})
        list(
            recipe.workload.train(
                Request(recipe, (PLAN,)), inputs, lambda _: None, report=quiet, state=None
            )
        )
        seen += [made for made in inputs._made.values() if isinstance(made, Prepared)]
    assert len({id(made) for made in seen}) == 1
    assert (seen[0].task.inputs["train"].values == START).sum() == 150
