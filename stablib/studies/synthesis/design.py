"""Which runs of the other studies stand beside each other, by workload."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stablib.runs import Runs
from stablib.studies.local_instability import PRESETS as LOCAL_INSTABILITY
from stablib.studies.local_instability.design import Design as LocalDesign
from stablib.studies.local_instability.settings import BESIDE
from stablib.studies.nondeterminism import ALL, BIT, across, elsewhere, language
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
from stablib.studies.recommender.results import K
from stablib.training import Request
from stablib.workloads.attention import predictions

#: Plain training, and the same with other seeds, which does nothing.
CONTROL, OTHER_SEEDS = "Control", "Control, other seeds"

#: Rows of the table, and what a prediction costs: trainings, or predictions of one of them.
METHODS: Mapping[str, str] = {
    OTHER_SEEDS: "1",
    "SWA": "1",
    "SWA of every step": "1",
    "EMA": "1",
    "ASWA": "1",
    "NASWA": "1",
    "L2": "1",
    "Label smoothing": "1",
    "Ensemble, shared": "1, and its teachers once",
    "Ensemble, own": "1 and its teachers",
    "TGTSS, shared": "1, and a teacher once",
    "TGTSS, own": "2",
    "Snapshots": "1",
    "Views": "1, many predictions",
    "Ordinary ensemble": "its members",
}

#: Why a method has no place in a column.
NOT_TRAINED = "not trained here"
NO_VIEWS = "only images have views"
NO_LESSON = "its examples do not recur, so there is nothing to learn a teacher's answers on"
NO_SCORES = "scores of all candidates are kept of the first users alone"
LABELS_ALONE = "labels alone are kept of its runs, and ensembles average probabilities"


@dataclasses.dataclass(frozen=True)
class Look:
    """Runs, and which of their arrays holds what they predict.

    Parameters
    ----------
    request : Request
        The runs.
    array : str
        Name of the array.
    """

    request: Request
    array: str


#: Probabilities or logits (n_runs, n_examples, n_classes), or labels (n_runs, n_examples), of runs.
Read = Callable[[Runs, str], NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Column:
    """A workload: its plain runs, those with each method, and how their predictions are read.

    Parameters
    ----------
    control : Look
        Plain runs.
    methods : mapping of str to Look
        By row of the table.
    read : callable
        Reads an array of runs.
    whole : Look, optional
        Plain runs of which ordinary ensembles are made; None where probabilities are not kept.
    absent : mapping of str to str
        Why other rows are empty.
    """

    control: Look
    methods: Mapping[str, Look]
    read: Read
    whole: Look | None
    absent: Mapping[str, str]

    def why_not(self, method: str) -> str:
        """Why a method has no place here."""
        return self.absent.get(method, NOT_TRAINED)


def labels_of(read: NDArray[Any]) -> NDArray[np.integer]:
    """Labels of what was read: the class with the largest probability or logit."""
    return read if read.ndim == 2 else read.argmax(axis=-1)


def as_kept(runs: Runs, array: str) -> NDArray[Any]:
    """Labels or logits as they are kept."""
    return runs[array]


def of_texts(runs: Runs, array: str) -> NDArray[Any]:
    """Probabilities of texts that are attended to."""
    return predictions(runs[array])


def of_items(runs: Runs, array: str) -> NDArray[Any]:
    """Whether the items held out are among the first ten: no threshold of scores is in it."""
    return (runs[array] < K).astype(np.int64)


def columns(preset: str) -> dict[str, Column]:
    """Every workload on which methods were trained, by name.

    The trained top layer takes too long for ``smoke``, and is no model of ``paper``.
    """
    found = {"heads on MASSIVE": _heads(preset)}
    if preset == "laptop":
        found["top layer on MASSIVE"] = _top_layer()
    return {
        **found,
        "CNN on SST": _texts(preset, "cnn"),
        "BiLSTM on SST": _texts(preset, "bilstm"),
        **_images(preset),
        "DeepICF on MovieLens-100K": _items(preset),
    }


_NO_VIEWS = {"Views": NO_VIEWS}


def _heads(preset: str) -> Column:
    return _of_labels(seed_extras.heads(preset))


def _top_layer() -> Column:
    settings = LOCAL_INSTABILITY["laptop"].model_copy(update=dict(BESIDE["top_layer"]))
    runs = LocalDesign(settings, "massive").runs()
    return _of_labels({variant.title: request for variant, request in runs.items()})


def _of_labels(wanted: Mapping[str, Request]) -> Column:
    """Classifiers of which labels are kept; some methods have the third text's names there."""
    names = {
        PLAIN.title: CONTROL,
        NULL.title: OTHER_SEEDS,
        ASWA_TEXT.title: "ASWA",
        NASWA_TEXT.title: "NASWA",
    }
    looks = {names.get(name, name): Look(r, "labels_test") for name, r in wanted.items()}
    absent = {**_NO_VIEWS, "Ordinary ensemble": LABELS_ALONE}
    return Column(looks.pop(CONTROL), looks, as_kept, None, absent)


def _texts(preset: str, encoder: Literal["cnn", "bilstm"]) -> Column:
    design = SeedDesign(RANDOM_SEED[preset], Cell("sst", encoder))
    runs, kept = design.runs(), "scores_last"
    control = Look(runs[PLAIN], kept)
    methods = {
        "SWA of every step": Look(runs[PLAIN], f"step_swa_{kept}"),
        "EMA": Look(runs[PLAIN], f"ema_{kept}"),
        "ASWA": Look(runs[ASWA_TEXT], kept),
        "NASWA": Look(runs[NASWA_TEXT], kept),
    }
    if NULL in runs:
        methods[OTHER_SEEDS] = Look(runs[NULL], kept)
    if encoder == "cnn":
        methods |= {name: Look(r, kept) for name, r in seed_extras.others(design).items()}
    return Column(control, methods, of_texts, control, _NO_VIEWS)


def _images(preset: str) -> dict[str, Column]:
    settings = NONDETERMINISM[preset]
    design = ImageDesign(settings)
    mitigated, sources = design.mitigations(), design.sources()
    single = mitigated["single"]
    deep = Column(
        Look(single, "labels"),
        {
            "Snapshots": Look(mitigated["snapshots"], "labels"),
            "Views": Look(single, "labels_flip_crop25"),
            OTHER_SEEDS: Look(sources[IMAGE_SEEDS], "labels"),
        },
        as_kept,
        Look(sources[ALL], "logits"),
        {},
    )
    digits = elsewhere.architectures(settings)[elsewhere.DIGITS]
    small = Column(
        Look(digits[ALL], "labels"),
        {"Snapshots": Look(digits[elsewhere.SNAPSHOTS], "labels")},
        as_kept,
        Look(digits[ALL], "logits"),
        {"Views": "a mirrored digit is none"},
    )
    return {f"{design.recipe.model_name} on CIFAR-10": deep, "small network on MNIST": small}


def _items(preset: str) -> Column:
    design = ItemDesign(RECOMMENDER[preset])
    plain = design.small()[DEEPICF]
    kept = design.methods()
    names = {ITEM_SEEDS: OTHER_SEEDS, "Snapshot": "Snapshots"}
    methods = {names.get(name, name): Look(r, "ranks") for name, r in kept.items()}
    methods["SWA of every step"] = Look(plain, "step_swa_ranks")
    methods["EMA"] = Look(plain, "ema_ranks")
    lessons = ("Ensemble, shared", "Ensemble, own", "TGTSS, shared", "TGTSS, own")
    absent = {**_NO_VIEWS, **dict.fromkeys(lessons, NO_LESSON), "Ordinary ensemble": NO_SCORES}
    return Column(Look(plain, "ranks"), methods, of_items, None, absent)


#: What sources are called in the figure, by their names in the other chapters.
_SOURCES = {
    "stochastic operations": "dropout",
    "order, low level": "",
    "order, augmentation, low level": "",
    "all, other seeds": "",
    DEEPICF: "all",
}


def sources(preset: str) -> dict[str, tuple[Read, str, dict[str, Request]]]:
    """Runs by what varies, by workload; how, and in which array, their predictions are kept."""
    settings = NONDETERMINISM[preset]
    images, items = ImageDesign(settings), ItemDesign(RECOMMENDER[preset])
    texts = {**across.requests(preset)}
    if preset == "laptop":
        texts |= across.others(preset, settings.few_runs)
    found: dict[str, tuple[Read, str, dict[str, Request]]] = {}
    for name, rows in texts.items():
        attends = not name.startswith(("heads", "top layer"))
        way: tuple[Read, str] = (of_texts, "scores_last") if attends else (as_kept, "labels_test")
        found[name] = (*way, rows)
    found[f"{images.recipe.model_name} on CIFAR-10"] = (as_kept, "labels", images.sources())
    digits = elsewhere.architectures(settings)[elsewhere.DIGITS]
    rows = {row: digits[row] for row in (elsewhere.INIT, ALL, BIT)}
    found["small network on MNIST"] = (as_kept, "labels", rows)
    found["language model on PTB"] = (as_kept, "labels", language.rows(settings))
    plain = items.small()[DEEPICF]
    found["DeepICF on MovieLens-100K"] = (
        of_items,
        "ranks",
        {**items.sources(), DEEPICF: plain},
    )
    return {name: (read, array, _renamed(rows)) for name, (read, array, rows) in found.items()}


def _renamed(rows: Mapping[str, Request]) -> dict[str, Request]:
    named = {_SOURCES.get(row, row): request for row, request in rows.items()}
    return {row: request for row, request in named.items() if row}
