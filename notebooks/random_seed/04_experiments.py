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
# # 4 Experiments
#
# **What the paper uses.** Seven data sets, two encoders (a CNN with kernels of width 1, 3, 5 and
# 7, and a BiLSTM), two kinds of attention, ten seeds {cite}`madhyastha2019`.
#
# **What is here.** The data sets and encoders that the line under each exhibit names; others can be
# trained with `--param dataset=imdb --param encoder=bilstm`. IMDB, whose texts are the longest, is
# not among those of the preset `laptop`; asked for, it takes the first 2,000 reviews of each split.
# Of AG News only a sample of the training texts is at hand, and its texts begin with their titles,
# where the paper reads descriptions alone. The two clinical sets, anemia and diabetes, need
# credentials for MIMIC-III {cite}`johnson2016`; with its files they run like the others.

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
from stablib.show.random_seed import questions, tables
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-t1)=
# ## RS-T1 · Table 1: data sets
#
# The paper prints 652 and 653 test texts for SST, of which the released code's file has more
# {cite}`madhyastha2019`. Whether its training texts include those for validation differs between
# sets and is not said, so both counts answer. The last column says which copy was counted: not
# all are the paper's, and [](../../book/data.md) says where those are.

# %%
tables.data(study.each(), study.corpora())

# %% [markdown]
# (th-f4.5)=
# ## TH-F4.5 · Thesis, Figure 4.5: the same seed again
#
# The thesis trains with the same seeds on two machines and finds almost the same curves, and
# exactly the same ones on one machine. Here a training of two epochs, which has been kept, is done
# again while this page is made.

# %%
questions.again(study.again())
