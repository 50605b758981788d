"""The encoder with its classification head, fine-tuned: all layers, or only the top ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from stablib.training import Inputs, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.text import TextRecipe, TextWorkload


class FineTuneRecipe(TextRecipe):
    """A fine-tuned encoder.

    Parameters
    ----------
    top_layers : int, optional
        Train only this many layers, and the classification head; all by default.
    **fields
        As :class:`~stablib.workloads.text.TextRecipe`.
    """

    kind: Literal["finetune"] = "finetune"
    top_layers: int | None = Field(default=None, ge=1)

    @property
    def model_name(self) -> str:
        """Encoder, and how much of it is trained."""
        if self.top_layers is None:
            return f"fine-tuned {self.encoder}"
        layers = "layer" if self.top_layers == 1 else f"{self.top_layers} layers"
        return f"top {layers} of {self.encoder}"


class FineTuning(TextWorkload):
    """Trains one model after the other, on one thread each."""

    name = "finetune"
    version = 2
    packages = ("torch", "transformers", "numpy")

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train each plan for itself."""
        from stablib.workloads.finetune.training import train_each

        return train_each(request, inputs, taught, report=report)


FineTuneRecipe.workload = FineTuning()
