"""The nondeterminism paper: what its exhibits need, and their results."""

from stablib.studies.nondeterminism.across import Across
from stablib.studies.nondeterminism.design import BIT, ROWS, SHALLOW, Design
from stablib.studies.nondeterminism.results import Results, Trainings
from stablib.studies.nondeterminism.settings import PRESETS, NondeterminismSettings
from stablib.studies.nondeterminism.study import Nondeterminism

__all__ = [
    "BIT",
    "PRESETS",
    "ROWS",
    "SHALLOW",
    "Across",
    "Design",
    "Nondeterminism",
    "NondeterminismSettings",
    "Results",
    "Trainings",
]
