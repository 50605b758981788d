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
# # 6 Generalization: other networks, and MNIST
#
# **What the paper claims.** What holds of the ResNet-14 holds of smaller and larger residual
# networks, of VGG-11 and of ShuffleNetV2: one bit does about what other initial weights do, and
# snapshots agree with each other more than plain runs do {cite}`summers2021`. On MNIST
# {cite}`lecun1998` one bit does less, and snapshots do not help.
#
# **What was run.** At the preset `laptop` the ResNet-6 of the sections before and a ResNet-10 on
# the same images of CIFAR-10, and the small network of the released code on 5,000 images of MNIST
# at 14 x 14 pixels. A ShuffleNetV2 of half width {cite}`ma2018`, a ResNet-18 and a VGG-11
# {cite}`simonyan2014` take far longer: they have fewer rows and a quarter of the epochs,
# and stand here as far as their runs are published.

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
# (nd-t6)=
# ## ND-T6 · Table 6: other networks
#
# The cells of the printed table are not in the text that this book was made from, so the claims
# judged are its sentences.

# %%
generalization.architectures(study.architectures(), study.sources())
