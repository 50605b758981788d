"""Label entropy against a loop over examples with scipy.stats.entropy.

Claim: 100,000 examples x 50 runs x 150 classes in under a second.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import stats

from stablib.metrics import label_entropy


def main() -> None:
    labels = np.random.default_rng(0).integers(0, 150, size=(50, 100_000))
    began = time.perf_counter()
    ours = label_entropy(labels)
    fast = time.perf_counter() - began
    few = labels[:, :5000]
    began = time.perf_counter()
    theirs = [stats.entropy(np.bincount(column)) for column in few.T]
    slow = (time.perf_counter() - began) * labels.shape[1] / few.shape[1]
    np.testing.assert_allclose(ours[:5000], theirs, atol=1e-12)
    print(
        f"label_entropy {fast:.2f} s, loop {slow:.1f} s (from 5,000 examples): {slow / fast:.0f}x"
    )


if __name__ == "__main__":
    main()
