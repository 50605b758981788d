"""The true models from which synthetic data are drawn."""

from __future__ import annotations

import zlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

#: Number of binary features.
N_FEATURES = 32


class DataModel(BaseModel):
    """A true model from which examples and labels are drawn.

    Parameters
    ----------
    kind : {"linear", "quadratic"}
        Log-odds of the label: theta x (section 2) or x Theta x with eight lower-triangular 4 x 4
        blocks (section 6).
    seed : int, default 0
        Of the true weights. They are drawn once and are the same for all pairs.

    References
    ----------
    Snapp and Shamir 2021, sections 2 and 6.

    Examples
    --------
    >>> model = DataModel(kind="linear")
    >>> model.feature_probabilities()[:2].round(3)
    array([0.608, 0.152])
    >>> float(model.log_odds(np.zeros((1, 32)))[0])
    0.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["linear", "quadratic"]
    seed: int = Field(default=0, ge=0)

    def feature_probabilities(self) -> NDArray[np.float64]:
        """Probability that each feature is 1, shape (32,)."""
        if self.kind == "linear":
            return np.tile(6.0 / (np.arange(1, 17) * np.pi) ** 2, 2)
        return np.tile(90.0 / (np.arange(1, 5) * np.pi) ** 4, 8)

    def weights(self) -> NDArray[np.float64]:
        """True weights: theta of shape (32,), or the blocks of Theta, shape (8, 4, 4).

        Each is normal with sd 1 and a mean of -2, 0 or 2, picked with equal probability.
        """
        rng = np.random.default_rng([zlib.crc32(b"theta"), self.seed])
        shape = (N_FEATURES,) if self.kind == "linear" else (8, 4, 4)
        drawn = rng.choice([-2.0, 0.0, 2.0], size=shape) + rng.normal(size=shape)
        return drawn if self.kind == "linear" else np.tril(drawn)

    def log_odds(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """True log-odds of label 1.

        Parameters
        ----------
        features : ndarray, shape (n_examples, 32)
            0 or 1.

        Returns
        -------
        ndarray of float64, shape (n_examples,)
        """
        x = np.asarray(features, dtype=np.float64)
        if self.kind == "linear":
            return x @ self.weights()
        blocks = x.reshape(len(x), 8, 4)
        total: NDArray[np.float64] = np.einsum("nbi,bij,nbj->n", blocks, self.weights(), blocks)
        return total
