"""TGTSS on models of which no text says after which step a teacher has converged."""

from __future__ import annotations

from stablib.data import entry
from stablib.mitigation import TGTSS
from stablib.workloads.text import LabelledRecipe, n_train

#: Of a teacher's steps so many are left out: 180 of 225 in the paper.
CONVERGED = 0.8
#: A prediction of all training examples takes as long as many steps, so only so many are averaged.
_PREDICTIONS = 16


def temporal(
    recipe: LabelledRecipe, *, stand_in: str | None = None, converged: float = CONVERGED
) -> TGTSS:
    """Average some predictions of the later steps of a teacher of one's own.

    Parameters
    ----------
    recipe : LabelledRecipe
        What teachers and students train.
    stand_in : str, optional
        Data that may stand in. If they are fewer, more of the steps count, so that some are left
        of the shorter training too.
    converged : float, default :data:`CONVERGED`
        Share of the steps that do not count.
    """
    n_steps = recipe.steps(n_train(recipe))
    all_there = recipe.examples(entry(stand_in or recipe.dataset).sizes["train"])
    fewest = min(n_train(recipe), all_there)
    after = int(converged * recipe.steps(fewest))
    return TGTSS(after_step=after, every=max(1, (n_steps - after) // _PREDICTIONS), teacher="own")
