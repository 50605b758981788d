"""Language models: the recurrence against a plain loop, the same bits everywhere, every source."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from stablib.data import Dataset, load
from stablib.data.entries import stand_in
from stablib.errors import DataError, UsageError
from stablib.metrics import perplexity
from stablib.mitigation import (
    ASWA,
    EMA,
    TGTSS,
    Averaged,
    Ensemble,
    LabelSmoothing,
    Snapshot,
    TestTime,
    vanilla_ensembles,
)
from stablib.models.qrnn import LanguageModel, forget_mult
from stablib.runs import RunStore, obtain
from stablib.runs.watch import silent
from stablib.training import Control, Inputs, Request, SeedPlan
from stablib.training.loop import FlatWeights
from stablib.training.predict import Predictor
from stablib.training.seeds import Bit
from stablib.workloads import JointWords, LanguageRecipe, NextWords
from stablib.workloads.language.record import Likely, LikelyWords
from stablib.workloads.language.training import (
    LanguageNetwork,
    LikelyWordsObserver,
    NextWordsObserver,
    prepare,
    train_each,
    vocabulary,
    windows,
)
from stablib.workloads.text import work_by_step

RECIPE = LanguageRecipe(
    dataset="ptb",
    limit=60,
    n_test=20,
    vocabulary=50,
    embedding=6,
    hidden=8,
    layers=2,
    window=8,
    batch_size=4,
    optimizer="adam",
    learning_rate=0.01,
    epochs=2,
)
PLAN = SeedPlan.same(3)
RECORDS = (NextWords(n_words=60),)


def train(recipe: LanguageRecipe, *plans: SeedPlan, **more: Any) -> list[Any]:
    """Arrays of each run."""
    data = stand_in()
    inputs = Inputs(key=data.content_hash, source=data.source, data=data)
    request = Request(recipe, plans or (PLAN,), more.get("records", RECORDS))
    report, state = more.get("report", lambda done, state=None: None), more.get("state")
    taught = more.get("taught", lambda plan: None)
    trained = train_each(request, inputs, taught, report=report, state=state)
    return [arrays for finished in trained for _, (arrays,) in finished]


def assert_same_bits(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def elsewhere(threads: int) -> Any:
    torch.set_num_threads(threads)
    return train(RECIPE)[0]


# The model.


def plain_forget_mult(forget: Tensor, values: Tensor, start: Tensor) -> Tensor:
    """The equation, one step after the other, by torch alone."""
    states, state = [], start
    for f, z in zip(forget, values, strict=True):
        state = f * z + (1 - f) * state
        states.append(state)
    return torch.stack(states)


def sequences(n_steps: int = 7) -> list[Tensor]:
    rng = np.random.default_rng(0)
    shapes = [(n_steps, 3, 4), (n_steps, 3, 4), (3, 4)]
    return [torch.from_numpy(rng.random(shape)).requires_grad_() for shape in shapes]


def test_the_recurrence_is_that_of_a_plain_loop_and_so_are_its_gradients() -> None:
    ours, theirs = sequences(), sequences()
    weights = torch.from_numpy(np.random.default_rng(1).random((7, 3, 4)))
    found, expected = forget_mult(*ours), plain_forget_mult(*theirs)
    torch.testing.assert_close(found, expected)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def test_gradients_are_those_of_finite_differences() -> None:
    assert torch.autograd.gradcheck(forget_mult, tuple(sequences(4)))


def test_tensors_may_lie_in_any_order() -> None:
    forget, values, start = sequences()
    turned = forget.detach().transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(
        forget_mult(turned, values, start), forget_mult(forget, values, start)
    )


def test_the_papers_model_has_as_many_parameters_as_its_sizes_say() -> None:
    model = LanguageModel(10_000, 256, 512, 3, np.random.default_rng(0))
    gates = 3 * 512 * (2 * 256 + 1) + 3 * 512 * (512 + 1) + 3 * 256 * (512 + 1)
    assert sum(p.numel() for p in model.parameters()) == 10_000 * 256 + 10_000 + gates


def test_a_text_read_in_parts_is_the_text_read_at_once() -> None:
    model = LanguageModel(9, 4, 5, 3, np.random.default_rng(0))
    words = torch.from_numpy(np.random.default_rng(1).integers(9, size=(12, 2)))
    with torch.no_grad():
        whole, _ = model(words, model.start(2))
        first, state = model(words[:5], model.start(2))
        second, _ = model(words[5:], state)
    torch.testing.assert_close(whole, torch.cat([first, second]))


def test_what_comes_later_changes_nothing_before() -> None:
    model = LanguageModel(9, 4, 5, 3, np.random.default_rng(0))
    words = torch.zeros(6, 1, dtype=torch.int64)
    changed = words.clone()
    changed[3] = 1
    with torch.no_grad():
        one, other = (model(w, model.start(1))[0] for w in (words, changed))
    same = (one == other).all(dim=1)
    assert same.tolist() == [True] * 3 + [False] * 3


# The text.


def test_words_are_numbered_by_how_frequent_they_are() -> None:
    assert vocabulary(["b", "a", "b", "<unk>", "c", "a", "b"]) == ["<unk>", "b", "a", "c"]
    assert vocabulary(["b", "a"], 2) == ["<unk>", "a"]


def test_every_word_but_the_first_is_foretold_once() -> None:
    task = prepare(RECIPE, stand_in())
    for split, (inputs, gold) in ((s, task.split(s)) for s in ("train", "test")):
        assert inputs.values[1:].tolist() == gold[:-1].tolist(), split
    lines = stand_in().texts["train"][:60]  # type: ignore[index]
    assert task.sizes["train"] == sum(len(line.split()) + 1 for line in lines) - 1


@pytest.mark.parametrize("n_steps", [2, 9, 100, 999])
@pytest.mark.parametrize("window", [2, 3, 40])
@pytest.mark.parametrize("seed", range(5))
def test_windows_part_the_text_whatever_their_lengths(n_steps: int, window: int, seed: int) -> None:
    parts = windows(n_steps, window, np.random.default_rng(seed))
    assert np.concatenate(parts).tolist() == list(range(n_steps))
    assert len(parts) == -(-n_steps // window)
    assert min(map(len, parts)) >= 1


def test_lengths_of_windows_vary_about_the_given_one() -> None:
    lengths = np.array([len(part) for part in windows(100_000, 70, np.random.default_rng(0))])
    assert lengths.mean() == pytest.approx(70, abs=0.1)
    assert np.std(lengths[lengths > 52]) == pytest.approx(5.0, abs=0.5)
    assert (lengths < 52).mean() == pytest.approx(0.05, abs=0.02)


def test_penn_treebank_is_the_known_one(real_data: Path) -> None:
    data = load("ptb", strict=True)
    assert data.notice == ""
    task = prepare(LanguageRecipe(dataset="ptb"), data)
    assert (task.sizes["train"], task.sizes["test"]) == (929_588, 82_429)
    assert task.n_classes == 10_000
    # What is published beside runs tells nothing of the text.
    assert all(not gold.any() for gold in data.gold.values())


def test_a_file_of_other_columns_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    pd.DataFrame({"split": ["train"], "line": ["a b"]}).to_parquet(tmp_path / "ptb.parquet")
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="column 'text' is missing"):
        load("ptb")


# Training.


def test_a_run_has_the_same_bits_alone_among_others_and_in_another_process() -> None:
    alone = train(RECIPE)[0]
    assert_same_bits(alone, train(RECIPE, SeedPlan.same(1), PLAN)[1])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert_same_bits(alone, pool.submit(elsewhere, 2).result())


@pytest.mark.parametrize(
    ("method", "record"),
    [
        (Control(), RECORDS[0]),
        (ASWA(), RECORDS[0]),
        (Snapshot(cycles=2), RECORDS[0]),
        (Control(), LikelyWords(after_step=8, every=3, n_likely=9)),
    ],
)
@pytest.mark.parametrize("step", [1, 12, 20])
def test_a_run_goes_on_from_any_step_to_the_same_bits(step: int, method: Any, record: Any) -> None:
    recipe, records = RECIPE.with_method(method), (record,)
    states: list[Any] = []

    def keep(done: int, state: Any = None) -> None:
        if state is not None:
            states.append({name: array.copy() for name, array in state().items()})

    whole = train(recipe, records=records, report=keep)[0]
    assert len(states) > 20
    assert_same_bits(whole, train(recipe, records=records, state=states[step - 1])[0])


@pytest.mark.parametrize("plan", [SeedPlan(init=1), SeedPlan(dropout=1)])
def test_each_source_counts(plan: SeedPlan) -> None:
    one, other = train(RECIPE, SeedPlan(), plan)
    assert not np.array_equal(one["losses"], other["losses"])


def test_without_dropout_its_seed_still_parts_the_text() -> None:
    dry = {f"drop_{part}": 0.0 for part in ("input", "hidden", "output", "words")}
    one, other = train(RECIPE.model_copy(update=dry), SeedPlan(), SeedPlan(dropout=1))
    assert not np.array_equal(one["losses"], other["losses"])


def test_a_bit_of_the_first_layer_is_changed() -> None:
    plain, twin = train(
        RECIPE, SeedPlan(), SeedPlan(bit=Bit(tensor="layers.0.gates.weight", index=5))
    )
    assert abs(float(plain["loss"] - twin["loss"])) < 1e-2
    assert float(plain["loss"]) != float(twin["loss"])
    with pytest.raises(UsageError, match="index must be between 0 and 287"):
        train(RECIPE, SeedPlan(bit=Bit(tensor="layers.0.gates.weight", index=288)))


def test_training_is_that_of_a_plain_loop() -> None:
    """The same windows, without dropout, with the recurrence as a loop of torch."""
    dry = {f"drop_{part}": 0.0 for part in ("input", "hidden", "output", "words")}
    recipe = RECIPE.model_copy(update={**dry, "optimizer": "sgd", "learning_rate": 2.0})
    task = prepare(recipe, stand_in())
    network = LanguageNetwork(recipe, PLAN, task, pause=lambda: None)
    named = {n: p.detach().clone().requires_grad_() for n, p in network.named().items()}
    ids = np.concatenate([task.inputs["train"].values, task.gold["train"][-1:]])
    n_steps = (len(ids) - 1) // 4
    words = torch.from_numpy(ids[: 4 * n_steps].reshape(4, -1).T.copy())
    after = torch.from_numpy(ids[1 : 4 * n_steps + 1].reshape(4, -1).T.copy())
    (rng,), step, total = PLAN.generator("dropout").spawn(1), 0, 2 * -(-n_steps // 8)

    def logits(x: Tensor, left: list[Any]) -> tuple[Tensor, list[Any]]:
        states, kept = named["embedding"][x], []
        for number, (before, recurrent) in enumerate(left):
            seen = states
            if number == 0:
                seen = torch.cat([torch.cat([before[None], states[:-1]]), states], dim=2)
            gates = (named[f"layers.{number}.gates.{part}"] for part in ("weight", "bias"))
            z, f, o = torch.nn.functional.linear(seen, *gates).chunk(3, dim=2)
            state = plain_forget_mult(f.sigmoid(), z.tanh(), recurrent)
            kept.append((states[-1].detach(), state[-1].detach()))
            states = o.sigmoid() * state
        return states @ named["embedding"].T + named["bias"], kept

    start = [(torch.zeros(4, 6), torch.zeros(4, 8)), (torch.zeros(4, 8), torch.zeros(4, 6))]
    for _ in range(2):
        left = start
        for part in windows(n_steps, 8, rng):
            out, left = logits(words[part], left)
            loss = torch.nn.functional.cross_entropy(out.flatten(0, 1), after[part].flatten())
            gradients = torch.autograd.grad(loss, list(named.values()))
            norm = torch.sqrt(sum((g**2).sum() for g in gradients))  # type: ignore[arg-type]
            rate = 2.0 * 0.5 * (1 + np.cos(np.pi * step / total)) * len(part) / 8
            with torch.no_grad():
                for p, g in zip(named.values(), gradients, strict=True):
                    p -= rate * (g * min(1.0, 0.25 / (float(norm) + 1e-6)) + 1.2e-6 * p)
            step += 1
    found = train(recipe)[0]
    test = torch.from_numpy(task.inputs["test"].values)[:, None]
    first = [(torch.zeros(1, 6), torch.zeros(1, 8)), (torch.zeros(1, 8), torch.zeros(1, 6))]
    with torch.no_grad():
        out, _ = logits(test, first)
    gold = torch.from_numpy(task.gold["test"])
    expected = torch.nn.functional.cross_entropy(out.flatten(0, 1), gold, reduction="none")
    assert float(found["loss"]) == pytest.approx(float(expected.mean()), abs=1e-5)
    np.testing.assert_allclose(found["losses"], expected[:60].numpy(), atol=2e-3, rtol=1e-3)
    assert np.exp(float(found["loss"])) == pytest.approx(float(perplexity(expected.numpy())))


def test_it_learns_more_than_how_frequent_words_are() -> None:
    size = {"limit": 1500, "vocabulary": None, "embedding": 16, "hidden": 24, "epochs": 4}
    recipe = RECIPE.model_copy(update={**size, "learning_rate": 0.02})
    task = prepare(recipe, stand_in())
    shares = np.bincount(task.gold["train"], minlength=task.n_classes) + 1.0
    alone: NDArray[np.float64] = -np.log(shares / shares.sum())[task.gold["test"]]
    assert np.exp(train(recipe)[0]["loss"]) < 0.5 * perplexity(alone)


def test_what_is_kept_is_what_the_model_says_of_the_whole_test_text() -> None:
    task = prepare(RECIPE, stand_in())
    network = LanguageNetwork(RECIPE, PLAN, task, pause=lambda: None)
    predictor = Predictor(FlatWeights(network), Control(), 1)
    (kept,) = NextWordsObserver(task, NextWords(n_words=9)).finish(predictor)
    with torch.no_grad():
        logits = network.logits(task.inputs["test"]).double()
    losses = -torch.log_softmax(logits, 1)[torch.arange(len(logits)), task.gold["test"]].numpy()
    assert float(kept["loss"]) == pytest.approx(losses.mean(), rel=1e-6)
    np.testing.assert_allclose(kept["losses"], losses[:9], rtol=1e-3)
    assert kept["labels"].tolist() == logits.argmax(1)[:9].tolist()


def test_snapshots_average_the_logits_of_the_ends_of_cycles() -> None:
    recipe = RECIPE.with_method(Snapshot(cycles=2))
    task = prepare(recipe, stand_in())
    network = LanguageNetwork(recipe, PLAN, task, pause=lambda: None)
    models = FlatWeights(network)
    predictor = Predictor(models, recipe.method, recipe.epochs)
    rng = torch.Generator().manual_seed(0)
    logits = []
    for epoch in (1, 2):
        models.weights.add_(torch.randn(models.weights.shape, generator=rng), alpha=0.3)
        predictor.after_epoch(epoch)
        with torch.no_grad():
            logits.append(network.logits(task.inputs["test"]).double())
    predictor.finish()
    (kept,) = NextWordsObserver(task, NextWords(n_words=9)).finish(predictor)
    gold = torch.from_numpy(task.gold["test"])
    expected = torch.nn.functional.cross_entropy(sum(logits) / 2, gold)  # type: ignore[arg-type]
    assert float(kept["loss"]) == pytest.approx(float(expected), rel=1e-6)
    assert (
        abs(float(kept["loss"]) - float(torch.nn.functional.cross_entropy(logits[1], gold))) > 0.01
    )


def test_label_smoothing_is_that_of_torch() -> None:
    recipe = RECIPE.with_method(LabelSmoothing(alpha=0.1))
    task = prepare(recipe, stand_in())
    losses = []
    for made in (RECIPE, recipe):
        network = LanguageNetwork(made, PLAN, task, pause=lambda: None)
        network.start_epoch(1)
        logits: list[Tensor] = []
        network.model.register_forward_hook(lambda *args, kept=logits: kept.append(args[2][0]))
        losses.append(float(network.loss(np.arange(8)).detach()))
        gold = network.next[:8].flatten()
        smooth = 0.1 if made is recipe else 0.0
        same = torch.nn.functional.cross_entropy(logits[0].detach(), gold, label_smoothing=smooth)
        assert losses[-1] == pytest.approx(float(same), rel=1e-6)
    assert losses[0] != losses[1]


def test_an_average_is_kept_beside_the_run() -> None:
    beside = Averaged(record=NextWords(n_words=60), methods=(EMA(memory=0.5),))
    (found,) = train(RECIPE, records=(beside,))
    (plain,) = train(RECIPE)
    assert abs(float(plain["loss"]) - float(found["ema_loss"])) > 1e-4


# Teachers, and ensembles.


def said(task: Any, *runs: SeedPlan) -> list[NDArray[np.float64]]:
    """What trained models say of the training text, from all of their logits."""
    recipe, every = RECIPE, []
    for plan in runs:
        network = LanguageNetwork(recipe, plan, task, pause=lambda: None)
        with torch.no_grad():
            every.append(torch.softmax(network.logits(task.lesson).double(), 1).numpy())
    return every


def looked_at(task: Any, plan: SeedPlan, record: LikelyWords) -> Any:
    """What is kept of an untrained model, looked at after steps 1 and 2, or at the end."""
    network = LanguageNetwork(RECIPE, plan, task, pause=lambda: None)
    predictor = Predictor(FlatWeights(network), Control(), 1)
    observer = LikelyWordsObserver(task, record)
    for step in (1, 2):
        observer.after_step(step, predictor)
    return observer.finish(predictor)[0]


@pytest.mark.parametrize("record", [LikelyWords(), LikelyWords(after_step=0)])
def test_of_a_small_vocabulary_all_that_teachers_say_is_kept(record: LikelyWords) -> None:
    task = prepare(RECIPE, stand_in())
    plans = (PLAN, SeedPlan.same(4))
    every = np.arange(task.sizes["train"])
    parts = [(1, looked_at(task, plan, record)) for plan in plans]
    expected = sum(said(task, *plans)) / 2
    apart, pooled = (
        record.together(parts),
        record.together([(2, record.pool([p for _, p in parts]))]),
    )
    for found in (apart, pooled):
        chances = found.probabilities(every, task.n_classes)
        np.testing.assert_allclose(chances, expected, atol=2e-3)
        np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-6)


def test_of_a_large_one_the_likeliest_are_kept_and_share_what_is_left() -> None:
    task = prepare(RECIPE, stand_in())
    kept = looked_at(task, PLAN, LikelyWords(n_likely=5))
    (expected,) = said(task, PLAN)
    best = np.argsort(-expected, axis=1)[:, :5]
    np.testing.assert_allclose(
        kept["shares"], np.take_along_axis(expected, best, axis=1), rtol=1e-3
    )
    found = LikelyWords().together([(1, kept)]).probabilities(np.array([7]), 50)[0]
    rest = (1.0 - expected[7][best[7]].sum()) / 50
    others = np.setdiff1d(np.arange(50), best[7])
    np.testing.assert_allclose(found[others], rest, rtol=1e-2)
    np.testing.assert_allclose(found[best[7]], expected[7][best[7]] + rest, rtol=1e-2)


def test_a_teacher_who_knows_every_word_teaches_what_the_text_does() -> None:
    task = prepare(RECIPE, stand_in())
    recipe = RECIPE.with_method(Ensemble(members=1, temperature=1.0))
    knows = Likely(task.gold["train"][:, None], np.ones((task.sizes["train"], 1)))
    losses = []
    for made, taught in ((RECIPE, None), (recipe, knows)):
        network = LanguageNetwork(made, PLAN, task, pause=lambda: None, taught=taught)
        network.start_epoch(1)
        losses.append([float(network.loss(rows).detach()) for rows in network.batches()])
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_a_student_is_taught_by_the_store(tmp_path: Path) -> None:
    recipe = RECIPE.with_method(TGTSS(after_step=10, every=3, teacher="own"))
    store, data = RunStore(tmp_path / "runs", tmp_path / "none"), stand_in()
    inputs = Inputs(key=data.content_hash, source=data.source, data=data)
    request = Request(recipe, (PLAN,), RECORDS)
    found = obtain(request, store, inputs=inputs, watch=silent)
    record = LikelyWords(after_step=10, every=3)
    (kept,) = train(RECIPE, *recipe.method.teachers(PLAN), records=(record,))
    (alone,) = train(recipe, taught=lambda plan: record.together([(1, kept)]))
    np.testing.assert_array_equal(found["losses"][0], alone["losses"])
    assert not np.array_equal(alone["losses"], train(RECIPE)[0]["losses"])


def test_an_ensemble_has_the_mean_of_its_members_logits(tmp_path: Path) -> None:
    plans = tuple(SeedPlan.same(seed) for seed in range(4))
    store, data = RunStore(tmp_path / "runs", tmp_path / "none"), stand_in()
    inputs = Inputs(key=data.content_hash, source=data.source, data=data)
    record = JointWords(n_words=40)
    found = obtain(Request(RECIPE, plans, (record,), pool=2), store, inputs=inputs, watch=silent)
    every = train(RECIPE, *plans, records=(record,))
    alone = train(RECIPE, *plans, records=(NextWords(n_words=40),))
    for name in ("labels", "losses"):
        np.testing.assert_array_equal(
            np.concatenate(found[f"{name}_alone"]), np.stack([one[name] for one in alone])
        )
    together = vanilla_ensembles(np.stack([one["logits"] for one in every]), 2)
    np.testing.assert_array_equal(found["labels"], together.argmax(axis=2))
    right = torch.from_numpy(prepare(RECIPE, data).gold["test"][:40])
    for mean, losses in zip(together, found["losses"], strict=True):
        expected = torch.nn.functional.cross_entropy(
            torch.from_numpy(mean), right, reduction="none"
        )
        np.testing.assert_allclose(losses, expected, rtol=1e-3)


def test_work_adds_up_to_what_is_reported() -> None:
    told: list[int] = []
    train(RECIPE, report=lambda done, state=None: told.append(done))
    data: Dataset = stand_in()
    inputs = Inputs(key="k", source="", data=data)
    request = Request(RECIPE, (PLAN,), RECORDS)
    assert sum(told) == RECIPE.workload.work(request, inputs)
    sizes = prepare(RECIPE, data).sizes
    assert sum(told) == sum(work_by_step(RECIPE, sizes, RECORDS))


# Wrong input.


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'language' cannot honour the method"):
        Request(RECIPE.with_method(TestTime(crops=25)), (PLAN,), RECORDS)
    with pytest.raises(UsageError, match="after_step=900 leaves no step to average"):
        train(RECIPE, records=(LikelyWords(after_step=900),))
    with pytest.raises(UsageError, match="source of language"):
        Request(RECIPE, (SeedPlan(shuffle=1),), RECORDS)
    with pytest.raises(UsageError, match="batch_size must be at most the .* words"):
        train(RECIPE.model_copy(update={"batch_size": 10_000}))
    with pytest.raises(UsageError, match="onset of 'dropout' is epoch 3"):
        Request(RECIPE, (SeedPlan(dropout=1, onset={"dropout": 3}),), RECORDS)
