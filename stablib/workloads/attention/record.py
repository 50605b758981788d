"""What is kept of a model that attends: predictions and attention at two checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import expit, softmax

from stablib.training.record import Arrays, Observed, labels_that_differ

if TYPE_CHECKING:
    from stablib.training.observe import Observer
    from stablib.training.task import Task

#: The checkpoints that are kept.
CHECKPOINTS = ("best", "last")


class Checkpoints(Observed):
    """Predictions on the test texts, and attention to some, at the best and the last checkpoint.

    The best is the epoch's end with the largest area under the ROC curve on the validation texts,
    of more than two classes with the largest accuracy; the first epoch does not count, as in the
    released code. It is the model as the method left it at the epoch's end. The last is the
    trained model.

    Parameters
    ----------
    n_texts : int, default 0
        To so many test texts attention is kept, evenly spaced over them.

    Notes
    -----
    Arrays, float16 where nothing else is said:

    ``scores_best``, ``scores_last`` : (n_test, 1) or (n_test, n_classes)
        Log odds of the second of two classes, else log probabilities; see :func:`predictions`.
        Probabilities near 1 would be equal in this type, and areas under curves be wrong.
    ``log_attention_best``, ``log_attention_last`` : (n_tokens,)
        Of all tokens of the chosen texts, one text after the other, without start and end; of a
        pair those of the first part. See :func:`attended`; the smallest would be 0 in this type.
    ``attention_texts`` : (n_texts,) of int32, ``attention_starts`` : (n_texts + 1,) of int32
        Places of the texts in the test split, and of their tokens in the arrays before.
    ``validation`` : (n_epochs,) of float32
        What the best checkpoint was chosen by.
    ``best_epoch`` : () of int32
        Counted from 1.
    """

    kind: Literal["checkpoints"] = "checkpoints"
    measure = "labels that differ (%)"

    n_texts: int = Field(default=0, ge=0)

    def observer(self, task: Task, n_models: int) -> Observer:
        """Look at the validation texts after each epoch, and at the test texts at the end."""
        from stablib.workloads.attention.observer import CheckpointsObserver

        return CheckpointsObserver(task, self)

    def n_predicted(self, sizes: Mapping[str, int], n_steps: int) -> int:
        """The test texts at both checkpoints; the small validation split is not counted."""
        return 2 * sizes.get("test", 0)

    def difference(self, fresh: Arrays, published: Arrays) -> float:
        """Share of the labels of both checkpoints that differ, in percent."""
        names = [f"scores_{checkpoint}" for checkpoint in CHECKPOINTS]
        labels = [
            {name: predictions(arrays[name]).argmax(axis=-1) for name in names}
            for arrays in (fresh, published)
        ]
        return labels_that_differ(labels[0], labels[1], names)


def predictions(scores: ArrayLike) -> NDArray[np.float64]:
    """Turn the scores that are kept into probabilities.

    Parameters
    ----------
    scores : array_like, shape (..., n_examples, 1) or (..., n_examples, n_classes)
        Log odds of the second class, or log probabilities, as :class:`Checkpoints` keeps them.

    Returns
    -------
    ndarray of float64, shape (..., n_examples, n_classes)
        Rows sum to 1.

    Examples
    --------
    >>> predictions([[0.0], [2.0]]).round(3).tolist()
    [[0.5, 0.5], [0.119, 0.881]]
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.shape[-1] > 1:
        return np.asarray(softmax(array, axis=-1))
    return np.concatenate([expit(-array), expit(array)], axis=-1)


def attended(log_attention: ArrayLike, starts: ArrayLike) -> NDArray[Any]:
    """Turn the attention that is kept into distributions over the tokens of each text.

    Parameters
    ----------
    log_attention : array_like, shape (..., n_tokens)
        As :class:`Checkpoints` keeps it, of one run or several.
    starts : array_like of int, shape (n_texts + 1,)
        Where each text begins.

    Returns
    -------
    ndarray of float64, shape (..., n_tokens)
        Sums to 1 over the tokens of each text.

    Examples
    --------
    >>> attended([0.0, -1.0986, -1.0986, -1.0986], [0, 1, 4]).round(3).tolist()
    [1.0, 0.333, 0.333, 0.333]
    """
    begins = np.asarray(starts, dtype=np.int64)
    weights = np.exp(np.asarray(log_attention, dtype=np.float64))
    sums = np.add.reduceat(weights, begins[:-1], axis=-1)
    return np.asarray(weights / np.repeat(sums, np.diff(begins), axis=-1))
