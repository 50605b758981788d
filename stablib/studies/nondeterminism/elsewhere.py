"""Requests of section 6 and of appendix A: other networks, lengths, rates and optimizers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from stablib.mitigation import ASWA, Snapshot, WeightNoise
from stablib.studies.nondeterminism.design import ALL, BIT, LATE, Design, Wanted
from stablib.studies.nondeterminism.settings import NondeterminismSettings
from stablib.training import Request, SeedPlan
from stablib.workloads import ImageRecipe, Trace

#: Networks of Table 6 on CIFAR-10, beside that of Table 1, and those that take far longer.
OTHERS, LARGE = ("resnet6", "resnet10"), ("shufflenet", "resnet18", "vgg11")
#: The network of Table 6 on MNIST.
DIGITS = "digit_net"

#: Rows of Table 6.
INIT, SNAPSHOTS = "initial weights", "snapshots"

#: How often as long, and as fast, trainings of Table 7 are: from 50 to 2,000 epochs of the paper's
#: 500. At 200 it looks at one bit and at snapshots too.
LENGTHS, RATES = (0.1, 0.25, 0.4, 2.0, 4.0), (0.5, 2.0)
SHORT = 0.4

#: Momentum of SGD beside the usual (appendix A: from 0 to .999), and the learning rate of Adam: of
#: .001, .003, .01 and .03 the one with the highest accuracy of one run at ``laptop``, on test
#: images that the exhibits look at too.
MOMENTA, ADAM_RATE = (0.0, 0.99, 0.999), 0.01

#: Twins of each kind that the viewer follows.
_TWINS = 4

#: Between what differs and the epoch from which on it does, in the name of a row.
FROM_EPOCH = ", from epoch "

#: The same training again: what changes of its recipe, and its seeds.
AGAIN: Mapping[str, tuple[dict[str, object], SeedPlan]] = {
    "unchanged": ({}, SeedPlan()),
    "once more": ({"attempt": 2}, SeedPlan()),
    "2 threads": ({"threads": 2}, SeedPlan()),
    "4 threads": ({"threads": 4}, SeedPlan()),
    "another order of additions": ({}, SeedPlan(seeds={"low_level": 1})),
}


def architectures(settings: NondeterminismSettings) -> dict[str, Wanted]:
    """Networks of Table 6 by name: initial weights, everything, one bit, and snapshots.

    The large ones are among them if they are trained as long as the others.
    """
    design = Design(settings)
    others = [*OTHERS, *(LARGE if _as_long(settings) else ())]
    models = dict.fromkeys([settings.model, *others])
    digits = Design(settings.model_copy(update={"dataset": "mnist"}))
    small = {"model": DIGITS, "learning_rate": settings.digit_rate}
    recipes = {
        **{model: (design, design.recipe.model_copy(update={"model": model})) for model in models},
        DIGITS: (digits, digits.recipe.model_copy(update=small)),
    }
    snapshot, few = Snapshot(cycles=settings.cycles), settings.few_runs
    return {
        model: {
            **_rows(own, recipe, few),
            SNAPSHOTS: Request(
                recipe.with_method(snapshot), own.plans(ALL, few), (own.kept(SNAPSHOTS),)
            ),
        }
        for model, (own, recipe) in recipes.items()
    }


def large(settings: NondeterminismSettings) -> dict[str, Wanted]:
    """Networks of Table 6 that take far longer: shorter, and no snapshots."""
    if _as_long(settings) or not settings.large_runs:
        return {}
    design = Design(settings.model_copy(update={"epochs": settings.large_epochs}))
    return {
        model: _rows(design, design.recipe.model_copy(update={"model": model}), settings.large_runs)
        for model in LARGE
    }


def _as_long(settings: NondeterminismSettings) -> bool:
    return settings.large_epochs >= settings.epochs and settings.large_runs >= settings.few_runs


def _rows(design: Design, recipe: ImageRecipe, n_runs: int) -> Wanted:
    return {
        INIT: Request(recipe, design.plans(INIT, n_runs), (design.kept(INIT),)),
        ALL: Request(recipe, design.plans(ALL, n_runs), (design.kept(ALL, recipe),)),
        BIT: Request(recipe, design.bits(n_runs, recipe), (design.kept(BIT),)),
    }


def lengths(settings: NondeterminismSettings) -> Wanted:
    """Trainings of Table 7, the usual one first, by source, learning rate and epochs."""
    design = Design(settings)
    recipe, few = design.recipe, settings.few_runs
    plans, bits = design.plans(ALL, few), design.bits(few)
    longer = [recipe.model_copy(update={"epochs": epochs(settings, f)}) for f in LENGTHS]
    faster = [
        recipe.model_copy(update={"learning_rate": factor * recipe.learning_rate})
        for factor in RATES
    ]
    short = recipe.model_copy(update={"epochs": epochs(settings, SHORT)})
    snapshot = short.with_method(Snapshot(cycles=settings.cycles))
    rows = [
        *((ALL, each, plans) for each in dict.fromkeys((recipe, *longer, *faster))),
        (BIT, short, bits),
        (SNAPSHOTS, snapshot, plans),
    ]
    return {
        f"{row} / {r.learning_rate:g} / {r.epochs}": Request(r, of, (design.kept(row, r),))
        for row, r, of in rows
    }


def epochs(settings: NondeterminismSettings, factor: float) -> int:
    """A factor of the usual epochs: a multiple of the cycles, and longer than the warm-up."""
    cycles, shortest = settings.cycles, Design(settings).recipe.warm_up + 1
    return cycles * max(math.ceil(shortest / cycles), round(factor * settings.epochs / cycles))


def in_vain(settings: NondeterminismSettings) -> Wanted:
    """Optimizers, momentum and weight augmentation, the usual ones first: one bit."""
    design = Design(settings)
    usual = design.recipe
    # With such rates a constant gradient moves the weights as far.
    factors = {m: (1.0 - m) / (1.0 - usual.momentum) for m in MOMENTA}
    changes: dict[str, dict[str, object]] = {
        f"SGD, momentum {usual.momentum:g}": {},
        **{
            f"SGD, momentum {m:g}": {"momentum": m, "learning_rate": usual.learning_rate * factor}
            for m, factor in factors.items()
        },
        "Adam": {"optimizer": "adam", "learning_rate": ADAM_RATE},
        "weight augmentation": {"method": WeightNoise()},
        "ASWA": {"method": ASWA()},
    }
    recipes = {name: usual.model_copy(update=changed) for name, changed in changes.items()}
    bits = design.bits(settings.few_runs)
    return {name: Request(recipe, bits, (design.kept(BIT),)) for name, recipe in recipes.items()}


def partings(settings: NondeterminismSettings) -> dict[str, Wanted]:
    """Twins that are followed step by step, by network, the unchanged run of each first.

    Those of the usual network are also followed when their sources begin late.
    """
    design, few = Design(settings), min(_TWINS, settings.few_runs)
    usual, kept = design.recipe, (Trace(),)
    onsets = [epoch for epoch in design.onsets() if epoch > 1]
    late = {
        f"{row}{FROM_EPOCH}{epoch}": Request(usual, plans(few, onset=epoch), kept)
        for row, plans in ((LATE, partial(design.plans, LATE)), (BIT, design.bits))
        for epoch in onsets
    }
    shallow = {"learning_rate": settings.shallow_rate}
    other = next(model for model in reversed(OTHERS) if model != settings.model)
    others = [usual.model_copy(update={"model": other})] + [
        usual.model_copy(update={"model": model, **shallow}) for model in ("hidden_dense", "linear")
    ]
    return {
        usual.model_name: {**design.twins(), **late},
        **{
            recipe.model_name: {
                "unchanged": Request(recipe, (SeedPlan(),), kept),
                BIT: Request(recipe, design.bits(few, recipe), kept),
                "order": Request(recipe, design.plans("order", few), kept),
            }
            for recipe in others
        },
    }


def again(settings: NondeterminismSettings) -> dict[str, Wanted]:
    """The same training twice, with and without depth, by what the machine is told."""
    design = Design(settings)
    shallow = {"model": "linear", "learning_rate": settings.shallow_rate}
    recipes = (design.recipe, design.recipe.model_copy(update=shallow))
    return {
        recipe.model_name: {
            name: Request(recipe.model_copy(update=changed), (plan,), (Trace(),))
            for name, (changed, plan) in AGAIN.items()
        }
        for recipe in recipes
    }
