"""Recipes: everything but the seeds that decides what a run will be."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

from pydantic import SerializeAsAny

from stablib.errors import UsageError
from stablib.training.method import Control, Method
from stablib.training.tagged import Tagged, identity

if TYPE_CHECKING:
    from typing import Self

    from stablib.training.workload import Workload


class Recipe(Tagged, abc.ABC):
    """Base of all recipes; every other field stands in the file of the workload that trains it.

    Parameters
    ----------
    kind : str
        Which recipe this is.
    method : Method
        Mitigation, by default none.
    """

    kinds: ClassVar[dict[str, type[Tagged]]] = {}
    #: What trains this kind of recipe; set where the workload is defined.
    workload: ClassVar[Workload]

    method: SerializeAsAny[Method] = Control()

    @property
    @abc.abstractmethod
    def data_name(self) -> str:
        """Name of the data, for people; recipes of one name train on the same data."""

    @property
    @abc.abstractmethod
    def model_name(self) -> str:
        """Name of the model, for people."""

    @property
    def n_epochs(self) -> int:
        """Passes over the data: the last epoch in which a source's own seed can begin to rule."""
        return 1

    def with_method(self, method: Method) -> Self:
        """Return the same recipe with another method."""
        return self.model_copy(update={"method": method})

    def title(self) -> str:
        """Name the recipe for people."""
        options = {k: v for k, v in identity(self.method).items() if k != "kind"}
        method = self.method.kind + (f" {options}" if options else "")
        return f"{self.data_name}, {self.model_name}, {method}"

    def check_method(self) -> None:
        """Refuse a method that the workload cannot honour, or the length of the training cannot.

        Raises
        ------
        UsageError
            Names the workload, the method and what it would have to change, or as the method says.
        """
        self.method.snapshots(self.n_epochs)
        if self.method.of and self.method.of != self.workload.examples:
            raise UsageError(
                f"workload {self.workload.name!r} cannot honour the method {self.method.kind!r}: "
                f"it needs {self.method.of}"
            )
        refused = sorted(self.method.changes - self.workload.honours)
        if refused:
            raise UsageError(
                f"workload {self.workload.name!r} cannot honour the method {self.method.kind!r}: "
                f"it changes {' and '.join(refused)} (this workload honours: "
                f"{', '.join(sorted(self.workload.honours)) or 'control alone'})"
            )
