"""What is kept of a run. One training can be asked for several records."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stablib.errors import UsageError


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Final(_Record):
    """Predictions of the trained model on ``val`` and ``test``.

    Arrays, per split: ``labels_<split>`` (n_examples,) and ``gold_<split>`` (n_examples,),
    the probability of the gold label as float16.
    """

    kind: Literal["final"] = "final"


class Steps(_Record):
    """Predictions during training on one split, after every k-th optimization step.

    Arrays: ``labels`` (n_steps, n_examples) and ``steps`` (n_steps,), counted from 1; with
    ``confidence`` also ``gold`` (n_steps, n_examples), the probability of the gold label as
    float16. It takes ten times the space of the labels, so it is kept only where it is shown.
    """

    kind: Literal["steps"] = "steps"
    split: Literal["val", "test"]
    every: int = Field(default=1, ge=1)
    confidence: bool = False


class Probabilities(_Record):
    """All class probabilities of the trained model on one split.

    Array: ``probabilities`` (n_examples, n_classes), float16.
    """

    kind: Literal["probabilities"] = "probabilities"
    split: Literal["val", "test"]


class TrainMean(_Record):
    """Mean probabilities on the training set, over the steps after ``after_step``.

    ``after_step=None`` takes the trained model alone.
    Array: ``mean`` (n_train, n_classes), float16.
    """

    kind: Literal["train_mean"] = "train_mean"
    after_step: int | None = Field(default=None, ge=0)
    every: int = Field(default=1, ge=1)

    def check(self, n_steps: int) -> None:
        """Refuse a mean over no step at all, before anything is trained for it.

        Raises
        ------
        UsageError
            If a training of ``n_steps`` steps ends before the first step that would count.
        """
        latest = n_steps - self.every
        if self.after_step is not None and self.after_step > latest:
            raise UsageError(
                f"after_step={self.after_step} leaves no step to average: training takes "
                f"{n_steps} steps here, so it must be at most {latest}"
            )


Record = Final | Steps | Probabilities | TrainMean
