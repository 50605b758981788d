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
# # 3 Averaging weights
#
# **What the paper claims.** Descent that starts each epoch from the average of all weights so far
# goes more carefully: it reaches a minimum without coming near a saddle on its way, and runs that
# differ by their seed end closer together {cite}`madhyastha2019`.
#
# **What was run.** The methods are in [](../../book/api/mitigation.md): `ASWA` and `NASWA` with
# the readings that text and released code leave open, and `WeightAverager` for a training loop of
# your own, which is what this page uses.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # one data set; those of the preset by default
encoder: Optional[str] = None  # cnn or bilstm; those of the preset by default
attention: Optional[str] = None  # additive, or dot: scaled dot product
vectors: Optional[str] = None  # word vectors: glove-6b-50d, wiki.simple or drawn
checkpoint: Optional[str] = None  # best on the validation texts, or last
n_runs: Optional[int] = None  # runs per method
first_seed: Optional[int] = None  # seed of the first run
epochs: Optional[int] = None  # passes over the training set
learning_rate: Optional[float] = None  # Adam's learning rate
limit: Optional[int] = None  # first texts of each split; all by default
imdb_limit: Optional[int] = None  # the same of IMDB, whose texts are long
n_texts: Optional[int] = None  # test texts whose attention is kept; by their length
n_lime: Optional[int] = None  # of these, texts that LIME explains
n_samples: Optional[int] = None  # samples of LIME for each text

# %% tags=["hide-input"]
from stablib.show.random_seed import illustrations, widgets
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-f2)=
# ## RS-F2 · Figure 2: descent past a saddle

# %%
illustrations.trajectories(study)

# %% [markdown]
# In the picture below both starts, the learning rate and the noise can be changed. It is computed
# in the page, with random numbers of its own, so its paths are not those above.

# %%
widgets.descent()
