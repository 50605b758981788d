"""Widgets of the random seed paper, from results."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.random_seed.illustrations import SEEDS, STARTS
from stablib.show.random_seed.one_text import tokens_of
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.random_seed import Results, Variant
from stablib.studies.random_seed.results import Explanation
from stablib.studies.random_seed.surface import EPOCHS, LEARNING_RATE, MOMENTUM, NOISE, STEPS

#: Explanations beside attention, by their name for the reader.
_KINDS: dict[str, Explanation] = {"gradients": "gradients", "LIME": "lime"}

Shares = NDArray[np.float64]


def explanation_comparer(results: Results) -> HostedWidget:
    """Compare where the best checkpoints' explanations of a text point, by two seeds or methods."""
    best = dataclasses.replace(results, checkpoint="best")
    methods = [variant for variant in best.variants if not variant.beside]
    return widgets.explanation_comparer(
        {variant.title: _explanations(best, variant) for variant in methods},
        tokens=[
            tokens_of(best, int(place), weights.shape[1])
            for place, weights in zip(best.places, best.attention[methods[0]], strict=True)
        ],
        scores={variant.title: best.scores[variant][:, best.places] for variant in methods},
        gold=best.gold[best.places],
        label_names=best.dataset.label_names,
        seeds={v.title: [plan.base for plan in best.runs[v].plans] for v in methods},
        name=f"explanation-comparer-{best.dataset.name}",
        picture=picture("RS-F1"),
    )


def _explanations(results: Results, variant: Variant) -> dict[str, list[Shares | None]]:
    """By kind, one array of each text whose attention is kept, or None."""
    found: dict[str, list[Shares | None]] = {"attention": list(results.attention[variant])}
    for name, kind in _KINDS.items():
        shares, places = results.explained(variant, kind)
        of_place = dict(zip(places.tolist(), shares, strict=True))
        found[name] = [of_place.get(place) for place in results.places.tolist()]
    return found


def descent() -> HostedWidget:
    """Figure 2 in motion: descent past a saddle, with and without ASWA."""
    return widgets.descent(
        name="descent",
        learning_rate=LEARNING_RATE,
        noise=NOISE,
        starts=STARTS,
        momentum=MOMENTUM,
        steps=STEPS,
        epochs=EPOCHS,
        n_seeds=SEEDS,
        picture=picture("RS-F2"),
    )
