"""Which tokens a prediction rests on: input gradients and LIME, for a model of your own too.

Attention is what a model computes anyway; the workloads record it. How much explanations differ is
measured by :mod:`stablib.metrics`, e.g. :func:`stablib.metrics.pairwise_relative_entropy`.
"""

from stablib.explain.floor import noise_floor
from stablib.explain.gradients import input_gradients
from stablib.explain.surrogate import lime_weights

__all__ = ["input_gradients", "lime_weights", "noise_floor"]
