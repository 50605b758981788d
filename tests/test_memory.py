"""Memory that is freed and needed again."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Frees and asks for tensors of megabytes, as steps of a training do; prints the page faults.
SCRIPT = """
import resource, sys
import numpy as np
from stablib.training import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def work():
    for _ in range(50):
        a = np.ones(2_000_000)
        b = a + a
        del a, b
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another C library")
def test_freed_memory_is_not_asked_for_again() -> None:
    faults = {}
    for how in ("keep", "give back"):
        command = [sys.executable, "-c", SCRIPT, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[how] = int(done.stdout)
    # 1.6 GB in pages of 4 KB, or of 2 MB where the system has them.
    assert faults["give back"] > 500
    assert faults["keep"] < faults["give back"] / 10
