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
# # 3.1 Data, models, and what vectors know
#
# **What the thesis claims.** Recommenders are trained on MovieLens-1M {cite}`harper2015` to tell
# what users chose from what they did not, and learn more than they are told: films of a genre lie
# together, and so, a little, do users of an age {cite}`jain2019`.
#
# **What was run.** DeepICF with attention {cite}`xue2019`, which knows a user by the films of
# their history, and GMF and NeuMF {cite}`he2017`, which have a vector for each user; without
# pretraining. The hyper-parameters are the published ones but for two: the number of epochs, which
# the exhibits state, and the learning rate of DeepICF. It was chosen on MovieLens-100K, on films
# held out of the histories and never on the test films ([TH-X7](th-x7)), and taken for both data
# sets; the others were not tuned. The licence of MovieLens forbids to pass it on, so this page is
# made with a copy of one's own in `STABLIB_DATA`; without it the other pages show what follows
# from the published scores.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # movielens-1m, movielens-100k or tastes
small: Optional[str] = None  # where ratings and more trainings are needed: movielens-100k or tastes
n_runs: Optional[int] = None  # runs of every model
extra_runs: Optional[int] = None  # runs of each row of our own questions
first_seed: Optional[int] = None  # seed of the first run; 0 is held fixed
epochs: Optional[int] = None  # passes over the data
small_epochs: Optional[int] = None  # passes over the small data
tastes_epochs: Optional[int] = None  # passes over the generated data
learning_rate: Optional[float] = None  # of DeepICF
tower_penalty: Optional[float] = None  # L2 penalty of its tower
beta: Optional[float] = None  # of its attention; 1 is a softmax
start_epochs: Optional[int] = None  # passes of FISM, where it begins
cycles: Optional[int] = None  # members of a snapshot ensemble; divides small_epochs
members: Optional[int] = None  # teachers of ensemble soft labels
limit: Optional[int] = None  # first users; all by default

# %% tags=["hide-input"]
from stablib.show.recommender import preliminary
from stablib.studies import open_study

study = open_study("recommender", vars())

# %% [markdown]
# (th-t3.1)=
# ## TH-T3.1 · Table 3.1: MovieLens
#
# One film a user is held out, and ranked among 99 that the user did not choose.

# %%
preliminary.statistics(study.large())

# %% [markdown]
# (th-f3.1)=
# ## TH-F3.1 · Figure 3.1: vectors of films
#
# The thesis shows DeepICF with horror and action films, and GMF with horror and children's films.

# %%
preliminary.item_vectors(study.vectors())

# %% [markdown]
# (th-f3.2)=
# ## TH-F3.2 · Figure 3.2: vectors of users

# %%
preliminary.user_vectors(study.vectors())

# %% [markdown]
# (th-f3.3)=
# ## TH-F3.3 · Figure 3.3: the age of the nearest users

# %%
preliminary.neighbours(study.vectors())

# %% [markdown]
# (th-f3.5)=
# ## TH-F3.5 · Figure 3.5: ratings
#
# The file of MovieLens-1M that this book was made from lacks part of the ratings. So three
# outputs are trained on MovieLens-100K, where every rating is known.

# %%
preliminary.ratings([study.large(), study.small()])
