"""Widget: where the explanations of one text by two runs point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics import pair_mean, pairwise_jaccard_distance, top_share
from stablib.metrics._check import as_distributions, as_fractions
from stablib.show.widgets._inputs import (
    check_gold,
    check_known,
    check_mapping,
    check_methods,
    name_runs,
    narrow,
)
from stablib.show.widgets.hosted import (
    HostedWidget,
    check_choice,
    check_position,
    encode_array,
    module_text,
)

#: Share of a text's tokens that count as its most important ones, as in the random seed paper.
TOP = 0.2
ORDERS = ("disagreement", "text", "position")
#: What a share of exactly 0 is written as; other codes are multiples of a step of its logarithm.
ZERO = np.iinfo(np.uint16).max

#: By method and kind, one array of shape (n_runs, n_tokens) for each text that has it.
Shares = dict[str, dict[str, dict[int, NDArray[np.float64]]]]


class ExplanationComparer(HostedWidget):
    """The view that :func:`explanation_comparer` fills; its state traits may be read and set."""

    _esm = module_text("explanation_comparer.js")

    #: Methods of the left and of the right run; may be the same.
    methods = traitlets.List(traitlets.Unicode(), minlen=2, maxlen=2).tag(sync=True, state=True)
    #: Rows (counted from 0) of the left and of the right run.
    rows = traitlets.List(traitlets.Int(), [0, 1], minlen=2, maxlen=2).tag(sync=True, state=True)
    kind = traitlets.Unicode().tag(sync=True, state=True)
    #: Position of the picked text; -1 for none.
    picked = traitlets.Int(-1).tag(sync=True, state=True)
    search = traitlets.Unicode("").tag(sync=True, state=True)
    #: Gold label listed; -1 for both.
    gold = traitlets.Int(-1).tag(sync=True, state=True)
    order = traitlets.Enum(ORDERS, "disagreement").tag(sync=True, state=True)

    @traitlets.validate("methods")
    def _check_methods(self, proposal: Any) -> list[str]:
        names = [method["name"] for method in self.data["methods"]]
        return [check_choice("method in methods", value, names) for value in proposal.value]

    @traitlets.validate("rows")
    def _check_rows(self, proposal: Any) -> list[int]:
        n_runs = len(self.data["methods"][0]["run_names"])
        if not all(0 <= row < n_runs for row in proposal.value):
            raise traitlets.TraitError(f"rows must be 0 to {n_runs - 1}, got {proposal.value}")
        return list(proposal.value)

    @traitlets.validate("kind")
    def _check_kind(self, proposal: Any) -> str:
        return check_choice("kind", proposal.value, [kind["name"] for kind in self.data["kinds"]])

    @traitlets.validate("picked")
    def _check_picked(self, proposal: Any) -> int:
        return check_position("picked", proposal.value, len(self.data["tokens"]))

    @traitlets.validate("gold")
    def _check_gold(self, proposal: Any) -> int:
        return check_position("gold", proposal.value, len(self.data["label_names"]))


def explanation_comparer(
    explanations: Mapping[str, Mapping[str, Sequence[ArrayLike | None]]],
    *,
    tokens: Sequence[Sequence[str]],
    scores: Mapping[str, ArrayLike],
    gold: ArrayLike,
    label_names: Sequence[str],
    seeds: Mapping[str, Sequence[int]] | None = None,
    name: str,
    picture: str = "",
) -> ExplanationComparer:
    """Compare what two runs, of one method or of two, find important in a text.

    Parameters
    ----------
    explanations : mapping to mapping of str to sequence of array_like, shape (n_runs, n_tokens)
        By method and kind, such as ``"attention"``, one array a text, of float, whose rows are
        distributions over the tokens, or None if the text has no explanation of this kind. What is
        no distribution becomes one by :func:`stablib.metrics.importance_shares`. All methods have
        the same kinds, for the same texts, and the same number of runs, at least two.
    tokens : sequence of sequence of str, length n_texts
        The tokens of each text, in reading order; placeholders where the data may not be shown.
    scores : mapping of str to array_like of float, shape (n_runs, n_texts)
        By method of ``explanations``: each run's probability (fraction) of the second class.
    gold : array_like of int, shape (n_texts,)
        Gold class indices.
    label_names : sequence of str, length 2
        Names of the two classes.
    seeds : mapping of str to sequence of int, length n_runs, optional
        Seeds of the runs by method; without it runs are numbered from 1.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    ExplanationComparer
        Its state: ``methods`` and ``rows`` (of the left and the right run), ``kind``, ``picked``
        (position of a text), ``search``, ``gold`` (class index, -1 for both), ``order``
        ("disagreement", "text" or "position").

    Raises
    ------
    ValueError
        If shapes do not fit, a name is unknown or missing, or a value is out of range; names the
        argument.

    Notes
    -----
    Texts are sorted by the mean Jaccard distance of the top 20 % of the tokens over all pairs of
    runs of the left method, measured on the shares as given. The page gets each share's logarithm,
    in 65534 steps down to that of the smallest share above 0, and 0 as 0. With a smallest share of
    a millionth that is 0.01 % of a share; relative entropies are off by as little, as fractions of
    a nat, and shares that are closer than this count as equal.

    Examples
    --------
    >>> attention = [[[0.8, 0.2], [0.3, 0.7]]]  # One text of two tokens, two runs.
    >>> widget = explanation_comparer(
    ...     {"Plain": {"attention": attention}},
    ...     tokens=[["not", "bad"]],
    ...     scores={"Plain": [[0.4], [0.9]]},
    ...     gold=[1],
    ...     label_names=["negative", "positive"],
    ...     name="two-runs",
    ... )
    >>> widget.kind, widget.rows
    ('attention', [0, 1])
    """
    gold = check_gold(gold, label_names)
    if len(label_names) != 2:
        raise UsageError(f"label_names must hold two names, got {len(label_names)}")
    words = _check_tokens(tokens, gold.size)
    chances = _check_scores(scores, explanations, gold.size)
    n_runs = len(next(iter(chances.values())))
    shares = _check_explanations(explanations, words, n_runs)
    run_names = name_runs(shares, n_runs, seeds)
    step = _log_step(shares)
    first = next(iter(shares))
    methods = []
    for method, names in zip(shares, run_names, strict=True):
        kinds = [
            {
                "shares": encode_array(_log_codes(texts.values(), step)),
                "disagreement": encode_array(_disagreement(texts.values())),
            }
            for texts in shares[method].values()
        ]
        encoded = encode_array(chances[method].astype(np.float32))
        methods.append({"name": method, "run_names": names, "scores": encoded, "kinds": kinds})
    n_runs = len(methods[0]["run_names"])
    data = {
        "offered": {"methods": [each["name"] for each in methods], "kind": list(shares[first])},
        "ranges": {
            "rows": [0, n_runs - 1],
            "gold": [-1, len(label_names) - 1],
            "picked": [-1, int(gold.size) - 1],
        },
        "top": TOP,
        "log_step": step,
        "zero": int(ZERO),
        "tokens": words,
        "gold": encode_array(narrow(gold)),
        "label_names": [str(label) for label in label_names],
        "kinds": [
            {"name": kind, "texts": encode_array(narrow(np.array(list(texts), dtype=np.int64)))}
            for kind, texts in shares[first].items()
        ],
        "methods": methods,
    }
    kind, texts = next(iter(shares[first].items()))
    picked = list(texts)[int(_disagreement(texts.values()).argmax())] if texts else -1
    return ExplanationComparer(
        name=name, data=data, picture=picture, methods=[first, first], kind=kind, picked=picked
    )


def _check_tokens(tokens: Sequence[Sequence[str]], n_texts: int) -> list[list[str]]:
    """Return the tokens of each text, of which there is at least one."""
    if len(tokens) != n_texts:
        raise UsageError(f"tokens must hold {n_texts} texts, one a gold label, got {len(tokens)}")
    for text, words in enumerate(tokens):
        if isinstance(words, str) or len(words) == 0:
            raise UsageError(f"tokens[{text}] must be a sequence of at least one token")
    return [[str(word) for word in words] for words in tokens]


def _check_scores(
    scores: Mapping[str, ArrayLike], methods: Mapping[str, object], n_texts: int
) -> dict[str, NDArray[np.float64]]:
    """Return the probabilities of each method, in the order of the explanations."""
    check_methods("explanations", methods)
    check_mapping("scores", scores)
    check_known("scores", scores, methods)
    arrays: dict[str, NDArray[np.float64]] = {}
    for method in methods:
        if method not in scores:
            raise UsageError(f"scores must hold every method of explanations; missing {method!r}")
        array = as_fractions(scores[method], name=f"scores[{method!r}]")
        if array.ndim != 2 or array.shape[1] != n_texts:
            raise UsageError(
                f"scores[{method!r}] must have shape (n_runs, {n_texts}), got {array.shape}"
            )
        if len(array) < 2:
            raise UsageError(f"scores[{method!r}] must hold at least 2 runs, got {len(array)}")
        arrays[method] = array
        first = next(iter(arrays))
        if len(array) != len(arrays[first]):
            raise UsageError(
                f"scores[{first!r}] and scores[{method!r}] must have the same number of runs, "
                f"got {len(arrays[first])} and {len(array)}"
            )
    return arrays


def _check_explanations(
    explanations: Mapping[str, Mapping[str, Sequence[ArrayLike | None]]],
    tokens: Sequence[Sequence[str]],
    n_runs: int,
) -> Shares:
    """Return the shares of the texts that have them: the same texts in every method."""
    checked: Shares = {}
    for method, kinds in explanations.items():
        argument = f"explanations[{method!r}]"
        check_mapping(argument, kinds)
        if not kinds:
            raise UsageError(f"{argument} must hold at least one kind, got none")
        first = next(iter(explanations))
        known = explanations[first]
        for kind in kinds:
            if kind not in known:
                raise unknown(f"kind in {argument}", kind, known)
        checked[method] = {}
        for kind in known:
            if kind not in kinds:
                raise UsageError(
                    f"{argument} must hold every kind of explanations[{first!r}]; missing {kind!r}"
                )
            texts = _check_texts(f"{argument}[{kind!r}]", kinds[kind], tokens, n_runs)
            odd = sorted(texts.keys() ^ checked[first].get(kind, texts).keys())
            if odd:
                raise UsageError(
                    f"{argument}[{kind!r}] must explain the same texts as "
                    f"explanations[{first!r}][{kind!r}], and does not at position {odd[0]}"
                )
            checked[method][kind] = texts
    return checked


def _check_texts(
    argument: str,
    arrays: Sequence[ArrayLike | None],
    tokens: Sequence[Sequence[str]],
    n_runs: int,
) -> dict[int, NDArray[np.float64]]:
    """Return the shares of one method and kind by the position of the text."""
    if len(arrays) != len(tokens):
        raise UsageError(f"{argument} must hold {len(tokens)} texts, got {len(arrays)}")
    texts = {}
    for text, values in enumerate(arrays):
        if values is None:
            continue
        shape = (n_runs, len(tokens[text]))
        shares = as_distributions(values, name=f"{argument}[{text}]", shape=str(shape))
        if shares.shape != shape:
            raise UsageError(f"{argument}[{text}] must have shape {shape}, got {shares.shape}")
        texts[text] = shares
    return texts


def _disagreement(texts: Iterable[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Mean Jaccard distance (fraction) of the top tokens over pairs of runs, of each text."""
    means = [pair_mean(pairwise_jaccard_distance(top_share(runs, TOP))) for runs in texts]
    return np.array(means, dtype=np.float32)


def _log_step(shares: Shares) -> float:
    """Step (nats) in which the logarithms of all shares fit into 16 bits, beside the zero."""
    arrays = [
        runs for kinds in shares.values() for texts in kinds.values() for runs in texts.values()
    ]
    smallest = min((float(runs[runs > 0.0].min()) for runs in arrays), default=1.0)
    return -np.log(smallest).item() / (ZERO - 1) or 1.0


def _log_codes(texts: Iterable[NDArray[np.float64]], step: float) -> NDArray[np.uint16]:
    """Write shares as multiples of a step below the logarithm of 1, one text after the other."""
    flat = np.concatenate([np.zeros(0), *(runs.ravel() for runs in texts)])
    codes = np.full(flat.shape, ZERO, dtype=np.uint16)
    used = flat > 0.0
    codes[used] = np.clip(np.round(-np.log(flat[used]) / step), 0, ZERO - 1)
    return codes
