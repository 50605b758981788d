"""Norm-filtered ASWA: only weights far from the average enter it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from stablib.errors import UsageError, unknown
from stablib.mitigation.aswa import Denominator, Restart, RunningAverage
from stablib.mitigation.by_step import ByStep

Norm = Literal["all", "mean", "max"]
History = Literal["kept", "reset"]


class FilteredAverage(RunningAverage):
    """W_swa of Algorithm 2. Of the list N_s only its sum and its length are kept."""

    growing = (*RunningAverage.growing, "sums", "lengths")

    def __init__(self, method: NASWA) -> None:
        super().__init__(method.denominator, method.restart)
        self.method = method
        self.places: list[slice] = []
        self.sums: list[float] = []
        self.lengths: list[int] = []

    def locate(self, places: Mapping[str, slice]) -> None:
        """Find the tensors of the norm."""
        for name in self.method.tensors:
            if name not in places:
                raise unknown("tensor", name, places)
        self.places = [places[name] for name in self.method.tensors]

    def begin(self, weights: Any) -> None:
        """Begin with empty lists."""
        super().begin(weights)
        self._empty()

    def accepts(self, model: int, difference: Any) -> bool:
        """Whether the norm is greater than the mean of the list, which is 0 of an empty one."""
        norm = self._norm(difference)
        if norm > self.sums[model] / max(1, self.lengths[model]):
            self.sums[model], self.lengths[model] = norm, 1
            return True
        if norm > 0.0 or self.method.history == "kept":
            self.sums[model] += norm
            self.lengths[model] += 1
        return False

    def after_epoch(self, epoch: int, weights: Any) -> None:
        """Put the average in the place of the weights."""
        super().after_epoch(epoch, weights)
        if self.method.history == "reset":
            self._empty()

    def _empty(self) -> None:
        self.sums, self.lengths = [0.0] * len(self.counts), [0] * len(self.counts)

    def _norm(self, difference: Any) -> float:
        if self.method.norm == "all":
            return float(difference.abs().sum())
        norms = [float(difference[place].norm()) for place in self.places]
        return max(norms) if self.method.norm == "max" else sum(norms) / len(norms)


class NASWA(ByStep):
    """As ASWA, but weights enter the average only if they are further from it than those before.

    N_cur, the norm of the difference between weights and average, is compared with the mean of a
    list. If it is greater, the weights enter the average and the list is [N_cur]; if not, N_cur is
    appended to the list: that line is missing in Algorithm 2 of the paper and stands in that of
    the thesis.

    Parameters
    ----------
    denominator : {"iterations", "accepted"}, default "iterations"
        How much new weights count: 1 / (number of all steps so far + 1), which is Algorithm 2 as
        printed, or 1 / (number of weights in the average, the new ones included), from the weights
        after two steps on, which is the released code. See :class:`stablib.mitigation.ASWA`.
    restart : {"copy", "exchange"}, default "copy"
        As in :class:`stablib.mitigation.ASWA`.
    norm : {"all", "mean", "max"}, default "all"
        ``"all"`` is the L1 norm over all weights, Algorithm 2. ``"mean"`` and ``"max"`` are those
        of the L2 norms of some tensors, as in the released code.
    tensors : sequence of str, optional
        Names of these tensors. The released code takes two: of its CNN the bias of the convolution
        with kernel 5 and the first weight of the attention, of its LSTM the recurrent weight of
        the reverse direction and the first weight of the attention.
    history : {"kept", "reset"}, default "kept"
        ``"kept"`` is Algorithm 2. ``"reset"`` is the released code: the list is empty again after
        each epoch, and norms of 0 are left out of it, such as that of the first step of an epoch.

    Notes
    -----
    Random seed paper, section 3.2, Algorithm 2; thesis, section 4.4.1. The mean of an empty list,
    which the algorithm leaves open, is 0, as in the released code.

    Examples
    --------
    >>> released = NASWA(
    ...     denominator="accepted",
    ...     restart="exchange",
    ...     norm="mean",
    ...     tensors=["convolution.bias", "attention.weight"],
    ...     history="reset",
    ... )
    >>> released.changes
    frozenset({'averager'})
    """

    kind: Literal["naswa"] = "naswa"
    denominator: Denominator = "iterations"
    restart: Restart = "copy"
    norm: Norm = "all"
    tensors: tuple[str, ...] = ()
    history: History = "kept"
    writes_back: ClassVar[bool] = True

    @model_validator(mode="after")
    def _has_tensors(self) -> NASWA:
        if (self.norm == "all") != (not self.tensors):
            raise UsageError(
                f"tensors must be named for norm='mean' and norm='max' alone, got norm="
                f"{self.norm!r} and {len(self.tensors)} tensors"
            )
        return self

    def new_average(self) -> FilteredAverage:
        """W_swa of Algorithm 2."""
        return FilteredAverage(self)
