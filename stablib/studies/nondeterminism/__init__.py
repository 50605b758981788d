"""The nondeterminism paper: what its exhibits need, and their results."""

from stablib.studies.nondeterminism.across import Across
from stablib.studies.nondeterminism.design import ALL, BIT, OTHER_SEEDS, ROWS, SHALLOW, Design
from stablib.studies.nondeterminism.language import Readings
from stablib.studies.nondeterminism.results import Results, Trainings
from stablib.studies.nondeterminism.settings import PRESETS, NondeterminismSettings
from stablib.studies.nondeterminism.study import Nondeterminism

__all__ = [
    "ALL",
    "BIT",
    "OTHER_SEEDS",
    "PRESETS",
    "ROWS",
    "SHALLOW",
    "Across",
    "Design",
    "Nondeterminism",
    "NondeterminismSettings",
    "Readings",
    "Results",
    "Trainings",
]
