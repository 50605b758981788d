"""What workloads on labelled texts share: recipes, data, teachers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, cast

from pydantic import Field

from stablib.data import Dataset, entry, find_local, load
from stablib.data.sheets import read_sheet
from stablib.models import encoders
from stablib.runs.store import default_published
from stablib.training import Inputs, Recipe, Request, Task, Workload
from stablib.training.record import Observed, Record
from stablib.workloads.teaching import lessons


class LabelledRecipe(Recipe):
    """A classifier of a named data set of labelled texts, trained by Adam.

    Parameters
    ----------
    dataset, label : str
        Registry name and kind of label.
    limit : int, optional
        Keep only the first examples of each split (smoke preset).
    learning_rate, epochs, batch_size
        Of Adam.
    """

    dataset: str = "own"
    label: str = ""
    limit: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=256, ge=1)

    @property
    def data_name(self) -> str:
        """Data set and label."""
        return f"{self.dataset}/{self.label}" if self.label else self.dataset

    @property
    def n_epochs(self) -> int:
        """Passes over the training set."""
        return self.epochs

    def part(self, data: Dataset) -> Dataset:
        """The first examples of the data, as far as the recipe looks."""
        return data.head(self.limit)

    def examples(self, n_texts: int) -> int:
        """Examples that so many texts of the data set are."""
        return n_texts

    def steps(self, n_train: int) -> int:
        """Optimization steps of a whole training on ``n_train`` examples."""
        return self.epochs * -(-n_train // self.batch_size)


class TextRecipe(LabelledRecipe):
    """A classifier of texts on a pretrained encoder.

    Parameters
    ----------
    encoder : str
        Name of the pretrained encoder.
    **fields
        As :class:`LabelledRecipe`; paper: 1e-4, 5 epochs, 256 (local instability, section 5.3.1).
    """

    encoder: str = "all-MiniLM-L6-v2"


class LabelledWorkload(Workload):
    """Base of the workloads on a :class:`LabelledRecipe`."""

    unit = "examples"
    sources: ClassVar[tuple[str, ...]] = ("init", "shuffle")
    takes_bit = True
    honours = frozenset({"decay", "rate", "averager", "snapshots", "views", "lesson", "targets"})
    packages: ClassVar[tuple[str, ...]] = ("torch", "numpy")
    #: What so many teachers say is kept as one.
    block = 1

    def inputs(self, recipe: Recipe, *, strict: bool) -> Iterator[Inputs]:
        """The data here; else published labels, if all runs are; else the hub or a stand-in."""
        recipe = cast(LabelledRecipe, recipe)
        here = find_local(recipe.dataset, recipe.label)
        if here is not None:
            yield _inputs(here)
            return
        published = default_published()
        if published is not None:
            sheet = read_sheet(recipe.dataset, recipe.label, published.parent / "data")
            if sheet is not None:
                yield _inputs(sheet)
        yield _inputs(load(recipe.dataset, label=recipe.label, strict=strict))

    def before(self, request: Request) -> list[Request]:
        """Teachers."""
        return lessons(request, block=self.block)

    def sizes(self, recipe: LabelledRecipe, inputs: Inputs) -> Mapping[str, int]:
        """Examples by split, of arrays of one's own or of a data set."""
        if isinstance(inputs.data, Task):
            return inputs.data.sizes
        return {split: len(labels) for split, labels in recipe.part(inputs.data).gold.items()}

    def work(self, request: Request, inputs: Inputs) -> int:
        """Examples that pass through the models, a training step's three times."""
        recipe = cast(LabelledRecipe, request.recipe)
        sizes = self.sizes(recipe, inputs)
        n_steps = recipe.steps(sizes["train"])
        return len(request.plans) * _work_until(recipe, sizes, request.records, n_steps)


class TextWorkload(LabelledWorkload):
    """Base of the workloads on a :class:`TextRecipe`."""

    sources = ("init", "shuffle", "dropout")
    takes_arrays = True

    def depends(self, recipe: Recipe) -> dict[str, str]:
        """The encoder's weights."""
        return {"encoder": encoders.identity(cast(TextRecipe, recipe).encoder)}


def work_by_step(
    recipe: LabelledRecipe, sizes: Mapping[str, int], records: Sequence[Record]
) -> list[int]:
    """Examples that pass through one model until the end of each step since the one before.

    A training step passes its examples forwards and backwards, which costs three times as much as
    a prediction. What is predicted after the training counts with the last step.
    """
    n_steps = recipe.steps(sizes["train"])
    done = [_work_until(recipe, sizes, records, step) for step in range(n_steps + 1)]
    shares = [after - before for before, after in itertools.pairwise(done)]
    shares[-1] += done[0]
    return shares


def _work_until(
    recipe: LabelledRecipe, sizes: Mapping[str, int], records: Sequence[Record], step: int
) -> int:
    """Examples that pass through one model until the end of a step."""
    observed = (record for record in records if isinstance(record, Observed))
    trained = 3 * recipe.epochs * sizes["train"] * step // recipe.steps(sizes["train"])
    return trained + sum(record.n_predicted(sizes, step) for record in observed)


def _inputs(dataset: Dataset) -> Inputs:
    return Inputs(
        key=dataset.content_hash,
        source=dataset.source,
        data=dataset,
        notice=dataset.notice,
        trainable=dataset.trainable,
    )


def task_of(recipe: LabelledRecipe, inputs: Inputs, make: Callable[[], Task]) -> Task:
    """Arrays of one's own, or the task that is made of a data set for a model, once."""
    if isinstance(inputs.data, Task):
        return inputs.data
    return inputs.once(f"{recipe.model_name}, first {recipe.limit}", make)


def check_records(records: Sequence[Record], n_steps: int) -> None:
    """Refuse records that a training cannot fill, before it begins.

    Raises
    ------
    UsageError
        Says what is allowed.
    """
    for record in records:
        record.check(n_steps)


def n_train(recipe: LabelledRecipe) -> int:
    """Training examples that a recipe will see, without loading the data."""
    size = entry(recipe.dataset).sizes["train"]
    return recipe.examples(min(size, recipe.limit or size))
