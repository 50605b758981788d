"""Widget: networks that train in the page itself, one a seed, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_number
from stablib.show.widgets._inputs import check_finite, check_texts
from stablib.show.widgets.hosted import (
    HostedWidget,
    asset,
    check_choice,
    encode_array,
    module_text,
)

if TYPE_CHECKING:
    from stablib.training.task import Task

#: What a seed may decide. One bit is that of one initial weight, the last.
SOURCES = ("initial weights", "order", "dropout", "one bit")
METHODS = ("plain", "TGTSS", "SWA", "ASWA")
TEACHERS = ("own", "shared")
LEARNING_RATES, EPOCHS = (0.003, 0.01, 0.03, 0.1), (2, 5, 10, 20)
#: Least and largest values of the controls.
TEMPERATURES, SEEDS, COUNTS = (0.1, 2.0), (1, 99_999), (2, 200)
#: Labels travel as bytes.
_MOST_CLASSES = 256


class TrainAgain(HostedWidget):
    """The view that :func:`train_again` fills; its state traits may be read, observed and set."""

    _esm = module_text("workers.js", "head_trainer.js", "train_again.js")
    begins_unasked = True

    #: Seed of the first network; the others have the next ones.
    first_seed = traitlets.Int(1).tag(sync=True, state=True)
    n_seeds = traitlets.Int(50).tag(sync=True, state=True)
    #: What the seed decides, of :data:`SOURCES`.
    vary = traitlets.List(traitlets.Unicode(), list(SOURCES[:3])).tag(sync=True, state=True)
    method = traitlets.Unicode(METHODS[0]).tag(sync=True, state=True)
    teacher = traitlets.Unicode(TEACHERS[0]).tag(sync=True, state=True)
    #: Of TGTSS, as eq. 2 is printed: less than 1 flattens.
    temperature = traitlets.Float(0.5).tag(sync=True, state=True)
    learning_rate = traitlets.Float(0.01).tag(sync=True, state=True)
    epochs = traitlets.Int(10).tag(sync=True, state=True)
    #: Test example that is shown.
    example = traitlets.Int(0).tag(sync=True, state=True)

    @traitlets.validate("first_seed", "n_seeds", "temperature")
    def _check_number(self, proposal: Any) -> Any:
        key = proposal.trait.name
        low, high = self.data["ranges"][key]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(f"{key} must be {low:g} to {high:g}, got {proposal.value:g}")
        return proposal.value

    @traitlets.validate("vary")
    def _check_vary(self, proposal: Any) -> list[str]:
        if not proposal.value:
            raise traitlets.TraitError(f"vary needs at least one of {', '.join(SOURCES)}")
        return [check_choice("source in vary", value, SOURCES) for value in proposal.value]

    @traitlets.validate("method", "teacher")
    def _check_word(self, proposal: Any) -> str:
        key = proposal.trait.name
        return check_choice(key, proposal.value, self.data["offered"][key])

    @traitlets.validate("learning_rate", "epochs")
    def _check_offered(self, proposal: Any) -> Any:
        key = proposal.trait.name
        offered = self.data["offered"][key]
        if proposal.value not in offered:
            listed = ", ".join(f"{value:g}" for value in offered)
            raise traitlets.TraitError(f"{key} must be one of {listed}, got {proposal.value:g}")
        return proposal.value

    @traitlets.validate("example")
    def _check_example(self, proposal: Any) -> int:
        count = len(self.data["texts"])
        if not 0 <= proposal.value < count:
            raise traitlets.TraitError(f"example must be 0 to {count - 1}, got {proposal.value}")
        return int(proposal.value)


def train_again(
    task: Task | None = None,
    *,
    texts: Sequence[str] | None = None,
    label_names: Sequence[str] | None = None,
    source: str = "",
    hidden: int = 32,
    batch_size: int = 32,
    dropout: float = 0.1,
    name: str = "train-again",
    picture: str = "",
) -> TrainAgain:
    """Train small networks in the page, one a seed, and look at what each answers.

    Parameters
    ----------
    task : Task, optional
        Features (n_examples, n_features) and labels of the splits ``train`` and ``test``; by
        default those of spoken requests of MASSIVE.
    texts : sequence of str, optional
        One for each test example; goes with ``task``.
    label_names : sequence of str, optional
        One a class; their numbers by default.
    source : str, default ""
        What the data are, for the reader.
    hidden : int, default 32
        Hidden units.
    batch_size : int, default 32
        Examples in a mini-batch.
    dropout : float, default 0.1
        Share of the hidden units that are dropped.
    name : str, default "train-again"
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    TrainAgain
        Its state: ``first_seed``, ``n_seeds``, ``vary``, ``method``, ``teacher``,
        ``temperature``, ``learning_rate``, ``epochs``, ``example``.

    Raises
    ------
    UsageError
        If an argument has a wrong shape or value, or only a part of the data is given.

    Notes
    -----
    A network is that of :class:`stablib.models.head.HeadStack`: one hidden layer with ReLU and
    dropout, trained by Adam on the cross-entropy. Its weights are single precision; what is added
    up is not, so a network of torch with the same draws has the same weights but for rounding.
    TGTSS averages its teacher's predictions over the last fifth of the steps.

    Examples
    --------
    >>> train_again().data["shape"]
    {'nFeatures': 32, 'hidden': 32, 'nClasses': 18}
    """
    if task is None:
        if texts is not None or label_names is not None or source:
            raise UsageError("texts, label_names and source go with a task of your own")
        data = _utterances()
    else:
        data = {**_own(task, texts, label_names), "source": source}
    rate = as_number(dropout, name="dropout")
    if not 0.0 <= rate < 1.0:
        raise UsageError(f"dropout must be at least 0 and less than 1, got {rate:g}")
    content = {
        **data,
        "shape": {
            "nFeatures": data["train"]["features"]["shape"][1],
            "hidden": as_count(hidden, name="hidden"),
            "nClasses": len(data["label_names"]),
        },
        "batchSize": as_count(batch_size, name="batch_size"),
        "dropoutRate": rate,
        "offered": {
            "vary": list(SOURCES),
            "method": list(METHODS),
            "teacher": list(TEACHERS),
            "learning_rate": list(LEARNING_RATES),
            "epochs": list(EPOCHS),
        },
        "ranges": {
            "first_seed": list(SEEDS),
            "n_seeds": list(COUNTS),
            "temperature": list(TEMPERATURES),
            "example": [0, len(data["texts"]) - 1],
        },
    }
    example = content.pop("example", 0)
    return TrainAgain(name=name, data=content, picture=picture, example=example)


def _utterances() -> dict[str, Any]:
    """What :mod:`stablib.reproduce.utterances` made."""
    found: dict[str, Any] = json.loads(asset("utterances.json"))
    return found


def _own(
    task: Task, texts: Sequence[str] | None, label_names: Sequence[str] | None
) -> dict[str, Any]:
    """Check and encode data of one's own."""
    names = range(task.n_classes) if label_names is None else label_names
    if len(names) != task.n_classes:
        raise UsageError(f"label_names must hold {task.n_classes} names, got {len(names)}")
    if task.n_classes > _MOST_CLASSES:
        raise UsageError(f"task must have at most {_MOST_CLASSES} classes, got {task.n_classes}")
    made: dict[str, Any] = {"label_names": [str(one) for one in names], "scale": None}
    width = np.shape(task.split("train")[0])[-1]
    for split in ("train", "test"):
        inputs, gold = task.split(split)
        features = check_finite(f"features of {split}", inputs, (len(gold), width))
        made[split] = {
            "features": encode_array(features.astype(np.float32)),
            "labels": encode_array(np.asarray(gold, dtype=np.uint8)),
        }
    n_test = len(task.gold["test"])
    numbered = [f"example {k + 1}" for k in range(n_test)]
    made["texts"] = check_texts(numbered if texts is None else texts, n_test)
    return made
