"""Widget: pairs of tiny networks that train in the page itself, and how far they drift apart."""

from __future__ import annotations

from typing import Any

import traitlets
from numpy.typing import ArrayLike

from stablib.errors import UsageError
from stablib.metrics._check import as_floats
from stablib.show.widgets._inputs import check_finite, check_fractions
from stablib.show.widgets.hosted import HostedWidget, check_choice, module_text

ACTIVATIONS = ("relu", "smelu", "swish", "identity")
#: Hidden units: none, one or two.
HIDDEN = (0, 1, 2)
#: Least and largest values of the controls. On longer streams a page would compute for minutes.
RANGES: dict[str, tuple[float, float]] = {
    "beta": (0.1, 4.0),
    "learning_rate": (0.01, 1.0),
    "log2_examples": (10, 18),
    "n_pairs": (1, 64),
    "first_seed": (1, 99_999),
}
#: log2 of the examples of a mini-batch.
_LOG2_BATCH = 5


class TrainPairs(HostedWidget):
    """The view that :func:`train_pairs` fills; its state traits may be read, observed and set."""

    _esm = module_text("workers.js", "pair_trainer.js", "train_pairs.js")
    begins_unasked = True

    hidden = traitlets.Int(2).tag(sync=True, state=True)
    activation = traitlets.Unicode("relu").tag(sync=True, state=True)
    #: Half width of SmeLU's bend, or Swish's steepness.
    beta = traitlets.Float(1.0).tag(sync=True, state=True)
    learning_rate = traitlets.Float(0.1).tag(sync=True, state=True)
    #: log2 of the mini-batches of a shuffling window.
    log2_window = traitlets.Int(5).tag(sync=True, state=True)
    #: Whether both models of a pair start from the same weights.
    same_init = traitlets.Bool(True).tag(sync=True, state=True)
    log2_examples = traitlets.Int(14).tag(sync=True, state=True)
    n_pairs = traitlets.Int(8).tag(sync=True, state=True)
    #: Of the first pair; the others have the next ones.
    first_seed = traitlets.Int(1).tag(sync=True, state=True)

    @traitlets.validate(*RANGES)
    def _check_number(self, proposal: Any) -> Any:
        key = proposal.trait.name
        low, high = RANGES[key]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(f"{key} must be {low:g} to {high:g}, got {proposal.value:g}")
        return proposal.value

    @traitlets.validate("hidden")
    def _check_hidden(self, proposal: Any) -> int:
        if proposal.value not in HIDDEN:
            raise traitlets.TraitError(f"hidden must be 0, 1 or 2, got {proposal.value}")
        return int(proposal.value)

    @traitlets.validate("activation")
    def _check_activation(self, proposal: Any) -> str:
        return check_choice("activation", proposal.value, ACTIVATIONS)

    @traitlets.validate("log2_window")
    def _check_window(self, proposal: Any) -> int:
        # As long as the longest stream, since the length may be set after it.
        most = int(RANGES["log2_examples"][1]) - _LOG2_BATCH
        if not 0 <= proposal.value <= most:
            raise traitlets.TraitError(f"log2_window must be 0 to {most}, got {proposal.value}")
        return int(proposal.value)


def train_pairs(
    chances: ArrayLike, truth: ArrayLike, *, name: str = "train-pairs", picture: str = ""
) -> TrainPairs:
    """Train pairs of tiny networks in the page, on one stream of examples a pair.

    Parameters
    ----------
    chances : array_like of float, shape (n_features,)
        How likely each binary feature is 1; at most 32 of them.
    truth : array_like of float, shape (n_features,)
        True weights: the log-odds of label 1 are their sum over the features that are 1.
    name : str, default "train-pairs"
        Names the element; unique on its page.
    picture : str, optional
        HTML shown until the widget is drawn, and where scripts do not run.

    Returns
    -------
    TrainPairs
        Its state: ``hidden``, ``activation``, ``beta``, ``learning_rate``, ``log2_window``,
        ``same_init``, ``log2_examples``, ``n_pairs``, ``first_seed``.

    Raises
    ------
    UsageError
        If shapes differ, or a value is not allowed.

    Notes
    -----
    Synthetic irreproducibility paper, sections 2 and 3; what is drawn is eq. 3, on 4,096 examples.
    The arithmetic is that of :class:`stablib.workloads.streams.StreamRecipe`, in single precision
    where gradients are added up; examples and initial weights come from a generator of its own.

    Examples
    --------
    >>> train_pairs([0.6, 0.2], [2.0, -1.0]).data["model"]["truth"]
    [2.0, -1.0]
    """
    weights = as_floats(truth, name="truth")
    if weights.ndim != 1 or not 1 <= weights.size <= 32:
        raise UsageError(f"truth must have shape (n_features,), 1 to 32, got {weights.shape}")
    content = {
        "model": {
            "chances": check_fractions("chances", chances, weights.shape).tolist(),
            "truth": check_finite("truth", weights, weights.shape).tolist(),
        },
        "offered": {"hidden": list(HIDDEN), "activation": list(ACTIVATIONS)},
        "ranges": {
            **{key: list(ends) for key, ends in RANGES.items()},
            "log2_window": [0, int(RANGES["log2_examples"][1]) - _LOG2_BATCH],
        },
    }
    return TrainPairs(name=name, data=content, picture=picture)
