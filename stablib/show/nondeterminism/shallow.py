"""Networks without depth, and what the learning rate does (section 4.2, appendix B)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stablib.papers.claims import Measured
from stablib.show.exhibit import Exhibit, record
from stablib.show.nondeterminism.comparison import Varied, answer, of_measure, ratios
from stablib.show.nondeterminism.tables import CAPTION, rows_of
from stablib.studies.nondeterminism import BIT, Results


def shallow(by_model: Mapping[str, Results]) -> Exhibit:
    """Networks without depth: what everything does, and one bit (ND-T8)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    measured: list[Measured] = []
    bits: dict[str, Varied] = {}
    for model, results in by_model.items():
        title = results.recipe.model_name
        if not all(has_not_diverged(results, losses) for losses in results.losses.values()):
            table |= {(title, row): {"accuracy (%)": "diverged"} for row in results.runs}
            continue
        found = rows_of(results)
        bits[model] = found[BIT]
        for row, one in found.items():
            table[title, row] = one.cells
        name = model.replace("_", "-")
        measured += answer(f"t8-{name}-bit-accuracy-sd", of_measure(found[BIT], 0))
        measured += answer(f"t8-{name}-bit-ce-sd", of_measure(found[BIT], 1))
    for model, one in bits.items():
        if model != "linear" and "linear" in bits:
            measured += answer(
                f"t8-{model.replace('_', '-')}-above-linear", ratios(one, bits["linear"])[1]
            )
    said = ", ".join(
        f"{by_model[model].recipe.model_name} {one.values[1]:.1e}" for model, one in bits.items()
    )
    return record(
        "ND-T8",
        pd.DataFrame.from_dict(table, orient="index").fillna("–"),
        made_by=shallow,
        results=list(by_model.values()),
        measured=measured,
        finding=f"Sd of cross-entropy over runs that differ by one bit, in nats: {said}.",
        caption=(
            "A linear model and networks with one hidden layer. A loss ten times that of guessing "
            f"is called diverged. {CAPTION}"
        ),
    )


def has_not_diverged(results: Results, losses: NDArray[np.float64]) -> bool:
    """Whether no run has diverged: has a loss ten times that of guessing, or none at all."""
    return bool((losses < 10.0 * np.log(results.dataset.n_classes)).all())


def by_rate(by_model: Mapping[str, Results]) -> Exhibit:
    """What one bit does at several learning rates, with and without depth (ND-X2)."""
    table: dict[tuple[str, str], dict[str, str]] = {}
    apart: dict[str, dict[str, str]] = {}
    for results in by_model.values():
        for rate, labels in results.labels.items():
            name, losses = results.runs[rate].recipe.model_name, results.losses[rate]
            said_of = apart.setdefault(name, {})
            if not has_not_diverged(results, losses):
                table[name, rate] = dict.fromkeys(_OF_RATE, "diverged")
                said_of[rate] = "diverged"
                continue
            differ = 100.0 * (labels[1:] != labels[0]).mean(axis=1)
            correct = 100.0 * float((labels[0] == results.gold).mean())
            cells = (
                f"{correct:.1f}",
                _range(differ, ".1f"),
                _range(np.abs(losses[1:] - losses[0]), ".1e"),
            )
            table[name, rate] = dict(zip(_OF_RATE, cells, strict=True))
            said_of[rate] = f"{differ.mean():.1f}"
    said = "; ".join(f"{name} {', '.join(of.values())}" for name, of in apart.items())
    rates = ", ".join(next(iter(apart.values())))
    return record(
        "ND-X2",
        pd.DataFrame.from_dict(table, orient="index"),
        made_by=by_rate,
        results=list(by_model.values()),
        finding=f"Mean disagreement in percent at learning rates of {rates}: {said}.",
        caption=(
            "Twins that differ from one run by one bit of one weight: mean, and from the smallest "
            "to the largest, of the share of test images that get another label, and of the "
            "difference of the test loss. Rows differ by network and by the largest learning rate; "
            "a loss ten times that of guessing is called diverged."
        ),
    )


_OF_RATE = (
    "accuracy (%)",
    "disagreement with the unchanged run (%)",
    "difference of cross-entropy (nats)",
)


def _range(values: NDArray[np.float64], form: str) -> str:
    return f"{values.mean():{form}} ({values.min():{form}} to {values.max():{form}})"
