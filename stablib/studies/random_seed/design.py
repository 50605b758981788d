"""Which recipes, and how many seeds, the exhibits of the paper need on one data set."""

from __future__ import annotations

from typing import NamedTuple

from stablib.data import entry
from stablib.mitigation import ASWA, EMA, NASWA, Averaged, StepSWA
from stablib.papers.names import named
from stablib.studies.random_seed.settings import RandomSeedSettings
from stablib.training import Control, Method, Request, seed_plans
from stablib.workloads.attention import AttentionRecipe, Checkpoints, Explanations


class Variant(NamedTuple):
    """A method, or a mean of weights that is only looked at while plain training goes on.

    Parameters
    ----------
    name : str
        Identifier.
    title : str
        Name on the page.
    beside : str, default ""
        Kind of the average, if it is only looked at.
    """

    name: str
    title: str
    beside: str = ""


#: Plain training.
PLAIN = Variant("plain", "Plain")
#: Averaging of all steps, Algorithm 1.
ASWA_TEXT = Variant("aswa", "ASWA")
#: Averaging of steps that went far, Algorithm 2.
NASWA_TEXT = Variant("naswa", "NASWA, as printed")
#: The same as the released code has it, but that an epoch begins with a copy of the average. The
#: released code exchanges weights and average instead.
NASWA_CODE = Variant("naswa-code", "NASWA, as released but copying")
#: Controls that the paper lacks: the mean of all steps, and of the last ones, never written back.
STEP_SWA = Variant("swa", "SWA from the first step", beside="step_swa")
MOVING = Variant("ema", "EMA", beside="ema")

#: Plain training with other seeds: a reduction of its size is noise.
NULL = Variant("null", "Plain, other seeds")

VARIANTS = (PLAIN, STEP_SWA, MOVING, ASWA_TEXT, NASWA_TEXT, NASWA_CODE, NULL)

#: First seed of the null.
NULL_SEED = 1000

#: The two tensors whose norm the released code compares, the seventh and the tenth of its models:
#: one by encoder (the bias of the kernel of width 5, the backwards recurrent weight), and one by
#: kind of attention.
ENCODER_TENSOR = {"cnn": "encoder.biases.2", "bilstm": "encoder.backwards.weight_hh_l0"}
ATTENTION_TENSOR = {"additive": "attention.states.weight", "dot": "attention.scores.weight"}


class Cell(NamedTuple):
    """A data set and an encoder."""

    dataset: str
    encoder: str

    @property
    def title(self) -> str:
        """Name on the page.

        Examples
        --------
        >>> Cell("sst", "cnn").title
        'SST, CNN'
        """
        encoder = {"cnn": "CNN", "bilstm": "BiLSTM"}[self.encoder]
        return f"{self.named(self.dataset)}, {encoder}"

    @staticmethod
    def named(dataset: str) -> str:
        """Name of a data set on the page."""
        return "Generated reviews" if dataset == "reviews" else named(dataset)


class Design:
    """Requests of the study for one cell.

    Parameters
    ----------
    settings : RandomSeedSettings
        A preset's row, changed or not.
    cell : Cell
        Data set and encoder.
    """

    def __init__(self, settings: RandomSeedSettings, cell: Cell) -> None:
        self.settings = settings
        self.cell = cell

    @property
    def recipe(self) -> AttentionRecipe:
        """Plain training."""
        s = self.settings
        return AttentionRecipe.model_validate(
            {
                "kind": "attention_text",
                **self.cell._asdict(),
                "attention": s.attention,
                "vectors": s.vectors,
                "epochs": s.epochs,
                "learning_rate": s.learning_rate,
                "limit": s.first(self.cell.dataset),
                "min_texts": entry(self.cell.dataset).min_texts,
            }
        )

    @property
    def seen(self) -> Checkpoints:
        """What is kept of every run."""
        return Checkpoints(n_texts=self.settings.kept(self.cell.dataset))

    def methods(self) -> dict[Variant, Method]:
        """Methods of Tables 2 and 3, and the variant of NASWA that was released."""
        released = NASWA(
            denominator="accepted",
            norm="mean",
            tensors=(
                ENCODER_TENSOR[self.cell.encoder],
                ATTENTION_TENSOR[self.settings.attention],
            ),
            history="reset",
        )
        return {PLAIN: Control(), ASWA_TEXT: ASWA(), NASWA_TEXT: NASWA(), NASWA_CODE: released}

    def runs(self) -> dict[Variant, Request]:
        """All runs of every method, and the null; beside plain ones, means of their weights."""
        s = self.settings
        seen, n_texts = self.seen, s.kept(self.cell.dataset)
        explained = Explanations(
            n_texts=n_texts, n_lime=min(s.n_lime, n_texts), n_samples=s.n_samples
        )
        records = (seen, explained)
        beside = Averaged(record=seen, methods=(StepSWA(), EMA()))
        plans = seed_plans(s.n_runs, first_seed=s.first_seed)
        wanted = {
            variant: Request(self.recipe.with_method(method), plans, records)
            for variant, method in self.methods().items()
        }
        wanted[PLAIN] = Request(self.recipe, plans, (*records, beside))
        others = seed_plans(s.n_runs, first_seed=NULL_SEED)
        return {**wanted, NULL: Request(self.recipe, others, records)}
