"""Mitigation methods, one a file: a recipe's ``method``, and usable on models of your own."""

from stablib.mitigation.average import average_weights
from stablib.mitigation.ensemble import Ensemble
from stablib.mitigation.l2 import L2
from stablib.mitigation.label_smoothing import LabelSmoothing, smooth_labels
from stablib.mitigation.soft_labels import SoftLabels
from stablib.mitigation.swa import SWA
from stablib.mitigation.temperature import temper
from stablib.mitigation.temporal_mean import TemporalMean
from stablib.mitigation.tgtss import TGTSS

__all__ = [
    "L2",
    "SWA",
    "TGTSS",
    "Ensemble",
    "LabelSmoothing",
    "SoftLabels",
    "TemporalMean",
    "average_weights",
    "smooth_labels",
    "temper",
]
