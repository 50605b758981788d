"""The encoder with its classification head, fine-tuned: all of it, or its last layer alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from stablib.training import Inputs, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.text import TextRecipe, TextWorkload


class FineTuneRecipe(TextRecipe):
    """An encoder that is fine-tuned as a whole; its fields are those of every text recipe."""

    kind: Literal["finetune"] = "finetune"

    @property
    def model_name(self) -> str:
        """What is trained."""
        return f"fine-tuned {self.encoder}"


class TopLayerRecipe(TextRecipe):
    """An encoder of which only the last layer is trained, on cached states of the layers below."""

    kind: Literal["top_layer"] = "top_layer"

    @property
    def model_name(self) -> str:
        """What is trained."""
        return f"top layer of {self.encoder}"


class FineTuning(TextWorkload):
    """Trains one encoder after the other, on one thread each."""

    name = "finetune"
    version = 1
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
        from stablib.workloads.finetune.training import WholeEncoder, train_each

        return train_each(WholeEncoder, request, inputs, taught, report=report, state=state)


class TopLayer(FineTuning):
    """Trains one last layer after the other, on one thread each."""

    name = "top_layer"

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
        from stablib.workloads.finetune.training import LastLayer, train_each

        return train_each(LastLayer, request, inputs, taught, report=report, state=state)


FineTuneRecipe.workload = FineTuning()
TopLayerRecipe.workload = TopLayer()
