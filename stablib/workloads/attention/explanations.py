"""What is kept of explanations: input gradients and LIME at the best checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from stablib.training.record import Arrays, Observed
from stablib.workloads.attention.record import attended

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task

#: Where the texts of an explanation begin, by the name of its array.
_STARTS = {
    "log_gradients": "explained_starts",
    "log_gradients_cut": "explained_starts",
    "log_lime": "lime_starts",
    "log_lime_again": "lime_starts",
}


class Explanations(Observed):
    """Input gradients and LIME for some test texts, at the best checkpoint, of two classes.

    The best checkpoint is that of :class:`Checkpoints`. Explained is the second class: its log odds
    by gradients, its probability by LIME. Attention is kept by :class:`Checkpoints`, of equal
    ``n_texts`` for the same texts.

    Parameters
    ----------
    n_texts : int, default 200
        So many test texts are explained by gradients, evenly spaced over them.
    n_lime : int, default 40
        So many of these are explained by LIME, evenly spaced over them: the first ones are often of
        one class.
    n_samples : int, default 1000
        Texts that LIME predicts to explain one; the released code takes 5000.
    explainer_seed : int, default 0
        Which tokens LIME removes, the same for all runs: what their explanations differ by is then
        theirs. The next seed explains the same models again, for the noise of the explainer.
    gradient : {"dot", "norm"}, default "dot"
        What is made of the gradient of a token, see :func:`stablib.explain.input_gradients`.

    Notes
    -----
    One thread explains a text of SST by gradients in less than a hundredth of a second and by LIME,
    with both seeds, in a tenth (CNN) or a sixth (BiLSTM): at the defaults a run takes 4 or 7
    seconds more, with AG News, of 50 words, 8 or 15. A text of IMDB takes as long as six of SST.

    Arrays, float16 where nothing else is said, of all tokens of the explained texts, one text after
    the other, without start and end. They are logarithms of each token's share of the absolute
    values of its text; see :func:`explained` and :func:`attended`. If all values of a text are 0,
    its tokens have equal shares.

    ``log_gradients``, ``log_gradients_cut`` : (n_tokens,)
        With the whole graph, as in the random seed paper, section 2.2, and with the graph cut at
        attention, as in its released code.
    ``log_lime``, ``log_lime_again`` : (n_lime_tokens,)
        With ``explainer_seed``, and with the next one. A text of which LIME has removed all tokens
        attends to nothing: what is left is the decoder's bias.
    ``explained_texts`` : (n_texts,) of int32, ``explained_starts`` : (n_texts + 1,) of int32
        Places of the texts in the test split, and of their tokens in the gradients.
    ``lime_texts`` : (n_lime,) of int32, ``lime_starts`` : (n_lime + 1,) of int32
        The same of LIME. Without ``n_lime`` there is no array of LIME.
    ``validation``, ``best_epoch``
        As :class:`Checkpoints` keeps them.
    """

    kind: Literal["explanations"] = "explanations"
    measure = "mean total variation distance of explanations, the largest of all methods"

    n_texts: int = Field(default=200, ge=1)
    n_lime: int = Field(default=40, ge=0)
    n_samples: int = Field(default=1000, ge=2)
    explainer_seed: int = Field(default=0, ge=0, lt=2**32 - 1)
    gradient: Literal["dot", "norm"] = "dot"

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the validation texts after each epoch, and explain at the end."""
        from stablib.workloads.attention.explainer import ExplanationsObserver

        return ExplanationsObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """Texts forwards and backwards, which counts three times, twice; what LIME predicts."""
        n_texts = min(self.n_texts, sizes.get("test", 0))
        return 6 * n_texts + 2 * self.n_samples * min(self.n_lime, n_texts)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Total variation distance, a fraction: mean over texts, the largest of all methods."""
        return max(_distance(fresh, published, name) for name in _STARTS if name in published)


def explained(log_shares: ArrayLike, starts: ArrayLike) -> list[NDArray[np.float64]]:
    """Turn attention or explanations that are kept into one array a text.

    Parameters
    ----------
    log_shares : array_like, shape (..., n_tokens)
        As :class:`Explanations` or :class:`Checkpoints` keeps them, of one run or several.
    starts : array_like of int, shape (n_texts + 1,)
        Where each text begins.

    Returns
    -------
    list of ndarray of float64, shape (..., n_tokens of the text), length n_texts
        Fractions, which sum to 1 over the last axis: what
        :func:`stablib.metrics.over_examples` takes.

    Examples
    --------
    >>> two_runs = np.log([[1.0, 0.25, 0.75], [1.0, 0.5, 0.5]])
    >>> [text.tolist() for text in explained(two_runs, [0, 1, 3])]
    [[[1.0], [1.0]], [[0.25, 0.75], [0.5, 0.5]]]
    """
    begins = np.asarray(starts, dtype=np.int64)
    return np.split(attended(log_shares, begins), begins[1:-1], axis=-1)


def _distance(fresh: Arrays, published: Arrays, name: str) -> float:
    """Mean total variation distance of an explanation's texts."""
    starts: NDArray[Any] = published[_STARTS[name]]
    gap = attended(fresh[name], starts) - attended(published[name], starts)
    return float(np.abs(gap).sum() / 2.0 / (len(starts) - 1))
