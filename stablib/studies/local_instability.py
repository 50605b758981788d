"""The local instability paper: which recipes, and how many seeds, its exhibits need."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stablib.data import Dataset, entry
from stablib.mitigation import L2, SWA, TGTSS, Ensemble, LabelSmoothing
from stablib.mitigation.temperature import Reading
from stablib.studies.request import Request
from stablib.training import (
    Control,
    Final,
    FineTune,
    Head,
    Method,
    Probabilities,
    Recipe,
    Steps,
    seed_plans,
)

PAPER = "local_instability"

#: First seed of shared teachers. As control runs, they are also the null of the comparisons.
TEACHER_SEED = 1000


class Settings(BaseModel):
    """Everything a reader may change about the study; the notebooks' parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    encoder: str
    model: Literal["head", "finetune", "finetune_top"]
    n_runs: int = Field(ge=2)
    first_seed: int = Field(default=0, ge=0)
    step_runs: int = Field(ge=1)
    members: int = Field(ge=1)
    own_members: int = Field(ge=1)
    learning_rate: float = Field(gt=0.0)
    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=256, ge=1)
    hidden: int = Field(default=256, ge=1)
    limit: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.5, gt=0.0)
    reading: Reading = "sharpen"
    weight_decay: float = Field(default=0.001, gt=0.0)
    alpha: dict[str, Annotated[float, Field(gt=0.0, le=1.0)]] = {"massive": 0.1, "clinc150": 0.5}
    after_step: dict[str, Annotated[int, Field(ge=0)]] = {"massive": 180, "clinc150": 200}
    teacher_every: int = Field(default=1, ge=1)
    step_every: int = Field(default=1, ge=1)
    fine_tuned_runs: int = Field(default=0, ge=0)


_MINILM, _DISTILBERT = "all-MiniLM-L6-v2", "distilbert-base-uncased"

#: Presets as rows of numbers (section 5.3.1 where nothing else is said).
PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        "smoke": Settings(
            encoder=_MINILM,
            model="head",
            n_runs=4,
            step_runs=2,
            members=4,
            own_members=2,
            learning_rate=1e-3,
            epochs=2,
            batch_size=128,
            hidden=32,
            limit=640,
            after_step={"massive": 6, "clinc150": 6},
        ),
        # The paper's learning rate of 1e-4 is meant for fine-tuning and too small for a head.
        "laptop": Settings(
            encoder=_MINILM,
            model="head",
            n_runs=50,
            step_runs=5,
            members=200,
            own_members=4,
            learning_rate=1e-3,
            fine_tuned_runs=5,
        ),
        "paper": Settings(
            encoder=_DISTILBERT,
            model="finetune",
            n_runs=50,
            step_runs=1,
            members=200,
            own_members=4,
            learning_rate=1e-4,
        ),
    }
)

#: Methods whose confidence over the steps is shown.
CURVED = ("Control", "TGTSS, shared")

LABELS = {"massive": "domain", "clinc150": "intent"}

#: Training utterances (Table 2), from which follows which share of all steps an N is.
N_TRAIN = {"massive": 11_514, "clinc150": 15_000}


class Study:
    """Requests of the study for one data set.

    Parameters
    ----------
    settings : Settings
        A preset's row, changed or not.
    dataset : str
        ``"massive"`` or ``"clinc150"``.
    split : {"val", "test"}, optional
        Which split is looked at; the paper's holdout by default.
    """

    def __init__(self, settings: Settings, dataset: str, split: str | None = None) -> None:
        self.settings = settings
        self.dataset = entry(dataset).name
        self.split = split or entry(dataset).holdout

    @property
    def control(self) -> Recipe:
        """The recipe without mitigation."""
        s = self.settings
        models = {
            "head": Head(hidden=s.hidden),
            "finetune": FineTune(),
            "finetune_top": FineTune(top_layers=1),
        }
        return Recipe(
            dataset=self.dataset,
            label=LABELS[self.dataset],
            limit=s.limit,
            encoder=s.encoder,
            model=models[s.model],
            learning_rate=s.learning_rate,
            epochs=s.epochs,
            batch_size=s.batch_size,
        )

    def methods(self) -> dict[str, Method]:
        """Methods of Tables 3 and 5, by their name on the page, in the paper's order."""
        s = self.settings
        return {
            "Control": Control(),
            "Ensemble, shared": self.ensemble(teacher="shared"),
            "Ensemble, own": self.ensemble(teacher="own"),
            "L2": L2(weight_decay=s.weight_decay),
            "SWA": SWA(),
            "Label smoothing": LabelSmoothing(alpha=s.alpha[self.dataset]),
            "TGTSS, shared": self.tgtss(teacher="shared"),
            "TGTSS, own": self.tgtss(teacher="own"),
        }

    def null(self) -> Request:
        """Control runs with other seeds: what a method without any effect would give."""
        return Request(self.control, seed_plans(self.settings.n_runs, first_seed=TEACHER_SEED))

    def ensemble(
        self, *, teacher: Literal["shared", "own"], reading: Reading | None = None
    ) -> Ensemble:
        """Ensemble soft labels: 200 shared members, or a few of each student's own."""
        s = self.settings
        return Ensemble(
            members=s.members if teacher == "shared" else s.own_members,
            temperature=s.temperature,
            reading=reading or s.reading,
            teacher=teacher,
            teacher_seed=TEACHER_SEED,
        )

    def tgtss(
        self,
        *,
        teacher: Literal["shared", "own"],
        temperature: float | None = None,
        reading: Reading | None = None,
    ) -> TGTSS:
        """TGTSS with the paper's N."""
        s = self.settings
        return TGTSS(
            after_step=s.after_step[self.dataset],
            every=s.teacher_every,
            temperature=temperature or s.temperature,
            reading=reading or s.reading,
            teacher=teacher,
            teacher_seed=TEACHER_SEED,
        )

    def ablation(self) -> dict[tuple[str, str], Method]:
        """TGTSS and the ensemble by (targets, teacher), for the temperature ablation (LI-A1)."""
        teachers: tuple[Literal["shared", "own"], ...] = ("shared", "own")
        variants: dict[str, tuple[float | None, Reading]] = {
            "p^(1/T)": (None, "sharpen"),
            "no temperature": (1.0, "sharpen"),
            "p^T, as printed": (None, "printed"),
        }
        return {
            (targets, teacher): self.tgtss(teacher=teacher, temperature=t, reading=reading)
            for targets, (t, reading) in variants.items()
            for teacher in teachers
        }

    def runs(self, method: Method) -> Request:
        """All runs of a method, seen through their final predictions."""
        s = self.settings
        return Request(
            self.control.with_method(method), seed_plans(s.n_runs, first_seed=s.first_seed)
        )

    def steps(self, method: Method) -> Request:
        """A few runs of a method, watched on the split after every step."""
        s = self.settings
        return Request(
            self.control.with_method(method),
            seed_plans(min(s.step_runs, s.n_runs), first_seed=s.first_seed),
            Steps(split=self.split, every=s.step_every),
        )

    def curves(self, method: Method) -> Request:
        """The first of these runs again, with its confidence at every step."""
        steps = self.steps(method)
        assert isinstance(steps.record, Steps)
        record = steps.record.model_copy(update={"confidence": True})
        return dataclasses.replace(steps, plans=steps.plans[:1], record=record)

    def stepped_methods(self) -> dict[str, Method]:
        """Methods of Tables 4 and 6, and control."""
        return {k: v for k, v in self.methods().items() if k not in ("L2", "SWA")}


def fine_tuning(settings: Settings) -> dict[str, Request]:
    """Fewer seeds of the fully fine-tuned encoder: the check that the head's story carries over.

    The control runs are the ensemble's teachers; students have seeds of their own. Empty if the
    settings ask for no such run.
    """
    n_runs = settings.fine_tuned_runs
    if n_runs < 2:
        return {}
    study = Study(
        settings.model_copy(
            update={"model": "finetune", "learning_rate": 1e-4, "n_runs": n_runs, "first_seed": 0}
        ),
        "massive",
    )
    teaching = {"temperature": settings.temperature, "teacher_seed": 0}
    after = settings.after_step["massive"]
    methods: dict[str, Method] = {
        f"Ensemble of {n_runs}, shared": Ensemble(members=n_runs, **teaching),
        "TGTSS, shared": TGTSS(after_step=after, every=5, **teaching),
    }
    students = seed_plans(n_runs, first_seed=100)
    return {"Control": study.runs(Control())} | {
        name: Request(study.control.with_method(method), students)
        for name, method in methods.items()
    }


def standin(settings: Settings) -> Request:
    """Control runs on the generated corpus, with all probabilities on its test split."""
    study = Study(settings, "massive")
    recipe = study.control.model_copy(update={"dataset": "standin"})
    plans = seed_plans(settings.n_runs, first_seed=settings.first_seed)
    return Request(recipe, plans, Probabilities(split="test"))


def requests(
    settings: Settings, datasets: Sequence[str] = tuple(LABELS), split: str | None = None
) -> list[Request]:
    """Everything that the study's exhibits need, without repetition.

    The temperature ablation is shown on MASSIVE, whichever data sets are looked at.
    """
    wanted: list[Request] = []
    for dataset in datasets:
        study = Study(settings, dataset, split)
        wanted += [study.runs(method) for method in study.methods().values()]
        wanted.append(study.null())
        wanted += [study.steps(method) for method in study.stepped_methods().values()]
        wanted += [study.curves(study.methods()[name]) for name in CURVED]
    study = Study(settings, "massive")
    wanted += [study.runs(method) for method in (Control(), *study.ablation().values())]
    final = dataclasses.replace(standin(settings), record=Final())
    return list(dict.fromkeys([*wanted, standin(settings), final]))


def fitted(request: Request, data: Dataset) -> Request:
    """Fit a request to the data in use, and refuse one that leaves TGTSS nothing to average.

    N is a number of steps, and the stand-in is smaller than the data whose place it takes: there,
    TGTSS averages after the same share of all steps. Real data change nothing.

    Raises
    ------
    UsageError
        If no step is left.
    """
    recipe, method = request.recipe, request.recipe.method
    if not isinstance(method, TGTSS):
        return request
    here = _steps(recipe, len(data.gold["train"]))
    if data.name != recipe.dataset:
        after = method.after_step * here // _steps(recipe, N_TRAIN[recipe.dataset])
        method = method.model_copy(update={"after_step": after})
        request = dataclasses.replace(request, recipe=recipe.with_method(method))
    method.lesson.check(here)
    return request


def fitting(requests: Sequence[Request], data: Dataset) -> str:
    """Say, in a sentence, what :func:`fitted` changes; empty if it changes nothing."""
    changes = {}
    for asked in requests:
        before, after = asked.recipe.method, fitted(asked, data).recipe.method
        if isinstance(before, TGTSS) and isinstance(after, TGTSS) and before != after:
            changes[before.after_step] = after.after_step
    return "; ".join(
        f"TGTSS averages after step {after} instead of {before}, the same share of all steps"
        for before, after in changes.items()
    )


def check(settings: Settings) -> None:
    """Refuse settings with which TGTSS would have nothing to average on the real data.

    Raises
    ------
    UsageError
        If no step is left.
    """
    for request in [*requests(settings), *fine_tuning(settings).values()]:
        recipe = request.recipe
        if recipe.method.lesson is not None:
            recipe.method.lesson.check(_steps(recipe, N_TRAIN[recipe.dataset]))


def _steps(recipe: Recipe, n_train: int) -> int:
    """Steps of a training on so many examples, or on as many as the recipe keeps."""
    return recipe.steps(min(n_train, recipe.limit or n_train))
