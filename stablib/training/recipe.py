"""Recipes: everything but the seeds that decides what a run will be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from stablib.training.method import Control, Method


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Head(_Frozen):
    """A small trained head on frozen encoder features."""

    kind: Literal["head"] = "head"
    hidden: int = Field(default=256, ge=1)
    dropout: float = Field(default=0.1, ge=0.0, le=0.99)


class FineTune(_Frozen):
    """The encoder with its classification head; all layers, or only the top ones."""

    kind: Literal["finetune"] = "finetune"
    top_layers: int | None = Field(default=None, ge=1)


Model = Annotated[Head | FineTune, Field(discriminator="kind")]


class Recipe(_Frozen):
    """Data, model, method and hyper-parameters of a run.

    Parameters
    ----------
    dataset, label : str
        Registry name and kind of label.
    limit : int, optional
        Keep only the first examples of each split (smoke preset).
    encoder : str
        Name of the pretrained encoder.
    model : Head or FineTune
        What is trained.
    method : Method
        Mitigation, by default none.
    learning_rate, epochs, batch_size
        Of Adam; paper: 1e-4, 5, 256 (section 5.3.1).

    Examples
    --------
    >>> recipe = Recipe(dataset="massive", label="domain")
    >>> recipe.method.name, recipe.model.hidden, recipe.epochs
    ('control', 256, 5)
    """

    dataset: str
    label: str
    limit: int | None = Field(default=None, ge=1)
    encoder: str = "all-MiniLM-L6-v2"
    model: Model = Head()
    method: SerializeAsAny[Method] = Control()
    learning_rate: float = Field(default=1e-3, gt=0.0)
    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=256, ge=1)

    def with_method(self, method: Method) -> Recipe:
        """Return the same recipe with another method."""
        return self.model_copy(update={"method": method})

    def steps(self, n_train: int) -> int:
        """Optimization steps of a whole training on ``n_train`` examples."""
        return self.epochs * -(-n_train // self.batch_size)
