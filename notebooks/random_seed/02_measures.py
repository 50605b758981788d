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
# # 2.2 Measures of stability
#
# **Predictions** are compared by the standard deviation of a text's score over runs.
# **Explanations** are compared in pairs of runs: by the relative entropy of their distributions
# over the words of a text, $H = \sum_i p_i \log (p_i / q_i)$, and by the Jaccard distance of the
# words that matter most, $J = 1 - |A \cap B| / |A \cup B|$ {cite}`madhyastha2019`.
#
# **What the paper leaves open.** Relative entropy is not symmetric, and the text does not say
# which pairs are averaged; here all ordered pairs are. The figures take the top 20 % of the words,
# a listing in the thesis 10 %.

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
from stablib.show.random_seed import illustrations
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (th-f4.3)=
# ## TH-F4.3 · Thesis, Figure 4.3: what the Jaccard distance does not see

# %%
illustrations.two_distributions(study)
