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
# # 3.4.4 Stability over seeds
#
# **What the thesis claims.** Over ten seeds scores are stable, above all those close to 0 and 1.
# The attention is not: of the tenth of their history that two runs attend to most, they share what
# gives a Jaccard index of about one half where they are sure {cite}`jain2019`.
#
# **What was run.** Runs of DeepICF on MovieLens-1M that differ in everything: initial weights,
# order of the users, and negatives. The two last exhibits look at fewer runs on MovieLens-100K.

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
from stablib.show.recommender import questions, stability
from stablib.studies import open_study

study = open_study("recommender", vars())

# %% [markdown]
# (th-f3.10)=
# ## TH-F3.10 · Figure 3.10: scores

# %%
stability.scores(study.large())

# %% [markdown]
# (th-f3.11)=
# ## TH-F3.11 · Figure 3.11: attention

# %%
stability.attention(study.large())

# %% [markdown]
# (th-x4)=
# ## TH-X4 · Would a shared start explain the half?
#
# The released code begins with vectors of another model, which are the same file for every seed.

# %%
questions.starts(study.starts())

# %% [markdown]
# (th-x5)=
# ## TH-X5 · Which source of randomness is it?

# %%
questions.sources(study.sources())
