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
# # 7 What it means
#
# Three sources of irreproducibility can be told apart here, because each can be switched on alone:
# **rounding** ($z = 1$, same initial weights), **order** ($z > 1$), and **initial weights**. What
# the paper says of them: PD of the convex model is early stopping, which more examples diminish;
# hidden units add optima, which they do not; non-smooth units add more of them than smooth ones;
# and enough shuffling takes the advantage of smooth units away. The scorecard has the sentences
# that came out otherwise here.
#
# The table lists the PD of all models at the smallest and at the widest window. It is the short
# form of the claims in the [scorecard](../../book/scorecard.md).

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
from stablib.show.synthetic_irreproducibility import tables
from stablib.studies import open_study

study = open_study("synthetic_irreproducibility", vars())

# %% [markdown]
# (si-x2)=
# ## SI-X2 · All models, from rounding to full shuffling

# %%
tables.overview([study.simple(), study.towers(), study.embeddings(), study.quadratic()])
