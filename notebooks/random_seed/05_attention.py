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
# # 5.2 Stability of attention
#
# **What the paper claims.** Attention of differently seeded runs differs: pairs of runs have a
# high relative entropy, and the Jaccard distance of their most attended words is large. ASWA and
# NASWA lower the relative entropy, on the diabetes notes by about 60 %.
#
# **What was run.** Attention to some of the test texts, evenly spread over them, of the same runs
# as in the section before. Relative entropy is averaged over ordered pairs of runs; start and end
# of a text are never attended to.

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
n_texts: Optional[int] = None  # test texts of which attention is kept
n_lime: Optional[int] = None  # of these, texts that LIME explains
n_samples: Optional[int] = None  # samples of LIME for each text

# %% tags=["hide-input"]
from stablib.show.random_seed import comparison, figures, tables
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-f4)=
# ## RS-F4 · Figure 4: relative entropy of attention

# %%
figures.by_score(study.each(), comparison.ATTENTION_ENTROPY, "RS-F4")

# %% [markdown]
# (rs-f5)=
# ## RS-F5 · Figure 5: Jaccard distance of the most attended words

# %%
figures.by_score(study.each(), comparison.ATTENTION_JACCARD, "RS-F5")

# %% [markdown]
# (rs-f8)=
# ## RS-F8 · Figure 8: relative entropy of attention with averaging

# %%
figures.by_method(study.each("cnn"), comparison.ATTENTION_ENTROPY, "RS-F8")

# %% [markdown]
# (rs-x6)=
# ## RS-X6 · Does attention agree because it is flatter?
#
# Two flat distributions are alike whatever they say. So the flatness of attention has to be read
# beside its stability.

# %%
tables.sharpness(study.each())
