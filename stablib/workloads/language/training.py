"""Train language models, one seed at a time, and watch them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.errors import UsageError
from stablib.models.qrnn import LanguageModel
from stablib.models.ragged import Ragged
from stablib.training import Inputs, Request, SeedPlan, Task
from stablib.training.loop import FlatWeights
from stablib.training.observe import Observer, Stack
from stablib.training.predict import Predictor, mean_of
from stablib.training.record import Arrays
from stablib.training.threads import one_thread
from stablib.training.workload import Report, Taught
from stablib.workloads.language import END, UNKNOWN, LanguageRecipe
from stablib.workloads.language.record import JointWords, Likely, LikelyWords, NextWords
from stablib.workloads.one_run import train_run
from stablib.workloads.text import check_records

#: Words that are predicted at once.
_AT_ONCE = 500
#: How lengths of mini-batches vary: their sd, and the share of those that are half as long.
_SPREAD, _HALVED = 5.0, 0.05


def train_each(
    request: Request, inputs: Inputs, taught: Taught, *, report: Report, state: Arrays | None
) -> Iterator[list[tuple[SeedPlan, list[Arrays]]]]:
    """Train the plans of a request one after the other.

    Each run uses one thread, so that its bits do not depend on how many run beside it.
    """
    recipe = cast(LanguageRecipe, request.recipe)
    name = f"words, {recipe.vocabulary} of them, first {recipe.limit} and {recipe.n_test} lines"
    with one_thread():
        task = inputs.once(name, lambda: prepare(recipe, inputs.data))
        check_records(request.records, recipe.steps(task.sizes["train"]))
        for plan in request.plans:
            network = LanguageNetwork(
                recipe, plan, task, pause=lambda: report(0), taught=taught(plan)
            )
            arrays = train_run(
                network,
                optimizer(recipe, network),
                request,
                plan,
                task,
                report=report,
                state=state,
                n_train=len(network.words),
                batch_size=recipe.window,
                batches=network.batches,
                schedule=recipe.schedule,
            )
            yield [(plan, arrays)]


def prepare(recipe: LanguageRecipe, dataset: Any) -> Task:
    """Number the words of a data set's lines.

    Returns
    -------
    Task
        Of each split the words but the last as inputs, each a sequence of its own, and the words
        that follow them as classes.

    Raises
    ------
    UsageError
        If a split has fewer than two words.
    """
    lines = recipe.part(dataset).texts
    assert lines is not None  # Else nothing could be trained on them.
    words = {split: [w for line in of for w in (*line.split(), END)] for split, of in lines.items()}
    short = [split for split, of in words.items() if len(of) < 2]
    if short:
        raise UsageError(
            f"split {short[0]!r} must have two words at least, got {len(words[short[0]])}"
        )
    numbers = {word: n for n, word in enumerate(vocabulary(words["train"], recipe.vocabulary))}
    unknown = numbers[UNKNOWN]
    ids = {s: np.array([numbers.get(w, unknown) for w in of], np.int64) for s, of in words.items()}
    return Task(
        inputs={s: Ragged(of[:-1], np.arange(len(of))) for s, of in ids.items()},
        gold={s: of[1:] for s, of in ids.items()},
        n_classes=len(numbers),
    )


def vocabulary(words: Sequence[str], size: int | None = None) -> list[str]:
    """The most frequent words, ``<unk>`` among them; of equally frequent ones by alphabet.

    Examples
    --------
    >>> vocabulary("a b a c b a".split(), 3)
    ['<unk>', 'a', 'b']
    """
    counts = Counter(words)
    counts.pop(UNKNOWN, None)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return [UNKNOWN, *ordered[: None if size is None else size - 1]]


class LanguageNetwork:
    """A language model with its text and its generator, as the training loop wants it.

    An *example* of the loop is a step of all streams; a mini-batch is a stretch of steps.
    """

    def __init__(
        self,
        recipe: LanguageRecipe,
        plan: SeedPlan,
        task: Task,
        *,
        pause: Callable[[], object],
        taught: Likely | None = None,
    ) -> None:
        self.recipe, self.pause, self.taught = recipe, pause, taught
        self.model = LanguageModel(
            task.n_classes,
            recipe.embedding,
            recipe.hidden,
            recipe.layers,
            plan.generator("init"),
        )
        inputs, gold = task.split("train")
        self.words, self.next, self.places = (
            _streams(ids, recipe.batch_size) for ids in (inputs.values, gold, np.arange(len(gold)))
        )
        self.source = plan.source("dropout")
        self.rng, self.lengths = _apart(self.source.at(1))
        self.state = self.model.start(recipe.batch_size)
        self.windows: list[NDArray[np.integer]] = []
        #: Length of the window at work over that of usual ones.
        self.stretch = 1.0

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """All parameters by name."""
        return dict(self.model.named_parameters())

    def start_epoch(self, epoch: int) -> None:
        """Begin the text again, in windows of other lengths."""
        ruling = self.source.at(epoch)
        if ruling is not self.rng:
            self.rng, self.lengths = _apart(ruling)
        self.state = self.model.start(self.recipe.batch_size)
        self.windows = windows(len(self.words), self.recipe.window, self.lengths)

    def batches(self, *_: object) -> list[NDArray[np.integer]]:
        """The windows in the order of the text, whatever the order of examples would be."""
        return self.windows

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Mean negative log-probability of the next words."""
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        self.stretch = len(rows) / self.recipe.window
        logits, self.state = self.model(self.words[part], self.state, self._mask)
        return functional.cross_entropy(logits, self._goals(part))

    def _goals(self, part: slice) -> Tensor:
        """What is learnt of the words that follow: they, or the method's shares of all words."""
        method, following = self.recipe.method, self.next[part].flatten()
        if "targets" not in method.changes:
            return following
        # Of a mini-batch alone: of a whole text with all words they would be gigabytes.
        n_classes, taught = len(self.model.bias), None
        one_hot = functional.one_hot(following, n_classes).numpy().astype(np.float32)
        if self.taught is not None:
            taught = self.taught.probabilities(self.places[part].flatten().numpy(), n_classes)
        return torch.from_numpy(method.targets(one_hot, taught))

    def logits(self, inputs: Ragged) -> Tensor:
        """Logits after each word of a text that begins here, shape (n_words, n_classes)."""
        return torch.cat(list(self.predicted(inputs)))

    def predicted(
        self, inputs: Ragged, in_turn: Callable[[], Iterable[None]] = lambda: (None,)
    ) -> Iterator[Tensor]:
        """The same, some words at a time: for all words they are many.

        Parameters
        ----------
        inputs : Ragged
            The text.
        in_turn : callable, optional
            Gives the model the weights of each of its snapshots, over which logits are averaged.
        """
        states: dict[int, Any] = {}
        for start in range(0, len(inputs), _AT_ONCE):
            part = torch.from_numpy(inputs.values[start : start + _AT_ONCE])[:, None]
            logits = []
            for number, _ in enumerate(in_turn()):
                state = states.get(number) or self.model.start(1)
                own, states[number] = self.model(part, state)
                logits.append(own)
            yield mean_of(logits)
            self.pause()

    def randomness(self) -> Any:
        """State of the generator, and what the words so far have left."""
        return {"bits": self.rng.bit_generator.state, "left": self.state}

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""
        self.rng.bit_generator.state = state["bits"]
        self.state = state["left"]

    def _mask(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        keep = 1.0 - getattr(self.recipe, f"drop_{kind}")
        drawn = self.rng.random(shape, dtype=np.float32) < keep
        return torch.from_numpy(drawn.astype(np.float32) / np.float32(keep))


def _apart(rng: np.random.Generator) -> tuple[np.random.Generator, np.random.Generator]:
    """A generator, and another of the same seed whose draws are not its own.

    A training that goes on draws the lengths of all epochs again, and no masks.
    """
    return rng, rng.spawn(1)[0]


def _streams(ids: NDArray[np.integer], count: int) -> Tensor:
    """Part a text into streams, shape (n_steps, n_streams); the last words may be left out."""
    n_steps = len(ids) // count
    return torch.from_numpy(np.ascontiguousarray(ids[: n_steps * count].reshape(count, -1).T))


def windows(n_steps: int, window: int, rng: np.random.Generator) -> list[NDArray[np.integer]]:
    """Part a text into stretches of about the same length, at random.

    Parameters
    ----------
    n_steps, window : int
        Steps of the text, and of a stretch on average.
    rng : numpy.random.Generator
        Draws the lengths.

    Returns
    -------
    list of ndarray of int
        As many stretches as of equal ones; none is empty.

    Examples
    --------
    >>> parts = windows(100, 30, np.random.default_rng(0))
    >>> len(parts), np.concatenate(parts).tolist() == list(range(100))
    (4, True)
    """
    count = -(-n_steps // window)
    usual = np.where(rng.random(count) < _HALVED, window / 2.0, window)
    lengths = np.maximum(rng.normal(usual, _SPREAD), 1.0)
    ends = np.round(np.cumsum(lengths) / lengths.sum() * n_steps).astype(np.int64)
    # Of a text of few steps, ends would fall together.
    number = np.arange(count)
    ends = np.maximum.accumulate(np.maximum(ends - number, 1)) + number
    ends = np.minimum(ends, n_steps - number[::-1])
    return np.split(np.arange(n_steps), ends[:-1])


def optimizer(
    recipe: LanguageRecipe, network: LanguageNetwork
) -> torch.optim.SGD | torch.optim.Adam:
    """Make the optimizer, which cuts long gradients, and learns more of longer windows."""
    parameters = list(network.named().values())
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[recipe.optimizer]
    decay = recipe.weight_decay + recipe.method.decay
    made = kind(parameters, lr=recipe.learning_rate, weight_decay=decay, fused=True)

    def prepare_step(*_: object) -> None:
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        for group in made.param_groups:  # The loop sets the rate anew before each step.
            group["lr"] *= network.stretch

    made.register_step_pre_hook(prepare_step)
    return cast("torch.optim.SGD | torch.optim.Adam", made)


def _read(stack: Stack, text: Ragged) -> Iterator[Tensor]:
    """Logits of the model at work after each word of a text, some words at a time."""
    predictor = cast(Predictor, stack)
    network = cast(LanguageNetwork, cast(FlatWeights, predictor.models).network)
    return network.predicted(text, lambda: predictor.in_turn(0))


class NextWordsObserver(Observer):
    """Predictions of the trained model, see :class:`NextWords`."""

    def __init__(self, task: Task, record: NextWords) -> None:
        self.inputs, self.gold = task.split("test")
        self.record = record

    def finish(self, stack: Stack) -> list[Arrays]:
        """Read the test text."""
        losses, labels, done = [], [], 0
        with torch.inference_mode():
            for logits in _read(stack, self.inputs):
                gold = torch.from_numpy(self.gold[done : done + len(logits)])
                losses.append(functional.cross_entropy(logits, gold, reduction="none").numpy())
                labels.append(logits.argmax(dim=1).numpy())
                done += len(logits)
        kept = slice(self.record.n_words)
        small = np.min_scalar_type(logits.shape[1] - 1)
        every = np.concatenate(losses)
        return [
            {
                "loss": np.asarray(every.mean(dtype=np.float64)),
                "losses": every[kept].astype(np.float16),
                "labels": np.concatenate(labels)[kept].astype(small),
            }
        ]


class JointWordsObserver(Observer):
    """Logits of the trained model, see :class:`JointWords`."""

    def __init__(self, task: Task, record: JointWords) -> None:
        inputs, gold = task.split("test")
        words = inputs.values[: record.n_words]
        self.inputs, self.gold = Ragged(words, np.arange(len(words) + 1)), gold[: record.n_words]

    def finish(self, stack: Stack) -> list[Arrays]:
        """Read the first words of the test text."""
        with torch.inference_mode():
            logits = torch.cat(list(_read(stack, self.inputs))).numpy()
        return [{"logits": logits, "gold": self.gold}]


class LikelyWordsObserver(Observer):
    """What a model says of the training text, see :class:`LikelyWords`."""

    growing = ("words", "sums", "count")

    def __init__(self, task: Task, record: LikelyWords) -> None:
        self.inputs, self.n_classes = task.lesson, task.n_classes
        self.record = record
        self.words: list[NDArray[np.integer]] = []
        self.sums: list[NDArray[np.float32]] = []
        self.count = 0

    def after_step(self, step: int, stack: Stack) -> None:
        """Add the predictions of one step."""
        if self.record.due(step):
            self._add(stack)

    def _add(self, stack: Stack) -> None:
        small = np.min_scalar_type(self.n_classes - 1)
        with torch.inference_mode():
            for number, logits in enumerate(_read(stack, self.inputs)):
                chances = torch.softmax(logits, dim=1)
                if not self.count:
                    likely = chances.topk(min(self.record.n_likely, self.n_classes), dim=1)
                    self.words.append(likely.indices.numpy().astype(small))
                    self.sums.append(likely.values.numpy())
                    continue
                words = torch.from_numpy(self.words[number].astype(np.int64))
                self.sums[number] = self.sums[number] + chances.gather(1, words).numpy()
        self.count += 1

    def finish(self, stack: Stack) -> list[Arrays]:
        """Return the mean."""
        if self.record.after_step is None:
            self._add(stack)
        shares = np.concatenate(self.sums) / np.float32(self.count)
        return [{"words": np.concatenate(self.words), "shares": shares.astype(np.float16)}]
