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
# # 6 What averaging does, and where
#
# The paper discusses why its methods work and leaves the answers to others
# {cite}`madhyastha2019`. These exhibits are ours.
#
# **What was run.** Data sets and an encoder of the preset, named below each exhibit, with more
# methods, other lengths of training and other seeds than the paper has, and a generated corpus of
# which it is known which words decide. Nothing here is judged: the paper makes no claim about it.

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
from stablib.show.random_seed import questions, widgets
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-x1)=
# ## RS-X1 · How long must training be for averaging to help?
#
# ASWA averages all weights since the first step, those of an untrained network included. A mean
# that is never written back is the control: it leaves the training as it is.

# %%
questions.training_length(study.lengths())

# %% [markdown]
# (rs-x2)=
# ## RS-X2 · Which source of variation does averaging remove?
#
# A seed decides two things here: the initial weights and the order of the texts. Averaging might
# forget the one, or smooth the other.

# %%
questions.sources(study.sources())

# %% [markdown]
# (rs-x4)=
# ## RS-X4 · Do explanations point at the words that decide?
#
# Agreement between runs says nothing about truth: all runs may point at the same wrong word. In
# the generated reviews one word decides, or the majority of three, and all others say nothing
# about the label.

# %%
words = study.known_words()
questions.known_words(words)

# %% [markdown]
# Two seeds, or two methods, on one review: which words does each explanation point at? The top
# 20 % of the words are underlined. Gradients and attention are kept for the same texts, LIME for
# some of them. The other data sets may not be quoted at length; with the files at hand,
# `widgets.explanation_comparer(study.main())` shows them in a notebook.

# %%
widgets.explanation_comparer(words)

# %% [markdown]
# (rs-x5)=
# ## RS-X5 · Every mitigation on both papers' models
#
# The methods of [the local instability paper](../local_instability/04_mitigation) on networks that
# attend, and averaging of all steps on that paper's heads.

# %%
questions.matrix(study.matrix())
