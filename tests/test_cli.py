"""The command line: wrong input is one line, exit code 2, and nothing changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def stablib(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("stablib")), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("reproduce", "local_instabilty"), "did you mean 'local_instability'"),
        (("reproduce", "local_instability/05_result"), "local_instability/05_results"),
        (("reproduce", "--preset", "lapto"), "did you mean 'laptop'"),
        (("reproduce", "--param", "temprature=1"), "did you mean 'temperature'"),
        (("reproduce", "--param", "temperature=0"), "temperature"),
        (("reproduce", "--param", "temperature=warm"), "must be float"),
        (("reproduce", "--param", "n_runs=-3"), "n_runs"),
        (("reproduce", "--param", "n_runs"), "name=value"),
        (("reproduce", "--param", "encoder=distilbert"), "distilbert-base-uncased"),
        (("reproduce", "--param", "after_step=100000"), "leaves no step"),
        (("reproduce", "--param", "preset=smoke"), "--preset smoke"),
        (("reproduce", "synthetic_irreproducibility", "--param", "beta=inf"), "beta"),
        (("reproduce", "synthetic_irreproducibility", "--param", "n_windows=0"), "n_windows"),
        (("reproduce", "synthetic_irreproducibility", "--param", "beta=0"), "beta"),
        (
            ("reproduce", "synthetic_irreproducibility", "--param", "log2_examples=4"),
            "between 5 and 26, got 4",
        ),
        (("train", "synthetic_irreproducibility", "--dask", "tcp://x"), "no --dask"),
        (("train", "local_instabilty"), "did you mean 'local_instability'"),
        (("data", "fetch", "masive"), "did you mean 'massive'"),
        (("runs", "show", "nosuchgroup"), "unknown group of runs"),
    ],
)
def test_wrong_input_is_one_clear_line(words: tuple[str, ...], hint: str) -> None:
    before = sorted((ROOT / "_build").rglob("*.ipynb")) if (ROOT / "_build").is_dir() else []
    outcome = stablib(*words)
    assert outcome.returncode == 2, outcome.stderr
    assert hint in outcome.stderr
    assert "Traceback" not in outcome.stderr
    after = sorted((ROOT / "_build").rglob("*.ipynb")) if (ROOT / "_build").is_dir() else []
    assert before == after


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    outcome = stablib("reproduce", cwd=tmp_path)
    assert outcome.returncode == 2
    assert "no checkout" in outcome.stderr


def test_runs_can_be_listed_and_verified() -> None:
    listed = stablib("runs", "list")
    assert listed.returncode == 0
    assert "published" in listed.stdout
    verified = stablib("runs", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "0 damaged files" in verified.stdout


def test_help_names_every_command() -> None:
    text = stablib("--help").stdout
    for command in ("reproduce", "train", "data", "runs", "scorecard", "book"):
        assert command in text


def test_data_status_needs_no_network() -> None:
    outcome = stablib("data", "status")
    assert outcome.returncode == 0
    assert "massive" in outcome.stdout
    assert os.environ.get("STABLIB_DATA") is None or "STABLIB_DATA" in outcome.stdout
