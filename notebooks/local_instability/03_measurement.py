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
# # 3 Measuring instability
#
# The *multi-run label entropy* of an utterance is the entropy of the labels that $N$ runs give it,
#
# $$LE_m^{(i)} = -\sum_{k=1}^{K} \frac{n_k^{(i)}}{N} \log \frac{n_k^{(i)}}{N},$$
#
# where $n_k^{(i)}$ runs predict class $k$ (eq. 1, natural logarithm). It is 0 if all runs agree,
# even on a wrong class. The *single-run* entropy $LE_s$ is the same formula over the optimization
# steps of one run. $\mu_m$ and $\sigma_m$ are mean and standard deviation over runs of the
# probability of the gold label.
#
# **What the paper claims.** $LE_m$ and $\sigma_m$ are strongly linearly related, and so are
# $LE_s$ and $LE_m$. It gives no coefficient; we read "strong" as $r \ge 0.7$, and say so beside
# the verdict.

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
from stablib.show.local_instability import figures, widgets
from stablib.studies import open_study

study = open_study("local_instability", vars())

# %%
results = study.results(watched=True)

# %% [markdown]
# (li-f1)=
# ## LI-F1 · Figure 1: label entropy against the spread of confidence

# %%
with_models(study, "LI-F1", lambda s: figures.le_m_against_sigma(s.control(split="val"), "LI-F1"))

# %% [markdown]
# (li-f2)=
# ## LI-F2 · Figure 2: one run against many
#
# $LE_s$ costs one training and $LE_m$ fifty: if one predicts the other, instability can be
# measured in production. The paper draws this on its validation set; runs are watched on the
# holdout set here.

# %%
with_models(study, "LI-F2", lambda s: figures.le_s_against_le_m(s.results(watched=True), "LI-F2"))

# %% [markdown]
# ## Explore
#
# Each point is an utterance. Choose the axes and the method, brush a region or step through the
# points with the keyboard.

# %%
widgets.instability_map(results)

# %% [markdown]
# How much of this rests on the number of runs? Draw k of them and see how the entropy, its sum and
# the ranking of the methods move.

# %%
widgets.how_many_seeds(results)

# %% [markdown]
# (li-x2)=
# ## LI-X2 · Does label entropy find what is truly ambiguous?
#
# In real data nobody knows which utterances have two right answers. In the generated corpus it is
# known by construction: the label of an ambiguous utterance was drawn from two domains.

# %%
figures.finds_ambiguous(*study.standin())
