"""Widget: two quantities of each example against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.metrics import HIGH_ENTROPY
from stablib.show.widgets._inputs import (
    check_finite,
    check_fractions,
    check_gold,
    check_mapping,
    check_methods,
    check_texts,
    narrow,
)
from stablib.show.widgets.hosted import (
    HostedWidget,
    check_choice,
    check_position,
    encode_array,
    module_text,
)

#: Quantity, what the menu says, what the axis says, unit for sentences.
QUANTITIES = (
    ("mu_m", "μₘ, mean confidence", "μₘ: mean confidence over runs (fraction)", ""),
    ("sigma_m", "σₘ, its spread", "σₘ: SD of confidence over runs (fraction)", ""),
    ("LE_m", "LEₘ, over runs", "LEₘ: label entropy over runs (nats)", "nats"),
    ("LE_s", "LEₛ, over one run", "LEₛ: label entropy over one run (nats)", "nats"),
)
REQUIRED = ("mu_m", "sigma_m", "LE_m")


class InstabilityMap(HostedWidget):
    """The view that :func:`instability_map` fills; its state traits may be read and set."""

    _esm = module_text("instability_map.js")

    method = traitlets.Unicode().tag(sync=True, state=True)
    x = traitlets.Unicode("mu_m").tag(sync=True, state=True)
    y = traitlets.Unicode("sigma_m").tag(sync=True, state=True)
    #: Gold label shown; -1 for all.
    gold = traitlets.Int(-1).tag(sync=True, state=True)
    #: Position of the picked example; -1 for none.
    picked = traitlets.Int(-1).tag(sync=True, state=True)
    #: ``[x from, x to, y from, y to]`` in units of the axes; empty selects all.
    brush = traitlets.List(traitlets.Float()).tag(sync=True, state=True)

    @traitlets.validate("method")
    def _check_method(self, proposal: Any) -> str:
        names = [method["name"] for method in self.data["methods"]]
        return check_choice("method", proposal.value, names)

    @traitlets.validate("x", "y")
    def _check_axis(self, proposal: Any) -> str:
        keys = [quantity["key"] for quantity in self.data["quantities"]]
        return check_choice(proposal.trait.name, proposal.value, keys)

    @traitlets.validate("gold")
    def _check_gold(self, proposal: Any) -> int:
        return check_position("gold", proposal.value, len(self.data["label_names"]))

    @traitlets.validate("picked")
    def _check_picked(self, proposal: Any) -> int:
        return check_position("picked", proposal.value, len(self.data["texts"]))

    @traitlets.validate("brush")
    def _check_brush(self, proposal: Any) -> list[float]:
        if len(proposal.value) not in (0, 4):
            raise traitlets.TraitError(f"brush must be empty or 4 numbers, got {proposal.value}")
        return list(proposal.value)


def instability_map(
    quantities: Mapping[str, Mapping[str, ArrayLike]],
    *,
    gold: ArrayLike,
    label_names: Sequence[str],
    texts: Sequence[str],
    name: str,
    picture: str = "",
) -> InstabilityMap:
    """Map all examples by two measures of instability, and see which is which.

    Parameters
    ----------
    quantities : mapping of str to mapping of str to array_like of float, shape (n_examples,)
        By method: ``"mu_m"`` and ``"sigma_m"`` (fractions), ``"LE_m"`` (nats) and, where it was
        computed, ``"LE_s"`` (nats).
    gold : array_like of int, shape (n_examples,)
        Gold class indices.
    label_names : sequence of str, length n_classes
        Names of the classes.
    texts : sequence of str, length n_examples
        What to show of each example; ids where the data may not be shown.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    InstabilityMap
        Its state: ``method``, ``x`` and ``y`` (quantities), ``gold`` (class index, -1 for all),
        ``picked`` (position of an example), ``brush`` (``[x from, x to, y from, y to]``).

    Raises
    ------
    ValueError
        If shapes do not fit, a quantity is missing or unknown, or a value is out of range; names
        the argument.
    """
    check_methods("quantities", quantities)
    gold = check_gold(gold, label_names)
    if gold.size == 0:
        raise UsageError("gold must hold at least one example, got none")
    values = {
        method: _check_quantities(method, arrays, gold.size)
        for method, arrays in quantities.items()
    }
    known = [key for key, *_ in QUANTITIES if any(key in arrays for arrays in values.values())]
    data = {
        "offered": {"method": list(values), "x": known, "y": known},
        "ranges": {"gold": [-1, len(label_names) - 1], "picked": [-1, int(gold.size) - 1]},
        "label_names": [str(label) for label in label_names],
        "texts": check_texts(texts, gold.size),
        "gold": encode_array(narrow(gold)),
        "high_entropy": HIGH_ENTROPY,
        "quantities": [
            {
                "key": key,
                "option": option,
                "title": title,
                "unit": unit,
                "domain": _domain(key, values),
            }
            for key, option, title, unit in QUANTITIES
            if key in known
        ],
        "methods": [
            {
                "name": method,
                "values": {
                    key: encode_array(array.astype(np.float32)) for key, array in arrays.items()
                },
            }
            for method, arrays in values.items()
        ],
    }
    return InstabilityMap(name=name, data=data, picture=picture, method=next(iter(values)))


def _check_quantities(
    method: str, arrays: Mapping[str, ArrayLike], n_examples: int
) -> dict[str, NDArray[np.float64]]:
    """Return the quantities of one method, each of shape ``(n_examples,)``."""
    argument = f"quantities[{method!r}]"
    check_mapping(argument, arrays)
    missing = [key for key in REQUIRED if key not in arrays]
    if missing:
        raise UsageError(f"{argument} must hold {', '.join(REQUIRED)}; missing {missing[0]}")
    known = [key for key, *_ in QUANTITIES]
    for key in arrays:
        if key not in known:
            raise unknown(f"quantity in {argument}", key, known)
    checked = {}
    for key, values in arrays.items():
        check = check_finite if key.startswith("LE") else check_fractions
        checked[key] = check(f"{argument}[{key!r}]", values, (n_examples,))
    return checked


def _domain(key: str, values: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> list[float]:
    """Range of the axis, the same for all methods so that switching compares them."""
    if key == "mu_m":
        return [0.0, 1.0]
    highest = max(float(arrays[key].max()) for arrays in values.values() if key in arrays)
    # Rounded up, so that the greatest value lies inside after it was cut to 32 bits.
    return [0.0, float(np.ceil(highest * 1.02 * 1000) / 1000) or 1.0]
