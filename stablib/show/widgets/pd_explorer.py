"""Widget: how far the two models of a pair predict apart, and what that depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import traitlets
from numpy.typing import ArrayLike, NDArray

from stablib.errors import UsageError, unknown
from stablib.show.widgets._inputs import check_finite, narrow
from stablib.show.widgets.hosted import HostedWidget, check_choice, encode_array, module_text

#: The model that the others are compared with; it has no activation.
LINEAR = "linear"
#: Activations that beta belongs to.
BENT = ("smelu", "swish")
INITS = ("same", "distinct")
#: log2 of the mini-batch size of the paper, in which windows are measured.
LOG2_BATCH = 5

TEXTS = ("curve", "model", "activation", "optimizer", "init")
WHOLE = ("log2_window", "log2_examples", "stream")
MEASURES = ("pd", "pd_low", "pd_high", "loss")
REQUIRED = (*TEXTS, "beta", *WHOLE, *MEASURES)
#: Columns that all rows of a curve share.
SETTINGS = ("model", "activation", "beta", "optimizer", "init", "stream")


class PDExplorer(HostedWidget):
    """The view that :func:`pd_explorer` fills; its state traits may be read and set.

    A combination that no curve has may be set; the view then shows the nearest there is.
    """

    _esm = module_text("pd_explorer.js")

    model = traitlets.Unicode().tag(sync=True, state=True)
    activation = traitlets.Unicode("").tag(sync=True, state=True)
    beta = traitlets.Float(1.0).tag(sync=True, state=True)
    optimizer = traitlets.Unicode().tag(sync=True, state=True)
    init = traitlets.Enum((*INITS, "both"), "same").tag(sync=True, state=True)
    #: log2 of the stream's length.
    stream = traitlets.Int().tag(sync=True, state=True)
    #: log2 of the number of examples seen, T.
    log2_examples = traitlets.Int().tag(sync=True, state=True)
    log2_window = traitlets.Int().tag(sync=True, state=True)

    @traitlets.validate("model", "activation", "optimizer")
    def _check_name_of(self, proposal: Any) -> str:
        key = proposal.trait.name
        names = {curve[key] for curve in self.data["curves"]} - {None}
        return check_choice(key, proposal.value, sorted(names))

    @traitlets.validate("beta")
    def _check_beta(self, proposal: Any) -> float:
        betas = sorted({curve["beta"] for curve in self.data["curves"]} - {None})
        return float(_check_number("beta", proposal.value, betas))

    @traitlets.validate("stream", "log2_examples", "log2_window")
    def _check_whole(self, proposal: Any) -> int:
        key = proposal.trait.name
        return int(_check_number(key, proposal.value, self.data["numbers"][key]))


def pd_explorer(
    points: pd.DataFrame,
    weights: Mapping[tuple[str, int], NDArray[Any]],
    *,
    name: str,
    truth: ArrayLike | None = None,
    picture: str = "",
) -> PDExplorer:
    """Choose a model and see how its prediction difference depends on the shuffling window.

    Parameters
    ----------
    points : DataFrame
        One row for each curve, window and checkpoint. Columns: ``curve`` (a unique name),
        ``model``, ``activation``, ``beta``, ``optimizer`` and ``init`` ("same" or "distinct") are
        the curve's settings, and ``stream`` is log2 of the length of its stream; all rows of a
        curve agree on them. ``log2_window``: log2 of the window in mini-batches of 32.
        ``log2_examples``: log2 of the number of examples seen. ``pd``, ``pd_low`` and
        ``pd_high``: relative PD (fraction) and the ends of its interval. ``loss``: excess loss
        (nats).
    weights : mapping of (str, int) to array_like of float, shape (2, n_weights)
        By curve and log2 window: the two models of one pair after the whole stream, layer by
        layer, the biases of a layer after its weights. May lack curves and windows; an empty
        array counts as lacking.
    name : str
        Names the element; unique on its page.
    truth : array_like of float, shape (32,), optional
        True weights, shown beside those of each curve whose model is "linear".
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    PDExplorer
        Its state: ``model``, ``activation``, ``beta``, ``optimizer``, ``init`` ("same",
        "distinct" or "both"), ``stream``, ``log2_examples``, ``log2_window``. It begins with the
        first curve that is not linear, at its widest window and its last checkpoint.

    Raises
    ------
    ValueError
        If a column is missing, a value is out of range or rows contradict each other; names the
        argument.

    Notes
    -----
    The curves of the model "linear" are the reference for all curves of the same stream length. A
    linear model on other data therefore needs another name for its model, or another widget.
    ``activation`` is ignored for it, and ``beta`` for activations other than SmeLU and Swish.
    """
    frame = _check_points(points)
    kept = _check_weights(weights, frame)
    if truth is not None:
        truth = check_finite("truth", truth, (32,)).astype(np.float32)
    curves = [_curve(curve, rows, kept) for curve, rows in frame.groupby("curve", sort=False)]
    data = {
        # Of what does not go together the view shows what is nearest.
        "offered": {
            key: sorted({curve[key] for curve in curves if curve[key] is not None})
            for key in ("model", "activation", "optimizer", "beta")
        },
        "ranges": {
            key: [int(frame[key].min()), int(frame[key].max())]
            for key in ("stream", "log2_examples", "log2_window")
        },
        "linear": LINEAR,
        "log2_batch": LOG2_BATCH,
        "numbers": {key: [int(value) for value in np.unique(frame[key])] for key in WHOLE},
        "truth": None if truth is None else encode_array(truth),
        "curves": curves,
    }
    first = next((curve for curve in curves if curve["model"] != LINEAR), curves[0])
    rows = frame[frame["curve"] == first["name"]]
    last = rows["log2_examples"].max()
    state = {key: first[key] for key in SETTINGS if first[key] is not None}
    return PDExplorer(
        name=name,
        data=data,
        picture=picture,
        log2_examples=int(last),
        log2_window=int(rows.loc[rows["log2_examples"] == last, "log2_window"].max()),
        **state,
    )


def _check_points(points: pd.DataFrame) -> pd.DataFrame:
    """Return the required columns, in the order of checkpoints and windows."""
    missing = [column for column in REQUIRED if column not in points]
    if missing:
        raise UsageError(f"points must hold {', '.join(REQUIRED)}; missing {missing[0]}")
    if len(points) == 0:
        raise UsageError("points must hold at least one row, got none")
    columns: dict[str, Any] = {}
    for column in TEXTS:
        if points[column].isna().any():
            raise UsageError(f"points[{column!r}] must be text, got NaN")
        columns[column] = [str(value) for value in points[column]]
    for init in set(columns["init"]) - set(INITS):
        raise unknown("init in points", init, INITS)
    for column in ("beta", *WHOLE, *MEASURES):
        values = check_finite(f"points[{column!r}]", points[column], (len(points),))
        if values.min() < 0:
            raise UsageError(f"points[{column!r}] must not be negative, got {values.min():g}")
        columns[column] = values
    for column in WHOLE:
        if not np.array_equal(columns[column], columns[column].round()):
            raise UsageError(f"points[{column!r}] must be whole numbers")
        columns[column] = columns[column].astype(int)
    if (columns["pd_low"] > columns["pd_high"]).any():
        raise UsageError("points['pd_low'] must not exceed points['pd_high']")
    if (columns["log2_examples"] > columns["stream"]).any():
        raise UsageError("points['log2_examples'] must not exceed points['stream']")
    frame = pd.DataFrame(columns)
    _check_curves(frame)
    # Not re-indexed by name: the order of the curves stays that of their first rows.
    first = frame["curve"].map({curve: k for k, curve in enumerate(frame["curve"].unique())})
    order = np.lexsort((frame["log2_window"], frame["log2_examples"], first))
    return frame.iloc[order].reset_index(drop=True)


def _check_curves(frame: pd.DataFrame) -> None:
    """Refuse curves whose rows contradict or repeat each other."""
    for curve, rows in frame.groupby("curve", sort=False):
        for column in SETTINGS:
            values = list(rows[column].unique())
            if len(values) > 1:
                raise UsageError(
                    f"points: all rows of curve {curve!r} must have one {column}, "
                    f"got {values[0]} and {values[1]}"
                )
    repeated = frame[frame.duplicated(["curve", "log2_window", "log2_examples"])]
    if len(repeated):
        row = repeated.iloc[0]
        raise UsageError(
            "points must hold one row for each curve, window and checkpoint; curve "
            f"{row['curve']!r} has several at log2_window {row['log2_window']} and log2_examples "
            f"{row['log2_examples']}"
        )


def _check_weights(
    weights: Mapping[tuple[str, int], NDArray[Any]], frame: pd.DataFrame
) -> dict[str, dict[int, NDArray[np.float32]]]:
    """Return the weights that were kept, by curve and log2 window."""
    windows = {
        curve: set(rows["log2_window"]) for curve, rows in frame.groupby("curve", sort=False)
    }
    kept: dict[str, dict[int, NDArray[np.float32]]] = {curve: {} for curve in windows}
    for (curve, window), values in weights.items():
        if curve not in windows:
            raise unknown("curve in weights", curve, windows)
        argument = f"weights[{(curve, window)!r}]"
        if window not in windows[curve]:
            raise UsageError(f"{argument}: points have no such window for this curve")
        array = check_finite(argument, values, (2, np.size(values) // 2))
        if array.size:
            kept[curve][int(window)] = array.astype(np.float32)
    return kept


def _curve(
    curve: str, rows: pd.DataFrame, kept: Mapping[str, Mapping[int, NDArray[np.float32]]]
) -> dict[str, Any]:
    """What the view needs to know of one curve; None stands for a setting that it lacks."""
    first = rows.iloc[0]
    activation = None if first["model"] == LINEAR else first["activation"]
    return {
        "name": curve,
        "model": first["model"],
        "activation": activation,
        "beta": float(first["beta"]) if activation in BENT else None,
        "optimizer": first["optimizer"],
        "init": first["init"],
        "stream": int(first["stream"]),
        "log2_window": encode_array(narrow(rows["log2_window"].to_numpy())),
        "log2_examples": encode_array(narrow(rows["log2_examples"].to_numpy())),
        **{column: encode_array(rows[column].to_numpy().astype(np.float32)) for column in MEASURES},
        "weights": [
            {"log2_window": window, "values": encode_array(values)}
            for window, values in sorted(kept[curve].items())
        ],
    }


def _check_number(trait: str, value: float, allowed: list[Any]) -> float:
    """Return a state's value if it is among the numbers; raise traitlets' error if not."""
    if value not in allowed:
        numbers = ", ".join(f"{number:g}" for number in allowed)
        raise traitlets.TraitError(f"{trait} must be one of {numbers}, got {value:g}")
    return value
