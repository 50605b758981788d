"""The package installed without extras: metrics, widgets and published results without torch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import stablib
from stablib.runs.store import default_published
from stablib.studies import open_study, papers

pytestmark = pytest.mark.core

ROOT = Path(__file__).parent.parent


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [str(Path(sys.executable).with_name("stablib")), *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=cwd, timeout=300)


def test_it_is_the_installed_package_and_the_extras_are_not_there() -> None:
    assert Path(sys.prefix) in Path(stablib.__file__).parents
    for package in ("torch", "transformers", "numba", "papermill", "huggingface_hub"):
        assert importlib.util.find_spec(package) is None


def test_published_runs_come_with_the_wheel(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stranger has it: with no data, and no word vectors, beside it."""
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    assert default_published() == Path(sys.prefix) / "share" / "stablib" / "results" / "runs"
    for paper in papers():
        assert open_study(paper).missing() == []
    listed = command("runs", "list", cwd=Path(sys.prefix))
    assert f"published: {default_published()}" in listed.stdout


def test_published_results_make_tables(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stablib.show.local_instability import tables

    monkeypatch.setenv("STABLIB_EXHIBITS", str(tmp_path))
    exhibit = tables.table_3(open_study("local_instability").each())
    assert "TGTSS, own" in exhibit.page
    assert (tmp_path / "LI-T3" / "numbers.csv").is_file()


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("train", "local_instability", "--preset", "smoke", "--jobs", "1"), "stablib[train]"),
        (("reproduce", "local_instability/01_introduction"), "stablib[book]"),
    ],
)
def test_what_needs_an_extra_says_which(
    own_cache: Path, tmp_path: Path, words: tuple[str, ...], extra: str
) -> None:
    # A checkout of its own: in the real one the notebook may have been executed before.
    for name in ("_toc.yml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert extra in done.stderr
    assert "Traceback" not in done.stderr
