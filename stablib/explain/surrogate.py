"""Importance of tokens from a linear model that imitates a prediction nearby: LIME."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics._check import as_count, as_finite

#: What LIME removes and weighs: each token for itself, or all occurrences of a word together.
Features = Literal["tokens", "words"]


def lime_weights(
    predict: Callable[[list[list[str]]], ArrayLike],
    tokens: Sequence[str],
    *,
    seed: int,
    label: int = 1,
    n_samples: int = 5000,
    features: Features = "tokens",
) -> NDArray[np.float64]:
    """Weight of each token in the linear model that LIME fits around one text.

    Tokens are removed at random, the model predicts what is left, and a ridge regression of the
    predicted probability on what is there, in which texts count more if less is removed, gives the
    weights.

    Parameters
    ----------
    predict : callable
        Takes a list of texts, each a list of tokens, perhaps an empty one, and returns the
        probabilities of the classes, shape (n_texts, n_classes).
    tokens : sequence of str
        The tokens of the text, at least one.
    seed : int
        Of the explainer: which tokens are removed. With one seed for all models the difference
        between their explanations is theirs; see :func:`noise_floor` for what the seed itself does.
    label : int, default 1
        The class that is explained.
    n_samples : int, default 5000
        Number of texts that are predicted, the whole one included; LIME's own default.
    features : {"tokens", "words"}, default "tokens"
        ``"tokens"``: each token is a feature, as in attention and gradients. ``"words"``: all
        occurrences of a word are removed together and share their weight.

    Returns
    -------
    ndarray of float64, shape (n_tokens,)
        Signed, in units of probability: positive where the token speaks for the class.

    Raises
    ------
    UsageError
        If the package lime is not installed, there is no token, ``predict`` does not return finite
        probabilities of the right shape, or an option is out of range.

    Notes
    -----
    Ribeiro et al. 2016; random seed paper, section 2.2 and Figure 10, which does not say what the
    features are. LIME, called on a text with its defaults as the released code does, removes words:
    use ``features="words"`` for that. Its sampler there shares the seed of the training, so that
    the noise of the explainer counts as the training's; here it has a seed of its own.

    Examples
    --------
    >>> def predict(texts):
    ...     good = np.array([0.3 + 0.4 * ("good" in text) for text in texts])
    ...     return np.column_stack([1.0 - good, good])
    >>> lime_weights(predict, ["a", "good", "film"], seed=0, n_samples=500).round(1) + 0.0
    array([0. , 0.4, 0. ])
    """
    need_lime()
    from lime.lime_text import LimeTextExplainer

    words = _tokens(tokens)
    known, count = _seed(seed), as_count(n_samples, name="n_samples", at_least=2)
    explained = as_count(label, name="label", at_least=0)
    if features not in get_args(Features):
        raise unknown("features", features, get_args(Features))
    # LIME sees a text of numbers, which no rule for splitting texts can take apart: those of the
    # tokens, or those of their first occurrences.
    first = {word: number for number, word in reversed(list(enumerate(words)))}
    names = [first[w] if features == "words" else k for k, w in enumerate(words)]

    def predict_numbers(texts: list[str]) -> NDArray[np.float64]:
        found = _predicted(predict, [[words[int(n)] for n in text.split()] for text in texts])
        if explained >= found.shape[1]:
            raise UsageError(f"label must be below the {found.shape[1]} classes, got {explained}")
        return found

    explainer = LimeTextExplainer(random_state=known, feature_selection="none")
    explanation = explainer.explain_instance(
        " ".join(map(str, names)),
        predict_numbers,
        labels=(explained,),
        num_features=len(words),
        num_samples=count,
    )
    weights = {int(name): weight for name, weight in explanation.as_list(label=explained)}
    return np.array([weights[name] for name in names])


def need_lime() -> None:
    """Refuse to go on without LIME, before a training whose model it is to explain.

    Raises
    ------
    UsageError
        If a package is not installed.
    """
    try:
        import lime.lime_text  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(
            f"lime_weights needs the package {error.name}: pip install 'stablib[explain]'"
        ) from None


def _tokens(tokens: Sequence[str]) -> list[str]:
    """Return the tokens of one text."""
    words = [] if isinstance(tokens, str) else list(tokens)
    if not words or not all(isinstance(word, str) for word in words):
        raise UsageError(
            "tokens must be a list with at least one string, not one string, "
            f"got {type(tokens).__name__} of length {len(tokens)}"
        )
    return words


def _seed(seed: int) -> int:
    """Return a seed as LIME takes it."""
    if not isinstance(seed, Integral) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise UsageError(f"seed must be an int from 0 to 2**32 - 1, got {seed!r}")
    return int(seed)


def _predicted(
    predict: Callable[[list[list[str]]], ArrayLike], texts: list[list[str]]
) -> NDArray[np.float64]:
    """Return what the model predicts for texts."""
    array = as_finite(predict(texts), name="the result of predict")
    if array.ndim != 2 or len(array) != len(texts):
        raise UsageError(
            f"the result of predict must have shape ({len(texts)}, n_classes), "
            f"got shape {array.shape}"
        )
    return array
