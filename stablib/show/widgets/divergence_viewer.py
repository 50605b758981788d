"""Widget: twins part step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError
from stablib.show.widgets._inputs import check_finite, check_gold, check_mapping, check_texts
from stablib.show.widgets.hosted import (
    HostedWidget,
    check_choice,
    encode_array,
    module_text,
)

#: What is followed of each twin.
FOLLOWED = ("distance", "disagreement", "loss", "logits")


class DivergenceViewer(HostedWidget):
    """The view that :func:`divergence_viewer` fills; its state traits may be read and set."""

    _esm = module_text("divergence_viewer.js")

    network = traitlets.Unicode().tag(sync=True, state=True)
    #: What differs; of a source that the network lacks, its first is shown.
    source = traitlets.Unicode().tag(sync=True, state=True)
    #: Epoch from which on it differs, counted from 1; where there is no such twin, the first is.
    onset = traitlets.Int(1).tag(sync=True, state=True)
    #: Which twin of the source, from 0.
    twin = traitlets.Int(0).tag(sync=True, state=True)
    #: Place among the steps that were looked at, from 0.
    point = traitlets.Int(0).tag(sync=True, state=True)
    #: Which example's logits are shown, from 0.
    example = traitlets.Int(0).tag(sync=True, state=True)

    @traitlets.validate("network")
    def _check_network(self, proposal: Any) -> str:
        return check_choice("network", proposal.value, [n["name"] for n in self.data["networks"]])

    @traitlets.validate("source")
    def _check_source(self, proposal: Any) -> str:
        every = (source["name"] for source in self._sources())
        return check_choice("source", proposal.value, list(dict.fromkeys(every)))

    @traitlets.validate("onset")
    def _check_onset(self, proposal: Any) -> int:
        offered = self.data["offered"]["onset"]
        if proposal.value not in offered:
            raise traitlets.TraitError(f"onset must be one of {offered}, got {proposal.value}")
        return int(proposal.value)

    @traitlets.validate("twin", "point", "example")
    def _check_place(self, proposal: Any) -> int:
        key = proposal.trait.name
        count = {
            "twin": min(source["n_twins"] for source in self._sources()),
            "point": len(self.data["steps"]),
            "example": len(self.data["texts"]),
        }[key]
        if not 0 <= proposal.value < count:
            raise traitlets.TraitError(f"{key} must be 0 to {count - 1}, got {proposal.value}")
        return int(proposal.value)

    def _sources(self) -> Iterator[dict[str, Any]]:
        """What differs, of all networks."""
        return (source for network in self.data["networks"] for source in network["sources"])


def divergence_viewer(
    networks: Mapping[str, Mapping[str, Any]],
    *,
    steps: ArrayLike,
    gold: ArrayLike,
    label_names: Sequence[str],
    texts: Sequence[str],
    name: str,
    picture: str = "",
) -> DivergenceViewer:
    """Watch twins part: weights, labels, loss and the logits of an example, step by step.

    Parameters
    ----------
    networks : mapping of str to mapping
        By network, its ``"unchanged"`` run and its ``"twins"``, which are compared with it.

        ``"twins"`` : mapping of str to mapping of int to mapping of str to array_like of float
            By what a twin differs in, and the epoch from which on it does (1: the beginning), of
            every twin at every step that was looked at:
            ``"distance"`` of the weights, ``"disagreement"`` of the labels (both fractions) and
            ``"loss"`` (nats), of shape (n_twins, n_points), and ``"logits"``, of shape (n_twins,
            n_points, n_examples, n_classes).
        ``"unchanged"`` : mapping of str to array_like of float
            ``"loss"`` and ``"logits"`` of the run itself, without the first axis.
    steps : array_like of int, shape (n_points,)
        Optimization steps that were looked at, from 1, ascending.
    gold : array_like of int, shape (n_examples,)
        Gold class indices of the examples.
    label_names : sequence of str, length n_classes
        Names of the classes.
    texts : sequence of str, length n_examples
        Names of the examples.
    name : str
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    DivergenceViewer
        Its state: ``network``, ``source``, ``onset`` (epoch), ``twin``, ``point`` (place among the
        steps) and ``example``.

    Raises
    ------
    ValueError
        If shapes do not fit, something is missing, or a value is not allowed; names the argument.
    """
    check_mapping("networks", networks)
    if not networks:
        raise UsageError("networks must hold at least one network, got none")
    gold = check_gold(gold, label_names)
    named = check_texts(texts, gold.size)
    points = _check_steps(steps)
    shape = (gold.size, len(label_names))
    data = {
        "steps": points.tolist(),
        "label_names": [str(label) for label in label_names],
        "texts": named,
        "gold": gold.tolist(),
        "networks": [
            {"name": str(network), **_network(f"networks[{network!r}]", runs, points.size, shape)}
            for network, runs in networks.items()
        ],
    }
    sources = [source for network in data["networks"] for source in network["sources"]]
    data["offered"] = {
        "network": [network["name"] for network in data["networks"]],
        "source": sorted({source["name"] for source in sources}),
        "onset": sorted({source["onset"] for source in sources}),
    }
    data["ranges"] = {"point": [0, int(points.size) - 1], "example": [0, shape[0] - 1]}
    first = data["networks"][0]
    return DivergenceViewer(
        name=name,
        data=data,
        picture=picture,
        network=first["name"],
        source=first["sources"][0]["name"],
        onset=first["sources"][0]["onset"],
        point=int(points.size - 1),
    )


def _network(
    argument: str, runs: Mapping[str, Any], n_points: int, shape: tuple[int, int]
) -> dict[str, Any]:
    """Encode the unchanged run of a network and its twins."""
    unchanged, twins = (_part(argument, runs, key) for key in ("unchanged", "twins"))
    check_mapping(f"{argument}['twins']", twins)
    if not twins:
        raise UsageError(f"{argument}['twins'] must hold at least one source, got none")
    sizes = {"loss": (n_points,), "logits": (n_points, *shape)}
    own = f"{argument}['unchanged']"
    return {
        "unchanged": {
            key: _encoded(check_finite(f"{own}[{key!r}]", _part(own, unchanged, key), size))
            for key, size in sizes.items()
        },
        "sources": [
            {
                "name": str(source),
                "onset": onset,
                **_checked(f"{argument}['twins'][{source!r}][{onset}]", arrays, n_points, shape),
            }
            for source, by_onset in twins.items()
            for onset, arrays in _by_onset(f"{argument}['twins'][{source!r}]", by_onset)
        ],
    }


def _by_onset(argument: str, twins: Any) -> list[tuple[int, Any]]:
    """Twins by the epoch from which on they differ, in its order."""
    check_mapping(argument, twins)
    for onset in twins:
        if isinstance(onset, bool) or not isinstance(onset, int | np.integer) or onset < 1:
            raise UsageError(
                f"{argument} must map epochs, counted from 1, to twins, got the key {onset!r}"
            )
    if not twins:
        raise UsageError(f"{argument} must hold twins of at least one epoch, got none")
    return [(int(onset), twins[onset]) for onset in sorted(twins)]


def _check_steps(steps: ArrayLike) -> NDArray[np.integer]:
    array = np.asarray(steps)
    if array.ndim != 1 or array.size < 2 or not np.issubdtype(array.dtype, np.integer):
        raise UsageError(
            f"steps must be at least two whole numbers, shape (n_points,), got shape {array.shape}"
        )
    if array[0] < 1 or (np.diff(array) <= 0).any():
        raise UsageError("steps must ascend from 1 or more")
    return array


def _part(argument: str, arrays: Mapping[str, Any], key: str) -> Any:
    check_mapping(argument, arrays)
    if key not in arrays:
        raise UsageError(f"{argument} must hold {key!r}, it has {', '.join(map(str, arrays))}")
    return arrays[key]


def _checked(
    argument: str, arrays: Mapping[str, ArrayLike], n_points: int, shape: tuple[int, int]
) -> dict[str, Any]:
    """Encode what is followed of the twins of one source."""
    given = {key: np.asarray(_part(argument, arrays, key)) for key in FOLLOWED}
    n_twins = given["distance"].shape[0] if given["distance"].ndim else 0
    if n_twins == 0:
        raise UsageError(f"{argument} must hold at least one twin, got none")
    found: dict[str, Any] = {"n_twins": n_twins}
    for key, array in given.items():
        size = (n_twins, n_points, *(shape if key == "logits" else ()))
        checked = check_finite(f"{argument}[{key!r}]", array, size)
        if key != "logits" and checked.min() < 0.0:
            raise UsageError(f"{argument}[{key!r}] must not be negative, got {checked.min():g}")
        found[key] = _encoded(checked)
    return found


def _encoded(array: NDArray[np.float64]) -> dict[str, Any]:
    return encode_array(array.astype(np.float32))
