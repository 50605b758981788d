"""Which recipes, and how many seeds, the exhibits of the paper need on one data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from stablib.data import entry
from stablib.mitigation import L2, SWA, TGTSS, Ensemble, LabelSmoothing
from stablib.mitigation.temperature import Reading
from stablib.studies.converged import CONVERGED
from stablib.studies.local_instability.settings import (
    AFTER_STEP,
    ALPHA,
    LABELS,
    LEARNING_RATE,
    LocalInstabilitySettings,
)
from stablib.training import (
    Control,
    Final,
    Method,
    Probabilities,
    Request,
    Steps,
    seed_plans,
)
from stablib.workloads import FineTuneRecipe, HeadRecipe, TopLayerRecipe
from stablib.workloads.text import TextRecipe, n_train

#: First seed of shared teachers. As control runs, they are also the null of the comparisons.
TEACHER_SEED = 1000

Teacher = Literal["shared", "own"]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of a table: a method, in one of the readings that the paper leaves open.

    Parameters
    ----------
    method : str
        Kind of the method, e.g. ``"tgtss"``; ``"null"`` for control runs with other seeds.
    teacher : {"", "shared", "own"}
        Whose teachers.
    targets : {"", "sharpen", "none", "printed"}
        How the targets are tempered, where the rows differ by that.
    members : int, optional
        Size of the ensemble, where it is part of the name.
    """

    method: str
    teacher: Literal["", "shared", "own"] = ""
    targets: Literal["", "sharpen", "none", "printed"] = ""
    members: int | None = None

    @property
    def title(self) -> str:
        """Name on the page.

        Examples
        --------
        >>> Variant("tgtss", teacher="own").title
        'TGTSS, own'
        """
        base = _TARGETS[self.targets] if self.targets else _METHODS[self.method]
        of = f" of {self.members}" if self.members else ""
        return base + of + (f", {self.teacher}" if self.teacher else "")


_METHODS = {
    "control": "Control",
    "null": "Control, other seeds",
    "ensemble": "Ensemble",
    "l2": "L2",
    "swa": "SWA",
    "label_smoothing": "Label smoothing",
    "tgtss": "TGTSS",
}
_TARGETS = {"sharpen": "p^(1/T)", "none": "no temperature", "printed": "p^T, as printed"}

#: Plain training.
CONTROL = Variant("control")
#: The same with other seeds: a reduction of its size is noise.
NULL = Variant("null")
#: Variants whose confidence over the steps is shown.
CURVED = (CONTROL, Variant("tgtss", teacher="shared"))

Wanted = dict[Variant, Request]


class Design:
    """Requests of the study for one data set.

    Parameters
    ----------
    settings : LocalInstabilitySettings
        A preset's row, changed or not.
    dataset : str
        ``"massive"`` or ``"clinc150"``.
    split : {"val", "test"}, optional
        Which split is looked at; the settings' or the paper's holdout by default.
    """

    def __init__(
        self, settings: LocalInstabilitySettings, dataset: str, split: str | None = None
    ) -> None:
        self.settings = settings
        self.dataset = dataset
        self.split = split or settings.split or entry(dataset).holdout

    @property
    def control(self) -> TextRecipe:
        """The recipe without mitigation."""
        model = self.settings.model
        if model == "head":
            return self.head
        trained = TopLayerRecipe if model == "top_layer" else FineTuneRecipe
        return trained(learning_rate=self._learning_rate(model), **self._fields())

    @property
    def head(self) -> HeadRecipe:
        """A head, whatever the settings' model is."""
        rate = self._learning_rate("head")
        return HeadRecipe(hidden=self.settings.hidden, learning_rate=rate, **self._fields())

    def _learning_rate(self, model: str) -> float:
        given = self.settings.learning_rate if self.settings.model == model else None
        return given or LEARNING_RATE[model][self.dataset]

    def _fields(self) -> dict[str, object]:
        s = self.settings
        return {
            "dataset": self.dataset,
            "label": LABELS[self.dataset],
            "limit": s.limit,
            "encoder": s.encoder,
            "epochs": s.epochs,
            "batch_size": s.batch_size,
        }

    def methods(self) -> dict[Variant, Method]:
        """Methods of Tables 3 and 5, in the paper's order."""
        s = self.settings
        return {
            CONTROL: Control(),
            Variant("ensemble", "shared"): self.ensemble("shared"),
            Variant("ensemble", "own"): self.ensemble("own"),
            Variant("l2"): L2(weight_decay=s.weight_decay),
            Variant("swa"): SWA(),
            Variant("label_smoothing"): LabelSmoothing(alpha=s.alpha or ALPHA[self.dataset]),
            Variant("tgtss", "shared"): self.tgtss("shared"),
            Variant("tgtss", "own"): self.tgtss("own"),
        }

    @property
    def after_step(self) -> int:
        """N of TGTSS."""
        given = self.settings.after_step
        return AFTER_STEP[self.dataset] if given is None else given

    def ensemble(self, teacher: Teacher) -> Ensemble:
        """Ensemble soft labels: 200 shared members, or a few of each student's own."""
        s = self.settings
        return Ensemble(
            members=s.members if teacher == "shared" else s.own_members,
            temperature=s.temperature,
            reading=s.reading,
            teacher=teacher,
            teacher_seed=TEACHER_SEED,
        )

    def tgtss(
        self, teacher: Teacher, *, temperature: float | None = None, reading: Reading | None = None
    ) -> TGTSS:
        """TGTSS with the paper's N."""
        s = self.settings
        return TGTSS(
            after_step=self.after_step,
            every=s.teacher_every,
            temperature=temperature or s.temperature,
            reading=reading or s.reading,
            teacher=teacher,
            teacher_seed=TEACHER_SEED,
        )

    def runs(self) -> Wanted:
        """All runs of every method, and the null, seen through their final predictions."""
        wanted = {variant: self.of(method) for variant, method in self.methods().items()}
        return {**wanted, NULL: self.null()}

    def of(self, method: Method) -> Request:
        """All runs of a method."""
        s = self.settings
        plans = seed_plans(s.n_runs, first_seed=s.first_seed)
        return Request(self.control.with_method(method), plans)

    def null(self) -> Request:
        """Control runs with other seeds: what a method without any effect would give."""
        plans = seed_plans(self.settings.n_runs, first_seed=TEACHER_SEED)
        return Request(self.control, plans)

    def steps(self) -> Wanted:
        """A few runs of the methods of Tables 4 and 6, watched on the split after every step."""
        methods = {v: m for v, m in self.methods().items() if v.method not in ("l2", "swa")}
        record = Steps(split=self._watched_split(), every=self.settings.step_every)
        watched = {v: self._watched(method, record) for v, method in methods.items()}
        return {**watched, NULL: self._watched(Control(), record, first_seed=TEACHER_SEED)}

    def _watched(self, method: Method, record: Steps, *, first_seed: int | None = None) -> Request:
        s = self.settings
        first = s.first_seed if first_seed is None else first_seed
        plans = seed_plans(min(s.step_runs, s.n_runs), first_seed=first)
        return Request(self.control.with_method(method), plans, (record,))

    def _watched_split(self) -> Literal["val", "test"]:
        return "val" if self.split == "val" else "test"

    def curves(self) -> Wanted:
        """The first of these runs again, with its confidence at every step."""
        steps = self.steps()
        wanted = {}
        for variant in CURVED:
            (record,) = steps[variant].records
            confident = record.model_copy(update={"confidence": True})
            wanted[variant] = dataclasses.replace(
                steps[variant], plans=steps[variant].plans[:1], records=(confident,)
            )
        return wanted

    def ablation(self) -> Wanted:
        """Control, the null, and TGTSS with three kinds of targets (LI-A1)."""
        kinds: Mapping[Literal["sharpen", "none", "printed"], TGTSS]
        wanted = {CONTROL: self.of(Control()), NULL: self.null()}
        teachers: tuple[Teacher, ...] = ("shared", "own")
        for teacher in teachers:
            kinds = {
                "sharpen": self.tgtss(teacher, reading="sharpen"),
                "none": self.tgtss(teacher, temperature=1.0, reading="sharpen"),
                "printed": self.tgtss(teacher, reading="printed"),
            }
            for targets, method in kinds.items():
                wanted[Variant("tgtss", teacher, targets)] = self.of(method)
        return wanted

    def sources(
        self, recipe: TextRecipe | None = None, n_runs: int | None = None
    ) -> dict[str, Request]:
        """Runs of which only one source of nondeterminism varies, and all of them.

        Those of LI-X5, heads, where nothing is said.
        """
        s = self.settings
        varied: dict[str, tuple[str, ...] | None] = {
            "initial weights": ("init",),
            "order": ("shuffle",),
            "dropout": ("dropout",),
            "all three": None,
        }
        return {
            name: Request(
                recipe or self.head,
                seed_plans(n_runs or s.source_runs, first_seed=s.first_seed, vary=vary),
            )
            for name, vary in varied.items()
        }


def fine_tuning(settings: LocalInstabilitySettings) -> Wanted:
    """Fewer seeds of the fully fine-tuned encoder: the check that the head's story carries over.

    The control runs are the ensemble's teachers; students have seeds of their own, and learn
    sharpened targets. Empty if the settings ask for no such run.
    """
    n_runs = settings.fine_tuned_runs
    if n_runs < 2:
        return {}
    changes = {"model": "finetune", "learning_rate": None, "n_runs": n_runs, "first_seed": 0}
    design = Design(settings.model_copy(update=changes), "massive")
    teaching = {"temperature": settings.temperature, "reading": "sharpen", "teacher_seed": 0}
    methods: dict[Variant, Method] = {
        Variant("ensemble", "shared", members=n_runs): Ensemble(members=n_runs, **teaching),
        Variant("tgtss", "shared"): TGTSS(after_step=design.after_step, every=5, **teaching),
    }
    students = seed_plans(n_runs, first_seed=100)
    return {CONTROL: design.of(Control())} | {
        variant: Request(design.control.with_method(method), students)
        for variant, method in methods.items()
    }


#: Learning rates over which control was trained to choose the top layer's: five runs each.
TOP_LAYER_RATES, RATE_RUNS = (1e-4, 3e-4, 5e-4, 1e-3), 5


def rates(settings: LocalInstabilitySettings, dataset: str) -> list[Request]:
    """Control runs of the trained top layer at each learning rate."""
    return [
        Design(
            settings.model_copy(
                update={"model": "top_layer", "learning_rate": rate, "n_runs": RATE_RUNS}
            ),
            dataset,
        ).of(Control())
        for rate in TOP_LAYER_RATES
    ]


#: Learning rates and epochs of heads over which the effect of soft labels is followed (LI-X6).
HEAD_RATES, HEAD_EPOCHS = (3e-4, 1e-3, 3e-3, 1e-2), (2, 5, 10, 20)

#: Runs, and teachers of the ensemble, there: fewer, since each rate and length needs its own.
HEAD_RUNS, HEAD_MEMBERS = 20, 50


def dependence(settings: LocalInstabilitySettings) -> dict[tuple[float, int], Wanted]:
    """Heads with soft labels at several learning rates and lengths, one changed at a time.

    Returns
    -------
    dict of (float, int) to dict of Variant to Request
        By learning rate and epochs.
    """
    usual = LEARNING_RATE["head"]["massive"]
    cells = [(rate, settings.epochs) for rate in HEAD_RATES]
    cells += [(usual, epochs) for epochs in HEAD_EPOCHS]
    found: dict[tuple[float, int], Wanted] = {}
    for rate, epochs in dict.fromkeys(cells):
        changes = {
            "model": "head",
            "learning_rate": rate,
            "epochs": epochs,
            "dataset": "massive",
            "n_runs": min(settings.n_runs, HEAD_RUNS),
            "members": min(settings.members, HEAD_MEMBERS),
        }
        head = Design(settings.model_copy(update=changes), "massive").control
        after = {"after_step": int(CONVERGED * head.steps(n_train(head)))}
        design = Design(settings.model_copy(update=changes | after), "massive")
        ensemble = Variant("ensemble", "shared")
        targets = {v: r for v, r in design.ablation().items() if v.teacher != "own"}
        found[rate, epochs] = {ensemble: design.of(design.ensemble("shared")), **targets}
    return found


def standin(settings: LocalInstabilitySettings) -> Request:
    """Control runs on the generated corpus, with all probabilities on its test split."""
    recipe = Design(settings, "massive").control.model_copy(update={"dataset": "standin"})
    plans = seed_plans(settings.n_runs, first_seed=settings.first_seed)
    return Request(recipe, plans, (Final(), Probabilities(split="test")))
