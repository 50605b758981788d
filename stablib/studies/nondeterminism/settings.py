"""Settings and presets of the nondeterminism study."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from stablib.studies.settings import Settings

_MANY = 1_000


class NondeterminismSettings(Settings):
    """Everything a reader may change about the study; the notebooks' parameters."""

    dataset: Literal["cifar10", "mnist", "digits"] = Field(
        default="cifar10", description="cifar10, mnist or digits"
    )
    model: Literal["resnet6", "resnet10", "resnet14", "resnet18"] = Field(
        description="resnet6, resnet10, resnet14 or resnet18"
    )
    n_runs: int = Field(ge=2, le=_MANY, description="runs of each row of Tables 1 and 3")
    few_runs: int = Field(ge=2, le=_MANY, description="runs of each row elsewhere")
    first_seed: int = Field(default=1, ge=1, description="seed of the first run; 0 is held fixed")
    epochs: int = Field(ge=1, le=_MANY, description="passes over the training set")
    learning_rate: float = Field(gt=0.0, le=100.0, description="largest learning rate")
    shallow_rate: float = Field(gt=0.0, le=100.0, description="the same for networks without depth")
    batch_size: int = Field(ge=1, description="images in a mini-batch")
    cycles: int = Field(ge=2, description="members of a snapshot ensemble; divides the epochs")
    limit: int | None = Field(
        default=None, ge=1, description="first training images; all by default"
    )
    n_test: int | None = Field(default=None, ge=4, description="first test images; all by default")
    side: int | None = Field(
        default=None, ge=4, description="pixels a side to which images are shrunk; none by default"
    )
    stride: Literal[1, 2] = Field(default=1, description="of the first convolution: 1 or 2")
    crop: int = Field(default=4, ge=0, description="pixels by which images are shifted at random")


#: Presets as rows of numbers (section 3.2 where nothing else is said). The laptop's learning rate
#: is the one of .05, .1, .2 and .4 with the highest accuracy, of two runs each, on the 2,000 test
#: images after those that the exhibits look at.
PRESETS: Mapping[str, NondeterminismSettings] = MappingProxyType(
    {
        "smoke": NondeterminismSettings(
            model="resnet6",
            n_runs=3,
            few_runs=2,
            epochs=4,
            learning_rate=0.2,
            shallow_rate=0.05,
            batch_size=64,
            cycles=2,
            limit=256,
            n_test=64,
            side=16,
            stride=2,
            crop=2,
        ),
        "laptop": NondeterminismSettings(
            model="resnet6",
            n_runs=10,
            few_runs=8,
            epochs=36,
            learning_rate=0.2,
            shallow_rate=0.05,
            batch_size=64,
            cycles=3,
            limit=5_000,
            n_test=2_000,
            side=16,
            stride=2,
            crop=2,
        ),
        "paper": NondeterminismSettings(
            model="resnet14",
            n_runs=100,
            few_runs=100,
            epochs=500,
            learning_rate=0.4,
            shallow_rate=0.4,
            batch_size=512,
            cycles=5,
        ),
    }
)
