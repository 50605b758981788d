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
# # Appendix
#
# **What the paper claims.** Utterances with medium confidence vary most; some are stable and wrong,
# probably annotation errors; the relations of section 3 hold on CLINC150 too; and TGTSS reduces
# both entropies most where they are high.

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
results = study.each(watched=True)
first, second = results[0], results[-1]
first_val = study.results(split=split or "val", methods=["Control"])

# %% [markdown]
# (li-f4)=
# ## LI-F4 · Figure 4: confidence and its spread, MASSIVE

# %%
figures.confidence_map(first_val, "LI-F4")

# %% [markdown]
# (li-f5)=
# ## LI-F5 · Figure 5: confidence and its spread, CLINC150

# %%
figures.confidence_map(second, "LI-F5")

# %% [markdown]
# (li-f6)=
# ## LI-F6 · Figure 6: one run against many, CLINC150

# %%
figures.le_s_against_le_m(second, "LI-F6")

# %% [markdown]
# (li-f7)=
# ## LI-F7 · Figure 7: label entropy against the spread of confidence, CLINC150
#
# The appendix' text names $\mu_m$, the caption $\sigma_m$; the latter is drawn, as in Figure 1.

# %%
figures.le_m_against_sigma(second, "LI-F7")

# %% [markdown]
# (li-t5)=
# ## LI-T5 · Table 5: utterances with high entropy, over runs
#
# The subset is chosen by the entropy of the control runs themselves. Chosen examples are partly
# unlucky ones, and other runs of the very same procedure look better on them. The row *Control,
# other seeds* shows how much; the paper's positive value for L2, which is negative overall, may
# be no more than that.

# %%
tables.table_5(results)

# %% [markdown]
# (li-t6)=
# ## LI-T6 · Table 6: utterances with high entropy, within one run

# %%
tables.table_6(results)

# %% [markdown]
# (li-f8)=
# ## LI-F8 · Figure 8: label entropy over the steps

# %%
figures.entropy_over_steps(first)
