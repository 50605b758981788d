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
# # 3 Nondeterminism: one source at a time
#
# *Nondeterminism and instability in neural network optimization* {cite}`summers2021` gives each
# source of randomness in a training a seed of its own, holds all seeds but one fixed, and asks how
# much the trained networks differ.
#
# **What the paper claims.** Whatever varies, the initial weights, the order of the images, their
# augmentation or the rounding of the library below, the trained networks differ by about the same
# amount. No source or combination matters twice as much as another.
#
# **What was run.** At the preset `laptop` a ResNet-6 on 5,000 images of CIFAR-10
# {cite}`krizhevsky2009` at 16 x 16 pixels, tested on 2,000, instead of a ResNet-14 on 50,000 at
# 32 x 32: the paper's 700 trainings would take two cores months. Momentum and weight decay are the
# paper's. Batches are of 64 instead of 512 images; of the four learning rates of
# [ND-X2](04_instability), .2 was chosen by the accuracy on test images that no exhibit looks at.
# The copy of CIFAR-10 that the published runs saw was recompressed as JPEG, see
# [](../../book/data.md).
#
# Known differences from the released code: its cosine falls at every step and here after every
# epoch; its shortcuts, in networks that halve their images, take every second pixel and here the
# mean of four; what it shifts into an image is black and here the mean of all images; its VGG-11,
# ShuffleNet and hidden convolution begin as torch's layers do and here as the ResNets, and norms of
# its VGG-11 learn at the full rate and here at a tenth.
#
# cuDNN, whose unordered additions the paper varies, is a library for accelerators. On a processor
# the same can be had with a seed: the images of a mini-batch are added up in another order, which
# changes nothing but rounding. That is what *low level* means here.

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
from stablib.show.nondeterminism import across, figures, generalization, language, tables
from stablib.studies import open_study

study = open_study("nondeterminism", vars())

# %% [markdown]
# (nd-t1)=
# ## ND-T1 · Table 1: what each source does
#
# The cells of the printed table are not in the text that this book was made from. The numbers to
# compare with are those of a replication by others with the same code {cite}`ahmed2022`.

# %%
tables.sources(study.sources())

# %% [markdown]
# (nd-f1)=
# ## ND-F1 · Figure 1: how alike the layers are
#
# Linear CKA {cite}`kornblith2019` of the states that two runs make of the same images.

# %%
figures.similarity(study.layers())

# %% [markdown]
# (nd-f2)=
# ## ND-F2 · Figure 2: sources that begin to vary late
#
# Is it the first steps that decide? Here runs are one and the same until some epoch, and have
# seeds of their own from there on.

# %%
figures.onset(study.onsets(), study.sources())

# %% [markdown]
# (nd-t2)=
# ## ND-T2 · Table 2: a language model
#
# A quasi-recurrent network {cite}`bradbury2016` that predicts the next word of the Penn Treebank
# {cite}`marcus1993`, by the recipe of {cite}`merity2017` as far as the paper needs it. At the
# preset `laptop` it is smaller, knows the 2,000 most frequent words alone, reads the first 12,000
# lines five times and is trained by Adam; its perplexity cannot be compared with that of a model
# which knows 10,000 words. Ensembles average probabilities.

# %%
language.language_sources(study.language())

# %% [markdown]
# (nd-x1)=
# ## ND-X1 · Do all sources do the same elsewhere?
#
# An exhibit of ours: the same question to the networks of two other papers, partly from the runs
# of [LI-X5](../local_instability/05_results) and [RS-X2](../random_seed/06_questions). A small
# head on frozen features is nearly convex; the last layer of a pretrained encoder begins at its
# own weights, so that only its head has initial weights that are drawn; a CNN and a BiLSTM on
# texts are trained from the words on. Those of which no other exhibit needs such runs stand here
# as far as they are published. In the paper no source does twice as much as another, and as one bit
# does nearly as much as all of them ([ND-T3](04_instability)), whatever touches the weights is
# bound to do so too. Does one bit here?

# %%
across.across(study.across())

# %% [markdown]
# (nd-x3)=
# ## ND-X3 · Is the same training the same twice?
#
# An exhibit of ours, on what all others rest: with all seeds the same, nothing may differ. The
# library trains each network on one thread. How many threads add up a product is a source of its
# own on a processor, and so is the processor: the snapshot ensembles of [ND-T5](05_path_forward)
# and [ND-T6](06_generalization) have the same recipe and the same seeds, and where they were
# published from two kinds of processors they are the same training twice, and are compared here.

# %%
generalization.again(study.again(), study.twice())
