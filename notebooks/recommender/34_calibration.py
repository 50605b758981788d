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
# # 3.4.1 to 3.4.3 Calibration and attention
#
# **What the thesis claims.** DeepICF is over-confident about chosen films, and seemingly so about
# the others. Permuting its attention changes the score of a film that was missed the less, the
# surer the model is: attention explains over-confident predictions worst. With a loss in which
# both classes contribute alike the model is considerably more sensitive to its attention
# {cite}`jain2019`.
#
# **What was run.** The runs of the section before. Reliability is looked at within each true
# class, as in the thesis. That by itself bends the curves: of the films to which even a perfectly
# honest model gives a small chance, some are chosen, and these all count as sure and wrong. The
# dotted lines show how much.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # movielens-1m, movielens-100k or tastes
small: Optional[str] = None  # where ratings and more trainings are needed: movielens-100k or tastes
n_runs: Optional[int] = None  # runs of every model
extra_runs: Optional[int] = None  # runs of each row of our own questions
first_seed: Optional[int] = None  # seed of the first run; 0 is held fixed
epochs: Optional[int] = None  # passes over the data
small_epochs: Optional[int] = None  # passes over the small data
tastes_epochs: Optional[int] = None  # passes over the generated data
learning_rate: Optional[float] = None  # of DeepICF
tower_penalty: Optional[float] = None  # L2 penalty of its tower
beta: Optional[float] = None  # of its attention; 1 is a softmax
start_epochs: Optional[int] = None  # passes of FISM, where it begins
cycles: Optional[int] = None  # members of a snapshot ensemble; divides small_epochs
members: Optional[int] = None  # teachers of ensemble soft labels
limit: Optional[int] = None  # first users; all by default

# %% tags=["hide-input"]
from stablib.show.recommender import calibration, tables
from stablib.studies import open_study

study = open_study("recommender", vars())

# %% [markdown]
# (th-f3.7)=
# ## TH-F3.7 · Figure 3.7: reliability by true class

# %%
calibration.reliability(study.large())

# %% [markdown]
# (th-f3.8)=
# ## TH-F3.8 · Figure 3.8: permuted attention
#
# The middle panel has the change of the score, of chosen items that were missed and of others that
# were taken; the right one that of the log-odds, in which a step near 0 or 1 is as long as one
# between.

# %%
calibration.permutation(study.large())

# %% [markdown]
# (th-f3.9)=
# ## TH-F3.9 · Figure 3.9: a class-balanced loss

# %%
calibration.class_balance(study.large(), study.small())

# %% [markdown]
# (th-x1)=
# ## TH-X1 · Does class weighting change stability, or only calibration?

# %%
tables.class_weighting(study.large(), study.small())

# %% [markdown]
# (th-x2)=
# ## TH-X2 · Is it the confidence, or the evenness of attention?

# %%
calibration.flat_or_sure(study.large())
