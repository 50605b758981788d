"""Settings and presets of the recommender study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from stablib.studies.settings import Settings

_MANY = 1_000


class RecommenderSettings(Settings):
    """Everything a reader may change about the study; the notebooks' parameters."""

    dataset: Literal["movielens-1m", "movielens-100k", "tastes"] = Field(
        default="movielens-1m", description="movielens-1m, movielens-100k or tastes"
    )
    small: Literal["movielens-100k", "tastes"] = Field(
        default="movielens-100k",
        description="where ratings and more trainings are needed: movielens-100k or tastes",
    )
    n_runs: int = Field(ge=2, le=_MANY, description="runs of every model")
    extra_runs: int = Field(ge=2, le=_MANY, description="runs of each row of our own questions")
    first_seed: int = Field(default=1, ge=1, description="seed of the first run; 0 is held fixed")
    epochs: int = Field(ge=1, le=_MANY, description="passes over the data")
    small_epochs: int = Field(ge=1, le=_MANY, description="passes over the small data")
    tastes_epochs: int = Field(ge=1, le=_MANY, description="passes over the generated data")
    learning_rate: float = Field(gt=0.0, le=10.0, description="of DeepICF")
    tower_penalty: float = Field(ge=0.0, le=100.0, description="L2 penalty of its tower")
    beta: float = Field(default=0.8, ge=0.0, le=1.0, description="of its attention; 1 is a softmax")
    start_epochs: int = Field(ge=1, le=_MANY, description="passes of FISM, where it begins")
    cycles: int = Field(ge=2, description="members of a snapshot ensemble; divides small_epochs")
    members: int = Field(ge=1, le=_MANY, description="teachers of ensemble soft labels")
    limit: int | None = Field(default=None, ge=2, description="first users; all by default")


#: Presets as rows of numbers (thesis, section 3.1.5 where nothing else is said). The laptop's
#: learning rate is chosen on items held out of the histories, see TH-X7.
PRESETS: Mapping[str, RecommenderSettings] = MappingProxyType(
    {
        "smoke": RecommenderSettings(
            n_runs=3,
            extra_runs=2,
            epochs=2,
            small_epochs=2,
            tastes_epochs=2,
            learning_rate=0.03,
            tower_penalty=10.0,
            start_epochs=1,
            cycles=2,
            members=2,
            limit=40,
        ),
        "laptop": RecommenderSettings(
            n_runs=10,
            extra_runs=5,
            epochs=12,
            small_epochs=6,
            tastes_epochs=20,
            learning_rate=0.03,
            tower_penalty=10.0,
            start_epochs=6,
            cycles=3,
            members=5,
        ),
        "paper": RecommenderSettings(
            n_runs=10,
            extra_runs=10,
            epochs=50,
            small_epochs=50,
            tastes_epochs=20,
            learning_rate=0.01,
            tower_penalty=10.0,
            start_epochs=50,
            cycles=5,
            members=10,
        ),
    }
)
