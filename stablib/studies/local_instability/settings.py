"""Settings and presets of the local instability study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field, field_validator

from stablib.errors import unknown
from stablib.mitigation.temperature import Reading
from stablib.models import encoders
from stablib.studies.settings import Settings

#: What the paper uses for each data set (section 5.3.1).
ALPHA = {"massive": 0.1, "clinc150": 0.5}
AFTER_STEP = {"massive": 180, "clinc150": 200}

#: Kind of label by data set.
LABELS = {"massive": "domain", "clinc150": "intent"}

#: Learning rates where the settings name none. Fine-tuning has the paper's; it is too small for a
#: head. The top layer's is the one of four with the highest accuracy on the validation set (LI-X7).
LEARNING_RATE = {
    "head": {"massive": 1e-3, "clinc150": 1e-3},
    "top_layer": {"massive": 3e-4, "clinc150": 5e-4},
    "finetune": {"massive": 1e-4, "clinc150": 1e-4},
}

#: More runs, members or epochs than any study has; a typing error beyond it would fill the memory.
_MANY = 1_000


class LocalInstabilitySettings(Settings):
    """Everything a reader may change about the study; the notebooks' parameters."""

    dataset: Literal["massive", "clinc150"] | None = Field(
        default=None, description="massive or clinc150; both by default"
    )
    split: Literal["val", "test"] | None = Field(
        default=None, description="val or test; the paper's choice by default"
    )
    encoder: str = Field(description="all-MiniLM-L6-v2 or distilbert-base-uncased")
    model: Literal["head", "top_layer", "finetune"] = Field(
        description="head, top_layer (the encoder's last one) or finetune (all of it)"
    )
    n_runs: int = Field(ge=2, le=_MANY, description="runs per method")
    first_seed: int = Field(default=0, ge=0, description="seed of the first run")
    step_runs: int = Field(ge=1, le=_MANY, description="runs that are watched while they train")
    members: int = Field(ge=1, le=_MANY, description="teachers of the shared ensemble")
    own_members: int = Field(ge=1, le=_MANY, description="teachers of each student's own ensemble")
    learning_rate: float | None = Field(
        default=None, gt=0.0, le=100.0, description="Adam's; the model's own by default"
    )
    epochs: int = Field(default=5, ge=1, le=_MANY, description="passes over the training set")
    batch_size: int = Field(default=256, ge=1, description="examples in a mini-batch")
    hidden: int = Field(default=256, ge=1, le=65_536, description="hidden units of a head")
    limit: int | None = Field(
        default=None, ge=1, description="first examples of each split; all by default"
    )
    temperature: float = Field(default=0.5, gt=0.0, description="T of eq. 2")
    reading: Reading = Field(
        default="printed", description="printed, p^T, as eq. 2 stands, or sharpen, p^(1/T)"
    )
    weight_decay: float = Field(default=0.001, gt=0.0, description="of L2")
    alpha: float | None = Field(
        default=None, gt=0.0, le=1.0, description="label smoothing; .1 and .5 as the paper"
    )
    after_step: int | None = Field(
        default=None, ge=0, description="N of TGTSS: steps not averaged; 180 and 200 as the paper"
    )
    teacher_every: int = Field(default=1, ge=1, description="TGTSS averages every k-th step")
    step_every: int = Field(default=1, ge=1, description="watched runs predict every k-th step")
    fine_tuned_runs: int = Field(
        default=0, ge=0, le=_MANY, description="runs of full fine-tuning; 0 for none"
    )
    source_runs: int = Field(ge=2, le=_MANY, description="heads for each source of nondeterminism")

    @field_validator("encoder")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in encoders.names():
            raise ValueError(str(unknown("encoder", name, encoders.names())))
        return name


_MINILM, _DISTILBERT = "all-MiniLM-L6-v2", "distilbert-base-uncased"

#: Presets as rows of numbers (section 5.3.1 where nothing else is said).
PRESETS: Mapping[str, LocalInstabilitySettings] = MappingProxyType(
    {
        "smoke": LocalInstabilitySettings(
            encoder=_MINILM,
            model="head",
            n_runs=4,
            step_runs=2,
            members=4,
            own_members=2,
            epochs=2,
            batch_size=128,
            hidden=32,
            limit=640,
            after_step=6,
            source_runs=4,
        ),
        "laptop": LocalInstabilitySettings(
            encoder=_MINILM,
            model="head",
            n_runs=50,
            step_runs=5,
            members=200,
            own_members=4,
            fine_tuned_runs=5,
            source_runs=50,
        ),
        "paper": LocalInstabilitySettings(
            encoder=_DISTILBERT,
            model="finetune",
            n_runs=50,
            step_runs=1,
            members=200,
            own_members=4,
            source_runs=50,
        ),
    }
)

#: What the laptop preset changes to show another model beside its own, as far as its runs are
#: published. A temporal mean needs a prediction of the whole training set for each step, so a top
#: layer's takes every fifth.
BESIDE: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "top_layer": {"model": "top_layer", "dataset": "massive", "teacher_every": 5},
        "top_layer_clinc150": {"model": "top_layer", "dataset": "clinc150", "teacher_every": 5},
        "finetune": {"model": "finetune", "dataset": "massive", "n_runs": 5},
    }
)
