"""What all methods share that average the weights of one training step by step."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import ValidationInfo, field_validator

from stablib.errors import unknown
from stablib.training.method import Averager, Method


class Average(Averager):
    """An average of weights, kept beside those that are trained."""

    growing: ClassVar[tuple[str, ...]] = ("average",)

    def __init__(self) -> None:
        #: Tensor, shape (n_models, n_parameters); None until there is something to average.
        self.average: Any = None


class ByStep(Method, abc.ABC):
    """Base of these methods: a recipe's, or those of a training loop of one's own."""

    #: Whether the training goes on from the average; else it is the same as without the method.
    writes_back: ClassVar[bool]

    @abc.abstractmethod
    def new_average(self) -> Average:
        """Make what averages the weights of one training."""

    def averager(self, n_epochs: int) -> Average:
        """The same, however long the training."""
        return self.new_average()

    @field_validator("*", mode="before")
    @classmethod
    def _known(cls, value: Any, field: ValidationInfo) -> Any:
        """Refuse an option that is not known, and name the nearest one."""
        annotation = cls.model_fields[str(field.field_name)].annotation
        if get_origin(annotation) is Literal and value not in get_args(annotation):
            raise unknown(str(field.field_name), value, get_args(annotation))
        return value
