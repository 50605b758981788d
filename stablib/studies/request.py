"""Requests: which runs are wanted, before anyone knows whether they exist."""

from __future__ import annotations

import dataclasses

from stablib.training import Final, Recipe, Record, SeedPlan


@dataclasses.dataclass(frozen=True)
class Request:
    """Runs of one recipe, and what is wanted of each.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    plans : tuple of SeedPlan
        Seeds.
    record : Record
        What is wanted.
    """

    recipe: Recipe
    plans: tuple[SeedPlan, ...]
    record: Record = Final()

    @property
    def lessons(self) -> tuple[tuple[SeedPlan, ...], ...]:
        """Distinct sets of teachers that must be trained first."""
        lessons = (self.recipe.method.teachers(plan) for plan in self.plans)
        return tuple(dict.fromkeys(lesson for lesson in lessons if lesson))

    @property
    def n_teachers(self) -> int:
        """Number of distinct teacher runs."""
        return len({plan for lesson in self.lessons for plan in lesson})
