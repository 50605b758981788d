"""Widget: run an experiment again with other parameters, beside what is published."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import traitlets

from stablib.errors import StablibError, UsageError
from stablib.show.widgets.hosted import HostedWidget, module_text

#: Told what part of the work is done, from 0 to 1, and what is being done; by any thread.
Tell = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A number that a reader may change.

    Parameters
    ----------
    name : str
        As in the notebook's parameters.
    value : int or float
        At the start. If it is an int, only whole numbers are allowed.
    low, high : float
        Least and largest value.
    help : str
        What it is.

    Raises
    ------
    UsageError
        If the value at the start is not allowed.
    """

    name: str
    value: float
    low: float
    high: float
    help: str

    def __post_init__(self) -> None:
        self.check(self.value)

    def check(self, value: Any) -> float:
        """Return a value, if it is allowed.

        Raises
        ------
        UsageError
            Names the parameter, what came and what is allowed.
        """
        whole = isinstance(self.value, int)
        if isinstance(value, float) and whole and value.is_integer():
            value = int(value)  # The view knows one kind of number.
        right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not right or not self.low <= value <= self.high:
            kind = "a whole number" if whole else "a number"
            raise UsageError(
                f"{self.name} must be {kind} from {self.low:g} to {self.high:,g}, got {value!r}"
            )
        return float(value) if not whole else int(value)


@dataclasses.dataclass(frozen=True)
class Effects:
    """What an experiment gives.

    Parameters
    ----------
    effects : mapping of str to (float, float, float)
        Effect of each method with the ends of its interval.
    about : str
        What it rests on: runs, data, and what a reader must be told of them.
    """

    effects: Mapping[str, tuple[float, float, float]]
    about: str


class Experiment(Protocol):
    """What a panel runs."""

    def price(self, values: Mapping[str, float]) -> str:
        """What it will cost with these values, in words."""

    def run(self, values: Mapping[str, float], tell: Tell) -> Effects:
        """Run it; what ``tell`` raises ends it."""


class _Cancelled(BaseException):
    """The reader wants no result any more; like Ctrl-C, it is not for a training to catch."""


class RerunPanel(HostedWidget):
    """The view that :func:`rerun_panel` fills.

    In a static page, where nothing can train, it says which command would.
    """

    _esm = module_text("rerun_panel.js")

    #: Values of the parameters by name.
    values = traitlets.Dict().tag(sync=True, state=True)
    #: Whether it trains.
    running = traitlets.Bool(False).tag(sync=True)
    #: Part of the work that is done, from 0 to 1.
    done = traitlets.Float(0.0).tag(sync=True)
    #: What it does or did.
    said = traitlets.Unicode("").tag(sync=True)
    #: Why it does not do what was asked for.
    problem = traitlets.Unicode("").tag(sync=True)
    #: What came out, the latest first: number, values, effects, about.
    tries: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(
        self, experiment: Experiment, parameters: Sequence[Parameter], **traits: Any
    ) -> None:
        super().__init__(values={one.name: one.value for one in parameters}, **traits)
        self._experiment, self._parameters = experiment, tuple(parameters)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0
        self.on_msg(self._hear)

    def linkable(self) -> dict[str, dict[str, Any]]:
        """The values of all parameters, see :meth:`HostedWidget.linkable`."""
        fields = {
            one.name: {"range": [one.low, one.high], "whole": isinstance(one.value, int)}
            for one in self._parameters
        }
        return {"values": {"fields": fields}}

    def price(self) -> None:
        """Say what the experiment will cost with the present values."""
        with self._telling_problems():
            self.said = self._experiment.price(self._checked())

    def train(self) -> None:
        """Run the experiment with the present values, while the kernel stays free."""
        if self.running:
            return
        with self._telling_problems():
            values = self._checked()
            self._stop.clear()
            self.running, self.done, self.said = True, 0.0, "Getting ready …"
            self._thread = threading.Thread(target=self._run, args=(values,), daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """End the run at its next word."""
        if self.running:
            self._stop.set()
            self.said = "Cancelling …"

    def join(self, timeout: float | None = None) -> None:
        """Wait until the run has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    @contextmanager
    def _telling_problems(self) -> Iterator[None]:
        """Show why something cannot be done; what nobody expects is raised as well."""
        self.problem = ""
        try:
            yield
        except StablibError as error:
            self.said, self.problem = "", str(error)
        except Exception as error:
            self.said, self.problem = "", f"{type(error).__name__}: {error}"
            raise

    def _checked(self) -> dict[str, float]:
        return {one.name: one.check(self.values.get(one.name)) for one in self._parameters}

    def _run(self, values: Mapping[str, float]) -> None:
        began, told, lock = time.monotonic(), 0.0, threading.Lock()

        def tell(done: float, what: str) -> None:
            nonlocal told
            if self._stop.is_set():
                raise _Cancelled
            with lock:
                now = time.monotonic()
                if now - told < 0.2:
                    return
                told = now
                rest = (now - began) * (1.0 / done - 1.0) if done > 0.02 else None
                left = "" if rest is None else f", about {rest:.0f} s left"
                self.done, self.said = done, f"{what}{left}"

        said = ""
        try:
            with self._telling_problems():
                found = self._experiment.run(values, tell)
                if self._stop.is_set():
                    raise _Cancelled
                self._keep(values, found)
                said = f"Done in {time.monotonic() - began:.0f} s. {found.about}"
        except _Cancelled:
            said = "Cancelled."
        finally:
            # In one message: what is said at the end is read out, and nothing before it.
            with self.hold_sync():
                self.running, self.done, self.said = False, 0.0, said

    def _keep(self, values: Mapping[str, float], found: Effects) -> None:
        self._number += 1
        one = {"number": self._number, "values": dict(values), **dataclasses.asdict(found)}
        self.tries = [one, *self.tries]

    def _hear(self, _: object, content: Mapping[str, Any], __: object) -> None:
        asked = {"price": self.price, "train": self.train, "cancel": self.cancel}
        self.values = content["values"]
        asked[content["ask"]]()


def rerun_panel(
    experiment: Experiment,
    parameters: Sequence[Parameter],
    *,
    effect: str,
    data: str,
    command: str,
    published: Effects | None = None,
    elsewhere: str = "",
    name: str = "rerun-panel",
) -> RerunPanel:
    """Run an experiment again with other parameters, and compare.

    Parameters
    ----------
    experiment : Experiment
        What is run.
    parameters : sequence of Parameter
        What may be changed.
    effect : str
        What the effects are, with their unit.
    data : str
        On what it trains.
    command : str
        What runs it in a terminal; the parameters are added to it.
    published : Effects, optional
        The published result of the same experiment.
    elsewhere : str, optional
        Address of a page that trains without a kernel.
    name : str, default "rerun-panel"
        Names the element; unique on its page.

    Returns
    -------
    RerunPanel
        Its state: ``values``. Its methods ``price``, ``train``, ``cancel`` and ``join`` do what
        its buttons do; ``tries`` holds what came out.

    Examples
    --------
    >>> class Halves:
    ...     def price(self, values):
    ...         return "Nothing."
    ...     def run(self, values, tell):
    ...         tell(0.5, "halving")
    ...         half = values["number"] / 2
    ...         return Effects({"half": (half, half, half)}, "exact")
    >>> number = Parameter("number", 3, 1, 9, "what is halved")
    >>> panel = rerun_panel(Halves(), [number], effect="half", data="none", command="halve")
    >>> panel.train()
    >>> panel.join()
    >>> panel.tries[0]["effects"]
    {'half': (1.5, 1.5, 1.5)}
    """
    content = {
        "parameters": [
            {**dataclasses.asdict(one), "whole": isinstance(one.value, int)} for one in parameters
        ],
        "effect": effect,
        "source": data,
        "command": command,
        "elsewhere": elsewhere,
        "published": None if published is None else dataclasses.asdict(published),
    }
    return RerunPanel(experiment, parameters, name=name, data=content)
