"""Widgets of the local instability paper, from results."""

from __future__ import annotations

from stablib.metrics import confidence_mean, confidence_sd
from stablib.show import widgets
from stablib.show.exhibit import picture
from stablib.show.widgets.hosted import HostedWidget
from stablib.studies.local_instability import CONTROL, Results


def seed_explorer(results: Results) -> HostedWidget:
    """Compare two seeds: where they differ, and what all runs say about an utterance."""
    return widgets.seed_explorer(
        {method.title: results.labels(method) for method in results.runs},
        gold=results.gold,
        label_names=results.dataset.label_names,
        texts=results.texts(),
        seeds={m.title: [plan.base for plan in r.plans] for m, r in results.runs.items()},
        trajectories={m.title: r["gold"][0].astype(float) for m, r in results.curves.items()},
        steps=results.curves[CONTROL]["steps"][0],
        name=f"seed-explorer-{results.dataset.name}",
        picture=picture("LI-F3"),
    )


def instability_map(results: Results) -> HostedWidget:
    """Every utterance by confidence, spread and entropy."""
    quantities = {}
    for method in results.runs:
        confidence = results.confidence(method)
        quantities[method.title] = {
            "mu_m": confidence_mean(confidence),
            "sigma_m": confidence_sd(confidence),
            "LE_m": results.le_m[method],
        }
        if method in results.le_s:
            quantities[method.title]["LE_s"] = results.le_s[method][0]
    return widgets.instability_map(
        quantities,
        gold=results.gold,
        label_names=results.dataset.label_names,
        texts=results.texts(),
        name=f"instability-map-{results.dataset.name}",
        picture=picture("LI-F1"),
    )


def how_many_seeds(results: Results) -> HostedWidget:
    """How the comparison of methods depends on the number of runs."""
    return widgets.how_many_seeds(
        {method.title: results.labels(method) for method in results.runs},
        baseline=CONTROL.title,
        gold=results.gold,
        name=f"how-many-seeds-{results.dataset.name}",
        picture=picture("LI-F1"),
    )
