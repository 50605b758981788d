"""What a result was made with: versions, hardware, dates, seeds; of one run and of many."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import stablib
from stablib.training import SeedPlan
from stablib.training.seeds import describe
from stablib.training.tagged import identity

if TYPE_CHECKING:
    from stablib.runs.obtain import Runs

#: With its number, tells this process from every other one, also on other machines.
_BEGUN = uuid.uuid4().hex[:8]


def machine(packages: Sequence[str], device: str = "cpu") -> dict[str, Any]:
    """What a run is made with here: versions of packages, hardware, speed, date.

    Parameters
    ----------
    packages : sequence of str
        The one that trains first.
    device : str, default "cpu"
        In torch's words.
    """
    return {
        "stablib": stablib.__version__,
        **{name: importlib.metadata.version(name) for name in packages},
        "python": platform.python_version(),
        "hardware": f"{_accelerator(device)}{_processor()}, {os.cpu_count()} cores",
        "instructions": _instructions(packages[0]),
        "pace": pace(),
        "memory": _peak_memory(),
        "process": f"{os.getpid()}-{_BEGUN}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


@cache
def pace() -> float:
    """Seconds that a fixed piece of arithmetic takes here: scales costs between machines.

    What trainings do most, small products and exponentials. Sorting would not do: numpy sorts seven
    times as fast on one processor as on another on which networks train just as fast. Of one thread
    and of its own processor time, so that other work on the machine hardly counts.
    """
    matrices = np.random.default_rng(0).random((64, 32, 32), dtype=np.float32)
    best = np.inf
    for _ in range(7):
        began = time.thread_time()
        for _ in range(80):
            np.exp(-(matrices @ matrices))
        best = min(best, time.thread_time() - began)
    return round(best, 5)


def _peak_memory() -> int | None:
    """MiB that this process has taken at most; None on a system that does not say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (2**20 if sys.platform == "darwin" else 2**10))


@cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _accelerator(device: str) -> str:
    """Name of what is no processor, before that of the processor."""
    if device == "cpu":
        return ""
    import torch

    return f"{torch.cuda.get_device_name(device)} beside "


def _instructions(package: str) -> str:
    """Vector instructions that the package which trains uses: last bits of results depend on it."""
    if package == "torch":
        import torch

        return str(torch.backends.cpu.get_cpu_capability())
    if package == "numba":
        from llvmlite.binding import get_host_cpu_name
        from numba import config

        named = getattr(config, "CPU_NAME", None)  # NUMBA_CPU_NAME: another than the host.
        return str(named or get_host_cpu_name())
    return "unknown"


def made_with(made: Sequence[Mapping[str, Any]], packages: Sequence[str]) -> str:
    """Say when, on what and with which versions runs were trained: all that occur among them."""
    of_packages = ", ".join(f"{name} {_all(made, name)}" for name in packages)
    return (
        f"trained {_all(made, 'date')} on {_all(made, 'hardware')}{_mixed(made)}, {of_packages} "
        f"({_all(made, 'origin')})"
    )


def instructions_of(made: Iterable[Mapping[str, Any]]) -> str:
    """Vector instructions with which runs were trained, all that occur among them.

    Examples
    --------
    >>> instructions_of([{"instructions": "AVX512"}, {"instructions": "AVX2"}, {}])
    'AVX2 and AVX512 and unknown'
    """
    return " and ".join(sorted({str(run.get("instructions", "unknown")) for run in made}))


def _mixed(made: Sequence[Mapping[str, Any]]) -> str:
    """Name instructions where runs of several kinds are shown together."""
    kinds = instructions_of(made)
    return f" with {kinds} instructions" if " and " in kinds else ""


def _all(made: Sequence[Mapping[str, Any]], key: str) -> str:
    return " and ".join(sorted({str(run[key]) for run in made if key in run})) or "unknown"


def seeds_of(runs: Mapping[str, Sequence[SeedPlan]]) -> str:
    """Say which sources vary, once for all that have the same seeds.

    Examples
    --------
    >>> from stablib.training import seed_plans
    >>> plans = seed_plans(3)
    >>> seeds_of({"Control": plans, "L2": plans, "null": seed_plans(2, first_seed=9)})
    'all sources 0–2; null: all sources 9–10'
    """
    groups: dict[str, list[str]] = {}
    for name, plans in runs.items():
        groups.setdefault(describe(plans), []).append(name)
    first, *others = groups
    return "; ".join([first, *(f"{' and '.join(groups[s])}: {s}" for s in others)])


def in_full(runs: Runs) -> dict[str, Any]:
    """Recipe, seeds, versions and hardware of some runs, as JSON values."""
    keys = ("origin", "date", "hardware", "instructions", "stablib", *runs.recipe.workload.packages)
    return {
        "recipe": runs.recipe.model_dump(mode="json"),
        "seeds": describe(runs.every_plan),
        "plans": [identity(plan) for plan in runs.every_plan],
        **{key: sorted({str(m[key]) for m in runs.provenance if key in m}) for key in keys},
    }
