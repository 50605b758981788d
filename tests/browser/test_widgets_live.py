"""Each widget in a JupyterLab with a kernel, on loopback."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from stablib.metrics import label_entropy

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("error"),
    pytest.mark.timeout(900),  # A server and kernels start first.
]

BUILD = """
import numpy as np
import pandas as pd
from stablib.metrics import label_entropy
from stablib.show.widgets import (
    descent, divergence_viewer, explanation_comparer, how_many_seeds, instability_map,
    mitigation_matrix, pd_explorer, seed_explorer, train_again,
    train_pairs, why_this_film
)
from stablib.training import Task
from stablib.models.item_model import ItemModel

arrays = np.load("sample.npz")
labels = {"Control": arrays["control_labels"], "TGTSS": arrays["tgtss_labels"]}
about = {
    "gold": arrays["gold"],
    "label_names": ["alarm", "lists", "music"],
    "texts": [f"utterance {i}" for i in range(arrays["gold"].size)],
}
quantities = {
    method: {
        "mu_m": arrays[f"{method.lower()}_chances"].mean(axis=0),
        "sigma_m": arrays[f"{method.lower()}_chances"].std(axis=0),
        "LE_m": label_entropy(labels[method]),
    }
    for method in labels
}
curves = {method: arrays[f"{method.lower()}_curves"] for method in labels}
explorer = seed_explorer(labels, trajectories=curves, name="explorer", **about)
scatter = instability_map(quantities, name="scatter", **about)
many = how_many_seeds(labels, baseline="Control", gold=about["gold"], name="many")
weights = {("linear", 8): np.ones((2, 33))}
pairs = pd_explorer(pd.read_csv("points.csv"), weights, name="pairs")
words = [[f"word{k}" for k in range(4 + text)] for text in range(6)]
rng = np.random.default_rng(3)
shares = {
    method: {"attention": [rng.dirichlet(np.ones(len(text)), 4) for text in words]}
    for method in ("Control", "ASWA")
}
comparer = explanation_comparer(
    shares,
    tokens=words,
    scores={method: rng.random((4, 6)) for method in shares},
    gold=[0, 1] * 3,
    label_names=["negative", "positive"],
    name="comparer",
)
saddle = descent(name="saddle", noise=0.0)
curves = {key: rng.random((2, 3)) for key in ("distance", "disagreement", "loss")}
twins = {**curves, "logits": rng.normal(size=(2, 3, 2, 3))}
unchanged = {"loss": [1.0, 2.0, 3.0], "logits": rng.normal(size=(3, 2, 3))}
parting = divergence_viewer(
    {
        "deep": {"unchanged": unchanged, "twins": {"one bit": {1: twins}, "order": {1: twins}}},
        "flat": {"unchanged": unchanged, "twins": {"order": {1: twins}}},
    },
    steps=[1, 10, 100],
    gold=[0, 1],
    label_names=about["label_names"],
    texts=["image 1", "image 2"],
    name="parting",
)
models = {
    f"seed {seed}": {
        name: parameter.detach().numpy()
        for name, parameter in ItemModel(
            6, 4, 3, (5,), 2, np.random.default_rng(seed)
        ).named_parameters()
    }
    for seed in (1, 2)
}
film = why_this_film(
    models,
    histories=[[0, 1, 2], [3, 4]],
    candidates=[[3, 4, 5], [0, 1, 2]],
    titles=[f"film {k}" for k in range(6)],
    name="film",
)
plain = {"accuracies": [90.0, 91.0], "apart": [3.0, 3.0]}
cell = {"reduction": 9.0, "low": 5.0, "high": 12.0, "trainings": 1, "failed": 0, **plain}
cell |= {"gain": 0.1, "gain_low": 0.0, "gain_high": 0.2}
board = mitigation_matrix(
    {"heads": {"SWA": cell, "L2": cell}, "images": {"SWA": cell, "L2": cell}},
    plain={"heads": plain, "images": plain},
    methods=["SWA", "L2"],
    reasons={},
    name="board",
)
again = train_again(
    Task({"train": np.eye(4), "test": np.eye(4)}, {"train": range(4), "test": range(4)}, 4)
)
streams = train_pairs([0.6, 0.2], [2.0, -1.0])
streams.log2_examples = 10
"""
CELLS = [
    BUILD,
    "explorer",
    "scatter",
    "many",
    "print('EXPLORER', explorer.method, explorer.rows, explorer.picked)",
    "explorer.rows = [4, 9]; explorer.gold = 1",
    "print('SCATTER', scatter.method, scatter.picked, scatter.brush)",
    "scatter.brush = [0.0, 0.5, 0.0, 1.0]",
    "print('MANY', many.k, many.draw, many.rows)",
    "many.k = 12",
    "pairs",
    "print('PAIRS', pairs.model, pairs.beta, pairs.log2_examples, pairs.log2_window)",
    "pairs.model = '1 unit'; pairs.init = 'both'; pairs.log2_window = 0",
    "comparer",
    "print('COMPARER', comparer.methods, comparer.rows, comparer.picked)",
    "comparer.kind = 'attention'; comparer.rows = [1, 0]; comparer.methods = ['ASWA', 'Control']",
    "saddle",
    "print('SADDLE', saddle.learning_rate, saddle.starts, saddle.shown)",
    "saddle.starts = [[-0.5, 1.0], [0.5, 1.0]]; saddle.shown = ['SGD']",
    "parting",
    "state = [parting.network, parting.source, parting.twin, parting.point, parting.example]\n"
    "print('PARTING', *state)",
    "parting.network = 'deep'; parting.source = 'one bit'; parting.point = 2",
    "film",
    "print('FILM', film.runs, film.user, film.candidate, film.dropped, film.shuffle)",
    "film.dropped = []; film.user = 1; film.candidate = 0; film.shuffle = 0",
    "board",
    "print('BOARD', board.sort, board.workload, board.method)",
    "board.sort = ''; board.method = 'L2'",
    "again",
    "print('AGAIN', again.first_seed, again.n_seeds, again.vary, again.method)",
    "again.n_seeds = 7; again.vary = ['order']",
    "streams",
    "print('STREAMS', streams.hidden, streams.activation, streams.log2_window, streams.same_init)",
    "streams.hidden = 1; streams.n_pairs = 2",
]
PANEL = """
from stablib.show.local_instability.comparison import reductions
from stablib.show.local_instability.panel import METHODS, rerun_panel
from stablib.studies import open_study
from stablib.studies.local_instability import CONTROL

study = open_study("local_instability", preset="smoke")
panel = rerun_panel(study)
panel
"""
PANEL_CELLS = [
    PANEL,
    "same = study.changed(model='head', dataset='massive', n_runs=3, first_seed=7)\n"
    "if panel.tries:  # Else nothing was trained so far, and that is for the panel to do.\n"
    "    less = reductions(same.results(variants=(CONTROL, *METHODS)))[0]['reduction'].tolist()\n"
    "    print('REDUCED', *(f'{value:.1f}' for value in less), len(panel.tries))",
    "from IPython.display import HTML\n"
    "from stablib.show.local_instability import extras\n"
    "page = extras.sources(study.sources())._repr_html_()\n"
    "HTML(page.replace('</td>', ' $x^2$</td>', 1))",
    "HTML('<p>$x^2$</p>')",
]
# No questions to the network at the start, and every cell in the page, scrolled to or not.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
START_SECONDS = 240
RUN_MILLISECONDS = 240_000


def write_settings(folder: Path) -> None:
    for name, content in SETTINGS.items():
        path = folder / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")


def port_when_up(runtime: Path, token: str, server: "subprocess.Popen[bytes]", log: Path) -> int:
    """Wait until the server answers at the port that it says it has taken."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        # Half of the file may be written, and the server may not listen yet.
        with suppress(ValueError, urllib.error.URLError, ConnectionError, TimeoutError):
            for path in runtime.glob("jpserver-*.json"):
                port = int(json.loads(path.read_text())["port"])
                url = f"http://127.0.0.1:{port}/api/status?token={token}"
                with urllib.request.urlopen(url, timeout=5):
                    return port
        time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def write_notebook(path: Path, cells: list[str]) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(cells)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, sample: dict[str, Any], points: pd.DataFrame
) -> Iterator[str]:
    """Start JupyterLab on a port of loopback that it finds; URL of its notebooks, {0} the name."""
    folder = tmp_path_factory.mktemp("lab")
    work = folder / "work"
    work.mkdir()
    np.savez(work / "sample.npz", **sample)
    points.to_csv(work / "points.csv", index=False)
    write_notebook(work / "widgets.ipynb", CELLS)
    write_notebook(work / "panel.ipynb", PANEL_CELLS)
    (work / "no_data").mkdir()
    write_settings(folder / "settings")
    token = secrets.token_hex(16)
    # Folders of its own: neither the settings of the person testing nor their open files count.
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        # What the panel trains, on the package's own data, is kept here.
        "STABLIB_CACHE": str(folder / "cache"),
        "STABLIB_DATA": str(work / "no_data"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        "--ServerApp.port=0",
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
    ]
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=work, env=environment, stdout=output, stderr=output)
    try:
        port = port_when_up(folder / "runtime", token, server, log)
        yield f"http://127.0.0.1:{port}/lab/workspaces/{{0}}/tree/{{0}}.ipynb?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def executed(visit: Any, url: str, cells: int) -> Iterator[Page]:
    """A notebook with the given number of cells, all of them run."""
    host = url.split("/lab/")[0]
    allow = [host, host.replace("http:", "ws:")]
    with visit(url, width=1400, height=1600, offline=False, allow=allow) as page:
        expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(
            cells, timeout=RUN_MILLISECONDS
        )
        page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel
                       ?.status === "idle" """,
            timeout=RUN_MILLISECONDS,
        )
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page


@pytest.fixture(scope="module")
def notebook(lab: str, visit: Any) -> Iterator[Page]:
    """The notebook of all widgets after all its cells ran."""
    with executed(visit, lab.format("widgets"), len(CELLS)) as page:
        expect(output_of(page, 17)).to_contain_text("SADDLE", timeout=RUN_MILLISECONDS)
        yield page


@pytest.fixture(scope="module")
def panel_notebook(lab: str, visit: Any) -> Iterator[Page]:
    """The notebook of the panel: it reads utterances and trains heads, and takes a while."""
    with executed(visit, lab.format("panel"), len(PANEL_CELLS)) as page:
        yield page


def output_of(page: Page, cell: int) -> Locator:
    return page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output")


def widget_of(page: Page, name: str) -> Locator:
    return page.locator(f'.jp-Notebook [data-widget="{name}"]')


def part(widget: Locator, name: str) -> Locator:
    return widget.locator(f'[data-part="{name}"]')


def run_cell(page: Page, cell: int) -> None:
    page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def kernel_says(page: Page, cell: int, text: str) -> None:
    """Run a cell that prints what the kernel knows of a view until it prints the text.

    What is changed while the kernel still answers to an earlier change is told to it afterwards,
    and that may be after the cell was run.
    """
    for _ in range(4):
        run_cell(page, cell)
        with suppress(AssertionError):
            expect(output_of(page, cell)).to_contain_text(text, timeout=2_500)
            return
    expect(output_of(page, cell)).to_contain_text(text)


def test_lab_shows_the_widget_and_not_the_static_page(notebook: Page) -> None:
    for name in (
        *("seed-explorer", "instability-map", "how-many-seeds", "pd-explorer"),
        *("explanation-comparer", "descent", "divergence-viewer", "why-this-film"),
        *("mitigation-matrix", "train-again", "train-pairs"),
    ):
        expect(widget_of(notebook, name)).to_have_count(1, timeout=RUN_MILLISECONDS)
    expect(notebook.locator(".stablib-host")).to_have_count(0)


def test_seed_explorer_and_kernel_share_their_state(notebook: Page, sample: dict[str, Any]) -> None:
    widget = widget_of(notebook, "seed-explorer")
    part(widget, "method").select_option("TGTSS")
    part(widget, "run-b").select_option(label="run 8")
    part(widget, "gold").select_option("-1")
    runs = sample["tgtss_labels"]
    row_a = int(part(widget, "run-a").input_value())
    agree = int(np.sum(runs[row_a] == runs[7]))
    expect(part(widget, "summary")).to_contain_text(f"agree on {agree} of 80 examples")
    option = part(widget, "list").get_by_role("option").first
    option.click()
    picked = option.get_attribute("data-id")
    expect(part(widget, "picked-text")).to_have_text(f"utterance {picked}")
    kernel_says(notebook, 4, f"EXPLORER TGTSS [{row_a}, 7] {picked}")

    run_cell(notebook, 5)
    expect(part(widget, "summary")).to_contain_text("TGTSS: run 5 and run 10 agree")
    expect(part(widget, "gold")).to_have_value("1")


def test_map_and_kernel_share_their_state(notebook: Page, sample: dict[str, Any]) -> None:
    widget = widget_of(notebook, "instability-map")
    part(widget, "method").select_option("TGTSS")
    mean = label_entropy(sample["tgtss_labels"]).mean()
    part(widget, "clear").click()
    expect(part(widget, "summary")).to_contain_text(f"mean LEₘ {mean:.3f} nats")
    part(widget, "plot").focus()
    notebook.keyboard.press("Home")
    lowest = int(np.argmin(sample["tgtss_chances"].mean(axis=0)))
    expect(part(widget, "readout")).to_contain_text(f"utterance {lowest}\u2069 (gold")
    kernel_says(notebook, 6, f"SCATTER TGTSS {lowest} []")

    run_cell(notebook, 7)
    inside = int(np.sum(sample["tgtss_chances"].mean(axis=0) <= 0.5))
    expect(part(widget, "summary")).to_contain_text(f"{inside} of 80 examples selected")


def test_how_many_seeds_and_kernel_share_their_state(
    notebook: Page, sample: dict[str, Any]
) -> None:
    widget = widget_of(notebook, "how-many-seeds")
    part(widget, "k").fill("4")
    part(widget, "resample").click()
    expect(part(widget, "drawn")).to_contain_text("Draw 2")
    kernel_says(notebook, 8, "MANY 4 2")
    printed = output_of(notebook, 8).inner_text()
    rows = json.loads(printed[printed.index("[") :])
    total = label_entropy(sample["control_labels"][rows]).sum()
    expect(part(widget, "summary")).to_contain_text(f"sums to {total:.1f} nats")

    run_cell(notebook, 9)
    expect(part(widget, "k-value")).to_have_text("12 of 12")
    expect(part(widget, "summary")).to_contain_text("With 12 of 12 runs")


def test_pd_explorer_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "pd-explorer")
    part(widget, "model").select_option("1024-512")
    part(widget, "beta").select_option("2")
    part(widget, "window-plot").focus()
    notebook.keyboard.press("Home")
    notebook.keyboard.press("ArrowRight")
    summary = part(widget, "summary")
    expect(summary).to_contain_text("1024-512, smelu (β 2), sgd 0.1; window 2⁴ mini-batches")
    kernel_says(notebook, 11, "PAIRS 1024-512 2.0 13 4")

    run_cell(notebook, 12)
    # Neither its activation nor its optimizer is one of this model's: it shows the first it has.
    expect(summary).to_contain_text("1 unit, relu, adagrad 0.1; window 2⁰ mini-batches")
    expect(summary).to_contain_text("Distinct init (relu 1, diff): PD")
    expect(part(widget, "init")).to_have_value("both")


def test_comparer_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "explanation-comparer")
    part(widget, "method-left").select_option("Control")
    part(widget, "method-right").select_option("ASWA")
    part(widget, "run-left").select_option(label="run 1")
    part(widget, "run-right").select_option(label="run 4")
    part(widget, "order").select_option("position")
    part(widget, "list").get_by_role("option").nth(2).click()
    expect(part(widget, "name-right")).to_have_text("Right: ASWA, run 4")
    kernel_says(notebook, 14, "COMPARER ['Control', 'ASWA'] [0, 3] 2")

    run_cell(notebook, 15)
    expect(part(widget, "name-left")).to_have_text("Left: ASWA, run 2")
    expect(part(widget, "name-right")).to_have_text("Right: Control, run 1")


def test_descent_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "descent")
    part(widget, "show-ASWA").check()
    part(widget, "learning-rate").focus()
    notebook.keyboard.press("ArrowRight")
    expect(part(widget, "learning-rate-value")).to_have_text("0.021")
    part(widget, "start-A-x").focus()
    notebook.keyboard.press("Home")
    expect(part(widget, "start-A-x-value")).to_have_text("\u22121.8")
    kernel_says(notebook, 17, "SADDLE 0.021 [[-1.8, 1.0], [0.5, 1.0]] ['SGD', 'ASWA']")

    run_cell(notebook, 18)
    expect(part(widget, "plot-ASWA")).to_be_hidden()
    expect(part(widget, "start-B-y-value")).to_have_text("1")
    # Without noise each start ends in the valley on its own side.
    expect(part(widget, "summary")).to_contain_text("from A 0.000, 100\u00a0% in the left valley")


def test_divergence_viewer_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "divergence-viewer")
    part(widget, "source").select_option("order")
    part(widget, "network").select_option("flat")
    part(widget, "twin").select_option(label="2")
    part(widget, "example").select_option(value="1")
    part(widget, "point").focus()
    notebook.keyboard.press("Home")
    kernel_says(notebook, 20, "PARTING flat order 1 0 1")

    run_cell(notebook, 21)
    expect(part(widget, "summary")).to_contain_text(
        "After step 100, twin 2 of “one bit” from the beginning (deep)"
    )


def test_film_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "why-this-film")
    part(widget, "user").select_option(value="0")
    part(widget, "candidate").select_option(value="2")
    widget.locator('[data-place="1"] input').uncheck()
    part(widget, "permute").click()
    kernel_says(notebook, 23, "FILM ['seed 1', 'seed 2'] 0 2 [1] 1")

    run_cell(notebook, 24)
    expect(part(widget, "summary")).to_contain_text(
        "User 1: \u2068film 0\u2069, which was held out"
    )
    expect(widget.locator('[data-part="history"] input:checked')).to_have_count(2)


def test_matrix_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "mitigation-matrix")
    part(widget, "sort-1").click()
    widget.locator('[data-workload="images"][data-method="SWA"]').click()
    kernel_says(notebook, 26, "BOARD images images SWA")

    run_cell(notebook, 27)
    expect(part(widget, "summary")).to_contain_text("L2, images: two runs differ on 3.0")


def test_networks_of_the_page_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "train-again")
    expect(part(widget, "again")).to_have_text("Train 7 again")
    expect(part(widget, "vary-dropout")).not_to_be_checked()
    part(widget, "again").click()
    expect(part(widget, "summary")).to_contain_text("7 networks, seeds 51 to 57")
    widget.locator("summary").click()
    part(widget, "n-seeds").fill("9")
    part(widget, "vary-one-bit").check()
    kernel_says(notebook, 29, "AGAIN 51 9 ['order', 'one bit'] plain")

    run_cell(notebook, 30)
    expect(part(widget, "again")).to_have_text("Train 7 again")
    expect(part(widget, "vary-one-bit")).not_to_be_checked()


def test_pairs_of_the_page_and_kernel_share_their_state(notebook: Page) -> None:
    widget = widget_of(notebook, "train-pairs")
    expect(part(widget, "again")).to_have_text("Train 2 pairs")
    part(widget, "activation").select_option("smelu")
    part(widget, "init").select_option("false")
    part(widget, "log2-window").fill("2")
    kernel_says(notebook, 32, "STREAMS 1 smelu 2 False")

    run_cell(notebook, 33)
    part(widget, "again").click()
    expect(part(widget, "summary")).to_contain_text("2 pairs of one hidden unit, SmeLU")


def test_rerun_panel_trains_with_changed_parameters(panel_notebook: Page) -> None:
    """The result is the one that the kernel gets with these parameters."""
    page = panel_notebook
    panel = widget_of(page, "rerun-panel")
    expect(panel).to_contain_text("MASSIVE", timeout=RUN_MILLISECONDS)
    expect(part(panel, "command")).to_have_count(0)
    part(panel, "n_runs").fill("3")
    part(panel, "first_seed").fill("7")
    part(panel, "after_step").fill("900")
    part(panel, "train").click()
    expect(part(panel, "refusal")).to_contain_text("leaves no step", timeout=RUN_MILLISECONDS)
    part(panel, "after_step").fill("6")
    part(panel, "price").click()
    # Control, students of two methods and the teachers of one.
    expect(part(panel, "summary")).to_contain_text(
        "12 runs have to be trained, about", timeout=RUN_MILLISECONDS
    )
    part(panel, "train").click()
    expect(part(panel, "summary")).to_contain_text("Done in", timeout=RUN_MILLISECONDS)
    expect(panel).to_contain_text("3 runs a method")
    run_cell(page, 1)
    printed = output_of(page, 1).filter(has_text=re.compile(r"REDUCED.* 1\s*$"))
    expect(printed).to_be_visible(timeout=RUN_MILLISECONDS)
    reduced = printed.inner_text().split()[1:-1]
    (row,) = part(panel, "tries").locator("tbody tr").all()
    cells = [cell.inner_text() for cell in row.locator("td").all()]
    assert [cell.split(" ")[0].replace("\u2212", "-") for cell in cells[:2]] == reduced
    assert cells[2] == "n_runs 3, first_seed 7"
    part(panel, "n_runs").fill("200")
    part(panel, "train").click()
    part(panel, "cancel").click()
    expect(part(panel, "summary")).to_have_text("Cancelled.", timeout=RUN_MILLISECONDS)
    assert part(panel, "tries").locator("tbody tr").count() == 1
    part(panel, "clear").click()
    expect(part(panel, "tries")).to_have_count(0)


def test_dollars_in_a_live_table_are_text(panel_notebook: Page) -> None:
    expect(output_of(panel_notebook, 3).locator("mjx-container")).to_have_count(
        1, timeout=RUN_MILLISECONDS
    )
    expect(output_of(panel_notebook, 2).locator(".exhibit")).to_contain_text("$x^2$")
    expect(output_of(panel_notebook, 2).locator("mjx-container")).to_have_count(0)
