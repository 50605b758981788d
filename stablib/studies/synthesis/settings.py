"""Settings and presets of the closing chapter: it takes the others' runs as they are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from stablib.studies.settings import Settings


class SynthesisSettings(Settings):
    """Everything a reader may change about the chapter; the notebooks' parameters."""

    members: int = Field(ge=2, le=50, description="members of ordinary ensembles")


#: Presets as rows of numbers.
PRESETS: Mapping[str, SynthesisSettings] = MappingProxyType(
    {
        "smoke": SynthesisSettings(members=2),
        "laptop": SynthesisSettings(members=2),
        "paper": SynthesisSettings(members=5),
    }
)
