"""The store of finished runs."""

from stablib.runs.group import Group
from stablib.runs.obtain import Runs, Trainer, obtain
from stablib.runs.results import Results
from stablib.runs.store import DamagedRun, Run, RunStore

__all__ = ["DamagedRun", "Group", "Results", "Run", "RunStore", "Runs", "Trainer", "obtain"]
