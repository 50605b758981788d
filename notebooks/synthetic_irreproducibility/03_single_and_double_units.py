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
# # 3 One and two hidden units
#
# **What the paper claims.** With the same initial weights and no shuffling to speak of, PD of a
# single identity unit is of the order $10^{-7}$; distinct initial weights make it $10^{-4}$, and
# $10^{-2}$ with a ReLU. Two ReLU units lie orders of magnitude above the linear model even with the
# same initial weights. The loss of a model does not change with any of this. A smooth activation
# helps as long as there is little shuffling.
#
# **What was run.** The linear model (eq. 4), one unit (eq. 5) and two units (eq. 6), identity and
# ReLU, AdaGrad with a learning rate of 0.1. The paper's stream has $2^{26}$ examples; the first
# figure below has a shorter one, the second the paper's, as far as those pairs are published. The
# paper's widest window, $z = 2^{20}$, is longer than the shorter stream, whose widest window is the
# whole stream. The claims of this section are checked on both lengths.

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
from stablib.show.synthetic_irreproducibility import figures, weights, widgets
from stablib.studies import open_study

study = open_study("synthetic_irreproducibility", vars())

# %%
curves = study.simple()
long = study.long()

# %% [markdown]
# (si-f2)=
# ## SI-F2 · Figure 2: PD over shuffling windows, and against loss

# %%
figures.simple(curves, long)

# %% [markdown]
# (si-x1)=
# ## SI-X1 · The same on the paper's stream length

# %%
figures.simple_long(long)

# %% [markdown]
# ## Explore
#
# Choose a model and a window; T is the number of examples seen, so the models can be watched while
# they learn. The lower picture shows the weights of one pair.

# %%
widgets.pd_explorer([curves, study.towers(), study.embeddings(), study.quadratic(), long])

# %% [markdown]
# What was not stored can be trained here: choose network, activation, window and initial weights
# freely. The streams are shorter than those of the figures, and the pairs have examples of their
# own.

# %%
widgets.train_pairs(curves)

# %% [markdown]
# (si-f3)=
# ## SI-F3 · Figure 3: weights of paired models
#
# A single identity unit computes the same if the signs of its input and output weights change
# together. With distinct initial weights a pair can end in the two mirror images; the paper never
# saw this with the same initial weights.

# %%
weights.pair_weights(curves, long)

# %% [markdown]
# (si-f4)=
# ## SI-F4 · Figure 4: weight differences

# %%
weights.weight_differences(curves, long)
