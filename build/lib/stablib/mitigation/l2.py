"""L2 regularisation: a penalty on the squared weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stablib.training.method import Method


class L2(Method):
    """Train with an L2 penalty on all weights.

    Parameters
    ----------
    weight_decay : float, default 0.001
        Added to the gradient as ``weight_decay * weight`` before Adam's scaling, which is what
        "L2 regularization" with "weight decay 0.001" means for Adam (section 5.3.1); it is not
        the decoupled decay of AdamW.

    Notes
    -----
    With a torch optimizer of your own: ``torch.optim.Adam(parameters, weight_decay=0.001)``.
    """

    kind: Literal["l2"] = "l2"
    weight_decay: float = Field(default=0.001, gt=0.0)

    @property
    def decay(self) -> float:
        """The penalty."""
        return self.weight_decay
