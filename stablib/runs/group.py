"""Groups of runs and their keys: what a run depended on, as a hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from stablib.training import Recipe, Record, SeedPlan
from stablib.training.tagged import identity


@dataclasses.dataclass(frozen=True)
class Group:
    """All runs of one recipe on one data content, seen through one record.

    Parameters
    ----------
    recipe : Recipe
        What was trained.
    data : str
        Identity of the data.
    record : Record
        What was kept.
    """

    recipe: Recipe
    data: str
    record: Record

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything but the seeds that the runs depend on, as JSON values."""
        return {**recipe_identity(self.recipe, self.data), "record": identity(self.record)}

    @cached_property
    def key(self) -> str:
        """Hash of the identity; 16 hex digits."""
        return digest(self.identity)

    def title(self) -> str:
        """Name the group for people."""
        return f"{self.recipe.title()} [{self.record.title}]"


def recipe_identity(recipe: Recipe, data: str) -> dict[str, Any]:
    """What runs of a recipe depend on, whatever is kept of them."""
    workload = recipe.workload
    return {
        "workload": workload.name,
        "version": workload.version,
        "data": data,
        "depends": workload.depends(recipe),
        "recipe": identity(recipe),
    }


def plans_key(plans: Sequence[SeedPlan]) -> str:
    """Hash of one seed plan, or of the plans of several runs that were averaged."""
    return digest([identity(plan) for plan in plans])


def digest(value: Any) -> str:
    """Hash of a JSON value, independent of the order of its keys; 16 hex digits.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
