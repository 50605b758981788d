"""What identifies pairs of one recipe, and what is kept of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from stablib.runs.group import digest
from stablib.streams.recipe import StreamRecipe
from stablib.versions import STREAM_VERSION


class PairRecord(BaseModel):
    """What is kept of a pair: its metrics at checkpoints, and its last weights.

    Parameters
    ----------
    weights : {"few", "all"}, default "few"
        Keep at most 1000 weights of a model, or any number.

    Notes
    -----
    Arrays: ``log2_examples`` (n_checkpoints,), ``pd`` and ``pd_mean`` (n_checkpoints,), ``loss``
    (n_checkpoints, 2) in nats, ``weights`` (2, n_parameters) as float32 (or empty).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pair"] = "pair"
    weights: Literal["few", "all"] = "few"


FEW_WEIGHTS = PairRecord()


class StreamGroup(BaseModel):
    """All pairs of one recipe: what :class:`stablib.runs.Group` is for runs on a data set."""

    model_config = ConfigDict(frozen=True)

    recipe: StreamRecipe
    record: PairRecord = FEW_WEIGHTS
    version: int = STREAM_VERSION

    @property
    def key(self) -> str:
        """Hash of everything but the seeds; 16 hex digits."""
        return digest(self.model_dump(mode="json"))

    def title(self) -> str:
        """Name the group for people."""
        r = self.recipe
        start = "same" if r.same_init else "distinct"
        warm = ", warm" if r.warm_start else ""
        return (
            f"{r.data.kind} data, {r.name}, {r.optimizer} {r.learning_rate:g}, window 2^"
            f"{r.log2_window}, {start} init{warm}, 2^{r.log2_examples} examples [pair"
            + (", all weights]" if self.record.weights == "all" else "]")
        )
