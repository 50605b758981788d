"""Which recipes, and how many seeds, the exhibits of chapter 3 need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stablib.mitigation import (
    ASWA,
    EMA,
    L2,
    NASWA,
    SWA,
    Averaged,
    Ensemble,
    LabelSmoothing,
    Snapshot,
    StepSWA,
)
from stablib.studies.converged import temporal
from stablib.studies.recommender.settings import RecommenderSettings
from stablib.training import Request, SeedPlan, one_bit, protocol, seed_plans
from stablib.training.method import Method
from stablib.workloads import Attended, FactorRecipe, HitCurve, ItemRecipe, Ranked, Vectors

#: Models of Table 3.2, for the reader.
DEEPICF, WEIGHTED, THREE = "DeepICF", "DeepICF, class-weighted", "DeepICF, three outputs"
NEUMF, GMF = "NeuMF", "GMF"

#: How the vectors of items begin (TH-X4).
STARTS: Mapping[str, str] = {
    "own": "pretrained anew",
    "shared": "pretrained once for all",
}

#: What varies in each row of TH-X5.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "initial weights": ("init",),
    "order": ("shuffle",),
    "negatives": ("negatives",),
}
BIT = "one bit"
OTHER_SEEDS = "DeepICF, other seeds"

#: Learning rates among which one is chosen, and runs of each (TH-X7).
RATES, RATE_RUNS = (0.01, 0.02, 0.03, 0.05, 0.1), 1

#: L2 penalty of the tower on generated data: they are so few that the usual one, 10, lets
#: nothing be learnt.
TASTES_PENALTY = 0.1

#: The seeds of runs that show what other seeds give are so much larger.
NULL_SEED = 1000

#: Runs on generated data whose weights are kept: a page computes with them.
KEPT = 4

#: Ranks without the scores of negatives, which take more room than all else: of plain and of
#: class-weighted DeepICF alone it is asked how sure they are of those.
RANKS = Ranked(n_users=0)

#: What is kept where many runs are compared.
BARE = (RANKS, Attended(n_shown=0))

#: The data on which a look at all users takes as long as a tenth of an epoch.
LARGE = "movielens-1m"

Wanted = dict[str, Request]


class Design:
    """Requests of the study.

    Parameters
    ----------
    settings : RecommenderSettings
        A preset's row, changed or not.
    """

    def __init__(self, settings: RecommenderSettings) -> None:
        self.settings = settings

    def plans(self, n_runs: int) -> tuple[SeedPlan, ...]:
        """Runs in which everything varies."""
        return seed_plans(n_runs, first_seed=self.settings.first_seed)

    def items(self, dataset: str, **changes: Any) -> ItemRecipe:
        """DeepICF on a data set."""
        s = self.settings
        fields = {"learning_rate": s.learning_rate, "epochs": self.epochs(dataset), **changes}
        return ItemRecipe(
            dataset=dataset,
            limit=s.limit,
            tower_penalty=TASTES_PENALTY if dataset == "tastes" else s.tower_penalty,
            beta=s.beta,
            **fields,
        )

    def factors(self, dataset: str, **changes: Any) -> FactorRecipe:
        """NeuMF on a data set, as published: a sigmoid, and no pretraining."""
        s = self.settings
        epochs = self.epochs(dataset)
        return FactorRecipe(
            dataset=dataset, limit=s.limit, output="sigmoid", epochs=epochs, **changes
        )

    def epochs(self, dataset: str) -> int:
        """Passes over a data set."""
        s = self.settings
        by_name = {"tastes": s.tastes_epochs, "movielens-100k": s.small_epochs}
        return by_name.get(dataset, s.epochs)

    def curve(self, dataset: str) -> HitCurve:
        """Looks along a training: four, or each epoch of data where they are soon taken."""
        return HitCurve(every=1 if dataset != LARGE else max(1, self.settings.epochs // 4))

    def vectors(self) -> Wanted:
        """One run of DeepICF and of GMF with all its weights."""
        first = self.plans(1)
        data = self.settings.dataset
        curve, gmf = self.curve(data), self.factors(data, layers=())
        return {
            DEEPICF: Request(self.items(data), first, (Ranked(), curve, Attended(), Vectors())),
            GMF: Request(gmf, first, (RANKS, curve, Vectors())),
        }

    def models(self) -> Wanted:
        """Models of Table 3.2 on the large data, but for the one that needs ratings."""
        return self._models(self.settings.dataset)

    def small(self) -> Wanted:
        """The same models on the small data, and with three outputs."""
        s = self.settings
        kept = (RANKS, self.curve(s.small), Attended())
        three = Request(self.items(s.small, label="rating"), self.plans(s.n_runs), kept)
        found = self._models(s.small)
        # Averages of the weights beside plain training cost no training of their own.
        beside = Averaged(record=RANKS, methods=(StepSWA(), EMA()))
        plain = found[DEEPICF]
        found[DEEPICF] = Request(plain.recipe, plain.plans, (*plain.records, beside))
        return {**found, THREE: three}

    def _models(self, dataset: str) -> Wanted:
        plans = self.plans(self.settings.n_runs)
        curve = self.curve(dataset)
        attends, ranks = (Ranked(), curve, Attended()), (RANKS, curve)
        plain, weighted = self.items(dataset), self.items(dataset, class_weights=True)
        neumf, gmf = self.factors(dataset), self.factors(dataset, layers=())
        return {
            DEEPICF: Request(plain, plans, attends),
            WEIGHTED: Request(weighted, plans, attends),
            NEUMF: Request(neumf, plans, ranks),
            GMF: Request(gmf, plans, ranks),
        }

    def starts(self) -> Wanted:
        """DeepICF whose items begin with the vectors of FISM."""
        s = self.settings
        return {
            title: Request(
                self.items(s.small, start=start, start_epochs=s.start_epochs),
                self.plans(s.extra_runs),
                BARE,
            )
            for start, title in STARTS.items()
        }

    def methods(self) -> Wanted:
        """DeepICF with each method, and plain with other seeds."""
        s = self.settings
        plain, plans = self.items(s.small), self.plans(s.extra_runs)
        own = temporal(plain, stand_in="tastes")
        methods: dict[str, Method] = {
            "SWA": SWA(),
            "L2": L2(),
            "Label smoothing": LabelSmoothing(alpha=0.1),
            "ASWA": ASWA(),
            "NASWA": NASWA(),
            "Snapshot": Snapshot(cycles=s.cycles),
            "Ensemble, shared": Ensemble(members=s.members),
            "Ensemble, own": Ensemble(members=s.members, teacher="own"),
            "TGTSS, shared": own.model_copy(update={"teacher": "shared"}),
            "TGTSS, own": own,
        }
        others = seed_plans(s.extra_runs, first_seed=s.first_seed + NULL_SEED)
        return {
            **{n: Request(plain.with_method(m), plans, BARE) for n, m in methods.items()},
            OTHER_SEEDS: Request(plain, others, BARE),
        }

    def sources(self) -> Wanted:
        """DeepICF where one source varies alone, and where one bit does."""
        s = self.settings
        plain = self.items(s.small)
        rows = protocol(SOURCES, s.extra_runs, first_seed=s.first_seed)
        n_weights = (plain.attention or 0) * plain.embedding
        bits = one_bit(s.extra_runs, "attention_weight", n_weights, seed=s.first_seed)
        return {row: Request(plain, plans, BARE) for row, plans in {**rows, BIT: bits}.items()}

    def rates(self) -> dict[float, Request]:
        """DeepICF by learning rate, tested on items held out of the histories."""
        s = self.settings
        return {
            rate: Request(
                self.items(s.small, learning_rate=rate, held_out=True),
                self.plans(RATE_RUNS),
                (RANKS, self.curve(s.small)),
            )
            for rate in RATES
        }

    def known(self) -> Wanted:
        """Runs on generated data, of which it is known why each choice was made."""
        n_runs = self.settings.n_runs
        few = self.plans(min(KEPT, n_runs))
        kept = (RANKS, self.curve("tastes"), Attended(n_shown=2_000))
        return {
            "weights": Request(self.items("tastes"), few, (*kept, Vectors())),
            DEEPICF: Request(self.items("tastes"), self.plans(n_runs), kept),
            WEIGHTED: Request(self.items("tastes", class_weights=True), self.plans(n_runs), kept),
        }
