"""Seed plans, recipes, methods, records, and what a workload is. Nothing here imports torch."""

from stablib.training.memory import keep_freed_memory
from stablib.training.method import Averager, Control, Method
from stablib.training.protocol import one_bit, protocol
from stablib.training.recipe import Recipe
from stablib.training.record import Final, Probabilities, Record, Steps, TrainMean
from stablib.training.seeds import Bit, SeedPlan, seed_plans
from stablib.training.task import Task
from stablib.training.workload import Inputs, Request, Workload

__all__ = [
    "Averager",
    "Bit",
    "Control",
    "Final",
    "Inputs",
    "Method",
    "Probabilities",
    "Recipe",
    "Record",
    "Request",
    "SeedPlan",
    "Steps",
    "Task",
    "TrainMean",
    "Workload",
    "keep_freed_memory",
    "one_bit",
    "protocol",
    "seed_plans",
]
