"""The encoder with its classification head, fine-tuned: all of it, or its last layer alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

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
    #: What is trained: a class of ``stablib.workloads.finetune.training``, loaded when used.
    network: ClassVar[str] = "WholeEncoder"

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
        from stablib.workloads.finetune import training

        kind = getattr(training, self.network)
        return training.train_each(kind, request, inputs, taught, report=report, state=state)


class TopLayer(FineTuning):
    """Trains one last layer after the other, on one thread each."""

    name = "top_layer"
    network = "LastLayer"


FineTuneRecipe.workload = FineTuning()
TopLayerRecipe.workload = TopLayer()
