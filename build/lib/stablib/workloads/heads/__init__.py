"""Small heads on frozen features of an encoder, all seeds side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from stablib.training import Inputs, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.text import TextRecipe, TextWorkload


class HeadRecipe(TextRecipe):
    """A small trained head on frozen encoder features.

    Parameters
    ----------
    hidden : int, default 256
        Hidden units.
    dropout : float, default 0.1
        Share of the hidden units that is dropped.
    **fields
        As :class:`~stablib.workloads.text.TextRecipe`.

    Examples
    --------
    >>> recipe = HeadRecipe(dataset="massive", label="domain")
    >>> recipe.title()
    'massive/domain, head on all-MiniLM-L6-v2, control'
    """

    kind: Literal["head"] = "head"
    hidden: int = Field(default=256, ge=1)
    dropout: float = Field(default=0.1, ge=0.0, le=0.99)

    @property
    def model_name(self) -> str:
        """Head and encoder."""
        return f"head on {self.encoder}"


class Heads(TextWorkload):
    """Trains heads as one stack of matrix products."""

    name = "head"
    version = 1
    stacked = True
    block = 25

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train in stacks that fit the memory."""
        from stablib.workloads.heads.training import train_stacks

        return train_stacks(request, inputs, taught, report=report)


HeadRecipe.workload = Heads()
