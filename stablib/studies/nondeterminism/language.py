"""Language models: what Tables 2 and 4 need, and their results."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.runs import Runs
from stablib.studies.base import Outcome
from stablib.studies.nondeterminism.design import ALL, BIT, NULL_SEED, OTHER_SEEDS, Wanted
from stablib.studies.nondeterminism.settings import NondeterminismSettings
from stablib.training import Request, one_bit, protocol
from stablib.workloads import LanguageRecipe, NextWords

#: What varies in each row of Table 2; dropout and lengths of mini-batches share a seed.
WORD_ROWS: Mapping[str, tuple[str, ...]] = {
    "initial weights": ("init",),
    "stochastic operations": ("dropout",),
    ALL: ("init", "dropout"),
}


def recipe(settings: NondeterminismSettings) -> LanguageRecipe:
    """The language model."""
    s, usual = settings, LanguageRecipe.model_fields
    drops = (name for name in usual if name.startswith("drop_"))
    return LanguageRecipe(
        dataset="ptb",
        limit=s.lines,
        vocabulary=s.vocabulary,
        embedding=s.embedding,
        hidden=s.hidden,
        window=s.window,
        optimizer=s.text_optimizer,
        learning_rate=s.text_rate,
        epochs=s.text_epochs,
        **{name: s.dropout * usual[name].default for name in drops},
    )


def rows(settings: NondeterminismSettings) -> Wanted:
    """Rows of Tables 2 and 4, and other seeds of everything."""
    s, model = settings, recipe(settings)
    plans = protocol(WORD_ROWS, s.few_runs, first_seed=s.first_seed)
    (others,) = protocol(
        {ALL: WORD_ROWS[ALL]}, s.few_runs, first_seed=s.first_seed + NULL_SEED
    ).values()
    n_weights = 3 * model.hidden * 2 * model.embedding
    bits = one_bit(s.few_runs, "layers.0.gates.weight", n_weights, seed=s.first_seed)
    every = {**plans, OTHER_SEEDS: others, BIT: bits}
    return {row: Request(model, of, (NextWords(),)) for row, of in every.items()}


@dataclasses.dataclass(frozen=True)
class Readings(Outcome):
    """Language models by what varies in them, see :class:`~stablib.workloads.NextWords`.

    Parameters
    ----------
    study : Study
        Where they come from.
    source : str
        Where the text came from.
    runs : mapping of str to Runs
        By row.
    """

    source: str
    runs: Mapping[str, Runs]

    @property
    def recipe(self) -> LanguageRecipe:
        """What was trained."""
        return cast(LanguageRecipe, next(iter(self.runs.values())).recipe)

    @cached_property
    def labels(self) -> dict[str, NDArray[np.integer]]:
        """Likeliest word in each of the first places of the test text: (n_runs, n_words)."""
        return {row: runs["labels"] for row, runs in self.runs.items()}

    @cached_property
    def losses(self) -> dict[str, NDArray[np.float64]]:
        """Negative log-probability of each of the first test words in nats: (n_runs, n_words)."""
        return {row: runs["losses"].astype(np.float64) for row, runs in self.runs.items()}

    @cached_property
    def perplexities(self) -> dict[str, NDArray[np.float64]]:
        """Perplexity of each run on the whole test text."""
        return {row: np.exp(runs["loss"]) for row, runs in self.runs.items()}

    def all_runs(self) -> Mapping[str, Runs]:
        """Runs by row."""
        return self.runs

    def about(self) -> str:
        """Data, model and counts."""
        made, n_words = self.recipe, next(iter(self.labels.values())).shape[1]
        lines = f"first {made.limit:,} lines" if made.limit else "all lines"
        counts = dict.fromkeys(len(runs) for runs in self.runs.values())
        return (
            f"{self.source}, {lines}; {made.model_name}; {made.epochs} epochs of "
            f"{made.batch_size} x {made.window} words; {' or '.join(map(str, counts))} runs a row; "
            f"disagreement and gain on the first {n_words:,} test words"
        )
