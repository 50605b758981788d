"""Mitigation methods, one a file: a recipe's ``method``, and usable on models of your own."""

from stablib.mitigation.aswa import ASWA
from stablib.mitigation.average import average_weights
from stablib.mitigation.averaged import Averaged
from stablib.mitigation.ema import EMA
from stablib.mitigation.ensemble import Ensemble
from stablib.mitigation.l2 import L2
from stablib.mitigation.label_smoothing import LabelSmoothing, smooth_labels
from stablib.mitigation.naswa import NASWA
from stablib.mitigation.snapshot import Snapshot
from stablib.mitigation.soft_labels import SoftLabels
from stablib.mitigation.step_swa import StepSWA
from stablib.mitigation.swa import SWA
from stablib.mitigation.temperature import temper
from stablib.mitigation.temporal_mean import TemporalMean
from stablib.mitigation.test_time import TestTime
from stablib.mitigation.tgtss import TGTSS
from stablib.mitigation.vanilla import vanilla_ensembles
from stablib.mitigation.weight_averager import WeightAverager
from stablib.mitigation.weight_noise import WeightNoise

__all__ = [
    "ASWA",
    "EMA",
    "L2",
    "NASWA",
    "SWA",
    "TGTSS",
    "Averaged",
    "Ensemble",
    "LabelSmoothing",
    "Snapshot",
    "SoftLabels",
    "StepSWA",
    "TemporalMean",
    "TestTime",
    "WeightAverager",
    "WeightNoise",
    "average_weights",
    "smooth_labels",
    "temper",
    "vanilla_ensembles",
]
