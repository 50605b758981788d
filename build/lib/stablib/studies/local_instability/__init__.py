"""The local instability paper: what its exhibits need, and their results."""

from stablib.studies.local_instability.design import CONTROL, NULL, Variant
from stablib.studies.local_instability.results import Results, SourceResults, Standin
from stablib.studies.local_instability.settings import PRESETS, LocalInstabilitySettings
from stablib.studies.local_instability.study import LocalInstability

__all__ = [
    "CONTROL",
    "NULL",
    "PRESETS",
    "LocalInstability",
    "LocalInstabilitySettings",
    "Results",
    "SourceResults",
    "Standin",
    "Variant",
]
