"""Aggressive stochastic weight averaging: each epoch begins at the average of all steps so far."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from stablib.mitigation.by_step import Average, ByStep

Denominator = Literal["iterations", "accepted"]
Restart = Literal["copy", "exchange"]


class RunningAverage(Average):
    """W_swa of Algorithms 1 and 2, for models that train side by side.

    It takes the weights before each step, as the algorithms do, so that what the last step of an
    epoch did enters no average.
    """

    growing: ClassVar[tuple[str, ...]] = ("average", "counts")

    def __init__(self, denominator: Denominator, restart: Restart) -> None:
        super().__init__()
        self.by_iteration = denominator == "iterations"
        self.exchange = restart == "exchange"
        #: Weights that entered the average, of each model.
        self.counts: list[int] = []

    def before_step(self, step: int, weights: Any) -> None:
        """Average the weights that all earlier steps have left."""
        if not self.by_iteration and step <= 2:
            return  # The released code begins when two steps are done.
        if self.average is None:
            self.begin(weights)
        for model, own in enumerate(weights):
            difference = own - self.average[model]
            if self.accepts(model, difference):
                self.counts[model] += 1
                # With n iterations an epoch, e * n + i of the algorithms is the step.
                denominator = step + 1 if self.by_iteration else self.counts[model]
                self.average[model].add_(difference, alpha=1.0 / denominator)

    def begin(self, weights: Any) -> None:
        """Take the first weights as they are."""
        self.average = weights.clone()
        self.counts = [1] * len(weights)

    def accepts(self, model: int, difference: Any) -> bool:
        """Whether weights enter the average that differ from it by so much."""
        return True

    def after_epoch(self, epoch: int, weights: Any) -> None:
        """Put the average in the place of the weights."""
        if self.average is None:
            return
        last = weights.clone()
        weights.copy_(self.average)
        if self.exchange:
            self.average = last


class ASWA(ByStep):
    """Average the weights at every step, and begin each epoch at the average.

    The optimizer's own state, such as Adam's moments, is left as it is.

    Parameters
    ----------
    denominator : {"iterations", "accepted"}, default "iterations"
        How much new weights count. ``"iterations"`` is Algorithm 1 as printed: the weights before
        step s, counted from 1 over all epochs, count 1 / (s + 1); the text does not say where the
        average begins, here at the initial weights. ``"accepted"`` is what the authors' released
        code does: 1 / (number of weights in the average, the new ones included), from the weights
        after two steps on, which count twice. The two differ in the first two steps alone.
    restart : {"copy", "exchange"}, default "copy"
        What an epoch's end does. ``"copy"`` is Algorithm 1 and Figure 4.7 of the thesis: the
        weights become the average, which stays. ``"exchange"`` is the released code: the last
        weights also take the place of the average, which goes on from them.

    Notes
    -----
    Random seed paper, section 3.1, Algorithm 1; thesis, section 4.4. As in the released code only
    trained weights are averaged, no statistics of batch norm.

    Restarts make a training slow. The mean of epoch e is half an epoch ahead of its start, and
    counts 1 / e in the average: while all steps lead one way, E epochs lead as far as
    (1 + 1/2 + ... + 1/E) / 2 without ASWA, 20 as far as 1.8.

    Examples
    --------
    >>> from stablib.workloads import HeadRecipe
    >>> HeadRecipe(dataset="massive", label="domain", method=ASWA(restart="exchange")).title()
    "massive/domain, head on all-MiniLM-L6-v2, aswa {'restart': 'exchange'}"
    """

    kind: Literal["aswa"] = "aswa"
    denominator: Denominator = "iterations"
    restart: Restart = "copy"
    writes_back: ClassVar[bool] = True

    def new_average(self) -> RunningAverage:
        """W_swa of Algorithm 1."""
        return RunningAverage(self.denominator, self.restart)
