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
# # 4 Instability: one bit is enough
#
# **What the paper claims.** The smallest change of one initial weight that single precision has
# ends in networks that differ as much as networks with other initial weights altogether
# {cite}`summers2021`. So the sources are alike because training is unstable: any difference,
# however small, grows at least to that size. Without a hidden layer it does not grow.
#
# **What was run.** The network of the section before, with one weight of the first convolution
# moved to the next number, up or down, another weight in each run; and a linear model, a hidden
# layer of 512 units and a hidden convolution on the same images.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # cifar10, mnist or digits
model: Optional[str] = None  # resnet6, resnet10, resnet14 or resnet18
n_runs: Optional[int] = None  # runs of each row of Tables 1 and 3
few_runs: Optional[int] = None  # runs of each row elsewhere
first_seed: Optional[int] = None  # seed of the first run; 0 is held fixed
epochs: Optional[int] = None  # passes over the training set
learning_rate: Optional[float] = None  # largest learning rate
shallow_rate: Optional[float] = None  # the same for networks without depth
batch_size: Optional[int] = None  # images in a mini-batch
cycles: Optional[int] = None  # members of a snapshot ensemble; divides the epochs
limit: Optional[int] = None  # first training images; all by default
n_test: Optional[int] = None  # first test images; all by default
side: Optional[int] = None  # pixels a side to which images are shrunk; none by default
stride: Optional[int] = None  # of the first convolution: 1 or 2
crop: Optional[int] = None  # pixels by which images are shifted at random

# %% tags=["hide-input"]
from stablib.show.nondeterminism import figures, tables, widgets
from stablib.studies import open_study

study = open_study("nondeterminism", vars())

# %% [markdown]
# (nd-t3)=
# ## ND-T3 · Table 3: one bit

# %%
tables.one_bit(study.sources())

# %% [markdown]
# (nd-x4)=
# ## ND-X4 · How the difference grows
#
# An exhibit of ours: the same twins step by step. The paper tells the story of one pair by its
# accuracy after each epoch.

# %%
twins = study.twins()
figures.divergence(twins)

# %% [markdown]
# One pair at a time, with the logits of an image.

# %%
widgets.divergence_viewer(twins)

# %% [markdown]
# (nd-t8)=
# ## ND-T8 · Table 8: networks without depth

# %%
shallow = study.shallow()
tables.shallow(shallow)

# %% [markdown]
# (nd-f3)=
# ## ND-F3 · Figure 3: one bit over the epochs, with and without a hidden layer

# %%
figures.over_epochs(shallow)

# %% [markdown]
# (nd-x2)=
# ## ND-X2 · Does the immunity of linear models depend on the learning rate?
#
# An exhibit of ours. The paper explains the immunity by convexity and an appropriate schedule. How
# much of it is the schedule?

# %%
tables.by_rate(study.rates())
