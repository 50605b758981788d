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
#: The row of Table 3, and those whose runs are followed step by step.
BIT = "one bit"
FOLLOWED = ("initial weights", "order", "low level", BIT)

#: Networks of Table 8 and Figure 3, and the weights of which one bit is changed.
SHALLOW = {
    "linear": "decoder.weight",
    "hidden_dense": "hidden.weight",
    "hidden_convolution": "hidden.weight",
}

#: Learning rates at which one bit is changed (ND-X2), and twins at each.
RATES, TWINS = (0.05, 0.1, 0.2, 0.4), 4

#: The row of which sources begin late (Figure 2).
LATE = "order, augmentation, low level"
#: Shares of the training after which sources begin to vary (Figure 2).
ONSETS = (0.1, 0.25, 0.5, 0.75)

#: Views that are kept of test images; those of 81 crops take too long on two cores.
VIEWS = (TestTime(), TestTime(flip=False, crops=25), TestTime(crops=25))

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

    def plans(self, row: str, n_runs: int, *, onset: int = 1) -> tuple[SeedPlan, ...]:
        """Seeds of a row of Table 1."""
        first = self.settings.first_seed
        return protocol({row: ROWS[row]}, n_runs, first_seed=first, onset=onset)[row]

    def sources(self) -> Wanted:
        """All rows of Tables 1 and 3, and other seeds of everything."""
        n_runs = self.settings.n_runs
        wanted = {row: Request(self.recipe, self.plans(row, n_runs), (Logits(),)) for row in ROWS}
        others = protocol(
            {"all": ROWS["all"]}, n_runs, first_seed=self.settings.first_seed + NULL_SEED
        )["all"]
        wanted["all, other seeds"] = Request(self.recipe, others, (Logits(),))
        wanted[BIT] = Request(self.recipe, self.bits(n_runs), (Logits(),))
        return wanted

    def bits(self, n_runs: int) -> tuple[SeedPlan, ...]:
        """Twins that differ by one bit of the first convolution."""
        return self._bits(self.recipe, n_runs)

    def _bits(self, recipe: ImageRecipe, n_runs: int) -> tuple[SeedPlan, ...]:
        """Twins that differ by one bit of the first weights of a network."""
        channels, height, width = recipe.shape
        n_weights = {
            "linear": 10 * channels * height * width,
            "hidden_dense": 512 * channels * height * width,
            "hidden_convolution": 64 * channels * 25,
            "resnet18": 64 * channels * 9,
        }.get(recipe.model, 16 * channels * 9)
        tensor = SHALLOW.get(recipe.model, "stem.weight")
        return one_bit(n_runs, tensor, n_weights, seed=self.settings.first_seed)

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
                    *([Curve()] if row == LATE else []),
                    *([Logits(views=VIEWS)] if row == "all" else []),
                ),
            )
            for row, of_layers in layers.items()
        ]

    def onsets(self) -> dict[int, Request]:
        """Runs that are the same until an epoch, by the epoch from which on they differ."""
        s = self.settings
        epochs = dict.fromkeys([1, *(1 + int(share * s.epochs) for share in ONSETS)])
        return {
            epoch: Request(self.recipe, self.plans(LATE, s.few_runs, onset=epoch), (Curve(),))
            for epoch in epochs
        }

    def mitigations(self) -> Wanted:
        """Plain runs of which everything varies, and snapshot ensembles, both also by views."""
        kept = Logits(views=VIEWS)
        plans = self.plans("all", self.settings.few_runs)
        snapshot = self.recipe.with_method(Snapshot(cycles=self.settings.cycles))
        return {
            "single": Request(self.recipe, plans, (kept,)),
            "snapshots": Request(snapshot, plans, (kept,)),
        }

    def shallow(self) -> dict[str, Wanted]:
        """Networks without depth of which everything varies, or one bit, by architecture."""
        s = self.settings
        found = {}
        for model in SHALLOW:
            recipe = self.recipe.model_copy(
                update={"model": model, "learning_rate": s.shallow_rate}
            )
            records = (Logits(), Curve())
            found[model] = {
                "all": Request(recipe, self.plans("all", s.few_runs), records),
                BIT: Request(recipe, self._bits(recipe, s.few_runs), records),
            }
        return found

    def rates(self) -> dict[str, dict[float, Request]]:
        """One run and twins that differ from it by one bit, by architecture and learning rate."""
        few = self.settings.few_runs
        found: dict[str, dict[float, Request]] = {}
        for model in ("linear", "hidden_dense", self.settings.model):
            recipe = self.recipe.model_copy(update={"model": model})
            plans = (SeedPlan(), *self._bits(recipe, few)[:TWINS])
            found[model] = {
                rate: Request(recipe.model_copy(update={"learning_rate": rate}), plans, (Logits(),))
                for rate in RATES
            }
        return found

    def _compared(self) -> list[tuple[str, Request]]:
        return [(row, r) for row, r in self.sources().items() if row in ROWS or row == BIT]

    def _few(self, request: Request) -> tuple[SeedPlan, ...]:
        return request.plans[: self.settings.few_runs]
