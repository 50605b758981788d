"""What is kept of a classifier of images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stablib.errors import UsageError
from stablib.mitigation import TestTime
from stablib.training.record import Arrays, Observed, labels_that_differ, largest_difference
from stablib.training.tagged import ALWAYS_WRITTEN

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task


class Logits(Observed):
    """Logits of the trained model on the test images, and its loss.

    Parameters
    ----------
    views : tuple of TestTime, default ()
        Ways of augmenting the test images of which the mean logits are kept too.
    n_logits : int, optional
        Keep the logits of the first test images alone; labels and loss are those of all.

    Notes
    -----
    Arrays: ``logits`` (n_test or n_logits, n_classes) of float16, ``labels`` (n_test,) and
    ``loss`` () of float64, the mean cross-entropy in nats: it is made of the logits in single
    precision, since half precision would hide how little linear models differ. Of each view the
    same, with ``_<name of the view>`` behind their names.
    """

    kind: Literal["logits"] = "logits"
    measure = "labels that differ (%)"

    views: tuple[TestTime, ...] = ()
    n_logits: int | None = Field(default=None, ge=1)

    @property
    def title(self) -> str:
        """Name of the record and of the views."""
        return " ".join([self.kind, *(view.name for view in self.views)])

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict at the end."""
        from stablib.workloads.images.observer import LogitsObserver

        return LogitsObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The test images once for each view."""
        return sizes["test"] * (1 + sum(len(view.views()) for view in self.views))

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the labels that differ, in percent."""
        return labels_that_differ(fresh, published, ["labels"])


class Curve(Observed):
    """Loss and accuracy on the test images after every epoch.

    Arrays: ``losses`` (n_epochs,) of float64, in nats, and ``correct`` (n_epochs,) of int32, the
    test images that are classified correctly.
    """

    kind: Literal["curve"] = "curve"
    measure = "largest difference of a loss"

    def observer(self, task: Task, n_models: int) -> Observer:
        """Predict after each epoch."""
        from stablib.workloads.images.observer import CurveObserver

        return CurveObserver(task)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """How many epochs so many steps are is not known here: they are not counted."""
        return 0

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return largest_difference(fresh, published, "losses")


class Trace(Observed):
    """What a training passes through: weights, labels, loss and a few logits at some steps.

    The steps lie evenly on a logarithmic scale, so that twins can be watched from the first
    rounding error on.

    Parameters
    ----------
    per_decade : int, default 12
        Steps that are looked at while their number grows tenfold; the last one is, too.
    n_weights : int, default 256
        Trained weights that are kept, evenly spaced over all: all of them would be too many.
    n_examples : int, default 500
        First test images whose labels are kept.

    Notes
    -----
    Arrays: ``steps`` (n_points,) of int32, counted from 1; ``weights`` (n_points, n_weights) of
    float32; ``labels`` (n_points, n_examples); ``losses`` (n_points,) of float64, in nats;
    ``logits`` (n_points, 4, n_classes) of float32, those of the first four test images.
    """

    kind: Literal["trace"] = "trace"
    measure = "largest difference of a weight"

    per_decade: int = Field(default=12, ge=1)
    n_weights: int = Field(default=256, ge=1)
    n_examples: int = Field(default=500, ge=4)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the chosen steps."""
        from stablib.workloads.images.observer import TraceObserver

        return TraceObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The first test images at each point."""
        seen = sum(self.looks_at(step) for step in range(1, n_steps + 1))
        return seen * min(self.n_examples, sizes["test"])

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference."""
        return largest_difference(fresh, published, "weights")

    def looks_at(self, step: int) -> bool:
        """Whether a step is one of those on the scale.

        Examples
        --------
        >>> [step for step in range(1, 101) if Trace(per_decade=4).looks_at(step)]
        [1, 2, 3, 6, 10, 18, 32, 56, 100]
        """
        place = round(self.per_decade * math.log10(step))
        return any(
            round(10.0 ** (near / self.per_decade)) == step
            for near in (place - 1, place, place + 1)
        )


class Similarity(Observed):
    """What the layers of the trained model make of some test images, for linear CKA.

    Parameters
    ----------
    n_examples : int, default 100
        First test images that are looked at.
    average_pool : bool, default True
        Keep the average over the image, too, of networks that have it.

    Notes
    -----
    Arrays: of each layer ``products_<layer>`` (n_examples (n_examples + 1) / 2,) of float16, the
    upper triangle of the products of the centred states of each two images, scaled so that their
    norm is 100. The CKA of two runs is the cosine of their products, see
    :func:`stablib.metrics.cka_of_products`; states themselves would take a hundred times the room.
    """

    kind: Literal["similarity"] = "similarity"
    measure = "largest difference of a product"

    n_examples: int = Field(default=100, ge=2)
    #: Runs were kept without it once, under the same name.
    average_pool: Annotated[bool, ALWAYS_WRITTEN] = True

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the trained model."""
        from stablib.workloads.images.observer import SimilarityObserver

        if task.sizes["test"] < self.n_examples:
            raise UsageError(
                f"n_examples must be at most {task.sizes['test']}, the number of test images, got "
                f"{self.n_examples}"
            )
        return SimilarityObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Some test images once."""
        return self.n_examples

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Largest absolute difference, over all layers."""
        return max(largest_difference(fresh, published, name) for name in published)


def products(kept: NDArray[np.floating]) -> NDArray[np.float64]:
    """Products of each two images, of the upper triangles that :class:`Similarity` keeps.

    Parameters
    ----------
    kept : ndarray of float, shape (n_runs, n_examples (n_examples + 1) / 2)
        Of one layer.

    Returns
    -------
    ndarray of float64, shape (n_runs, n_examples, n_examples)

    Examples
    --------
    >>> products(np.array([[1.0, 2.0, 3.0]]))[0]
    array([[1., 2.],
           [2., 3.]])
    """
    n_runs, n_kept = kept.shape
    size = round((np.sqrt(8 * n_kept + 1) - 1) / 2)
    rows, columns = np.triu_indices(size)
    found = np.empty((n_runs, size, size))
    found[:, rows, columns] = found[:, columns, rows] = kept
    return found
