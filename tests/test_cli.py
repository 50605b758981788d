"""The command line: wrong input is one line, exit code 2, and nothing changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stablib.reproduce import cli

ROOT = Path(__file__).parent.parent
STABLIB = str(Path(sys.executable).with_name("stablib"))
LI, SI = "local_instability", "synthetic_irreproducibility"


def stablib(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STABLIB, *words], capture_output=True, text=True, check=False, cwd=cwd, timeout=300
    )


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("reproduce", "local_instability/05_result"), "local_instability/05_results"),
        (("reproduce", "--preset", "lapto"), "did you mean 'laptop'"),
        (("reproduce", "--param", "temperature=.7"), "--param goes with a paper"),
        (("reproduce", LI, "--param", "temprature=1"), "did you mean 'temperature'"),
        (("reproduce", LI, "--param", "temperature=0"), "temperature"),
        (("reproduce", LI, "--param", "temperature=warm"), "must be float"),
        (("reproduce", LI, "--param", "n_runs=-3"), "n_runs"),
        (("reproduce", LI, "--param", "n_runs=1_0"), "must be int, got '1_0'"),
        (("reproduce", LI, "--param", "n_runs=٣"), "must be int"),
        (("reproduce", LI, "--param", "n_runs=1000000000"), "between 2 and 1000"),
        (("reproduce", LI, "--param", "n_runs"), "name=value"),
        (("reproduce", LI, "--param", "encoder=distilbert"), "distilbert-base-uncased"),
        (("reproduce", LI, "--param", "reading=flatten"), "unknown reading 'flatten'"),
        (("reproduce", LI, "--param", "dataset=masive"), "did you mean 'massive'"),
        (("reproduce", LI, "--param", "after_step=100000"), "leaves no step"),
        (("reproduce", LI, "--param", "preset=smoke"), "--preset smoke"),
        (("reproduce", LI, "--budget", "soon"), "--budget must be like"),
        (("reproduce", LI, "--skip", "LI-X11"), "did you mean 'LI-X1'"),
        (("reproduce", LI, "--fresh", "--param", "n_runs=3"), "--fresh retrains a whole preset"),
        (("reproduce", SI, "--param", "beta=inf"), "beta"),
        (("reproduce", SI, "--param", "n_windows=0"), "n_windows"),
        (("reproduce", SI, "--param", "n_windows=1000000000"), "between 1 and 27"),
        (("reproduce", SI, "--param", "beta=0"), "beta"),
        (("reproduce", SI, "--param", "temperature=1"), "unknown parameter"),
        (("reproduce", SI, "--param", "log2_examples=4"), "between 5 and 26, got 4"),
        (("train", "local_instabilty"), "did you mean 'local_instability'"),
        (("train", LI, "--param", "n_runs=one"), "must be int"),
        (("data", "fetch", "masive"), "did you mean 'massive'"),
        (("runs", "show", "nosuchgroup"), "unknown group of runs"),
        (("runs", "publish", "local"), "unknown paper 'local'"),
    ],
)
def test_wrong_input_is_one_clear_line(
    words: tuple[str, ...],
    hint: str,
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: each start of another takes longer than the answer."""
    monkeypatch.setattr(sys, "argv", ["stablib", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert hint in said
    assert len(said.splitlines()) == 1
    assert not (checkout / "_build").exists()


def test_a_wrong_word_ends_the_process_with_a_line_and_a_code() -> None:
    outcome = stablib("reproduce", "local_instabilty")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("stablib: ")
    assert len(outcome.stderr.splitlines()) == 1


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    outcome = stablib("reproduce", cwd=tmp_path)
    assert outcome.returncode == 2
    assert "no checkout" in outcome.stderr


def test_runs_can_be_listed_and_verified() -> None:
    listed = stablib("runs", "list")
    assert listed.returncode == 0
    assert f"published: {ROOT / 'results' / 'runs'}" in listed.stdout
    verified = stablib("runs", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "0 damaged files" in verified.stdout


def test_help_names_every_command() -> None:
    text = stablib("--help").stdout
    for command in ("reproduce", "train", "data", "runs", "scorecard", "book"):
        assert command in text


def test_help_and_version_load_nothing_heavy() -> None:
    """torch, pandas and the like take seconds; --help must not wait for them."""
    code = (
        "import sys; from stablib.reproduce import cli; "
        "print([m for m in ('torch', 'pandas', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert stablib("--version").stdout.startswith("stablib ")


def test_data_status_and_verify_need_no_network() -> None:
    outcome = stablib("data", "status")
    assert outcome.returncode == 0
    assert "massive" in outcome.stdout
    verified = stablib("data", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "clinc150/intent" in verified.stdout


def test_a_reader_that_goes_away_ends_the_command(own_cache: Path) -> None:
    """As in ``stablib runs list | head -1``: no traceback, and nothing that hangs."""
    command = f"{STABLIB} runs list 2>&1 | head -1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.stdout.startswith("local: ")
    assert len(done.stdout.splitlines()) == 1


def test_a_missing_package_names_its_extra(tmp_path: Path) -> None:
    (tmp_path / "jupytext.py").write_text("raise ModuleNotFoundError('no', name='jupytext')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "STABLIB_CACHE": str(tmp_path)}
    done = subprocess.run(
        [STABLIB, "reproduce", f"{LI}/01_introduction", "--param", "step_every=5"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**environment, "STABLIB_RESULTS": str(ROOT / "results")},
        timeout=300,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("pip install 'stablib[book]'")


@pytest.mark.timeout(1200)  # Several commands, each of which starts processes.
def test_the_plan_of_a_rerun_says_what_is_missing_and_what_it_costs(own_cache: Path) -> None:
    """Before anything is trained; full fine-tuning does not fit two minutes and is left out."""
    page, changed = f"{LI}/05_results", ("--param", "weight_decay=.01", "--param", "temperature=.6")
    planned = stablib("reproduce", page, *changed, "--plan", "--budget", "none")
    assert planned.returncode == 0, planned.stderr
    assert "groups of runs are missing, about" in planned.stdout
    assert not list(own_cache.glob("runs/*/*.npz"))
    refused = stablib("reproduce", page, *changed, "--budget", "1s")
    assert refused.returncode == 2
    assert "LI-T3 needs about" in refused.stderr
    enough = re.search(r"--budget (\S+) trains it", refused.stderr)
    assert enough is not None
    within = stablib("reproduce", page, *changed, "--plan", "--budget", enough[1])
    assert "LI-X1 is left out" in within.stdout


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "_toc.yml").touch()
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "_build" / "html").mkdir(parents=True)
        (tmp_path / "_build" / "html" / "index.html").touch()
        done = stablib("book", "serve", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
