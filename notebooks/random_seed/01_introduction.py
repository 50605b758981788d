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
# # 1 Two seeds, two explanations
#
# *On model stability as a function of random seed* {cite}`madhyastha2019` trains small classifiers
# of texts ten times, with nothing but the seed changed, and asks two questions: do they agree on
# the label, and do they agree on the *reason*? Their attention over the words is often read as an
# explanation of a prediction.
#
# **What the paper claims.** Two runs that agree on a label can attend to different words of the
# same sentence.
#
# **What was run.** Networks trained as in section 4.3 of the paper: Adam with AMSGrad, batches of
# 32, 20 epochs, the checkpoint with the largest area under the ROC curve on the validation texts.
# At the preset `laptop` the word vectors are GloVe's with 50 numbers instead of fastText's with
# 300. No dropout: initial weights and order of the texts are all that a seed decides.

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
from stablib.show.random_seed import one_text
from stablib.studies import open_study

study = open_study("random_seed", vars())

# %% [markdown]
# (rs-f1)=
# ## RS-F1 · Figure 1: what two runs attend to
#
# The paper shows a sentence of its choice. Here the text is picked by a rule: of those whose
# attention is kept and whose label the first two runs get right, the one on which they differ most.

# %%
one_text.two_seeds(study.main())
