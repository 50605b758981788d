"""Settings and presets of the closing chapter."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from stablib.studies.converged import CONVERGED
from stablib.studies.settings import Settings


class SynthesisSettings(Settings):
    """Everything a reader may change about the chapter; the notebooks' parameters."""

    members: int = Field(
        ge=2, le=50, description="members of ordinary ensembles, and teachers of soft labels"
    )
    extra_runs: int = Field(
        ge=2, le=1_000, description="runs of a method on a model of another chapter"
    )
    converged: float = Field(
        default=CONVERGED,
        ge=0.0,
        lt=1.0,
        description="share of a teacher's steps that TGTSS leaves out",
    )


#: Presets as rows of numbers.
PRESETS: Mapping[str, SynthesisSettings] = MappingProxyType(
    {
        # Generated lines are a third as long as real ones: their training ends early.
        "smoke": SynthesisSettings(members=2, extra_runs=2, converged=0.2),
        "laptop": SynthesisSettings(members=2, extra_runs=5),
        "paper": SynthesisSettings(members=5, extra_runs=10),
    }
)
