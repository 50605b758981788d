"""The local instability study at one preset, asked for results by the notebooks."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stablib.data import Dataset, entry, load
from stablib.data import standin as corpus
from stablib.data.registry import STANDIN_NOTICE, DataNotice, stand_in
from stablib.data.sheets import read_sheet
from stablib.errors import unknown
from stablib.models import encoders
from stablib.runs import Results, Runs, RunStore, Trainer, obtain
from stablib.studies import local_instability
from stablib.studies.local_instability import CURVED, LABELS, PRESETS, Settings, Study, fitted
from stablib.studies.request import Request
from stablib.studies.settings import choose
from stablib.training import Final, Method

SPLITS = ("val", "test")
NOTHING: Mapping[str, Request] = MappingProxyType({})

#: Control runs with the seeds of the shared teachers: what a method without any effect would give.
NULL = "Control, other seeds"


def open_local_instability(
    preset: str = "laptop", *, dataset: str | None = None, split: str | None = None, **changes: Any
) -> Session:
    """Open the local instability study.

    Parameters
    ----------
    preset : str, default "laptop"
        ``"smoke"``, ``"laptop"`` or ``"paper"``.
    dataset : {"massive", "clinc150"}, optional
        Look at this data set alone; at both by default.
    split : {"val", "test"}, optional
        Look at this split instead of the paper's holdout.
    **changes
        Fields of :class:`~stablib.studies.local_instability.Settings` that differ from the
        preset; None keeps the preset's value. A single number for ``alpha`` or ``after_step``
        holds for every data set looked at.

    Returns
    -------
    Session

    Raises
    ------
    UsageError
        If the preset, data set, split or a field is unknown, or a value is not allowed.
    """
    if dataset is not None and dataset not in LABELS:
        raise unknown("data set", dataset, LABELS)
    if split is not None and split not in SPLITS:
        raise unknown("split", split, SPLITS)
    datasets = [dataset] if dataset else list(LABELS)
    base = choose(PRESETS, preset, {})
    for name in ("alpha", "after_step"):
        value = changes.get(name)
        if value is not None:
            given = value if isinstance(value, Mapping) else dict.fromkeys(datasets, value)
            for key in given:
                if key not in LABELS:
                    raise unknown("data set", key, LABELS)
            changes[name] = {**getattr(base, name), **given}
    settings = choose(PRESETS, preset, changes)
    if settings.encoder not in encoders.names():
        raise unknown("encoder", settings.encoder, encoders.names())
    local_instability.check(settings)
    return Session(preset, settings, datasets=datasets, split=split)


class Standin(NamedTuple):
    """Runs on the generated corpus: results, mean probabilities, and which are ambiguous."""

    results: Results
    mean_prediction: NDArray[np.float64]
    ambiguous: NDArray[np.bool_]


class Session:
    """Get results of a study, from published runs, the local store or by training.

    Parameters
    ----------
    preset : str
        Name, for the reader.
    settings : Settings
        The numbers.
    datasets : sequence of str
        The data sets looked at; the first one where an exhibit shows only one.
    split : str, optional
        The split looked at; the paper's holdout by default.
    """

    def __init__(
        self, preset: str, settings: Settings, *, datasets: Sequence[str], split: str | None = None
    ) -> None:
        self.preset = preset
        self.settings = settings
        self.datasets = datasets
        self.split = split
        self.store = RunStore()
        self._data: dict[str, Dataset] = {}

    def changed(self, **changes: Any) -> Session:
        """Return the same study with other settings, see :func:`open_local_instability`."""
        fields = {**self.settings.model_dump(), **changes}
        dataset = self.datasets[0] if len(self.datasets) == 1 else None
        return open_local_instability(self.preset, dataset=dataset, split=self.split, **fields)

    def requests(self) -> list[Request]:
        """Everything that the study's exhibits need, fitted to the data in use."""
        return [request for _, request in self._served()]

    def missing(self) -> list[Request]:
        """What of this no store has; :meth:`results` would train it."""
        return [request for data, request in self._served() if self._missing(data, request)]

    def _served(self) -> list[tuple[Dataset, Request]]:
        """Each request with the data that serves it."""
        wanted = local_instability.requests(self.settings, self.datasets, self.split)
        wanted += local_instability.fine_tuning(self.settings).values()
        served = []
        for name in dict.fromkeys(request.recipe.dataset for request in wanted):
            own = [request for request in wanted if request.recipe.dataset == name]
            data = self._dataset(name, own)
            served += [(data, fitted(request, data)) for request in own]
        return served

    def each(self, *, watched: bool = False) -> list[Results]:
        """Results on every data set looked at."""
        return [self.results(name, watched=watched) for name in self.datasets]

    def results(
        self,
        dataset: str | None = None,
        *,
        split: str | None = None,
        methods: Sequence[str] | None = None,
        watched: bool = False,
    ) -> Results:
        """Results on one split of one data set.

        Parameters
        ----------
        dataset : str, optional
            Registry name; the first of the session's by default.
        split : {"val", "test"}, optional
            The session's by default.
        methods : sequence of str, optional
            Names as in :meth:`Study.methods`; all by default.
        watched : bool, default False
            Also the predictions over training, of the methods of Tables 4 and 6.

        Returns
        -------
        Results
        """
        study = Study(self.settings, dataset or self.datasets[0], split or self.split)
        known = study.methods()
        for name in methods or ():
            if name not in known and name != NULL:
                raise unknown("method", name, [*known, NULL])
        wanted = {name: self._request(study, name) for name in methods or [*known, NULL]}
        stepped = study.stepped_methods() if watched else {}
        traces = {name: study.steps(method) for name, method in stepped.items()}
        curves = {name: study.curves(known[name]) for name in (CURVED if watched else ())}
        return self._results(study.dataset, study.split, wanted, traces, curves)

    def _request(self, study: Study, name: str) -> Request:
        if name == NULL:
            return study.null()
        return study.runs(study.methods()[name])

    def ablation(self, *, split: str) -> Results:
        """Results of the temperature ablation: control, and ``"<targets>, <teacher>"``."""
        study = Study(self.settings, "massive", split)
        variants: dict[str, Method] = {"Control": study.methods()["Control"]}
        variants |= {", ".join(key): method for key, method in study.ablation().items()}
        wanted = {name: study.runs(method) for name, method in variants.items()}
        return self._results(study.dataset, study.split, wanted)

    def fine_tuning(self) -> Results | None:
        """Results of the fully fine-tuned encoder on MASSIVE, fewer seeds; None without any."""
        requests = local_instability.fine_tuning(self.settings)
        return self._results("massive", "test", requests) if requests else None

    def standin(self) -> Standin:
        """Control runs on the generated corpus, whose ambiguous utterances are known."""
        request = local_instability.standin(self.settings)
        final = dataclasses.replace(request, record=Final())
        results = self._collect("standin", stand_in(), "test", {"Control": final})
        runs = self._get(request, stand_in())
        n_examples = len(results.gold)
        ambiguous = corpus.generate().query("split == 'test'")["ambiguous"].to_numpy()
        return Standin(
            results, runs["probabilities"].mean(axis=0, dtype=np.float64), ambiguous[:n_examples]
        )

    def _results(
        self,
        dataset: str,
        split: str,
        wanted: Mapping[str, Request],
        traces: Mapping[str, Request] = NOTHING,
        curves: Mapping[str, Request] = NOTHING,
    ) -> Results:
        requests = [*wanted.values(), *traces.values(), *curves.values()]
        data = self._dataset(dataset, requests)
        fit = {request: fitted(request, data) for request in requests}
        parts = [{k: fit[r] for k, r in part.items()} for part in (wanted, traces, curves)]
        return self._collect(dataset, data, split, *parts)

    def _dataset(self, name: str, requests: Sequence[Request]) -> Dataset:
        """Real data, else published labels if all runs exist, else the stand-in."""
        if name == "standin":
            return stand_in()
        dataset = self._loaded(name)
        if dataset.name != "standin":
            return dataset
        sheet = None
        if self.store.published is not None:
            sheet = read_sheet(name, LABELS[name], self.store.published.parent / "data")
        if sheet is not None and not any(self._missing(sheet, r) for r in requests):
            return sheet
        data = stand_in()
        notice = STANDIN_NOTICE.format(title=entry(name).title)
        changed = local_instability.fitting(requests, data)
        return dataclasses.replace(data, notice=f"{notice} {changed}." if changed else notice)

    def _loaded(self, name: str) -> Dataset:
        """Load a data set once: asking a hub that does not answer takes seconds."""
        if name not in self._data:
            with warnings.catch_warnings():
                # The notice is shown with each exhibit; a warning in the page would repeat it.
                warnings.simplefilter("ignore", DataNotice)
                self._data[name] = load(name, label=LABELS[name])
        return self._data[name]

    def _missing(self, dataset: Dataset, request: Request) -> bool:
        group = Trainer(request.recipe, dataset, self.store).group(request.record)
        return bool(self.store.missing(group, [(plan,) for plan in request.plans]))

    def _collect(
        self,
        asked: str,
        dataset: Dataset,
        split: str,
        wanted: Mapping[str, Request],
        traces: Mapping[str, Request] = NOTHING,
        curves: Mapping[str, Request] = NOTHING,
    ) -> Results:
        n_runs = max(len(request.plans) for request in wanted.values())
        return Results(
            dataset=dataset.head(self.settings.limit),
            split=split,
            runs={name: self._get(request, dataset) for name, request in wanted.items()},
            traces={name: self._get(request, dataset) for name, request in traces.items()},
            curves={name: self._get(request, dataset) for name, request in curves.items()},
            context={
                "preset": self.preset,
                "model": next(iter(wanted.values())).recipe.model.kind,
                "encoder": self.settings.encoder,
                "n_runs": str(n_runs),
                "asked": asked,
                "members": str(self.settings.members),
                "own_members": str(self.settings.own_members),
            },
        )

    def _get(self, request: Request, dataset: Dataset) -> Runs:
        return obtain(
            request.recipe,
            request.plans,
            dataset=dataset,
            store=self.store,
            record=request.record,
        )
