"""Which recipes, and how many seeds, the exhibits of the paper need."""

from __future__ import annotations

from collections.abc import Mapping

from stablib.mitigation import Snapshot, TestTime
from stablib.studies.nondeterminism.settings import NondeterminismSettings
from stablib.training import Request, SeedPlan, one_bit, protocol
from stablib.workloads import Curve, ImageRecipe, Logits, Similarity, Trace

#: What varies in each row of Table 1. On a processor, *low level* is the order in which a
#: mini-batch is added up; in the paper, what cuDNN leaves open.
ROWS: Mapping[str, tuple[str, ...]] = {
    "initial weights": ("init",),
    "order": ("shuffle",),
    "augmentation": ("augment",),
    "low level": ("low_level",),
    "order, low level": ("shuffle", "low_level"),
    "order, augmentation, low level": ("shuffle", "augment", "low_level"),
    "all": ("init", "shuffle", "augment", "low_level"),
}
#: The row in which everything varies.
ALL = "all"
#: What other seeds of everything give.
OTHER_SEEDS = "all, other seeds"
#: The row of Table 3, and those whose runs are followed step by step.
BIT = "one bit"
FOLLOWED = ("initial weights", "order", "low level", BIT)

#: Networks of Table 8 and Figure 3.
SHALLOW = ("linear", "hidden_dense", "hidden_convolution")

#: Learning rates and widths of a hidden layer at which one bit is changed (ND-X2), and twins.
RATES, WIDTHS, TWINS = (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4), (8, 64, 512), 8

#: Runs whose layers are compared (Figure 1), and that begin late (Figure 2), at most: the paper's.
COMPARED, LATECOMERS = 25, 20

#: The row of which sources begin late (Figure 2).
LATE = "order, augmentation, low level"
#: Shares of the training after which sources begin to vary (Figure 2).
ONSETS = (0.1, 0.25, 0.5, 0.75)

#: Views that are kept of test images.
VIEWS = (TestTime(), TestTime(flip=False, crops=25), TestTime(crops=25))
#: And of images of the paper's size: on half as many pixels, 81 crops would reach twice as far.
MORE_VIEWS = (TestTime(flip=False, crops=81), TestTime(crops=81))

#: The seeds of runs that show what other seeds give are so much larger.
NULL_SEED = 1000

_EXAMPLES = 64
Wanted = dict[str, Request]


class Design:
    """Requests of the study.

    Parameters
    ----------
    settings : NondeterminismSettings
        A preset's row, changed or not.
    """

    def __init__(self, settings: NondeterminismSettings) -> None:
        self.settings = settings

    @property
    def recipe(self) -> ImageRecipe:
        """The network of Table 1."""
        s = self.settings
        names = set(ImageRecipe.model_fields) & set(type(s).model_fields)
        fields = {"kind": "image", **s.model_dump(include=names)}
        if s.dataset != "cifar10":  # A mirrored digit is none, and the paper shifts none.
            fields |= {"crop": 0, "flip": False}
        if s.dataset == "mnist" and s.side == 16:
            fields |= {"side": 14}  # Half of its side, too.
        elif s.dataset == "digits":
            fields |= {"side": None}
        return ImageRecipe.model_validate(fields)

    @property
    def views(self) -> tuple[TestTime, ...]:
        """Views that are kept of test images."""
        return (*VIEWS, *MORE_VIEWS) if self.recipe.shape[-1] >= 32 else VIEWS

    def plans(self, row: str, n_runs: int, *, onset: int = 1) -> tuple[SeedPlan, ...]:
        """Seeds of a row of Table 1."""
        first = self.settings.first_seed
        return protocol({row: ROWS[row]}, n_runs, first_seed=first, onset=onset)[row]

    def sources(self) -> Wanted:
        """All rows of Tables 1 and 3, and other seeds of everything."""
        n_runs = self.settings.n_runs
        wanted = {
            row: Request(self.recipe, self.plans(row, n_runs), (self.kept(row),)) for row in ROWS
        }
        others = protocol(
            {"all": ROWS["all"]}, n_runs, first_seed=self.settings.first_seed + NULL_SEED
        )["all"]
        wanted[OTHER_SEEDS] = Request(self.recipe, others, (self.kept(ALL),))
        wanted[BIT] = Request(self.recipe, self.bits(n_runs), (self.kept(BIT),))
        return wanted

    def kept(self, row: str, recipe: ImageRecipe | None = None) -> Logits:
        """What is kept of the runs of a row: all logits of those of which ensembles are made."""
        whole = row == ALL and recipe in (None, self.recipe)
        return Logits() if whole else Logits(n_logits=self.settings.n_logits)

    def bits(
        self, n_runs: int, recipe: ImageRecipe | None = None, *, onset: int = 1
    ) -> tuple[SeedPlan, ...]:
        """Twins that differ by one bit of the first weights of a network, Table 1's by default."""
        recipe = recipe or self.recipe
        channels, height, width = recipe.shape
        tensor, n_outputs, n_inputs = {
            "linear": ("decoder.weight", 10, channels * height * width),
            "hidden_dense": ("hidden.weight", recipe.width, channels * height * width),
            "hidden_convolution": ("hidden.weight", 64, channels * 25),
            "resnet18": ("stem.weight", 64, channels * 9),
            "vgg11": ("convolutions.0.weight", 64, channels * 9),
            "shufflenet": ("stem.weight", 24, channels * 9),
            "digit_net": ("first.weight", 32, channels * 9),
        }.get(recipe.model, ("stem.weight", 16, channels * 9))
        seed = self.settings.first_seed
        return one_bit(n_runs, tensor, n_outputs * n_inputs, seed=seed, onset=onset)

    def layers(self) -> Wanted:
        """The first runs of each row, with what their layers make of some images (Figure 1)."""
        kept = Similarity(n_examples=min(_EXAMPLES, self.settings.n_test or _EXAMPLES))
        return {row: Request(r.recipe, self._few(r), (kept,)) for row, r in self._compared()}

    def twins(self) -> Wanted:
        """The first runs of some rows, and what they all differ from, step by step."""
        wanted = {
            row: Request(r.recipe, self._few(r), (Trace(),))
            for row, r in self._compared()
            if row in FOLLOWED
        }
        return {"unchanged": Request(self.recipe, (SeedPlan(),), (Trace(),)), **wanted}

    def curves(self) -> Wanted:
        """One run and twins that differ from it by one bit, after every epoch (section 4.1)."""
        twins = self._few(Request(self.recipe, self.bits(self.settings.n_runs)))
        return {
            row: Request(self.recipe, plans, (Curve(),))
            for row, plans in (("unchanged", (SeedPlan(),)), (BIT, twins))
        }

    def together(self) -> list[Request]:
        """The same trainings as they are trained: once, with all that is kept of them."""
        rows, layers, twins = self.sources(), self.layers(), self.twins()
        return [
            Request(
                of_layers.recipe,
                of_layers.plans,
                (
                    *rows[row].records,
                    *of_layers.records,
                    *(twins[row].records if row in twins else ()),
                    *([Curve()] if row in (LATE, BIT) else []),
                    *([Logits(views=self.views)] if row == "all" else []),
                ),
            )
            for row, of_layers in layers.items()
        ]

    def onsets(self) -> dict[int, Request]:
        """Runs that are the same until an epoch, by the epoch from which on they differ."""
        s = self.settings
        epochs = dict.fromkeys([1, *(1 + int(share * s.epochs) for share in ONSETS)])
        n_runs = min(s.few_runs, LATECOMERS)
        return {
            epoch: Request(self.recipe, self.plans(LATE, n_runs, onset=epoch), (Curve(),))
            for epoch in epochs
        }

    def mitigations(self) -> Wanted:
        """Plain runs of which everything varies, and snapshot ensembles, both also by views."""
        kept = Logits(views=self.views)
        plans = self.plans("all", self.settings.few_runs)
        snapshot = self.recipe.with_method(Snapshot(cycles=self.settings.cycles))
        return {
            "single": Request(self.recipe, plans, (kept,)),
            "snapshots": Request(snapshot, plans, (kept,)),
        }

    def at_equal_cost(self) -> dict[int, Request]:
        """Plain runs by how many of them cost as much as one of the usual length."""
        s, usual = self.settings, self.recipe
        lengths = {k: s.epochs // k for k in sorted({2, s.cycles}) if s.epochs % k == 0}
        return {
            k: Request(
                usual.model_copy(update={"epochs": epochs}),
                self.plans("all", k * s.few_runs),
                (Logits(),),
            )
            for k, epochs in lengths.items()
            if epochs > usual.warm_up
        }

    def shallow(self) -> dict[str, Wanted]:
        """Networks without depth of which everything varies, or one bit, by architecture."""
        s = self.settings
        found = {}
        for model in SHALLOW:
            recipe = self.recipe.model_copy(
                update={"model": model, "learning_rate": s.shallow_rate}
            )
            records = (self.kept(BIT), Curve())
            found[model] = {
                "all": Request(recipe, self.plans("all", s.few_runs), records),
                BIT: Request(recipe, self.bits(s.few_runs, recipe), records),
            }
        return found

    def rates(self) -> dict[str, dict[float, Request]]:
        """One run and twins that differ from it by one bit, by network and learning rate."""
        few = self.settings.few_runs
        found: dict[str, dict[float, Request]] = {}
        changes: tuple[dict[str, object], ...] = (
            {"model": "linear"},
            *({"model": "hidden_dense", "width": width} for width in WIDTHS),
            {},
        )
        for changed in changes:
            recipe = self.recipe.model_copy(update=changed)
            plans = (SeedPlan(), *self.bits(few, recipe)[:TWINS])
            found[recipe.model_name] = {
                rate: Request(
                    recipe.model_copy(update={"learning_rate": rate}), plans, (self.kept(BIT),)
                )
                for rate in RATES
            }
        return found

    def _compared(self) -> list[tuple[str, Request]]:
        return [(row, r) for row, r in self.sources().items() if row in ROWS or row == BIT]

    def _few(self, request: Request) -> tuple[SeedPlan, ...]:
        return request.plans[: min(self.settings.few_runs, COMPARED)]
