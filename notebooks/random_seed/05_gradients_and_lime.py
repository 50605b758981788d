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
# # 5.3 and 5.4 Gradients and LIME
#
# **What the paper claims.** Other explanations differ between runs as attention does: gradients of
# the prediction with respect to the word vectors, and LIME, a linear model of the network's
# answers around a text. NASWA makes both steadier {cite}`madhyastha2019`.
#
# **What was run.** Explanations of the same runs' best checkpoints. A gradient's share of a word
# is the absolute product of gradient and word vector, with the whole graph; the graph cut at
# attention is recorded too. LIME removes tokens at random, with the same random draws for every
# run, so that what differs are the models; how much LIME differs from itself is said with the
# figure. Where that is nearly as much as two models differ, as on the long texts of AG News, the
# figure is about LIME's own noise, which averaging lowers too.

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
from stablib.show.random_seed import comparison, figures
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-f7)=
# ## RS-F7 · Figure 7: gradients
#
# The paper's text speaks of the relative entropy of gradients and of ASWA, the caption of its
# figure of the Jaccard distance and of NASWA. Here it is the Jaccard distance, of both.

# %%
figures.by_method(study.each(), comparison.GRADIENT_JACCARD, "RS-F7")

# %% [markdown]
# (rs-f10)=
# ## RS-F10 · Figure 10: LIME

# %%
figures.by_method(study.each(), comparison.LIME_JACCARD, "RS-F10")
