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
# # 5 A path forward: ensembles from one training
#
# **What the paper claims.** Snapshot ensembles {cite}`huang2017`, whose members are taken from one
# training whenever its learning rate has fallen to 0, cut the variability about as well as an
# ordinary ensemble of two does, at half its cost {cite}`summers2021`. Predictions for mirrored and
# shifted test images help too, and both together most.
#
# **What was run.** The runs of which everything varies, beside trainings of the same length whose
# learning rate falls to 0 as often as the first column says. The views of the test images are kept
# beside the same trainings, so they cost none. Ordinary ensembles are means of runs of Table 1
# that share no run, with both sets of seeds of which everything varies. One training can also be
# parted: into two or three whole trainings, each as much shorter, whose mean costs what snapshots
# cost.

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
from stablib.show.nondeterminism import ensembles
from stablib.studies import open_study

study = open_study("nondeterminism", vars())

# %% [markdown]
# (nd-t5)=
# ## ND-T5 · Table 5: snapshots and ordinary ensembles
#
# Reductions to compare with are those of the printed paper, as the replication quotes them
# {cite}`ahmed2022`.

# %%
ensembles.mitigations(study.mitigations(), study.sources(), study.at_equal_cost())
