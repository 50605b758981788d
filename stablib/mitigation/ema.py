"""An exponential moving average of the weights, beside a training that stays plain."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from stablib.mitigation.by_step import ByStep
from stablib.mitigation.step_swa import StepAverage


class EMA(ByStep):
    """Predict with an exponential moving average of the weights after every step.

    As :class:`stablib.mitigation.StepSWA` a control of ASWA, which forgets the first steps.

    Parameters
    ----------
    memory : float, default 0.999
        What each step leaves of the share of earlier weights, the ``decay`` of
        ``torch.optim.swa_utils.get_ema_avg_fn``.

    Notes
    -----
    After t steps the weights after step k count (1 - m) m^(t - k) / (1 - m^t). The divisor, as in
    Adam (Kingma and Ba 2014, section 3), is what keeps the first weights from counting far more
    than all others in a training that is not many times longer than 1 / (1 - m) steps.

    Examples
    --------
    >>> [round(EMA(memory=0.9).share(step), 3) for step in (1, 2, 100)]
    [1.0, 0.526, 0.1]
    """

    kind: Literal["ema"] = "ema"
    memory: float = Field(default=0.999, gt=0.0, lt=1.0)
    writes_back: ClassVar[bool] = False

    def share(self, step: int) -> float:
        """Share of the weights after a step, counted from 1, in the average."""
        return (1.0 - self.memory) / (1.0 - self.memory**step)

    def new_average(self) -> StepAverage:
        """The moving average."""
        return StepAverage(self.share)
