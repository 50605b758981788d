"""A browser that notices every request to the network and every error on a page."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright
from xdist.scheduler import LoadScopeScheduling

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = ("file:", "blob:", "data:", "about:")

#: Adds up by how much of the window what is seen is moved, in ``layoutShift()``.
_SHIFTS = """
{
  let shifted = 0;
  const add = (entries) => entries.forEach((e) => { if (!e.hadRecentInput) shifted += e.value; });
  const watcher = new PerformanceObserver((list) => add(list.getEntries()));
  watcher.observe({ type: "layout-shift", buffered: true });
  window.layoutShift = () => { add(watcher.takeRecords()); return shifted; };
}
"""


class OneServer(LoadScopeScheduling):
    """Deal out tests one by one, but those of JupyterLab together: they share a server.

    pytest-xdist 3.8 has groups for this, which pytest 9.2 does not tell it of.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith("test_widgets_live.py") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Use it where groups are asked for."""
    return OneServer(config, log) if config.getvalue("dist") == "loadgroup" else None


Visit = Callable[..., AbstractContextManager[Page]]
Sample = dict[str, NDArray[Any]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests; without it the tests are skipped, on CI they fail."""
    executable = shutil.which("chromium")
    if executable is None:
        reason = "needs chromium on the PATH (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visit(chromium: Browser) -> Visit:
    """Open a page as a context manager that fails at its end if the page misbehaved.

    ``with visit(target) as page`` opens a path or a URL. ``allow`` lists the beginnings of the
    URLs that may be requested besides local ones, ``ignore`` parts of console errors known to be
    harmless; ``offline=False`` is for a server on loopback.
    """

    @contextmanager
    def opened(
        target: str | Path,
        *,
        width: int = 1000,
        height: int = 900,
        dark: bool = False,
        offline: bool = True,
        allow: Sequence[str] = (),
        ignore: Sequence[str] = (),
    ) -> Iterator[Page]:
        url = target.resolve().as_uri() if isinstance(target, Path) else target
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_offline(offline)
        page = context.new_page()
        page.add_init_script(_SHIFTS)
        faults: list[str] = []

        def note(fault: str) -> None:
            if not any(part in fault for part in ignore):
                faults.append(fault)

        def check_request(url: str) -> None:
            if not url.startswith((*LOCAL, *allow)):
                note(f"request to the network: {url}")

        page.on("request", lambda request: check_request(request.url))
        page.on("websocket", lambda socket: check_request(socket.url))
        page.on("pageerror", lambda error: note(f"error on the page: {error}"))
        page.on(
            "console",
            lambda message: note(f"console: {message.text}") if message.type == "error" else None,
        )
        try:
            page.goto(url)
            yield page
            assert faults == []
        finally:
            context.close()

    return opened


@pytest.fixture
def open_page(visit: Visit) -> Iterator[Callable[..., Page]]:
    """Open pages for the length of a test; takes what ``visit`` takes."""
    opened: list[AbstractContextManager[Page]] = []

    def open_one(target: str | Path, **options: Any) -> Page:
        opened.append(visit(target, **options))
        return opened[-1].__enter__()

    yield open_one
    for manager in reversed(opened):
        manager.__exit__(None, None, None)


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Small synthetic runs: 12 runs, 80 examples, 3 classes, 2 methods, 30 steps."""
    rng = np.random.default_rng(7)
    n_runs, n_examples, n_steps = 12, 80, 30
    gold = np.arange(n_examples) % 3
    ease = np.linspace(-0.5, 4, n_examples)
    arrays: Sample = {"gold": gold}
    for method, noise in (("control", 1.0), ("tgtss", 0.5)):
        scores = noise * rng.normal(size=(n_runs, n_examples, 3))
        scores[:, np.arange(n_examples), gold] += ease
        chances = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
        arrays[f"{method}_labels"] = scores.argmax(axis=2)
        arrays[f"{method}_chances"] = chances[:, np.arange(n_examples), gold]
        arrays[f"{method}_curves"] = rng.random((n_steps, n_examples))
    return arrays


@pytest.fixture(scope="session")
def points() -> pd.DataFrame:
    """Prediction differences of small models: windows 2^0, 2^4, 2^8 and checkpoints 2^12 to 2^14.

    The stream of the 1024-512 model is shorter than the others'. One PD is zero.
    """
    rng = np.random.default_rng(11)
    curves = [
        ("linear", "linear", "identity", 1.0, "adagrad 0.1", "same", 14),
        ("relu 1", "1 unit", "relu", 1.0, "adagrad 0.1", "same", 14),
        ("relu 1, diff", "1 unit", "relu", 1.0, "adagrad 0.1", "distinct", 14),
        ("identity 1", "1 unit", "identity", 1.0, "adagrad 0.1", "same", 14),
        ("smelu 0.5", "1024-512", "smelu", 0.5, "sgd 0.1", "same", 13),
        ("smelu 2", "1024-512", "smelu", 2.0, "sgd 0.1", "same", 13),
        ("<b>swish</b>", "1024-512", "swish", 2.0, "sgd 0.1", "same", 13),
    ]
    names = ["curve", "model", "activation", "beta", "optimizer", "init", "stream"]
    frame = pd.DataFrame(
        [
            (*curve, window, examples)
            for curve in curves
            for examples in range(12, curve[-1] + 1)
            for window in (0, 4, 8)
        ],
        columns=[*names, "log2_window", "log2_examples"],
    )
    frame["pd"] = 10.0 ** (-7 + 0.5 * frame["log2_window"] + rng.uniform(0, 1, len(frame)))
    frame.loc[(frame["curve"] == "relu 1") & (frame["log2_window"] == 0), "pd"] = 0.0
    frame["pd_low"], frame["pd_high"] = 0.8 * frame["pd"], 1.3 * frame["pd"]
    frame["loss"] = 10.0 ** rng.uniform(-4, -2, len(frame))
    return frame


@pytest.fixture(scope="session")
def pair_weights() -> dict[tuple[str, int], NDArray[Any]]:
    """Weights of two of the curves of ``points``, of one of them at one window alone."""
    rng = np.random.default_rng(12)
    kept = [("linear", 0, 33), ("linear", 4, 33), ("linear", 8, 33), ("relu 1", 8, 35)]
    return {(curve, window): rng.normal(size=(2, n)) for curve, window, n in kept}
