"""The local instability study, asked for results by the notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from stablib.data import Dataset, standin
from stablib.errors import UsageError
from stablib.papers.names import named
from stablib.studies.base import Study
from stablib.studies.local_instability import design
from stablib.studies.local_instability.design import Design, Variant, Wanted
from stablib.studies.local_instability.results import Results, SourceResults, Standin
from stablib.studies.local_instability.settings import (
    BESIDE,
    LABELS,
    PRESETS,
    LocalInstabilitySettings,
)
from stablib.studies.settings import Settings
from stablib.training import Control, Request
from stablib.workloads.text import TextRecipe, n_train


class LocalInstability(Study):
    """Measuring and mitigating local instability in deep neural networks."""

    name = "local_instability"
    title = "Local instability"
    presets: ClassVar[Mapping[str, Settings]] = PRESETS
    settings: LocalInstabilitySettings
    models = ("fine-tuned", "top layer", "head")
    rules = (
        "An effect counts as *direction reproduced* if the whole interval lies beyond no effect, "
        "in Tables 3 to 6 and the ablation also beyond what other seeds of control give, measured "
        "in the same way, and "
        "the value is at least a quarter of the way to the reported one; as *reproduced* if the "
        "value is within the tolerance of it as well (reductions: 5 points; shares of E_b: 10 "
        "points). An accuracy counts as reproduced if the whole interval lies within the tolerance "
        "(two of the paper's standard deviations). These rules took the place of looser ones after "
        "the heads had been measured. Where the paper leaves open whether students "
        "share a teacher, a shared one is judged and both are listed; of several models, the one "
        "of which most is trained is judged."
    )

    @property
    def model(self) -> str:
        """What is trained."""
        return {"finetune": "fine-tuned", "top_layer": "top layer"}.get(
            self.settings.model, self.settings.model
        )

    @property
    def looks_at(self) -> str:
        """Model and data sets."""
        return f"{self.model} on {' and '.join(map(named, self.datasets))}"

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets looked at; the first one where an exhibit shows only one."""
        return (self.settings.dataset,) if self.settings.dataset else tuple(LABELS)

    def requests(self) -> dict[str, list[Request]]:
        """What each exhibit needs: the tables of section 5 first."""
        whole = {name: self._whole(name) for name in self.datasets}
        everything = [request for requests in whole.values() for request in requests]
        first = self.datasets[0]
        control = [Design(self.settings, first).of(Control())]
        of_all = ("T3", "T2", "T4", "T5", "T6", "X4")
        needs = {f"LI-{name}": everything for name in of_all}
        needs |= {f"LI-{name}": whole[first] for name in ("F2", "F3", "F8")}
        needs |= {f"LI-{name}": control for name in ("T1", "X3", "F1")}
        needs["LI-A1"] = list(Design(self.settings, first).ablation().values())
        if "massive" in self.datasets:
            needs["LI-F4"] = [Design(self.settings, "massive").of(Control())]
        if "clinc150" in self.datasets:
            needs |= {f"LI-{name}": whole["clinc150"] for name in ("F5", "F6", "F7")}
        return needs | ({} if self.aside else self._about_models())

    def _about_models(self) -> dict[str, list[Request]]:
        """Exhibits that compare models, or are about one of them."""
        needs = {"LI-X2": [design.standin(self.settings)]}
        if "massive" in self.datasets:
            massive = Design(self.settings, "massive")
            needs["LI-X5"] = list(massive.sources().values())
            needs["LI-X7"] = [massive.of(Control())]
            cells = design.dependence(self.settings).values()
            needs["LI-X6"] = [request for wanted in cells for request in wanted.values()]
            needs["LI-X1"] = list(design.fine_tuning(self.settings).values())
        return needs

    def variants(self) -> list[LocalInstability]:
        """Other models with the settings that the laptop preset gives them."""
        if self.aside or self.preset != "laptop":
            return []
        return [
            self.varied(name.replace("_", "-"), **row)
            for name, row in BESIDE.items()
            if row["model"] != self.settings.model and row["dataset"] in self.datasets
        ]

    def optional(self) -> list[Request]:
        """Other models, as far as they are published."""
        found = [request for name in self.datasets for request in design.rates(self.settings, name)]
        return found + [request for other in self.variants() for request in other.wanted()]

    def _whole(self, dataset: str) -> list[Request]:
        chosen = Design(self.settings, dataset)
        parts = (chosen.runs(), chosen.steps(), chosen.curves())
        return [request for part in parts for request in part.values()]

    def check(self) -> None:
        """Refuse also settings with which TGTSS would have nothing to average."""
        for request in self.wanted():
            recipe = cast(TextRecipe, request.recipe)
            lesson = recipe.method.lesson
            for record in (*request.records, *([] if lesson is None else [lesson])):
                record.check(recipe.steps(n_train(recipe)))

    def each(self, *, watched: bool = False) -> list[Results]:
        """Results on every data set looked at."""
        return [self.results(name, watched=watched) for name in self.datasets]

    def on(self, dataset: str, **options: Any) -> Results | None:
        """Results on one data set, see :meth:`results`; None if it is not looked at."""
        return self.results(dataset, **options) if dataset in self.datasets else None

    def results(
        self,
        dataset: str | None = None,
        *,
        split: str | None = None,
        variants: Sequence[Variant] | None = None,
        watched: bool = False,
    ) -> Results:
        """Results on one split of one data set.

        Parameters
        ----------
        dataset : str, optional
            Registry name; the first of the study's by default.
        split : {"val", "test"}, optional
            The settings' by default, else the paper's holdout.
        variants : sequence of Variant, optional
            Such as ``CONTROL`` or ``Variant("tgtss", "own")``; all of :meth:`Design.runs` by
            default.
        watched : bool, default False
            Also the predictions over training, of the methods of Tables 4 and 6.

        Returns
        -------
        Results
        """
        chosen = Design(self.settings, dataset or self.datasets[0], split)
        wanted = chosen.runs()
        if variants is not None:
            for variant in variants:
                if variant not in wanted:
                    raise UsageError(f"{variant!r} is none of the methods {list(wanted)}")
            wanted = {variant: wanted[variant] for variant in variants}
        traces = chosen.steps() if watched else {}
        curves = chosen.curves() if watched else {}
        return self._results(chosen.split, wanted, traces, curves)

    def control(self, *, split: str) -> Results:
        """Control on the first data set, on the settings' split or the given one."""
        return self.results(split=self.settings.split or split, variants=[design.CONTROL])

    def ablation(self) -> list[Results]:
        """Results of the temperature ablation on the first data set, on both splits."""
        first = self.datasets[0]
        wanted = {split: Design(self.settings, first, split) for split in ("val", "test")}
        return [self._results(split, each.ablation()) for split, each in wanted.items()]

    def dependence(self) -> dict[tuple[float, int], Results]:
        """Soft labels on heads on MASSIVE by learning rate and epochs, if it is looked at."""
        if "massive" not in self.datasets:
            return {}
        wanted = design.dependence(self.settings)
        return {cell: self._results("test", each) for cell, each in wanted.items()}

    def by_model(self) -> list[Results]:
        """Control on the test split by what is trained and how fast.

        The settings' model on MASSIVE; where they are published, the top layer at each learning
        rate, of CLINC150 too, and the whole encoder.
        """
        if "massive" not in self.datasets:
            return []
        chosen = Design(self.settings, "massive", "test").of(Control())
        others = [*design.rates(self.settings, "massive")]
        others += [r for each in self.variants() for r in each.requests().get("LI-F4", ())]
        others += [r for v, r in design.fine_tuning(self.settings).items() if v == design.CONTROL]
        if "clinc150" in self.datasets:
            others += design.rates(self.settings, "clinc150")
        wanted = [chosen, *(request for request in others if self.has(request))]
        return [self._results("test", {design.CONTROL: r}) for r in dict.fromkeys(wanted)]

    def fine_tuning(self) -> Results | None:
        """Results of the fully fine-tuned encoder on MASSIVE, fewer seeds; None without any."""
        if "massive" not in self.datasets:
            return None
        wanted = design.fine_tuning(self.settings)
        return self._results("test", wanted) if wanted else None

    def sources(self) -> SourceResults | None:
        """Heads on MASSIVE of which only one source varies; None if it is not looked at."""
        if "massive" not in self.datasets:
            return None
        chosen = Design(self.settings, "massive")
        wanted = chosen.sources()
        data = self._data(next(iter(wanted.values())))
        runs = {name: self.get(request) for name, request in wanted.items()}
        return SourceResults(self, data, chosen.split, runs)

    def standin(self) -> Standin:
        """Control runs on the generated corpus, whose ambiguous utterances are known."""
        request = design.standin(self.settings)
        results = self._results("test", {design.CONTROL: request})
        probabilities = results.runs[design.CONTROL]["probabilities"]
        ambiguous = standin.generate().query("split == 'test'")["ambiguous"].to_numpy()
        return Standin(
            results,
            probabilities.mean(axis=0, dtype=np.float64),
            ambiguous[: len(results.gold)],
        )

    def _results(
        self,
        split: str,
        wanted: Wanted,
        traces: Mapping[Variant, Request] | None = None,
        curves: Mapping[Variant, Request] | None = None,
    ) -> Results:
        runs, steps, confidences = (
            {variant: self.get(request) for variant, request in (part or {}).items()}
            for part in (wanted, traces, curves)
        )
        data = self._data(next(iter(wanted.values())))
        return Results(self, data, split, runs, steps, confidences)

    def _data(self, request: Request) -> Dataset:
        """The data on which a request is trained, as far as its recipe looks."""
        recipe = cast(TextRecipe, request.recipe)
        return recipe.part(cast(Dataset, self.inputs(recipe).data))
