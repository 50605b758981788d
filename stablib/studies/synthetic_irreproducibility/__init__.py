"""The synthetic irreproducibility paper: what its exhibits need, and their results."""

from stablib.studies.synthetic_irreproducibility.curves import Again, Curves, Point, Traced
from stablib.studies.synthetic_irreproducibility.design import Design, windows
from stablib.studies.synthetic_irreproducibility.settings import (
    PRESETS,
    SyntheticIrreproducibilitySettings,
)
from stablib.studies.synthetic_irreproducibility.study import SyntheticIrreproducibility

__all__ = [
    "PRESETS",
    "Again",
    "Curves",
    "Design",
    "Point",
    "SyntheticIrreproducibility",
    "SyntheticIrreproducibilitySettings",
    "Traced",
    "windows",
]
