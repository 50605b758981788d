"""Train models that attend to words, one seed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from stablib.errors import UsageError
from stablib.models import vectors
from stablib.models.words import BETWEEN, encode, vocabulary
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.loop import Batches, in_random_order
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.training.workload import Report, Taught
from stablib.workloads.attention import AttentionRecipe
from stablib.workloads.attention.network import AttentionNetwork, Prepared
from stablib.workloads.one_run import train_run
from stablib.workloads.teaching import targets
from stablib.workloads.text import check_records

#: Seed of the vectors that are drawn, which all runs share.
_DRAWN = 0
#: Noise of a length, as a share of it, when texts are sorted.
_NOISE = 0.1


def train_each(
    request: Request,
    inputs: Inputs,
    taught: Taught,
    *,
    report: Report,
    state: Arrays | None,
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    recipe = cast(AttentionRecipe, request.recipe)
    # Encoders share what is prepared, and so do all seeds.
    name = f"words in {recipe.min_texts} texts, {recipe.vectors}, first {recipe.limit}"
    with one_thread():
        prepared = inputs.once(name, lambda: prepare(recipe, inputs, lambda: report(0)))
        check_records(request.records, recipe.steps(prepared.task.sizes["train"]))
        for plan in request.plans:
            (goals,) = targets(recipe.method, [plan], prepared.task, taught)
            network = AttentionNetwork(recipe, plan, prepared, goals, pause=lambda: report(0))
            yield [(plan, _train(network, recipe, plan, prepared, request, report, state))]


def prepare(
    recipe: AttentionRecipe, inputs: Inputs, pause: Callable[[], object] = lambda: None
) -> Prepared:
    """Find word ids and word vectors of a data set's texts.

    Parameters
    ----------
    recipe : AttentionRecipe
        Says which words are known, and by which vectors.
    inputs : Inputs
        Its data are a data set with texts.
    pause : callable, optional
        Called between splits; may raise.

    Returns
    -------
    Prepared

    Raises
    ------
    UsageError
        If a text is empty or has only unknown words, some texts are pairs and others are not, or
        all training texts have one label.
    """
    data = recipe.part(inputs.data)
    assert data.texts is not None  # Else nothing could be trained on them.
    # Of all training texts, so that a few first ones do not leave others without a known word.
    known = vocabulary(inputs.data.texts["train"], min_texts=recipe.min_texts)
    ids = {}
    for split, texts in data.texts.items():
        try:
            ids[split] = encode(texts, known)
        except UsageError as error:
            raise UsageError(f"{data.name}, {split}: {error}") from error
        pause()
    n_parts = {text.count(BETWEEN) + 1 for texts in data.texts.values() for text in texts}
    if len(n_parts) > 1 or max(n_parts) > 2:
        raise UsageError(f"{data.name}: texts must all have one part, or all two")
    labels = set(data.gold["train"].tolist())
    if len(labels) < 2:
        only = data.label_names[labels.pop()]
        raise UsageError(f"{data.name}: all training texts have the label {only!r}")
    numbers = vectors.matrix(recipe.vectors, known.words, np.random.default_rng(_DRAWN))
    task = Task(inputs=ids, gold=data.gold, n_classes=data.n_classes)
    return Prepared(task, numbers, paired=n_parts == {2})


def by_length(lengths: NDArray[np.integer]) -> Batches:
    """Let texts of about the same length share a batch, as the released code does.

    Parameters
    ----------
    lengths : ndarray of int, shape (n_train,)
        Tokens of each text.

    Returns
    -------
    callable
        Sorts the texts by their lengths with a noise of a tenth, and shuffles the batches.

    Examples
    --------
    >>> parts = by_length(np.array([9, 90, 8, 91, 7]))(np.random.default_rng(0), 5, 2)
    >>> sorted(sorted(rows.tolist()) for rows in parts)
    [[0, 3], [1], [2, 4]]
    """

    def part(
        rng: np.random.Generator, n_train: int, batch_size: int
    ) -> Sequence[NDArray[np.integer]]:
        reach = _NOISE * lengths
        noisy = lengths + rng.integers(np.floor(-reach), np.ceil(reach))
        order = np.argsort(noisy, kind="stable")
        parts = [order[start : start + batch_size] for start in range(0, n_train, batch_size)]
        return [parts[number] for number in rng.permutation(len(parts))]

    return part


def _train(
    network: AttentionNetwork,
    recipe: AttentionRecipe,
    plan: SeedPlan,
    prepared: Prepared,
    request: Request,
    report: Report,
    state: Arrays | None,
) -> list[Arrays]:
    adam = torch.optim.Adam(
        list(network.named().values()),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay + recipe.method.decay,
        amsgrad=True,
        fused=True,
    )
    by_lengths = recipe.batches == "by_length"
    return train_run(
        network,
        adam,
        request,
        plan,
        prepared.task,
        report=report,
        state=state,
        batches=by_length(prepared.lengths()) if by_lengths else in_random_order,
    )
