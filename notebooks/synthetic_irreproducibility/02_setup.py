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
# # 2 Set-up
#
# What is left of irreproducibility if everything is known and nothing is large? Snapp and Shamir
# {cite}`snapp2021` draw data from a known model, train pairs of tiny networks in one pass, and let
# the two models of a pair differ in one thing at a time.
#
# **Data.** 32 sparse binary features in two sets of 16; feature $j$ of a set is 1 with probability
# $6/(j\pi)^2$. True log-odds $\theta_j$ come from a mixture of three normal distributions with
# means -2, 0 and 2. A label is 1 with probability $\sigma(\mathbf x^T\theta)$ (eq. 1). Here an
# example is a function of the stream's seed and its place in the stream, so both models of a pair
# see the same examples, in any order, without anything being stored.
#
# **Shuffling.** The stream is cut into windows of $z$ mini-batches of 32 examples; inside each the
# two models meet the examples in different orders. With $z = 1$ only the order inside the
# mini-batch differs, and with it only the rounding of a sum of 32 gradients. In the paper's
# TensorFlow this order is up to the machine; here it is drawn, and nothing else is random. Narrow
# networks and those on embeddings add up gradients one by one in single precision in this order;
# the networks of section 6 leave it to matrix products, which add up in blocks. Other systems round
# in other ways, so the values at $z = 1$ are of an order of magnitude at best.
#
# **Metrics.** Relative prediction difference of a pair (eq. 3),
#
# $$\Delta_r = \frac 1N \sum_n
# \frac{|\hat p_2(\mathbf x_n) - \hat p_1(\mathbf x_n)|}{p_\theta(\mathbf x_n)},$$
#
# on $N = 2^{16}$ examples (the text calls this 16K, but $2^{16}$ is 65,536), averaged over pairs.
# The paper writes $M = 16$ pairs in one place and sums over $M/2$ pairs in another; we read $M$ as
# the number of models, 32. Excess label loss (eq. 2) is the mean Kullback-Leibler divergence from
# the true probability, in nats. Both are computed in double precision from the single-precision
# weights: the differences at $z = 1$ are smaller than single precision can show.
#
# **Where the text is silent** we take Keras' defaults: Glorot-uniform weights, zero biases,
# embeddings within 0.05, gradients of the mean loss over a mini-batch, $\epsilon = 10^{-7}$. A
# decay rate of 0.001 is read as Keras' decay over time: the learning rate is divided by one plus
# 0.001 times the number of the mini-batch.

# %% tags=["parameters"]
from typing import Optional

preset: str = "laptop"  # smoke, laptop, paper
n_pairs: Optional[int] = None  # pairs of models
n_pairs_quadratic: Optional[int] = None  # pairs on quadratic data; n_pairs by default
first_pair: Optional[int] = None  # number of the first pair: its examples and first weights
log2_examples: Optional[int] = None  # log2 T of the narrow models
log2_examples_embedding: Optional[int] = None  # log2 T of the models on embeddings
log2_examples_wide: Optional[int] = None  # log2 T of the 1024-512 models
log2_examples_long: Optional[int] = None  # log2 T of models that are shown if published
n_towers: Optional[int] = None  # ReLU towers among which stuck ones are counted
n_windows: Optional[int] = None  # shuffling windows, from one mini-batch to the whole stream
truth: Optional[int] = None  # seed of the true linear weights
truth_quadratic: Optional[int] = None  # seed of the true quadratic weights
beta: Optional[float] = None  # of SmeLU in the towers
learning_rate: Optional[float] = None  # AdaGrad's, where a figure does not vary it

# %% tags=["hide-input"]
from stablib.show.synthetic_irreproducibility import diagrams
from stablib.studies import open_study

study = open_study("synthetic_irreproducibility", vars())

# %% [markdown]
# (si-f1)=
# ## SI-F1 · Figures 1 and 5: the networks

# %%
diagrams.networks(study.simple())
