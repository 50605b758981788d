"""Answers to what the synthetic irreproducibility paper says about its curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stablib.metrics import error_cosine
from stablib.papers.claims import Measured
from stablib.show.synthetic_irreproducibility.comparison import (
    above,
    length,
    losses,
    mean_of,
    measure,
    smallest,
    spans,
    wider_span,
)
from stablib.studies.stream_session import Curves, Point, Traced

_SIMPLE = ("identity 1", "relu 1", "identity 2", "relu 2")


def simple(curves: Curves) -> list[Measured]:
    """Of Figure 2."""
    variant = length(curves)
    first = {c.name: c.points[0] for c in curves.curves}
    last = {c.name: c.points[-1] for c in curves.curves}
    linear = curves["linear"].points
    together = [[curves[name], curves[f"{name}, diff"]] for name in ("linear", *_SIMPLE)]
    same = [curves[name].points for name in _SIMPLE]
    return [
        measure("f2-identity-same", mean_of, first["identity 1"].pd, variant=variant),
        measure("f2-identity-diff", mean_of, first["identity 1, diff"].pd, variant=variant),
        measure("f2-relu-diff", mean_of, first["relu 1, diff"].pd, variant=variant),
        smallest(
            "f2-loss-equal",
            [measure("f2-loss-equal", wider_span, spans(pair)) for pair in together],
            variant,
        ),
        smallest(
            "f2-linear-pd",
            [
                above("f2-linear-pd", p.pd, q.pd)
                for points in same
                for p, q in zip(points, linear, strict=True)
            ],
            variant,
        ),
        smallest(
            "f2-linear-loss",
            [
                above("f2-linear-loss", losses(p), losses(q))
                for points in same
                for p, q in zip(points, linear, strict=True)
            ],
            variant,
        ),
        above("f2-relu2-above-linear", first["relu 2"].pd, first["linear"].pd, variant),
        above("f2-identity2-not", first["relu 2"].pd, first["identity 2"].pd, variant),
        above("f2-smooth-small", first["relu 1, diff"].pd, first["identity 1, diff"].pd, variant),
        above("f2-smooth-large", last["relu 2"].pd, last["identity 2"].pd, variant),
        smallest(
            "f2-same-reaches-diff",
            [
                above("f2-same-reaches-diff", last[name].pd, last[f"{name}, diff"].pd)
                for name in _SIMPLE
            ],
            variant,
        ),
        *_learning(last["linear"], last["relu 2"], variant),
    ]


def _learning(linear: Point, relu: Point, variant: str) -> list[Measured]:
    """How PD falls from a quarter of the stream to its end, at the widest window."""

    def fall(pd: NDArray[np.float64]) -> float:
        before, after = pd.mean(axis=0)
        return float(np.log10(before / after))

    def difference(both: NDArray[np.float64]) -> float:
        return fall(both[:, 0]) - fall(both[:, 1])

    earlier = max(0, linear.arrays["pd"].shape[1] - 3)  # Checkpoints are a factor of two apart.
    own, other = (p.arrays["pd"][:, [earlier, -1]] for p in (linear, relu))
    return [
        measure("f2-linear-learns", fall, own, variant=variant),
        measure(
            "f2-linear-learns-more", difference, np.stack([own, other], axis=1), variant=variant
        ),
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

    def share(models: NDArray[np.float64]) -> float:
        return 100.0 * float(np.mean(flipped(models)))

    same = [p for name in ("identity 1", "relu 1") for p in curves[name].points]
    distinct = curves["identity 1, diff"].points
    return [
        measure(
            claim,
            share,
            np.concatenate([p.arrays["weights"] for p in points]),
            variant=length(curves),
        )
        for claim, points in (("f3-flipped-diff", distinct), ("f3-flipped-same", same))
    ]


def flipped(models: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Pairs (n_pairs, 2, n_parameters) of single units whose input weights have opposite signs."""
    products = (models[:, 0, :32] * models[:, 1, :32]).sum(axis=1)
    return np.asarray(products < 0.0)


def differences(curves: Curves) -> list[Measured]:
    """Of Figure 4: root mean square over the weights, mean over pairs."""

    def size(models: NDArray[np.float64]) -> float:
        return float(np.sqrt(((models[:, 0] - models[:, 1]) ** 2).mean(axis=1)).mean())

    points = curves["relu 1"].points
    return [
        measure(claim, size, point.arrays["weights"].astype(np.float64), variant=length(curves))
        for claim, point in (("f4-smallest", points[0]), ("f4-widest", points[-1]))
    ]


def towers(curves: Curves, simple_curves: Curves) -> list[Measured]:
    """Of Figure 6."""
    variant = length(curves)
    relu, identity = curves["relu 16-8-4-2"].points, curves["identity 16-8-4-2"].points
    single = simple_curves["relu 1"].points

    def stuck(values: NDArray[np.float64]) -> float:
        return 100.0 * float(np.mean(values > 10.0 * np.median(relu[0].loss)))

    return [
        measure("f6-identity", mean_of, identity[0].pd, variant=variant),
        above("f6-relu-small", relu[0].pd, single[0].pd, variant),
        above("f6-relu-large", relu[-1].pd, single[-1].pd, variant),
        above("f6-identity-large", identity[-1].pd, single[-1].pd, variant),
        measure("f6-stuck", stuck, relu[0].loss, variant=variant),
    ]


def cloud(point: Point) -> list[Measured]:
    """Of Figure 7: one minus the correlation of paired weights, mean over pairs."""

    def spread(models: NDArray[np.float64]) -> float:
        return 1.0 - float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in models]))

    return [measure("f7-cloud", spread, point.arrays["weights"].astype(np.float64))]


def embeddings(curves: Curves) -> list[Measured]:
    """Of Figure 8."""
    linear = curves["linear, adagrad 0.1"].points
    others = [c for c in curves.curves if c.name != "linear, adagrad 0.1"]
    good = curves["relu, adagrad 0.1"].points
    large = curves["relu, adagrad 1"].points
    identity = curves["identity, adagrad 0.1"].points
    best = min((c for c in others if c.name.startswith("identity")), key=_end_loss)
    return [
        smallest(
            "f8-linear",
            [
                above("f8-linear", p.pd, q.pd)
                for c in others
                for p, q in zip(c.points, linear, strict=True)
            ],
        ),
        above("f8-relu", good[0].pd, identity[0].pd),
        above("f8-rate-pd", large[-1].pd, good[-1].pd),
        above("f8-rate-loss", losses(large[-1]), losses(good[-1])),
        above("f8-identity-loss", losses(linear[-1]), losses(best.points[-1])),
    ]


def _end_loss(curve: Traced) -> float:
    return mean_of(losses(curve.points[-1]))


def quadratic(curves: Curves) -> list[Measured]:
    """Of Figure 10."""
    first = {c.name: c.points[0] for c in curves.curves}
    last = {c.name: c.points[-1] for c in curves.curves}
    smelu = min((n for n in first if n.startswith("smelu")), key=lambda n: first[n].pd.mean())
    swish = min((n for n in first if n.startswith("swish")), key=lambda n: first[n].pd.mean())
    return [
        above("f10-loss", losses(last["linear"]), losses(last["relu"])),
        measure("f10-loss-equal", wider_span, spans([curves["relu"]])),
        above("f10-smelu-small", first["relu"].pd, first[smelu].pd),
        above("f10-swish-small", first["relu"].pd, first[swish].pd),
        above("f10-smelu-large", last["relu"].pd, last[smelu].pd),
        above("f10-smelu-swish", first[swish].pd, first[smelu].pd),
        above("f10-warm", last["relu"].pd, last["relu TL"].pd),
        above("f10-warm-loss", losses(last["relu TL"]), losses(last["relu"])),
    ]
