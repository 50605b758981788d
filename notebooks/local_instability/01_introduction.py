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
# # 1 Introduction
#
# *Local instability* is the paper's name for a plain fact: train a classifier again on the same
# data, with another random seed, and some of its answers change {cite}`datta2023`. Accuracy does
# not show it, because the two models are equally good; the user whose request is suddenly
# understood differently does notice.
#
# **What the paper claims.** Single utterances are predicted as up to seven different domains over
# 50 runs, and a small spread of confidence does not mean a stable label.
#
# **What was run.** Runs that differ only by their seed: initial weights, order of the examples and
# dropout. At the `laptop` preset they are small heads on frozen MiniLM features instead of the
# paper's fine-tuned DistilBERT; folded below is the same of networks that are really trained. The
# line under each exhibit says what its numbers rest on.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # massive or clinc150; both by default
split: Optional[str] = None  # val or test; the paper's choice by default
encoder: Optional[str] = None  # all-MiniLM-L6-v2 or distilbert-base-uncased
model: Optional[str] = None  # head, top_layer (the encoder's last one) or finetune (all of it)
n_runs: Optional[int] = None  # runs per method
first_seed: Optional[int] = None  # seed of the first run
step_runs: Optional[int] = None  # runs that are watched while they train
members: Optional[int] = None  # teachers of the shared ensemble
own_members: Optional[int] = None  # teachers of each student's own ensemble
learning_rate: Optional[float] = None  # Adam's; the model's own by default
epochs: Optional[int] = None  # passes over the training set
batch_size: Optional[int] = None  # examples in a mini-batch
hidden: Optional[int] = None  # hidden units of a head
limit: Optional[int] = None  # first examples of each split; all by default
temperature: Optional[float] = None  # T of eq. 2
reading: Optional[str] = None  # printed, p^T, as eq. 2 stands, or sharpen, p^(1/T)
weight_decay: Optional[float] = None  # of L2
alpha: Optional[float] = None  # label smoothing; .1 and .5 as the paper
after_step: Optional[int] = None  # N of TGTSS: steps not averaged; 180 and 200 as the paper
teacher_every: Optional[int] = None  # TGTSS averages every k-th step
step_every: Optional[int] = None  # watched runs predict every k-th step
fine_tuned_runs: Optional[int] = None  # runs of full fine-tuning; 0 for none
source_runs: Optional[int] = None  # heads for each source of nondeterminism

# %% tags=["hide-input"]
from stablib.show.exhibit import with_models
from stablib.show.local_instability import figures, tables
from stablib.studies import open_study

study = open_study("local_instability", vars())

# %% [markdown]
# (li-t1)=
# ## LI-T1 · Table 1: three utterances
#
# The paper shows one utterance on which all 50 runs agree and two on which they scatter over many
# labels, the second of them although its confidence hardly varies.

# %%
with_models(study, "LI-T1", lambda s: tables.table_1(s.control(split="val")))

# %% [markdown]
# (li-x3)=
# ## LI-X3 · How local is it?
#
# The paper's first observation is that unstable predictions are not spread over all utterances.
# The curve sorts utterances by their label entropy (defined in
# [section 3](03_measurement.ipynb)) and adds it up; the caption gives the shares.

# %%
with_models(study, "LI-X3", lambda s: figures.entropy_histogram(s.control(split="val")))
