# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 More layers
#
# **What the paper claims.** In towers of 16, 8, 4 and 2 units ReLU has a high PD even with minimal
# shuffling and the same initial weights; the identity keeps $10^{-6}$ there, but with more
# shuffling both are worse than a single ReLU. Some models are stuck and learn nothing. Learned
# weights of a ReLU pair form a wide cloud.
#
# **What was run.** The towers with AdaGrad 0.1 on the shorter stream, shown in the figures, and on
# the paper's, as far as those pairs are published; claims are checked on both. What counts as stuck
# is a loss of ten times the median, among many more towers than pairs: initial weights decide it,
# and a few of them may miss it.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
n_pairs: Optional[int] = None  # pairs of models
n_pairs_quadratic: Optional[int] = None  # pairs on quadratic data; n_pairs by default
first_pair: Optional[int] = None  # number of the first pair: its examples and first weights
log2_examples: Optional[int] = None  # log2 T of the narrow models
log2_examples_embedding: Optional[int] = None  # log2 T of the models on embeddings
log2_examples_wide: Optional[int] = None  # log2 T of the 1024-512 models
log2_examples_long: Optional[int] = None  # log2 T of models that are shown if published
n_towers: Optional[int] = None  # ReLU towers among which stuck ones are counted
n_windows: Optional[int] = None  # shuffling windows, from one mini-batch to the whole stream
truth: Optional[int] = None  # seed of the true linear weights
truth_quadratic: Optional[int] = None  # seed of the true quadratic weights
beta: Optional[float] = None  # of SmeLU in the towers
learning_rate: Optional[float] = None  # AdaGrad's, where a figure does not vary it

# %% tags=["hide-input"]
from stablib.show.synthetic_irreproducibility import figures, tables, weights
from stablib.studies import open_study

study = open_study("synthetic_irreproducibility", vars())

# %%
curves, long = study.towers(), study.long()

# %% [markdown]
# (si-f6)=
# ## SI-F6 · Figure 6: towers
#
# SmeLU is not in the paper's figure; it is here because the paper says that it behaves as
# elsewhere. It says the same of Swish, of which no tower was trained here: not attempted.

# %%
figures.towers(curves, study.simple(), study.stuck(), long)

# %% [markdown]
# (si-f7)=
# ## SI-F7 · Figure 7: a wide cloud

# %%
weights.parameter_cloud(curves, long)

# %% [markdown]
# (si-x3)=
# ## SI-X3 · The same seeds on another processor
#
# With $z = 1$ and the same initial weights the two models of a pair differ by rounding alone, so a
# processor that adds in another order gives other pairs. In a ReLU tower the difference stays at
# rounding until it jumps, and when it jumps depends on the processor: the PD of a short stream is
# that of the moment.

# %%
tables.again(study.again())
