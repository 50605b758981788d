"""Which recipes the exhibits need that ask other questions than the tables of the paper."""

from __future__ import annotations

from stablib.mitigation import (
    ASWA,
    EMA,
    NASWA,
    SWA,
    Averaged,
    Ensemble,
    LabelSmoothing,
    StepSWA,
)
from stablib.studies.converged import temporal
from stablib.studies.local_instability import PRESETS as LOCAL_INSTABILITY
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.random_seed.design import (
    ASWA_TEXT,
    NASWA_TEXT,
    NULL,
    NULL_SEED,
    PLAIN,
    Design,
    Variant,
)
from stablib.training import Control, Method, Request, SeedPlan, seed_plans
from stablib.workloads.attention import Checkpoints

#: Lengths of training in epochs, those of the paper apart (RS-X1).
LENGTHS = (2, 5, 10)

#: What a seed decides: it alone, or both (RS-X2).
SOURCES = {"initial weights": ("init",), "order of the texts": ("shuffle",)}

#: Of training that is done again for a page (TH-F4.5): epochs and runs.
AGAIN_EPOCHS, AGAIN_RUNS = 2, 3

Wanted = dict[Variant, Request]


def attention_alone(design: Design) -> Wanted:
    """Plain training, ASWA and NASWA as printed, with attention but no other explanation."""
    s = design.settings
    methods: dict[Variant, Method] = {PLAIN: Control(), ASWA_TEXT: ASWA(), NASWA_TEXT: NASWA()}
    plans = seed_plans(s.n_runs, first_seed=s.first_seed)
    wanted = {v: _seen(design, method, plans) for v, method in methods.items()}
    return {**wanted, NULL: _seen(design, Control(), seed_plans(s.n_runs, first_seed=NULL_SEED))}


def lengths(design: Design) -> dict[int, Wanted]:
    """Shorter trainings, plain with averages beside it, and with ASWA."""
    s = design.settings
    plans = seed_plans(s.n_runs, first_seed=s.first_seed)
    seen = Checkpoints()
    beside = Averaged(record=seen, methods=(StepSWA(), EMA()))
    found = {}
    for epochs in LENGTHS:
        if epochs < s.epochs:
            recipe = design.recipe.model_copy(update={"epochs": epochs})
            found[epochs] = {
                PLAIN: Request(recipe, plans, (seen, beside)),
                ASWA_TEXT: Request(recipe.with_method(ASWA()), plans, (seen,)),
            }
    return found


def sources(design: Design) -> dict[str, Wanted]:
    """Plain training and ASWA where a seed decides one thing alone."""
    s = design.settings
    found = {}
    for name, vary in SOURCES.items():
        plans = seed_plans(s.n_runs, first_seed=s.first_seed, vary=vary)
        found[name] = {
            PLAIN: _seen(design, Control(), plans),
            ASWA_TEXT: _seen(design, ASWA(), plans),
        }
    return found


def known_words(design: Design) -> Wanted:
    """Explanations of plain training and of ASWA, and nothing else."""
    runs = design.runs()
    return {variant: runs[variant] for variant in (PLAIN, ASWA_TEXT)}


def again(design: Design) -> Request:
    """A training short enough to be done again for a page."""
    s = design.settings
    recipe = design.recipe.model_copy(update={"epochs": min(AGAIN_EPOCHS, s.epochs)})
    plans = seed_plans(min(AGAIN_RUNS, s.n_runs), first_seed=s.first_seed)
    return Request(recipe, plans, (design.seen,))


def others(design: Design) -> dict[str, Request]:
    """Methods of the local instability paper on a network that attends, by name."""
    s, recipe = design.settings, design.recipe
    methods: dict[str, Method] = {
        "SWA": SWA(),
        "Label smoothing": LabelSmoothing(alpha=0.1),
        "Ensemble, shared": Ensemble(members=s.n_runs, teacher_seed=NULL_SEED),
        "TGTSS, own": temporal(recipe, stand_in="reviews"),
    }
    plans = seed_plans(s.n_runs, first_seed=s.first_seed)
    return {name: _seen(design, method, plans) for name, method in methods.items()}


def heads(preset: str) -> dict[str, Request]:
    """Every method on the heads of the local instability paper, by name, and the null."""
    settings = LOCAL_INSTABILITY[preset].model_copy(update={"model": "head"})
    local = LocalDesign(settings, "massive")
    same = {"control": PLAIN.title, "null": NULL.title}
    wanted = {same.get(v.method, v.title): request for v, request in local.runs().items()}
    averaged = {v.title: local.of(m) for v, m in ((ASWA_TEXT, ASWA()), (NASWA_TEXT, NASWA()))}
    return {**wanted, **averaged}


def _seen(design: Design, method: Method, plans: tuple[SeedPlan, ...]) -> Request:
    return Request(design.recipe.with_method(method), plans, (design.seen,))
