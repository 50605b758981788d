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
# # 4 Instability: is one bit enough?
#
# **What the paper claims.** The smallest change of one initial weight that single precision has
# ends in networks that differ as much as networks with other initial weights altogether
# {cite}`summers2021`. So the sources are alike because training is unstable: any difference,
# however small, grows at least to that size. Without a hidden layer it does not grow.
#
# **What was run.** The network of the section before, with one weight of the first convolution
# moved to the next number, up or down, another weight in each run; and a linear model, a hidden
# layer of 512 units and a hidden convolution on the same images.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
dataset: Optional[str] = None  # cifar10, mnist or digits
model: Optional[str] = None  # resnet6, resnet10, resnet14 or resnet18
n_runs: Optional[int] = None  # runs of each row of Tables 1 and 3
few_runs: Optional[int] = None  # runs of each row elsewhere
device: Optional[str] = None  # of classifiers of images: cpu, or cuda for an accelerator
first_seed: Optional[int] = None  # seed of the first run; 0 is held fixed
epochs: Optional[int] = None  # passes over the training set
learning_rate: Optional[float] = None  # largest learning rate
shallow_rate: Optional[float] = None  # the same for networks without depth
digit_rate: Optional[float] = None  # the same for the network on MNIST
batch_size: Optional[int] = None  # images in a mini-batch
large_runs: Optional[int] = None  # runs of each row of the largest networks; 0 for none
large_epochs: Optional[int] = None  # passes of the largest networks
cycles: Optional[int] = None  # members of a snapshot ensemble; divides the epochs
limit: Optional[int] = None  # first training images; all by default
n_test: Optional[int] = None  # first test images; all by default
n_logits: Optional[int] = None  # first test images whose logits are kept; all by default
side: Optional[int] = None  # pixels a side to which images are shrunk; none by default
stride: Optional[int] = None  # of the first convolution: 1 or 2
crop: Optional[int] = None  # pixels by which images are shifted at random
lines: Optional[int] = None  # first training lines of the language model; all by default
vocabulary: Optional[int] = None  # most frequent words that it knows; all by default
embedding: Optional[int] = None  # numbers of a word in it
hidden: Optional[int] = None  # its hidden units a layer
window: Optional[int] = None  # words of its mini-batches, on average
dropout: Optional[float] = None  # factor of its dropout rates, .4, .3, .4 and .1
text_optimizer: Optional[str] = None  # sgd or adam
text_rate: Optional[float] = None  # its learning rate
text_epochs: Optional[int] = None  # its passes over the training text

# %% tags=["hide-input"]
from stablib.show.nondeterminism import conditioning, figures, language, shallow, tables, widgets
from stablib.studies import open_study

study = open_study("nondeterminism", vars())

# %% [markdown]
# (nd-t3)=
# ## ND-T3 · Table 3: one bit

# %%
tables.one_bit(study.sources())

# %% [markdown]
# (nd-t4)=
# ## ND-T4 · Table 4: one bit of a language model
#
# The language model of [ND-T2](03_nondeterminism), with one weight of its first recurrent layer
# moved to the next number.

# %%
language.language_bit(study.language())

# %% [markdown]
# (nd-x5)=
# ## ND-X5 · One bit, epoch by epoch
#
# The paper tells the story of one pair: .18 points of accuracy apart after the first epoch, 2.33
# after the second and 10.42 after the third, when the warm-up ends, and .12 at the end. Read from
# end to end, training multiplies a change of the initial weights by at least 1.8 × 10⁷ (loss) and
# 2.6 × 10⁸ (accuracy in percent): what numerical analysis calls a condition number.

# %%
conditioning.conditioning(study.curves())

# %% [markdown]
# (nd-x4)=
# ## ND-X4 · How the difference grows
#
# An exhibit of ours: the same twins step by step. The paper tells the story of one pair by its
# accuracy after each epoch.

# %%
figures.divergence(study.twins())

# %% [markdown]
# One pair at a time, with the logits of an image: also where sources begin late, and in a deeper
# network and two without depth.

# %%
widgets.divergence_viewer(study.partings())

# %% [markdown]
# (nd-t8)=
# ## ND-T8 · Table 8: networks without depth

# %%
without_depth = study.shallow()
shallow.shallow(without_depth)

# %% [markdown]
# (nd-f3)=
# ## ND-F3 · Figure 3: one bit over the epochs, with and without a hidden layer

# %%
figures.over_epochs(without_depth)

# %% [markdown]
# (nd-x2)=
# ## ND-X2 · Does the immunity of linear models depend on the learning rate?
#
# An exhibit of ours. The paper explains the immunity by convexity and an appropriate schedule. How
# much of it is the schedule?

# %%
shallow.by_rate(study.rates())
