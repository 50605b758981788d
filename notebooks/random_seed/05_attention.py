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
imdb_limit: Optional[int] = None  # the same of IMDB, whose texts are long
n_texts: Optional[int] = None  # test texts whose attention is kept; by their length
n_lime: Optional[int] = None  # of these, texts that LIME explains
n_samples: Optional[int] = None  # samples of LIME for each text

# %% tags=["hide-input"]
from stablib.show.random_seed import comparison, figures, one_text, tables
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
# (th-f4.16)=
# ## TH-F4.16 · Thesis, Figure 4.16: the same with BiLSTMs

# %%
figures.by_method(study.each("bilstm"), comparison.ATTENTION_ENTROPY, "TH-F4.16")

# %% [markdown]
# (th-f4.17)=
# ## TH-F4.17 · Thesis, Figure 4.17: scaled dot-product attention
#
# The thesis shows SST and the diabetes notes; here it is the first of the preset's data sets, with
# NASWA as printed.

# %%
figures.by_method([study.with_dot()], comparison.ATTENTION_ENTROPY, "TH-F4.17")

# %% [markdown]
# (rs-f9)=
# ## RS-F9 · Figure 9: pairs of sentences with three labels
#
# In SNLI a network attends to the first sentence of a pair and is asked by the second. The paper
# trains on 549,367 pairs; in the book the network learns the development pairs alone. Each panel
# shows the texts with one label, binned by the mean probability of that label.

# %%
figures.by_method(study.pairs().by_label(), comparison.ATTENTION_ENTROPY, "RS-F9")

# %% [markdown]
# (th-f4.19)=
# ## TH-F4.19 · Thesis, Figures 4.19 and 4.20: attention word by word
#
# The thesis shows tweets of its choice, in one of which the sd of the attention to a word falls by
# more than 80 % with ASWA. Here the text is picked by a rule, from the same tweets where they are
# among the data sets looked at. They may not be quoted: its tokens are numbered.

# %%
one_text.attention_sd(study.one_text())

# %% [markdown]
# (rs-x6)=
# ## RS-X6 · Does attention agree because it is flatter?
#
# Two flat distributions are alike whatever they say. So the flatness of attention has to be read
# beside its stability. That holds above all for dot products and pairs of sentences, whose
# attention is close to equal weights.

# %%
tables.sharpness([*study.each(), study.with_dot(), study.pairs()])
