"""Groups of runs and their keys: what a run depended on, as a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from stablib.training import Recipe, Record, SeedPlan
from stablib.versions import TRAINING_VERSION


class Group(BaseModel):
    """All runs of one recipe on one data content, seen through one record.

    Parameters
    ----------
    recipe : Recipe
        What was trained.
    data : str
        Content hash of the data set.
    record : Record
        What was kept.
    """

    model_config = ConfigDict(frozen=True)

    recipe: Recipe
    data: str
    record: Record
    version: int = TRAINING_VERSION

    @property
    def key(self) -> str:
        """Hash of everything but the seeds; 16 hex digits."""
        return digest(self.model_dump(mode="json"))

    def title(self) -> str:
        """Name the group for people."""
        recipe = self.recipe
        options = recipe.method.model_dump(exclude={"name"}, exclude_defaults=True)
        method = recipe.method.name + (f" {options}" if options else "")
        return f"{recipe.dataset}/{recipe.label} {recipe.model.kind} {method} [{self.record.kind}]"


def plans_key(plans: Sequence[SeedPlan]) -> str:
    """Hash of one seed plan, or of the plans of several runs that were averaged."""
    return digest([plan.model_dump() for plan in plans])


def digest(value: Any) -> str:
    """Hash of a JSON value, independent of the order of its keys; 16 hex digits.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
