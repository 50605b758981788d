"""The closing chapter: every mitigation on every workload, and every source on every workload."""

from stablib.studies.synthesis.design import CONTROL, ENSEMBLE, OTHER_SEEDS, Column
from stablib.studies.synthesis.look import Look
from stablib.studies.synthesis.results import Matrix, Sources
from stablib.studies.synthesis.settings import PRESETS, SynthesisSettings
from stablib.studies.synthesis.study import Synthesis

__all__ = [
    "CONTROL",
    "ENSEMBLE",
    "OTHER_SEEDS",
    "PRESETS",
    "Column",
    "Look",
    "Matrix",
    "Sources",
    "Synthesis",
    "SynthesisSettings",
]
