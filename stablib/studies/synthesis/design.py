"""Which runs stand beside each other, by workload: those of the other studies, and further ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal, cast

from stablib.mitigation import TGTSS, TestTime
from stablib.studies.local_instability import PRESETS as LOCAL_INSTABILITY
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.local_instability.settings import BESIDE
from stablib.studies.nondeterminism import ALL, BIT, ROWS, across, elsewhere, language
from stablib.studies.nondeterminism import OTHER_SEEDS as IMAGE_SEEDS
from stablib.studies.nondeterminism import PRESETS as NONDETERMINISM
from stablib.studies.nondeterminism import Design as ImageDesign
from stablib.studies.random_seed import (
    ASWA_TEXT,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
)
from stablib.studies.random_seed import PRESETS as RANDOM_SEED
from stablib.studies.random_seed import extras as seed_extras
from stablib.studies.random_seed.design import Design as SeedDesign
from stablib.studies.recommender import DEEPICF
from stablib.studies.recommender import OTHER_SEEDS as ITEM_SEEDS
from stablib.studies.recommender import PRESETS as RECOMMENDER
from stablib.studies.recommender import Design as ItemDesign
from stablib.studies.synthesis.further import AVERAGES, further
from stablib.studies.synthesis.look import (
    Look,
    hit_of_candidates,
    of_candidates,
    of_ensembles_of_words,
    of_items,
    of_texts,
    of_words,
)
from stablib.studies.synthesis.settings import SynthesisSettings
from stablib.training import Final, Probabilities, Request, protocol
from stablib.workloads import JointWords, Logits, NextWords

#: Plain training, and the same with other seeds, which does nothing.
CONTROL, OTHER_SEEDS = "Control", "Control, other seeds"

#: The row of ensembles of plain runs.
ENSEMBLE = "Ordinary ensemble"

#: Rows of the table.
METHODS = (
    OTHER_SEEDS,
    "SWA",
    "SWA of every step",
    "EMA",
    "ASWA",
    "NASWA",
    "L2",
    "Label smoothing",
    "Ensemble, shared",
    "Ensemble, own",
    "TGTSS, shared",
    "TGTSS, own",
    "Snapshots",
    "Views",
    ENSEMBLE,
)

#: Why a method has no place in a column.
NOT_TRAINED = "not trained here"
NO_VIEWS = "views are mirrored and shifted images: no text of the five has any of words or ratings"
BEFORE_THE_END = {
    "SWA": "it averages the last epochs, and the best is an earlier one",
    "Snapshots": "its members are the ends of all cycles: no epoch is chosen",
}

#: Checkpoints of networks that attend, as their columns are called.
_CHECKPOINTS = {"best": "best epoch", "last": "last epoch"}
_ENCODERS: Mapping[str, Literal["cnn", "bilstm"]] = {"CNN": "cnn", "BiLSTM": "bilstm"}

#: Ensembles that are made of texts: fewer have no interval.
ENSEMBLES = 5

Wanted = Mapping[str, Request]


@dataclasses.dataclass(frozen=True)
class Column:
    """A workload: its plain runs, and those with each method.

    Parameters
    ----------
    control : Look
        Plain runs.
    methods : mapping of str to Look
        By row of the table; of :data:`ENSEMBLE`, plain runs of which ensembles are made, or these.
    further : mapping of str to Look
        The same of runs that no other chapter has: shown where a store has them.
    absent : mapping of str to str
        Why other rows are empty.
    """

    control: Look
    methods: Mapping[str, Look]
    further: Mapping[str, Look]
    absent: Mapping[str, str]

    def shown(self, has: Callable[[Request], bool]) -> Column:
        """The same with those of its further runs that a store has."""
        there = {row: look for row, look in self.further.items() if has(look.request)}
        return dataclasses.replace(self, methods={**self.methods, **there}, further={})

    def why_not(self, method: str) -> str:
        """Why a method has no place here."""
        return self.absent.get(method, NOT_TRAINED)


def columns(preset: str, settings: SynthesisSettings) -> dict[str, Column]:
    """Every workload on which methods were trained, by name.

    The trained top layer takes too long for ``smoke``, and is no model of ``paper``.
    """
    found = {"heads on MASSIVE": _heads(preset, settings)}
    if preset == "laptop":
        found["top layer on MASSIVE"] = _top_layer(settings)
    for name, encoder in _ENCODERS.items():
        for checkpoint, when in _CHECKPOINTS.items():
            found[f"{name} on SST, {when}"] = _texts(preset, encoder, checkpoint, settings)
    return {
        **found,
        "language model on PTB": _words(preset, settings),
        **_images(preset, settings),
        "DeepICF on MovieLens-100K": _items(preset),
    }


def _column(
    control: Look,
    methods: Mapping[str, Look],
    further: Mapping[str, Look],
    absent: Mapping[str, str],
) -> Column:
    """Leave out what the other chapters have already."""
    rest = {row: look for row, look in further.items() if row not in methods}
    return Column(control, methods, rest, absent)


def _heads(preset: str, settings: SynthesisSettings) -> Column:
    return _of_labels(seed_extras.heads(preset), settings)


def _top_layer(settings: SynthesisSettings) -> Column:
    changed = LOCAL_INSTABILITY["laptop"].model_copy(update=dict(BESIDE["top_layer"]))
    runs = LocalDesign(changed, "massive").runs()
    return _of_labels({variant.title: request for variant, request in runs.items()}, settings)


def _of_labels(wanted: Mapping[str, Request], settings: SynthesisSettings) -> Column:
    """Classifiers of which labels are kept; some methods have the third text's names there."""
    names = {
        PLAIN.title: CONTROL,
        NULL.title: OTHER_SEEDS,
        ASWA_TEXT.title: "ASWA",
        NASWA_TEXT.title: "NASWA",
    }
    looks = {names.get(name, name): Look(r, "labels_test") for name, r in wanted.items()}
    control = looks.pop(CONTROL)
    more = further(control, Final(), settings)
    plain = control.request
    whole = (Probabilities(split="test"),)
    together = dataclasses.replace(
        plain, plans=plain.plans[: ENSEMBLES * settings.members], records=whole
    )
    more[ENSEMBLE] = Look(together, "probabilities")
    return _column(control, looks, more, {"Views": NO_VIEWS})


def _texts(
    preset: str, encoder: Literal["cnn", "bilstm"], checkpoint: str, settings: SynthesisSettings
) -> Column:
    design = SeedDesign(RANDOM_SEED[preset], Cell("sst", encoder))
    runs = design.runs()
    looks = {variant: of_texts(request, checkpoint) for variant, request in runs.items()}
    control = looks[PLAIN]
    methods = {
        **{row: control.beside(method.kind) for row, method in AVERAGES.items()},
        "ASWA": looks[ASWA_TEXT],
        "NASWA": looks[NASWA_TEXT],
        OTHER_SEEDS: looks[NULL],
        ENSEMBLE: control,
    }
    others = seed_extras.others(design)
    if encoder == "cnn":
        methods |= {name: of_texts(request, checkpoint) for name, request in others.items()}
    own = cast(TGTSS, others["TGTSS, own"].recipe.method)
    more = further(control, design.seen, settings, own=own)
    absent = {"Views": NO_VIEWS}
    if checkpoint == "best":
        absent |= BEFORE_THE_END
    kept, more = ({r: of[r] for r in of if r not in absent} for of in (methods, more))
    return _column(control, kept, more, absent)


def _words(preset: str, settings: SynthesisSettings) -> Column:
    study, n_members = NONDETERMINISM[preset], ENSEMBLES * settings.members
    rows = language.rows(study)
    plain = of_words(rows[ALL])
    more = further(plain, NextWords(), settings)
    members = language.rows(study.model_copy(update={"few_runs": n_members}))[ALL].plans
    joint = dataclasses.replace(
        plain.request, plans=members, records=(JointWords(),), pool=settings.members
    )
    more[ENSEMBLE] = of_ensembles_of_words(joint)
    return _column(plain, {OTHER_SEEDS: of_words(rows[IMAGE_SEEDS])}, more, {"Views": NO_VIEWS})


def _images(preset: str, settings: SynthesisSettings) -> dict[str, Column]:
    study = NONDETERMINISM[preset]
    design = ImageDesign(study)
    mitigated, sources = design.mitigations(), design.sources()
    single = Look(mitigated["single"], "labels")
    kept = Logits(n_logits=study.n_logits)
    deep = _column(
        single,
        {
            "Snapshots": Look(mitigated["snapshots"], "labels"),
            "Views": Look(mitigated["single"], "labels_flip_crop25"),
            OTHER_SEEDS: Look(sources[IMAGE_SEEDS], "labels"),
            ENSEMBLE: Look(sources[ALL], "logits"),
        },
        further(single, kept, settings),
        {},
    )
    digits = elsewhere.architectures(study)[elsewhere.DIGITS]
    plain = Look(digits[ALL], "labels")
    seeds = sources[IMAGE_SEEDS].plans[: study.few_runs]
    others = dataclasses.replace(digits[ALL], plans=seeds)
    # A mirrored digit is none, and a shifted one is.
    shifts = TestTime(flip=False, crops=25)
    seen = Logits(n_logits=study.n_logits, views=(shifts,))
    viewed = dataclasses.replace(digits[ALL], records=(seen,))
    most = max(study.few_runs, ENSEMBLES * settings.members)
    enough = study.model_copy(update={"few_runs": most})
    together = elsewhere.architectures(enough)[elsewhere.DIGITS][ALL]
    small = _column(
        plain,
        {"Snapshots": Look(digits[elsewhere.SNAPSHOTS], "labels")},
        {
            **further(plain, kept, settings),
            OTHER_SEEDS: Look(others, "labels"),
            ENSEMBLE: Look(together, "logits"),
            "Views": Look(viewed, f"labels_{shifts.name}"),
        },
        {},
    )
    return {f"{design.recipe.model_name} on CIFAR-10": deep, "small network on MNIST": small}


def _items(preset: str) -> Column:
    design = ItemDesign(RECOMMENDER[preset])
    plain = design.small()[DEEPICF]
    names = {ITEM_SEEDS: OTHER_SEEDS, "Snapshot": "Snapshots"}
    methods = {names.get(name, name): of_items(r) for name, r in design.methods().items()}
    methods |= {row: of_items(plain).beside(method.kind) for row, method in AVERAGES.items()}
    methods[ENSEMBLE] = Look(plain, "candidates", read=of_candidates, decide=hit_of_candidates)
    return _column(of_items(plain), methods, {}, {"Views": NO_VIEWS})


def further_sources(preset: str) -> dict[str, dict[str, Look]]:
    """Runs by what varies that no other chapter has, shown where a store has them, by workload."""
    settings = NONDETERMINISM[preset]
    digits = elsewhere.architectures(settings)[elsewhere.DIGITS][ALL]
    rows = {row: ROWS[row] for row in ("order", "low level")}
    plans = protocol(rows, settings.few_runs, first_seed=settings.first_seed)
    return {
        "small network on MNIST": {
            row: Look(dataclasses.replace(digits, plans=of), "labels") for row, of in plans.items()
        }
    }


#: What sources are called in the figure, by their names in the other chapters.
_SOURCES = {
    "stochastic operations": "dropout",
    "order, low level": "",
    "order, augmentation, low level": "",
    "all, other seeds": "",
    DEEPICF: "all",
}


def sources(preset: str) -> dict[str, dict[str, Look]]:
    """Runs by what varies, by workload."""
    settings = NONDETERMINISM[preset]
    images, items = ImageDesign(settings), ItemDesign(RECOMMENDER[preset])
    texts = {**across.requests(preset)}
    if preset == "laptop":
        texts |= across.others(preset, settings.few_runs)
    found: dict[str, dict[str, Look]] = {}
    order = ("heads on MASSIVE", "top layer on MASSIVE", "CNN on SST", "BiLSTM on SST")
    for name, requests in sorted(texts.items(), key=lambda item: order.index(item[0])):
        if name.startswith(("heads", "top layer")):
            found[name] = {row: Look(r, "labels_test") for row, r in requests.items()}
            continue
        for checkpoint, when in _CHECKPOINTS.items():
            found[f"{name}, {when}"] = {
                row: of_texts(request, checkpoint) for row, request in requests.items()
            }
    digits = elsewhere.architectures(settings)[elsewhere.DIGITS]
    of_labels: dict[str, Wanted] = {
        f"{images.recipe.model_name} on CIFAR-10": images.sources(),
        "small network on MNIST": {row: digits[row] for row in (elsewhere.INIT, ALL, BIT)},
        "language model on PTB": language.rows(settings),
    }
    for name, rows in of_labels.items():
        found[name] = {row: Look(request, "labels") for row, request in rows.items()}
    chosen = {**items.sources(), DEEPICF: items.small()[DEEPICF]}
    found["DeepICF on MovieLens-100K"] = {row: of_items(r) for row, r in chosen.items()}
    return {name: _renamed(rows) for name, rows in found.items()}


def _renamed(rows: Mapping[str, Look]) -> dict[str, Look]:
    named = {_SOURCES.get(row, row): look for row, look in rows.items()}
    return {row: look for row, look in named.items() if row}
