"""A panel for live notebooks: run the main experiment again with other parameters."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset
from stablib.runs.cost import Cost, costs, in_words
from stablib.runs.obtain import ensure
from stablib.runs.watch import Watch
from stablib.show import widgets
from stablib.show.local_instability.comparison import reductions
from stablib.show.widgets.rerun_panel import Effects, Parameter, RerunPanel, Tell
from stablib.studies.local_instability import CONTROL, LocalInstability, Results, Variant
from stablib.studies.local_instability.design import Design
from stablib.studies.local_instability.settings import AFTER_STEP, ALPHA
from stablib.training import Request

#: Without the 200 teachers of the ensemble, which take minutes.
METHODS = (Variant("label_smoothing"), Variant("tgtss", "own"))
#: Utterances of each split: the encoder reads them in seconds.
LIMIT = 1_000
#: Runs of each method.
N_RUNS = 4


class Heads:
    """Control, label smoothing and TGTSS on heads, on some utterances of a data set.

    Parameters
    ----------
    study : LocalInstability
        Its settings hold for what the values do not name.
    """

    def __init__(self, study: LocalInstability) -> None:
        self.study, self.dataset = study, study.datasets[0]

    def price(self, values: Mapping[str, float]) -> str:
        """What is missing, and what training it will cost here."""
        missing = self._missing(self._changed(values))
        if not missing:
            return "Nothing has to be trained."
        runs = sum(len(cost.request.plans) for cost in missing)
        return f"{runs} runs have to be trained, about {_in_words(missing)} on this machine."

    def run(self, values: Mapping[str, float], tell: Tell) -> Effects:
        """Train what is missing, and say what the methods reduce."""
        study = self._changed(values)
        missing = self._missing(study)
        whole, before = sum(cost.seconds for cost in missing), 0.0
        for cost in missing:
            watch = _watch(tell, before / whole, cost.seconds / whole)
            ensure(cost.request, study.store, study.inputs(cost.request.recipe), watch=watch)
            before += cost.seconds
        return effects_of(study.results(variants=(CONTROL, *METHODS)))

    def _changed(self, values: Mapping[str, float]) -> LocalInstability:
        return self.study.changed(dataset=self.dataset, **values)

    def _missing(self, study: LocalInstability) -> list[Cost]:
        return costs(_requests(study), study.store, study.inputs)


def _requests(study: LocalInstability) -> list[Request]:
    wanted = Design(study.settings, study.datasets[0]).runs()
    return [wanted[variant] for variant in (CONTROL, *METHODS)]


def _in_words(missing: list[Cost]) -> str:
    return in_words(sum(cost.seconds for cost in missing))


def _watch(tell: Tell, start: float, share: float) -> Watch:
    """Tell of the part of all work that one training is."""

    @contextmanager
    def watch(title: str, work: int, unit: str) -> Iterator[Callable[[int], object]]:
        done, lock = 0, threading.Lock()

        def more(amount: int) -> None:
            nonlocal done
            with lock:
                done += amount
            what = title if done else "The encoder reads the utterances, once"
            tell(start + share * min(1.0, done / max(1, work)), what)

        yield more

    return watch


def effects_of(results: Results) -> Effects:
    """Reductions with their intervals."""
    frame, _ = reductions(results)
    effects = {
        method.title: (row["reduction"], row["low"], row["high"])
        for method, row in frame.iterrows()
        if not math.isnan(row["reduction"])
    }
    control = results.le_m[CONTROL]
    about = (
        f"{len(results.runs[CONTROL])} runs a method; control has {control.sum():.1f} nats on "
        f"{len(control):,} utterances of {_classes(results.gold, results.dataset)}. "
        f"{results.notice}"
    )
    return Effects(effects, about.strip())


def rerun_panel(study: LocalInstability) -> RerunPanel:
    """Make the panel.

    Parameters
    ----------
    study : LocalInstability
        The study whose settings are the start values.
    """
    heads = study.changed(model="head")  # Trained in seconds.
    settings, dataset = heads.settings, heads.datasets[0]
    control = Design(settings, dataset).control
    inputs = heads.inputs(control)
    data = cast(Dataset, inputs.data)
    n_train = settings.limit or len(data.gold["train"])
    limit = min(n_train, LIMIT)
    # As many steps as on all utterances: N of TGTSS keeps its meaning.
    steps = settings.epochs * math.ceil(n_train / settings.batch_size)
    epochs = math.ceil(steps / math.ceil(limit / settings.batch_size))
    after_step = AFTER_STEP[dataset] if settings.after_step is None else settings.after_step
    whole = heads.changed(dataset=dataset)
    published = (
        effects_of(whole.results(variants=(CONTROL, *METHODS)))
        if all(map(whole.has, _requests(whole)))
        else None
    )
    parameters = [
        _around("n_runs", N_RUNS, 2, 200, "runs per method"),
        _around("limit", limit, min(100, limit), n_train, "first utterances of each split"),
        _around("epochs", epochs, 1, 200, "passes over them"),
        _around("temperature", settings.temperature, 0.05, 5.0, "T of eq. 2"),
        _around("alpha", settings.alpha or ALPHA[dataset], 0.001, 1.0, "label smoothing"),
        _around("after_step", after_step, 0, 100_000, "N of TGTSS"),
        _around("learning_rate", control.learning_rate, 1e-6, 1.0, "Adam's"),
        _around("first_seed", 5000, 0, 10**9, "seed of the first run"),
    ]
    known = {"dataset", "model", *(one.name for one in parameters)}
    changes = {name: value for name, value in study.changes.items() if name not in known}
    words = {"model": "head", "dataset": dataset, **changes}
    command = f"stablib reproduce {study.name}/05_results --preset {study.preset} "
    return widgets.rerun_panel(
        Heads(heads),
        parameters,
        effect="Reduction of LEₘ against control (%), with 95 % intervals over runs",
        data=f"Heads on features of a frozen {settings.encoder}, trained on {inputs.source}. "
        f"At the start only on the first {limit:,} of {len(data.gold['train']):,} utterances, in "
        f"the order of the file, which are of {_classes(data.gold['train'][:limit], data)}: a "
        f"first look, and not the experiment above. {inputs.notice}".strip(),
        command=command + " ".join(f"--param {name}={value}" for name, value in words.items()),
        published=published,
        elsewhere="../../book/welcome.html#stablib-train-again",
    )


def _around(name: str, value: float, low: float, high: float, help_: str) -> Parameter:
    """A parameter whose range holds its value, whatever the notebook was given."""
    return Parameter(name, value, min(low, value), max(high, value), help_)


def _classes(gold: NDArray[np.integer], data: Dataset) -> str:
    """How many of the data's classes some examples are of."""
    return f"{len(np.unique(gold))} of {len(data.label_names)} classes"
