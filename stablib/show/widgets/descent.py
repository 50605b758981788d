"""Widget: descent on a surface with a saddle, with and without averaging of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from stablib.errors import UsageError
from stablib.metrics._check import as_count, as_number
from stablib.show.widgets._inputs import check_finite
from stablib.show.widgets.hosted import HostedWidget, check_choice, module_text

METHODS = ("SGD", "ASWA")
#: Least and largest values of the controls. Beyond them some descents never come to rest.
LEARNING_RATES, NOISES = (0.001, 0.1), (0.0, 3.0)
#: The drawn part of the plane of both weights.
FIRST_WEIGHT, SECOND_WEIGHT = (-1.8, 1.8), (-1.2, 2.0)
MAX_SEED = 2**31 - 1


class Descent(HostedWidget):
    """The view that :func:`descent` fills; its state traits may be read, observed and set."""

    _esm = module_text("descent.js")

    learning_rate = traitlets.Float().tag(sync=True, state=True)
    #: Standard deviation of what is added to each gradient.
    noise = traitlets.Float().tag(sync=True, state=True)
    #: Of the noise; the second start takes the next one.
    seed = traitlets.Int().tag(sync=True, state=True)
    #: Both weights of the two starts.
    starts = traitlets.List(
        traitlets.List(traitlets.Float(), minlen=2, maxlen=2), minlen=2, maxlen=2
    ).tag(sync=True, state=True)
    #: Methods drawn.
    shown = traitlets.List(traitlets.Unicode(), list(METHODS)).tag(sync=True, state=True)

    @traitlets.validate("learning_rate", "noise", "seed")
    def _check_number(self, proposal: Any) -> Any:
        key = proposal.trait.name
        return type(proposal.value)(_within(key, proposal.value, self.data["ranges"][key]))

    @traitlets.validate("starts")
    def _check_starts(self, proposal: Any) -> list[list[float]]:
        ranges = self.data["ranges"]
        return [
            [
                _within(f"starts[{k}][{axis}]", value, ranges[key])
                for axis, (value, key) in enumerate(zip(start, ("x", "y"), strict=True))
            ]
            for k, start in enumerate(proposal.value)
        ]

    @traitlets.validate("shown")
    def _check_shown(self, proposal: Any) -> list[str]:
        return [check_choice("method in shown", value, METHODS) for value in proposal.value]


def descent(
    *,
    name: str,
    learning_rate: float = 0.02,
    noise: float = 1.0,
    starts: Sequence[Sequence[float]] = ((0.05, 1.6), (-0.05, 1.6)),
    seed: int = 0,
    momentum: float = 0.9,
    steps: int = 20,
    epochs: int = 20,
    n_seeds: int = 50,
    picture: str = "",
) -> Descent:
    """Descend from two starts past a saddle: by SGD with momentum, and by the same with ASWA.

    The surface is x^4 / 4 - x^2 / 2 + y^2, with a saddle at the origin and valleys at x = -1 and
    x = 1. All is computed in the page, with a generator of random numbers of its own.

    Parameters
    ----------
    name : str
        Names the element; unique on its page.
    learning_rate : float, default 0.02
        From 0.001 to 0.1.
    noise : float, default 1.0
        Standard deviation of the normal noise that is added to both parts of each gradient, from
        0 to 3. Both methods get the same noise.
    starts : array_like of float, shape (2, 2)
        First and second weight of the two starts: from -1.8 to 1.8, and from -1.2 to 2.
    seed : int, default 0
        Of the noise of the first start; the second takes the next one.
    momentum : float, default 0.9
        At least 0, less than 1. It is kept when an epoch ends.
    steps : int, default 20
        Steps of an epoch.
    epochs : int, default 20
        Epochs.
    n_seeds : int, default 50
        Seeds, from ``seed`` on, behind the spread of the last weights and the shares of the
        valleys; at least two.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    Descent
        Its state: ``learning_rate``, ``noise``, ``seed``, ``starts``, ``shown`` (the methods that
        are drawn, of "SGD" and "ASWA").

    Raises
    ------
    ValueError
        If a value is out of range; names the argument.

    Notes
    -----
    Random seed paper, Figure 2 and Algorithm 1, as :class:`stablib.mitigation.ASWA` has it by
    default: the weights before step s, counted from 1 over all epochs, enter the average with a
    share of 1 / (s + 1); the average begins at the initial weights, and each epoch ends by taking
    it as the weights. The paper draws its surface without giving it, so this one is ours.

    Examples
    --------
    >>> descent(name="saddle", noise=0.0).starts
    [[0.05, 1.6], [-0.05, 1.6]]
    """
    inertia = as_number(momentum, name="momentum")
    if not 0.0 <= inertia < 1.0:
        raise UsageError(f"momentum must be at least 0 and less than 1, got {inertia:g}")
    ranges = {
        "learning_rate": LEARNING_RATES,
        "noise": NOISES,
        "seed": (0, MAX_SEED),
        "x": FIRST_WEIGHT,
        "y": SECOND_WEIGHT,
    }
    data = {
        "methods": list(METHODS),
        "offered": {"shown": list(METHODS)},
        "ranges": {key: list(ends) for key, ends in ranges.items()},
        "momentum": inertia,
        "steps": as_count(steps, name="steps"),
        "epochs": as_count(epochs, name="epochs"),
        "n_seeds": as_count(n_seeds, name="n_seeds", at_least=2),
    }
    points = check_finite("starts", np.asarray(starts), (2, 2))
    try:
        return Descent(
            name=name,
            data=data,
            picture=picture,
            learning_rate=as_number(learning_rate, name="learning_rate"),
            noise=as_number(noise, name="noise"),
            seed=as_count(seed, name="seed", at_least=0),
            starts=points.tolist(),
        )
    except traitlets.TraitError as error:
        raise UsageError(str(error)) from None


def _within(what: str, value: Any, ends: Sequence[Any]) -> Any:
    """Return a state's value if it is in range; raise traitlets' error if not."""
    low, high = ends
    if not low <= value <= high:
        raise traitlets.TraitError(f"{what} must be {low:g} to {high:g}, got {value:g}")
    return value
