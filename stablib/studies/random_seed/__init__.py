"""The random seed paper: what its exhibits need, and their results."""

from stablib.studies.random_seed.design import (
    ASWA_TEXT,
    NASWA_CODE,
    NASWA_TEXT,
    NULL,
    PLAIN,
    Cell,
    Variant,
)
from stablib.studies.random_seed.results import Results
from stablib.studies.random_seed.settings import PRESETS, RandomSeedSettings
from stablib.studies.random_seed.study import RandomSeed

__all__ = [
    "ASWA_TEXT",
    "NASWA_CODE",
    "NASWA_TEXT",
    "NULL",
    "PLAIN",
    "PRESETS",
    "Cell",
    "RandomSeed",
    "RandomSeedSettings",
    "Results",
    "Variant",
]
