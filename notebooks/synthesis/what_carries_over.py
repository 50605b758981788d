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
# # What carries over
#
# **What the texts leave open.** Each of them tries its methods on its own models, in a measure of
# its own. None says whether its answer holds on the models of the others.
#
# **What was run.** Runs of the chapters before stand side by side, in one unit; where a chapter
# does not try a method on its model, some runs were trained for this one. Two runs are laid
# beside each other, and it is counted on how many test examples they differ. That depends on how
# hard the examples are, so a method is held against plain runs of the same workload. The
# synthetic streams have no place here: a click is drawn and not right or wrong, their models
# predict chances, and what is kept of them is how far apart two predict.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
members: Optional[int] = None  # members of ordinary ensembles, and teachers of soft labels
extra_runs: Optional[int] = None  # runs of a method on a model of another chapter
converged: Optional[float] = None  # share of a teacher's steps that TGTSS leaves out

# %% tags=["hide-input"]
from stablib.show.synthesis import matrix, sources, widgets
from stablib.studies import open_study

study = open_study("synthesis", vars())

# %% [markdown]
# (sy-t1)=
# ## SY-T1 · Mitigations by workload
#
# A cell is empty where a method has no place; the caption says why. How many ordinary ensembles
# there are is said under "How it was made". Networks that attend to words stand here twice, at the
# best epoch and after the last: what helps at the one need not help at the other. ASWA begins every
# epoch at an average of all weights so far, which makes training slow; it averages trained weights
# alone and no statistics of batch norm, but its row shows that networks without any pay too.

# %%
matrix.mitigations(study.matrix())

# %% [markdown]
# ### Sort it, and open a cell

# %%
widgets.mitigation_matrix(study.matrix())

# %% [markdown]
# (sy-f1)=
# ## SY-F1 · Sources by workload
#
# "All" is all sources that a workload has: images are augmented, classifiers of MASSIVE have
# dropout, a recommender draws negatives.

# %%
sources.by_workload(study.sources())
