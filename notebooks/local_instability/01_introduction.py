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
# paper's fine-tuned DistilBERT; the line under each exhibit says what its numbers rest on.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop or paper
dataset: Optional[str] = None  # massive or clinc150; both by default
split: Optional[str] = None  # val or test; the paper's choice by default
encoder: Optional[str] = None  # all-MiniLM-L6-v2 or distilbert-base-uncased
n_runs: Optional[int] = None  # runs per method
first_seed: Optional[int] = None  # first seed
learning_rate: Optional[float] = None  # Adam's learning rate
temperature: Optional[float] = None  # T of eq. 2
alpha: Optional[float] = None  # label smoothing
after_step: Optional[int] = None  # N of TGTSS: the first steps that are not averaged
members: Optional[int] = None  # teachers of the shared ensemble

# %% tags=["hide-input"]
from stablib.show.local_instability import figures, tables
from stablib.studies import open_study

study = open_study(
    preset,
    dataset=dataset,
    split=split,
    encoder=encoder,
    n_runs=n_runs,
    first_seed=first_seed,
    learning_rate=learning_rate,
    temperature=temperature,
    alpha=alpha,
    after_step=after_step,
    members=members,
)

# %%
results = study.results(split=split or "val", methods=["Control"])

# %% [markdown]
# (li-t1)=
# ## LI-T1 · Table 1: three utterances
#
# The paper shows one utterance on which all 50 runs agree and two on which they scatter over many
# labels, the second of them although its confidence hardly varies.

# %%
tables.table_1(results)

# %% [markdown]
# (li-x3)=
# ## LI-X3 · How local is it?
#
# The paper's first observation is that unstable predictions are not spread over all utterances.
# The curve sorts utterances by their label entropy (defined in
# [section 3](03_measurement.ipynb)) and adds it up; the caption gives the shares.

# %%
figures.entropy_histogram(results)
