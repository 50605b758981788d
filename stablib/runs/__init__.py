"""The store of finished runs, and how runs are got from it or trained into it."""

from stablib.runs.group import Group
from stablib.runs.obtain import Runs, obtain, train
from stablib.runs.store import Run, RunStore

__all__ = ["Group", "Run", "RunStore", "Runs", "obtain", "train"]
