"""Importance of tokens from the gradient of a score with respect to their embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from stablib.errors import UsageError, unknown

if TYPE_CHECKING:
    import torch

#: What is made of the gradient of a token, which has as many numbers as its embedding.
Kind = Literal["dot", "norm"]


def input_gradients(
    score: Callable[[torch.Tensor], torch.Tensor],
    embeddings: torch.Tensor,
    *,
    kind: Kind = "dot",
) -> NDArray[np.float64]:
    r"""Input gradient of each token, as one number.

    .. math:: \sum_d e_d \frac{\partial s}{\partial e_d} \quad \text{(dot)} \qquad
        \sqrt{\sum_d \left(\frac{\partial s}{\partial e_d}\right)^2} \quad \text{(norm)}

    where *e* is the embedding of a token and *s* the score of its text.

    Parameters
    ----------
    score : callable
        Takes embeddings of the shape of ``embeddings`` and returns one score a text, shape
        (n_texts,), that depends on them differentiably: a logit, or the probability of a class.
        The model should be as it predicts, without dropout.
    embeddings : torch.Tensor of float, shape (n_texts, n_tokens, n_dimensions)
        Of texts of one length, or padded; what belongs to padding is for the caller to cut off.
    kind : {"dot", "norm"}, default "dot"
        ``"dot"``: the signed product of gradient and embedding, the change of the score, to first
        order, when the token's embedding goes to 0. ``"norm"``: the length of the gradient, which
        has no sign.

    Returns
    -------
    ndarray of float64, shape (n_texts, n_tokens)
        In units of the score. For a distribution over the tokens see
        :func:`stablib.metrics.importance_shares`.

    Raises
    ------
    UsageError
        If ``embeddings`` is not such a tensor, ``score`` does not return one number a text that
        depends on it, or ``kind`` is unknown.

    Notes
    -----
    Random seed paper, section 2.2. It explains by "the magnitude of the change", which read plainly
    is the norm. Feng et al. 2018, whose procedure it says it follows, take the product, and so does
    the code of Jain and Wallace 2019 that it builds on, of the probability: the default.

    The paper does not cut the graph at attention, its released code does. That is the model's
    matter: to cut, ``score`` detaches the attention weights. No gradient is left on the weights of
    the model.

    Examples
    --------
    >>> import torch
    >>> embeddings = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    >>> weights = torch.tensor([3.0, -4.0])
    >>> input_gradients(lambda e: (e @ weights).sum(dim=1), embeddings)
    array([[ 3., -8.]])
    >>> input_gradients(lambda e: (e @ weights).sum(dim=1), embeddings, kind="norm")
    array([[5., 5.]])
    """
    import torch

    if kind not in get_args(Kind):
        raise unknown("kind", kind, get_args(Kind))
    if not isinstance(embeddings, torch.Tensor) or not embeddings.is_floating_point():
        got = embeddings.dtype if isinstance(embeddings, torch.Tensor) else type(embeddings)
        raise UsageError(f"embeddings must be a torch.Tensor of floats, got {got}")
    if embeddings.ndim != 3 or not embeddings.numel():
        raise UsageError(
            "embeddings must have shape (n_texts, n_tokens, n_dimensions), none of them 0, "
            f"got shape {tuple(embeddings.shape)}"
        )
    # Whatever the caller has switched off, and of a copy, as what was made without it stays so.
    with torch.inference_mode(False), torch.enable_grad():
        inputs = embeddings.detach().clone().requires_grad_()
        scores = score(inputs)
    if not isinstance(scores, torch.Tensor) or scores.shape != inputs.shape[:1]:
        shape = list(scores.shape) if isinstance(scores, torch.Tensor) else type(scores)
        raise UsageError(
            f"score must return a torch.Tensor of shape [{len(inputs)}], one number a text, "
            f"got {shape}"
        )
    found = None
    if scores.requires_grad:
        ones = torch.ones_like(scores)
        (found,) = torch.autograd.grad(scores, inputs, grad_outputs=ones, allow_unused=True)
    if found is None:
        raise UsageError(
            "score must depend on embeddings, got scores without a gradient "
            "(detached, or computed from other embeddings?)"
        )
    gradients = found.double()
    if kind == "norm":
        return gradients.norm(dim=-1).cpu().numpy()
    return (gradients * inputs.detach().double()).sum(dim=-1).cpu().numpy()
