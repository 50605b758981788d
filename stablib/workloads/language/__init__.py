"""Language models: quasi-recurrent networks, one seed after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from stablib.data import Dataset
from stablib.errors import UsageError
from stablib.training import Inputs, Request, SeedPlan
from stablib.training.record import Arrays
from stablib.training.workload import Report, Taught
from stablib.workloads.language.record import JointWords, LikelyWords, NextWords
from stablib.workloads.teaching import lessons
from stablib.workloads.text import LabelledRecipe, LabelledWorkload

__all__ = ["JointWords", "LanguageRecipe", "LikelyWords", "NextWords"]

#: What ends a line, and what stands for words that are not in the vocabulary.
END, UNKNOWN = "<eos>", "<unk>"
#: Words of a line of the Penn Treebank with its end, on average.
_WORDS_A_LINE = 22


class LanguageRecipe(LabelledRecipe):
    """A quasi-recurrent model of the next word.

    The defaults are those of *On Nondeterminism and Instability in Neural Network Optimization*,
    section 3.3, where it says any, else those of Merity et al. 2017, whose code it uses.

    Parameters
    ----------
    dataset, label
        As :class:`~stablib.workloads.text.LabelledRecipe`; labels are not looked at.
    limit, n_test : int, optional
        Keep only the first lines of the training text, and of the others.
    vocabulary : int, optional
        Keep the most frequent words of the training text; the others become ``<unk>``.
    embedding, hidden, layers : int
        Size, see :class:`stablib.models.qrnn.LanguageModel`.
    drop_input, drop_hidden, drop_output : float
        Dropout of the first layer's inputs, between layers and of the last states, with one mask
        for all steps of a mini-batch.
    drop_words : float
        Share of the vocabulary whose embeddings are 0 in a mini-batch.
    window : int, default 70
        Steps of a mini-batch, on average: lengths vary by a normal number of sd 5, one in twenty
        is half as long, and all are scaled such that an epoch has as many as of equal ones. The
        learning rate of a mini-batch is in proportion to its length.
    batch_size : int, default 20
        Parts of the text that are read side by side.
    optimizer : {"sgd", "adam"}, default "sgd"
        Without momentum, or as in torch.
    clip : float, default 0.25
        Longest gradient.
    learning_rate, weight_decay, epochs
        Of the optimizer; the rate falls to 0 by a cosine.

    Notes
    -----
    Of the code of Merity et al. it lacks what the paper does not mention: averaged SGD towards the
    end, penalties of the states, and dropout of weights.

    Examples
    --------
    >>> LanguageRecipe(dataset="ptb").title()
    'ptb, QRNN 256-512 x 3, control'
    """

    kind: Literal["language"] = "language"
    label: str = "kind"
    n_test: int | None = Field(default=None, ge=1)
    vocabulary: int | None = Field(default=None, ge=3)
    embedding: int = Field(default=256, ge=1)
    hidden: int = Field(default=512, ge=1)
    layers: int = Field(default=3, ge=1)
    drop_input: float = Field(default=0.4, ge=0.0, lt=1.0)
    drop_hidden: float = Field(default=0.3, ge=0.0, lt=1.0)
    drop_output: float = Field(default=0.4, ge=0.0, lt=1.0)
    drop_words: float = Field(default=0.1, ge=0.0, lt=1.0)
    window: int = Field(default=70, ge=2)
    batch_size: int = Field(default=20, ge=1)
    optimizer: Literal["sgd", "adam"] = "sgd"
    clip: float = Field(default=0.25, gt=0.0)
    learning_rate: float = Field(default=30.0, gt=0.0)
    weight_decay: float = Field(default=1.2e-6, ge=0.0)
    epochs: int = Field(default=500, ge=1)

    @property
    def data_name(self) -> str:
        """Data set; it has no kinds of labels."""
        return self.dataset

    @property
    def model_name(self) -> str:
        """Architecture and size."""
        words = f", {self.vocabulary:,} words" if self.vocabulary else ""
        return f"QRNN {self.embedding}-{self.hidden} x {self.layers}{words}"

    def part(self, data: Dataset) -> Dataset:
        """The first lines of the data, as far as the recipe looks."""
        return data.head(self.limit, others=self.n_test)

    def examples(self, n_texts: int) -> int:
        """Words of so many lines, about: how many there are is known when the text is there.

        Examples
        --------
        >>> LanguageRecipe(dataset="ptb").examples(42_068)  # Of 929,589 words.
        925496
        """
        return _WORDS_A_LINE * n_texts

    def n_steps_of(self, n_words: int) -> int:
        """Steps in which a text is read that is parted into parts of equal length.

        Raises
        ------
        UsageError
            If there are fewer words than parts.
        """
        if n_words < self.batch_size:
            raise UsageError(
                f"batch_size must be at most the {n_words} words of the training text, got "
                f"{self.batch_size}"
            )
        return n_words // self.batch_size

    def steps(self, n_train: int) -> int:
        """Optimization steps of a whole training on a text of ``n_train`` words."""
        return self.epochs * -(-self.n_steps_of(n_train) // self.window)

    def schedule(self, step: int, n_steps: int) -> float:
        """Factor of the learning rate at a step, counted from 1.

        Examples
        --------
        >>> [round(LanguageRecipe().schedule(step, 4), 2) for step in (1, 2, 3, 4)]
        [1.0, 0.85, 0.5, 0.15]
        """
        return 0.5 * (1.0 + math.cos(math.pi * (step - 1) / n_steps))


class Language(LabelledWorkload):
    """Trains one language model after the other, on one thread each.

    The seed ``dropout`` rules all stochastic operations, the lengths of mini-batches too, as in the
    paper. The text is read in its order: nothing is shuffled.
    """

    name = "language"
    version = 1
    unit = "words"
    sources: ClassVar[tuple[str, ...]] = ("init", "dropout")
    honours = frozenset({"decay", "rate", "averager", "snapshots", "lesson", "targets"})
    packages: ClassVar[tuple[str, ...]] = ("torch", "numba", "numpy")

    def sizes(self, recipe: LabelledRecipe, inputs: Inputs) -> Mapping[str, int]:
        """Words by split, with the ends of lines."""
        texts = recipe.part(inputs.data).texts or {}
        counts = {s: sum(len(line.split()) + 1 for line in lines) for s, lines in texts.items()}
        return {split: count - 1 for split, count in counts.items()}

    def before(self, request: Request) -> list[Request]:
        """Teachers, of which the likeliest words are kept."""
        return lessons(
            request,
            block=self.block,
            beside=(),
            kept_as=lambda lesson: LikelyWords(after_step=lesson.after_step, every=lesson.every),
        )

    def train(
        self,
        request: Request,
        inputs: Inputs,
        taught: Taught,
        *,
        report: Report,
        state: Arrays | None,
    ) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
        """Train each plan for itself."""
        from stablib.workloads.language.training import train_each

        return train_each(request, inputs, taught, report=report, state=state)


LanguageRecipe.workload = Language()
