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
# # Questions of our own
#
# **What the thesis leaves open.** Do the methods of the other texts help a recommender? Does
# attention point at what decided, where that is known? What becomes of a score when the history
# changes? And on what was the learning rate chosen?
#
# **What was run.** DeepICF on MovieLens-100K, and on generated choices, of which it
# is known why each was made.

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
from stablib.show.recommender import questions, widgets
from stablib.studies import open_study

study = open_study("recommender", vars())

# %% [markdown]
# (th-x3)=
# ## TH-X3 · The methods of the other texts

# %%
questions.methods(study.methods(), study.small())

# %% [markdown]
# (th-x6)=
# ## TH-X6 · Does attention point at what decided?
#
# In the generated data an item tells about another one if both have the same genre, and only then.
# So it is known which items of a history attention should be on.

# %%
questions.known_tastes(study.known())

# %% [markdown]
# ## Why this film?
#
# Two runs that differ in nothing but their seeds, on the generated data: what each attends to when
# it ranks an item, and what becomes of the score when items are dropped from the history, or the
# attention is permuted.

# %%
widgets.why_this_film(study.known())

# %% [markdown]
# (th-x7)=
# ## TH-X7 · The learning rate

# %%
questions.learning_rates(study.rates())
