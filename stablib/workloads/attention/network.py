"""A model that attends to words, as the training loop wants it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from stablib.models.attention import PairClassifier, TextClassifier
from stablib.models.batch import pairs, sentences
from stablib.models.ragged import Ragged
from stablib.training import SeedPlan, Task
from stablib.workloads.attention import AttentionRecipe

#: Texts that are predicted at once.
_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What all runs on the same texts share.

    Parameters
    ----------
    task : Task
        Word ids of every split.
    vectors : ndarray of float32, shape (n_words, width)
        Initial word vectors by id.
    paired : bool
        Whether texts are pairs.
    """

    task: Task
    vectors: NDArray[np.float32]
    paired: bool

    def lengths(self) -> NDArray[np.integer]:
        """Tokens of each training text, of a pair those of the first part; shape (n_train,)."""
        texts = self.task.inputs["train"]
        lengths: NDArray[np.integer] = pairs(texts)[0].lengths if self.paired else texts.lengths
        return lengths


class AttentionNetwork:
    """Word vectors, encoder, attention and decoder of one run.

    Parameters
    ----------
    recipe : AttentionRecipe
        What to train.
    plan : SeedPlan
        Its initial weights.
    prepared : Prepared
        Shared by all runs.
    goals : ndarray of float32, shape (n_train, n_classes)
        Targets.
    pause : callable
        Called between batches of a prediction, which may be long: the training may end there.
    """

    def __init__(
        self,
        recipe: AttentionRecipe,
        plan: SeedPlan,
        prepared: Prepared,
        goals: NDArray[np.float32],
        *,
        pause: Callable[[], object],
    ) -> None:
        task, n_classes = prepared.task, prepared.task.n_classes
        kind = PairClassifier if prepared.paired else TextClassifier
        rng = plan.generator("init")
        self.model = kind(
            recipe.encoder, recipe.attention, prepared.vectors.shape[1], n_classes, rng
        )
        vectors = torch.from_numpy(prepared.vectors)
        self.vectors = vectors if recipe.frozen else torch.nn.Parameter(vectors.clone())
        self.parts = pairs if prepared.paired else lambda texts: (sentences(texts),)
        self.texts: Ragged = task.inputs["train"]
        self.goals = torch.from_numpy(goals)
        share = task.one_hot().mean(axis=0)
        #: How much rarer the second of two classes is.
        self.rarer = torch.tensor(float(1.0 / share[1] - 1.0)) if n_classes == 2 else None
        self.pause = pause

    def named(self) -> Mapping[str, torch.nn.Parameter]:
        """The trained parameters by name."""
        named = dict(self.model.named_parameters())
        if isinstance(self.vectors, torch.nn.Parameter):
            named["vectors"] = self.vectors
        return named

    def start_epoch(self, epoch: int) -> None:
        """Nothing is drawn in an epoch but the order of the texts."""

    def loss(self, rows: NDArray[np.integer]) -> Tensor:
        """Loss of a mini-batch: a weighted sum of two classes, else a mean."""
        texts = self.texts.take(rows)
        logits, _ = self.model(self.embedded(texts), texts)
        goals = self.goals[torch.from_numpy(rows)]
        if self.rarer is None:
            return functional.cross_entropy(logits, goals)
        return functional.binary_cross_entropy_with_logits(
            logits[:, 1], goals[:, 1], pos_weight=self.rarer, reduction="sum"
        )

    def embedded(self, texts: Ragged) -> Tensor:
        """Word vectors of all tokens, shape (n_tokens, width)."""
        return functional.embedding(torch.from_numpy(texts.values), self.vectors)

    def logits(self, inputs: Ragged) -> Tensor:
        """Logits in the order of the texts, shape (n_texts, n_classes)."""
        parts = [(rows, logits) for rows, logits, _ in self._read(inputs)]
        result = torch.empty(len(inputs), parts[0][1].shape[1])
        for rows, logits in parts:
            result[torch.from_numpy(rows)] = logits
        return result

    def attention(self, inputs: Ragged) -> Ragged:
        """Attention to the words of each text, of a pair to those of the first part.

        Parameters
        ----------
        inputs : Ragged
            Ids of n_texts texts.

        Returns
        -------
        Ragged
            Attention without start and end tokens, in the order of the texts.
        """
        found: dict[int, NDArray[np.float32]] = {}
        with torch.inference_mode():
            for rows, _, attention in self._read(inputs):
                batch = self.parts(inputs.take(rows))[0]
                ends = zip(rows, batch.starts[:-1] + 1, batch.starts[1:] - 1, strict=True)
                for number, (row, start, end) in enumerate(ends):
                    found[int(row)] = attention[number, start:end].numpy()
        each = [found[row] for row in range(len(inputs))]
        return Ragged(np.concatenate(each), np.cumsum([0, *map(len, each)]))

    def randomness(self) -> Any:
        """No generator goes on from step to step."""
        return None

    def set_randomness(self, state: Any) -> None:
        """Go on from what :meth:`randomness` said."""

    def _read(self, inputs: Ragged) -> Iterator[tuple[NDArray[np.integer], Tensor, Tensor]]:
        """Read texts in batches of about the same length: rows, logits and attention."""
        order = np.argsort(inputs.lengths, kind="stable")
        for start in range(0, len(order), _AT_ONCE):
            rows = order[start : start + _AT_ONCE]
            texts = inputs.take(rows)
            yield rows, *self.model(self.embedded(texts), texts)
            self.pause()
