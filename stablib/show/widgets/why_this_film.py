"""Widget: why a recommender with attention ranks an item where it does, under two seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.metrics._check import as_number
from stablib.show.widgets._inputs import check_finite, check_mapping, narrow
from stablib.show.widgets.hosted import HostedWidget, check_choice, encode_array, module_text

#: Seeds of permutations; 0 leaves the attention as it is.
MAX_SHUFFLE = 2**31 - 1
#: Share of a history that is its most attended part, and what batch norm adds to variances.
TOP, EPSILON = 0.1, 1e-3


class WhyThisFilm(HostedWidget):
    """The view that :func:`why_this_film` fills; its state traits may be read and set."""

    _esm = module_text("why_this_film.js")

    #: Runs on the left and on the right.
    runs = traitlets.List(traitlets.Unicode(), minlen=2, maxlen=2).tag(sync=True, state=True)
    user = traitlets.Int(0).tag(sync=True, state=True)
    #: Place of the item among the user's candidates; 0 is the one held out.
    candidate = traitlets.Int(0).tag(sync=True, state=True)
    #: Places of the items that are left out of the history.
    dropped = traitlets.List(traitlets.Int()).tag(sync=True, state=True)
    #: Seed of a permutation of the attention to the item; 0 for none.
    shuffle = traitlets.Int(0).tag(sync=True, state=True)

    @traitlets.validate("runs")
    def _check_runs(self, proposal: Any) -> list[str]:
        names = [run["name"] for run in self.data["runs"]]
        return [check_choice("run", value, names) for value in proposal.value]

    @traitlets.validate("user", "candidate", "shuffle")
    def _check_place(self, proposal: Any) -> int:
        key = proposal.trait.name
        last = {
            "user": len(self.data["histories"]) - 1,
            "candidate": min(map(len, self.data["candidates"])) - 1,
            "shuffle": MAX_SHUFFLE,
        }[key]
        if not 0 <= proposal.value <= last:
            raise traitlets.TraitError(f"{key} must be 0 to {last}, got {proposal.value}")
        return int(proposal.value)

    @traitlets.validate("dropped")
    def _check_dropped(self, proposal: Any) -> list[int]:
        last = len(self.data["histories"][self.user]) - 1
        for place in proposal.value:
            if not 0 <= place <= last:
                raise traitlets.TraitError(f"dropped must hold places 0 to {last}, got {place}")
        kept = sorted(set(proposal.value))
        if len(kept) > last:
            raise traitlets.TraitError("dropped must leave one item in the history")
        return kept


def why_this_film(
    models: Mapping[str, Mapping[str, ArrayLike]],
    *,
    histories: Sequence[ArrayLike],
    candidates: Sequence[ArrayLike],
    titles: Sequence[str],
    name: str,
    beta: float = 0.8,
    picture: str = "",
) -> WhyThisFilm:
    """Look at what two runs of DeepICF attend to, and take it away from them.

    All is computed in the page from the runs' weights: attention, scores and ranks, also after
    items have been dropped from the history or the attention has been permuted.

    Parameters
    ----------
    models : mapping of str to mapping of str to array_like of float
        By run, at least two, the weights of a :class:`stablib.models.item_model.ItemModel` with
        attention, by their names there.
    histories : sequence of array_like of int
        Of each user the items of the history.
    candidates : sequence of array_like of int
        Of each user the items that are ranked, the one held out first.
    titles : sequence of str, length n_items
        Names of the items.
    name : str
        Names the element; unique on its page.
    beta : float, default 0.8
        Of the attention.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    WhyThisFilm
        Its state: ``runs`` (two of the names), ``user``, ``candidate``, ``dropped`` (places in
        the history) and ``shuffle`` (seed of a permutation of the attention; 0 for none).

    Raises
    ------
    ValueError
        If a weight is missing or has another shape than the others ask for, or an item is unknown;
        names the argument.
    """
    check_mapping("models", models)
    if len(models) < 2:
        raise UsageError(f"models must hold at least two runs, got {len(models)}")
    power = as_number(beta, name="beta")
    if not 0.0 <= power <= 1.0:
        raise UsageError(f"beta must be between 0 and 1, got {power:g}")
    n_items = len(titles)
    lists = {
        key: [_items(f"{key}[{user}]", items, n_items) for user, items in enumerate(given)]
        for key, given in (("histories", histories), ("candidates", candidates))
    }
    if not lists["histories"] or len(lists["histories"]) != len(lists["candidates"]):
        raise UsageError(
            "histories and candidates must hold as many users, at least one, got "
            f"{len(lists['histories'])} and {len(lists['candidates'])}"
        )
    runs = [
        {"name": str(run), **_weights(f"models[{run!r}]", weights, n_items)}
        for run, weights in models.items()
    ]
    data = {
        "offered": {"runs": [run["name"] for run in runs]},
        "ranges": {"shuffle": [0, MAX_SHUFFLE]},
        "runs": runs,
        **lists,
        "titles": [str(title) for title in titles],
        "beta": power,
        "epsilon": EPSILON,
        "top": TOP,
        "max_shuffle": MAX_SHUFFLE,
    }
    return WhyThisFilm(
        name=name, data=data, picture=picture, runs=[run["name"] for run in runs[:2]]
    )


def _items(argument: str, items: ArrayLike, n_items: int) -> list[int]:
    array = np.asarray(items)
    if array.ndim != 1 or array.size < 2 or not np.issubdtype(array.dtype, np.integer):
        raise UsageError(f"{argument} must be at least two whole numbers, got shape {array.shape}")
    odd = array[(array < 0) | (array >= n_items)]
    if odd.size:
        raise UsageError(f"{argument} must hold items from 0 to {n_items - 1}, got {odd[0]}")
    return [int(item) for item in narrow(array)]


def _weights(argument: str, weights: Mapping[str, ArrayLike], n_items: int) -> dict[str, Any]:
    """Encode the weights of a run, layer by layer."""
    check_mapping(argument, weights)

    def part(name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
        if name not in weights:
            raise UsageError(f"{argument} must hold {name!r}, it has {', '.join(weights)}")
        array = np.asarray(weights[name], dtype=np.float64)
        wanted = tuple(
            size if asked is None else asked
            for asked, size in zip(shape, array.shape, strict=False)
        )
        if array.ndim != len(shape):
            raise UsageError(f"{argument}[{name!r}] must have {len(shape)} axes, got {array.ndim}")
        return check_finite(f"{argument}[{name!r}]", array, wanted)

    history = part("history", (n_items, None))
    width = history.shape[1]
    attention = part("attention_weight", (None, width))
    units = attention.shape[0]
    bias = part("item_bias", (n_items, None))
    layers: list[dict[str, Any]] = []
    below = width
    while f"weights.{len(layers)}" in weights:
        number = len(layers)
        weight = part(f"weights.{number}", (None, below))
        below = weight.shape[0]
        norm = {
            key: part(f"norms.{number}.{key}", (below,))
            for key in ("weight", "bias", "running_mean", "running_var")
        }
        layers.append(
            {
                "weight": _encoded(weight),
                "bias": _encoded(part(f"biases.{number}", (below,))),
                "norm": {key: _encoded(array) for key, array in norm.items()},
            }
        )
    return {
        "history": _encoded(history),
        "targets": _encoded(part("targets", (n_items, width))),
        "item_bias": _encoded(bias),
        "attention": {
            "weight": _encoded(attention),
            "bias": _encoded(part("attention_bias", (units,))),
            "top": _encoded(part("attention_top", (units,))),
        },
        "layers": layers,
        "top": _encoded(part("top", (bias.shape[1], below))),
    }


def _encoded(array: NDArray[np.float64]) -> dict[str, Any]:
    return encode_array(array.astype(np.float32))
