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
# # Appendix A: what should not help
#
# **What the paper claims.** Neither the length of the training nor the learning rate, nor
# momentum, Adam {cite}`kingma2014`, gradients at weights that are moved at random or ASWA
# {cite}`madhyastha2019` make runs vary less {cite}`summers2021`. Longer training makes them differ
# more.
#
# **What was run.** The ResNet-6 of the sections before, changed in one respect at a time. The
# paper's shortest training has a tenth of its usual epochs and its longest four times as many;
# here the shortest is somewhat longer than that, since a warm-up of three epochs is part of the
# recipe.

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
from stablib.show.nondeterminism import generalization
from stablib.studies import open_study

study = open_study("nondeterminism", vars())

# %% [markdown]
# (nd-t7)=
# ## ND-T7 · Table 7: learning rate and epochs

# %%
generalization.lengths(study.lengths(), study.sources())

# %% [markdown]
# (nd-a1)=
# ## ND-A1 · Other optimizers, momentum, weight augmentation, ASWA
#
# The paper gives no numbers here. It does not say how far weights are moved either: 1 % of the
# root mean square of each tensor is ours. It says that ASWA had to be changed to converge, and not
# how; here it is as in its own paper.

# %%
generalization.in_vain(study.in_vain())
