"""Chapter 3 of the thesis: what its exhibits need, and their results."""

from stablib.studies.recommender.design import (
    BIT,
    DEEPICF,
    GMF,
    NEUMF,
    OTHER_SEEDS,
    SOURCES,
    THREE,
    WEIGHTED,
    Design,
)
from stablib.studies.recommender.results import Results
from stablib.studies.recommender.settings import PRESETS, RecommenderSettings
from stablib.studies.recommender.study import Recommender

__all__ = [
    "BIT",
    "DEEPICF",
    "GMF",
    "NEUMF",
    "OTHER_SEEDS",
    "PRESETS",
    "SOURCES",
    "THREE",
    "WEIGHTED",
    "Design",
    "Recommender",
    "RecommenderSettings",
    "Results",
]
