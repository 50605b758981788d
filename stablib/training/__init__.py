"""Seed plans, recipes and the trainers."""

from stablib.training.method import Control, Method
from stablib.training.recipe import FineTune, Head, Recipe
from stablib.training.record import Final, Probabilities, Record, Steps, TrainMean
from stablib.training.seeds import SeedPlan, seed_plans
from stablib.training.train import train

__all__ = [
    "Control",
    "Final",
    "FineTune",
    "Head",
    "Method",
    "Probabilities",
    "Recipe",
    "Record",
    "SeedPlan",
    "Steps",
    "TrainMean",
    "seed_plans",
    "train",
]
