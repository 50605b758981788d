"""Settings and presets of the random seed study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from stablib.studies.settings import Settings

#: Data sets of two classes, in the order of the paper's tables.
DATASETS = ("imdb", "diabetes", "sst", "anemia", "agnews", "adr")
#: The data set of pairs, with three classes (Figure 9).
PAIRS = "snli"
ENCODERS = ("cnn", "bilstm")

#: Data sets and encoders that a preset trains.
CELLS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "smoke": (("sst", "cnn"),),
        "laptop": (("sst", "cnn"), ("adr", "cnn"), ("agnews", "cnn"), ("sst", "bilstm")),
        "paper": tuple((dataset, encoder) for encoder in ENCODERS for dataset in DATASETS),
    }
)

#: Test texts whose attention is kept where the settings name no number: some 4,000 words of each
#: data set, since a published run has a number for each word.
KEPT: Mapping[str, int] = MappingProxyType({"adr": 100, "agnews": 50, "imdb": 20})
_KEPT_OF_OTHERS = 200

#: Those, on the same data, that it shows beside them where a store has all of their runs: they take
#: hours.
FURTHER: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {"laptop": (("adr", "bilstm"), ("agnews", "bilstm"))}
)

_MANY = 1_000


class RandomSeedSettings(Settings):
    """Everything a reader may change about the study; the notebooks' parameters."""

    dataset: Literal["imdb", "diabetes", "sst", "anemia", "agnews", "adr"] | None = Field(
        default=None, description="one data set; those of the preset by default"
    )
    encoder: Literal["cnn", "bilstm"] | None = Field(
        default=None, description="cnn or bilstm; those of the preset by default"
    )
    attention: Literal["additive", "dot"] = Field(
        default="additive", description="additive, or dot: scaled dot product"
    )
    vectors: Literal["glove-6b-50d", "wiki.simple", "drawn"] = Field(
        default="glove-6b-50d", description="word vectors: glove-6b-50d, wiki.simple or drawn"
    )
    checkpoint: Literal["best", "last"] = Field(
        default="best", description="best on the validation texts, or last"
    )
    n_runs: int = Field(default=10, ge=2, le=_MANY, description="runs per method")
    first_seed: int = Field(default=0, ge=0, description="seed of the first run")
    epochs: int = Field(default=20, ge=2, le=_MANY, description="passes over the training set")
    learning_rate: float = Field(default=1e-3, gt=0.0, le=100.0, description="Adam's learning rate")
    limit: int | None = Field(
        default=None, ge=1, description="first texts of each split; all by default"
    )
    imdb_limit: int | None = Field(
        default=None, ge=1, description="the same of IMDB, whose texts are long"
    )
    n_texts: int | None = Field(
        default=None, ge=1, description="test texts whose attention is kept; by their length"
    )
    n_lime: int = Field(default=40, ge=1, description="of these, texts that LIME explains")
    n_samples: int = Field(default=1000, ge=10, description="samples of LIME for each text")

    def first(self, dataset: str) -> int | None:
        """First texts of each split of a data set that are looked at; None for all."""
        limits = (self.limit, self.imdb_limit if dataset == "imdb" else None)
        return min((limit for limit in limits if limit is not None), default=None)

    def kept(self, dataset: str) -> int:
        """Test texts of a data set whose attention is kept."""
        return self.n_texts or KEPT.get(dataset, _KEPT_OF_OTHERS)


#: Presets as rows of numbers (section 4.3 where nothing else is said).
PRESETS: Mapping[str, RandomSeedSettings] = MappingProxyType(
    {
        "smoke": RandomSeedSettings(
            n_runs=3, epochs=2, limit=400, n_texts=20, n_lime=4, n_samples=50
        ),
        # All of IMDB would take each of its runs a quarter of an hour.
        "laptop": RandomSeedSettings(imdb_limit=2_000),
        # Of fastText's vectors the paper does not say which.
        "paper": RandomSeedSettings(vectors="wiki.simple", n_texts=500, n_samples=5000),
    }
)
