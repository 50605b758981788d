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
# # 4 Mitigating instability
#
# | method | what changes | cost in trainings |
# |---|---|---|
# | L2 | a penalty on the squared weights | 1 |
# | SWA | mean of the weights after the last two epochs {cite}`izmailov2018` | 1 |
# | label smoothing | targets $(1-\alpha)\,y + \alpha/K$ {cite}`szegedy2016` | 1 |
# | ensemble soft labels ($E_b$) | a student learns the mean prediction of 200 runs | 201 |
# | TGTSS | a student learns one teacher's mean prediction over its last steps | 2 |
#
# Both soft-label methods temper their targets by eq. 2, printed as
#
# $$q_i = \frac{\bar p_i^{\,T}}{\sum_k \bar p_k^{\,T}}, \qquad T = 0.5 .$$
#
# **Two things the text leaves open.** With $T < 1$ this formula *flattens* the targets; the usual
# temperature, $\bar p^{\,1/T}$, sharpens them. And it does not say whether the 50 students
# learned from one shared teacher or from a teacher each. `stablib` has both readings of both
# (`reading=`, `teacher=`): the tables have a row for either kind of teacher, and the
# [ablation](#li-a1) compares the temperatures. A shared teacher removes variation
# by itself: its soft labels are the same for all students. A teacher of one's own is what
# retraining the whole procedure would do.

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
from stablib.show.local_instability import figures
from stablib.studies import open_study

study = open_study("local_instability", vars())

# %% [markdown]
# (li-f3)=
# ## LI-F3 · Figure 3: confidence during training, before and after TGTSS

# %%
with_models(study, "LI-F3", lambda s: figures.trajectories(s.results(watched=True)))

# %% [markdown]
# The utterances are picked by a rule, not by hand: the unstable ones are those on which TGTSS helps
# most, so the figure shows what the method can do, not what it does on average. The average is in
# [Table 4](#li-t4) and [Table 6](#li-t6).
