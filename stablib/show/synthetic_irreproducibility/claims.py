"""Answers to what the synthetic irreproducibility paper says about its curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from stablib.metrics import error_cosine, weight_correlation, weight_difference
from stablib.metrics.alignment import Layer, Symmetries
from stablib.papers.claims import Measured
from stablib.show.synthetic_irreproducibility.comparison import (
    above,
    apart,
    counted,
    decades,
    least_above,
    length,
    loss_spread,
    losses,
    mean_of,
    measure,
    most_above,
)
from stablib.studies.synthetic_irreproducibility import Curves, Point, Traced
from stablib.workloads.streams import network
from stablib.workloads.streams.recipe import LOG2_BATCH

_HIDDEN = ("identity 1", "relu 1", "identity 2", "relu 2")

#: Section 4 calls PDs of this order low.
_LOW = 1e-6

Points = Mapping[str, Point]
Measure = Callable[[Point], NDArray[np.float64]]


def simple(curves: Curves) -> list[Measured]:
    """Of Figure 2."""
    variant = length(curves)
    first = {c.name: c.points[0] for c in curves.curves}
    second = {c.name: c.points[1] for c in curves.curves if len(c.points) > 2}
    last = {c.name: c.points[-1] for c in curves.curves}
    models = ("linear", *_HIDDEN)
    linear = curves["linear"].points
    beside = [(p, q) for name in _HIDDEN for p, q in zip(curves[name].points, linear, strict=True)]
    return [
        measure("f2-identity-same", mean_of, first["identity 1"].pd, variant=variant),
        measure("f2-identity-diff", mean_of, first["identity 1, diff"].pd, variant=variant),
        measure("f2-relu-diff", mean_of, first["relu 1, diff"].pd, variant=variant),
        _retained(curves["relu 1, diff"], variant),
        loss_spread("f2-loss-equal", [[curves[n], curves[f"{n}, diff"]] for n in models], variant),
        least_above("f2-linear-pd", [(p.pd, q.pd) for p, q in beside], variant),
        least_above("f2-linear-loss", [(losses(p), losses(q)) for p, q in beside], variant),
        most_above(
            "f2-not-far-behind",
            [(first[n].pd, first["linear"].pd) for n in ("identity 1", "relu 1")],
            variant,
        ),
        counted("f2-linear-rounding", first["linear"].pd > 0.0, variant),
        _above_low("f2-linear-negligible", first["linear"], variant),
        above("f2-linear-shuffled", last["linear"].pd, first["linear"].pd, variant),
        above("f2-relu2-above-linear", first["relu 2"].pd, first["linear"].pd, variant),
        above("f2-identity2-not", first["identity 2"].pd, first["linear"].pd, variant),
        *_distinct_starts(first, last, variant),
        *_rises(first, second, variant),
        *_smooth(first, last, variant),
        *_learning(curves, variant),
        least_above(
            "f2-two-units-loss",
            [
                (losses(one), losses(two))
                for one, two in zip(curves["relu 1"].points, curves["relu 2"].points, strict=True)
            ],
            variant,
        ),
        least_above(
            "f2-two-units-pd",
            [
                (two.pd, one.pd)
                for kind in ("identity", "relu")
                for one, two in zip(
                    curves[f"{kind} 1"].points, curves[f"{kind} 2"].points, strict=True
                )
            ],
            variant,
        ),
    ]


def _retained(curve: Traced, variant: str) -> Measured:
    """How far the PD of a curve gets from 10^-2, in decades."""

    def distance(values: NDArray[np.float64]) -> float:
        means = np.maximum(values.mean(axis=0), np.finfo(float).tiny)
        return float(np.abs(np.log10(means) + 2.0).max())

    values = np.stack([p.pd for p in curve.points], axis=1)
    return measure("f2-relu-diff-retained", distance, values, variant=variant)


def _distinct_starts(first: Points, last: Points, variant: str) -> list[Measured]:
    """What distinct initial weights change."""
    return [
        above("f2-init-linear", first["linear, diff"].pd, first["linear"].pd, variant),
        above("f2-init-linear-wide", last["linear, diff"].pd, last["linear"].pd, variant),
        least_above(
            "f2-same-reaches-diff",
            [(last[name].pd, last[f"{name}, diff"].pd) for name in _HIDDEN],
            variant,
        ),
    ]


def _rises(first: Points, second: Points, variant: str) -> list[Measured]:
    """By how much more distinct initial weights raise PD of hidden units than that of linear."""

    def rise(points: Points, name: str) -> NDArray[np.float64]:
        return np.stack([points[f"{name}, diff"].pd, points[name].pd], axis=1)

    return [
        measure(
            "f2-init-deep",
            _least_over_linear,
            np.stack([rise(points, name) for name in ("linear", *_HIDDEN)], axis=1),
            variant=label,
        )
        for points, label in _little_shuffling(first, second, variant)
    ]


def _little_shuffling(first: Points, second: Points, variant: str) -> list[tuple[Points, str]]:
    """The smallest window, which is judged, and the next one, to see what holds at z = 1 alone.

    Where there is no window between the smallest and the widest, ``second`` is empty.
    """
    found = [(first, variant)]
    if second:
        window = next(iter(second.values())).recipe.log2_window
        found.append((second, f"{variant}, log2 z = {window}"))
    return found


def _above_low(claim: str, point: Point, variant: str) -> Measured:
    """By how many decades PD lies above what the paper calls low."""
    return above(claim, point.pd, np.full_like(point.pd, _LOW), variant)


def _least_over_linear(changes: NDArray[np.float64]) -> float:
    """By how many decades the smallest change of the others exceeds that of the first model."""
    each = [decades(changes[:, number]) for number in range(changes.shape[1])]
    return min(each[1:]) - each[0]


def _linear_over_most(changes: NDArray[np.float64]) -> float:
    """By how many decades the change of the first model exceeds the largest of the others."""
    each = [decades(changes[:, number]) for number in range(changes.shape[1])]
    return each[0] - max(each[1:])


def _smooth(first: Points, last: Points, variant: str) -> list[Measured]:
    """What a smooth activation gains, and whether shuffling takes it away."""
    relu, identity = "relu 1, diff", "identity 1, diff"

    def lost(values: NDArray[np.float64]) -> float:
        return decades(values[:, 0]) - decades(values[:, 1])

    gains = np.stack(
        [np.stack([at[relu].pd, at[identity].pd], axis=1) for at in (first, last)], axis=1
    )
    return [
        above("f2-smooth-small", first[relu].pd, first[identity].pd, variant),
        measure("f2-smooth-diminish", lost, gains, variant=variant),
        above(
            "f2-smooth-large",
            last[relu].pd,
            last[identity].pd,
            f"{variant}, one unit, distinct initial weights",
        ),
        above(
            "f2-smooth-large",
            last["relu 2"].pd,
            last["identity 2"].pd,
            f"{variant}, two units, same initial weights",
        ),
    ]


def _learning(curves: Curves, variant: str) -> list[Measured]:
    """How PD falls from a quarter of the stream to its end.

    At the widest window that a quarter of the stream fills: inside a window the models of a pair
    have not seen the same examples yet.
    """
    quarter = curves.curves[-1].log2_examples - 2 - LOG2_BATCH
    place = max(
        (k for k, p in enumerate(curves["linear"].points) if p.recipe.log2_window <= quarter),
        default=0,
    )

    # Checkpoints are a factor of two apart.
    traces = [curves[name].points[place].arrays["pd"] for name in ("linear", *_HIDDEN)]
    falls = np.stack([trace[:, [max(-3, -trace.shape[1]), -1]] for trace in traces], axis=1)
    return [
        measure("f2-linear-learns", decades, falls[:, 0], variant=variant),
        measure("f2-linear-learns-more", _linear_over_most, falls, variant=variant),
    ]


def cosines(curves: Curves) -> list[Measured]:
    """Of section 3: whether paired linear models err in the same direction."""
    points = curves["linear, diff"].points
    theta = points[0].recipe.data.weights()

    def cosine(models: NDArray[np.float64]) -> float:
        return float(np.mean([error_cosine(a[:32], b[:32], theta) for a, b in models]))

    return [
        measure(claim, cosine, point.arrays["weights"], variant=length(curves))
        for claim, point in (("f3-cosine-smallest", points[0]), ("f3-cosine-widest", points[-1]))
    ]


def flips(curves: Curves) -> list[Measured]:
    """Of Figure 3: pairs of single units with opposite signs."""
    kinds = ("identity 1", "relu 1")
    # A pair has the same initial weights at every window: it is one trial, not one a window.
    same = [
        np.any([flipped(p.arrays["weights"]) for p in curves[name].points], axis=0)
        for name in kinds
    ]
    distinct = [flipped(curves[f"{name}, diff"].points[0].arrays["weights"]) for name in kinds]
    return [
        counted(claim, np.concatenate(pairs), length(curves))
        for claim, pairs in (("f3-flipped-diff", distinct), ("f3-flipped-same", same))
    ]


def flipped(models: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Pairs (n_pairs, 2, n_parameters) of single units whose input weights have opposite signs."""
    products = (models[:, 0, :32] * models[:, 1, :32]).sum(axis=1)
    return np.asarray(products < 0.0)


def deviations(curves: Curves) -> list[Measured]:
    """Of Figure 3: whose weights deviate more."""
    variant = length(curves)
    first = {n: differences_of(curves[n].points[0]) for n in ("relu 1", "relu 2")}
    last = {n: differences_of(curves[n].points[-1]) for n in ("identity 1", "relu 1", "relu 2")}
    return [
        above("f3-relu-noisier", last["relu 1"], last["identity 1"], variant),
        above("f3-two-relu", first["relu 2"], first["relu 1"], variant),
        above("f3-two-relu-shuffled", last["relu 2"], first["relu 2"], variant),
    ]


def differences(curves: Curves) -> list[Measured]:
    """Of Figure 4."""
    points = curves["relu 1"].points
    return [
        measure(claim, mean_of, differences_of(point), variant=length(curves))
        for claim, point in (("f4-smallest", points[0]), ("f4-widest", points[-1]))
    ]


def differences_of(point: Point) -> NDArray[np.float64]:
    """Root mean square difference of the weights of each pair, shape (n_pairs,)."""
    return np.array([weight_difference(*networks(point, k)) for k in range(len(point.pd))])


def correlations_of(point: Point, *, align: Symmetries = "none") -> NDArray[np.float64]:
    """Correlation of the weights of each pair, shape (n_pairs,)."""
    pairs = (networks(point, k) for k in range(len(point.pd)))
    return np.array([weight_correlation(*pair, align=align) for pair in pairs])


def networks(point: Point, pair: int) -> list[list[Layer]]:
    """Layers of the two models of a pair."""
    models = point.arrays["weights"][pair].astype(np.float64)
    return [network.layers(point.recipe, m) for m in models]


def towers(curves: Curves, simple_curves: Curves) -> list[Measured]:
    """Of Figure 6."""
    variant = length(curves)
    relu, identity, smelu = (
        curves[f"{kind} 16-8-4-2"].points for kind in ("relu", "identity", "smelu")
    )
    single = simple_curves["relu 1"].points
    return [
        measure("f6-identity", mean_of, identity[0].pd, variant=variant),
        above("f6-relu-small", relu[0].pd, single[0].pd, variant),
        above("f6-relu-large", relu[-1].pd, single[-1].pd, variant),
        above("f6-identity-large", identity[-1].pd, single[-1].pd, variant),
        above("f6-smooth-above-identity", smelu[0].pd, identity[0].pd, variant),
        above("f6-smooth-below-relu", relu[0].pd, smelu[0].pd, variant),
        above("f6-smelu-large", relu[-1].pd, smelu[-1].pd, variant),
        _above_low("f6-not-negligible", relu[0], variant),
    ]


def stuck(curves: Curves) -> Measured:
    """Of section 4: towers that learn nothing, each with initial weights of its own."""
    loss = curves.curves[0].points[0].loss
    return counted("f6-stuck", loss > 10.0 * np.median(loss), length(curves))


def cloud(curves: Curves) -> list[Measured]:
    """Of Figure 7: one minus the correlation of paired weights, and how equal their losses are."""
    point, variant = curves["relu 16-8-4-2"].points[-1], length(curves)
    ratio = point.loss.max(axis=1) / point.loss.min(axis=1)
    return [
        measure("f7-cloud", mean_of, 1.0 - correlations_of(point), variant=variant),
        measure("f7-loss", mean_of, ratio, variant=variant),
    ]


def embeddings(curves: Curves) -> list[Measured]:
    """Of Figure 8."""
    variant = length(curves)
    linear = curves["linear, adagrad 0.1"].points
    others = [c for c in curves.curves if c.name != "linear, adagrad 0.1"]
    good = curves["relu, adagrad 0.1"].points
    large = curves["relu, adagrad 1"].points
    identity = curves["identity, adagrad 0.1"].points
    best = min((c for c in others if c.name.startswith("identity")), key=_end_loss)
    # The learning rate that the paper tries with both.
    optimizers = [
        (curves[f"{kind}, adagrad 0.1"].points[-1], curves[f"{kind}, sgd 0.1"].points[-1])
        for kind in ("identity", "relu")
    ]
    beside = [(p.pd, q.pd) for c in others for p, q in zip(c.points, linear, strict=True)]
    return [
        least_above("f8-linear", beside, variant),
        loss_spread("f8-loss-equal", [[c] for c in curves.curves], variant),
        above("f8-relu", good[0].pd, identity[0].pd, variant),
        apart("f8-optimizer-pd", [(p.pd, q.pd) for p, q in optimizers], variant),
        apart("f8-optimizer-loss", [(losses(p), losses(q)) for p, q in optimizers], variant),
        above("f8-rate-pd", large[-1].pd, good[-1].pd, variant),
        above("f8-rate-loss", losses(large[-1]), losses(good[-1]), variant),
        above("f8-identity-loss", losses(linear[-1]), losses(best.points[-1]), variant),
    ]


def _end_loss(curve: Traced) -> float:
    return mean_of(losses(curve.points[-1]))


def quadratic(curves: Curves) -> list[Measured]:
    """Of Figure 10, judged with PD relative to the truth; relative to the mean is a variant."""
    variant = length(curves)
    first = {c.name: c.points[0] for c in curves.curves}
    second = {c.name: c.points[1] for c in curves.curves if len(c.points) > 2}
    last = {c.name: c.points[-1] for c in curves.curves}
    linear = curves["linear"].points
    hidden = [c for c in curves.curves if c.name != "linear"]
    beside = [(losses(q), losses(p)) for c in hidden for p, q in zip(c.points, linear, strict=True)]
    return [
        least_above("f10-loss", beside, variant),
        loss_spread("f10-loss-equal", [[c] for c in curves.curves], variant),
        above("f10-warm-loss", losses(last["relu TL"]), losses(last["relu"]), variant),
        *_quadratic_losses(first, variant),
        *(
            m
            for pd, reading in _READINGS
            for m in _quadratic_shuffled(first, last, pd, f"{variant}, {reading}")
        ),
        *(
            m
            for pd, reading in _READINGS
            for points, label in _little_shuffling(first, second, f"{variant}, {reading}")
            for m in _quadratic_little(points, pd, label)
        ),
    ]


_SMOOTH = ("smelu", "swish")


def _relative_to_truth(point: Point) -> NDArray[np.float64]:
    return point.pd


def _relative_to_mean(point: Point) -> NDArray[np.float64]:
    return point.arrays["pd_mean"][:, -1]


#: Two readings of PD; the first is the paper's, and is judged.
_READINGS = (
    (_relative_to_truth, "relative to the truth"),
    (_relative_to_mean, "relative to the mean"),
)


def _best(points: Points, kind: str, pd: Measure) -> str:
    """The curve of an activation with the lowest PD: the well tuned one."""
    return min((n for n in points if n.startswith(kind)), key=lambda n: mean_of(pd(points[n])))


def _by_smoothness(points: Points, kind: str) -> tuple[str, str]:
    """The smoother and the steeper curve: SmeLU is smooth with a large beta, Swish with a small."""
    names = (n for n in points if n.startswith(kind))
    smooth, steep = sorted(names, key=lambda n: points[n].recipe.beta, reverse=kind == "smelu")
    return smooth, steep


def _quadratic_losses(first: Points, variant: str) -> list[Measured]:
    found = []
    for kind in _SMOOTH:
        best = losses(first[_best(first, kind, _relative_to_truth)])
        smooth, steep = (losses(first[name]) for name in _by_smoothness(first, kind))
        found += [
            above(f"f10-{kind}-loss", best, losses(first["relu"]), variant),
            above(f"f10-{kind}-beta-loss", smooth, steep, variant),
        ]
    return found


def _quadratic_shuffled(first: Points, last: Points, pd: Measure, variant: str) -> list[Measured]:
    """At the widest window, of the smooth activations that were best at the smallest."""
    return [
        above("f10-warm", pd(last["relu"]), pd(last["relu TL"]), variant),
        *(
            above(f"f10-{kind}-large", pd(last["relu"]), pd(last[_best(first, kind, pd)]), variant)
            for kind in _SMOOTH
        ),
    ]


def _quadratic_little(points: Points, pd: Measure, variant: str) -> list[Measured]:
    """At a window at which shuffling is limited."""
    best = {kind: pd(points[_best(points, kind, pd)]) for kind in _SMOOTH}
    found = [above("f10-smelu-swish", best["swish"], best["smelu"], variant)]
    for kind, lowest in best.items():
        smooth, steep = (pd(points[name]) for name in _by_smoothness(points, kind))
        found += [
            above(f"f10-{kind}-small", pd(points["relu"]), lowest, variant),
            above(f"f10-{kind}-beta-pd", steep, smooth, variant),
        ]
    return found
