"""Notebooks on hosts that know nothing of stablib."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest
import yaml

from stablib.reproduce import launch
from stablib.reproduce.notebooks import root

ADDRESS = "https://example.org/owner/name"


def first_cell(url: str, commit: str) -> str:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1")]
    made = nbformat.reads(
        launch.with_first_cell(nbformat.writes(notebook), url, commit), as_version=4
    )
    title, cell, rest = made.cells
    assert (title.source, rest.source) == ("# Title", "1")
    assert "remove-cell" in cell.metadata["tags"]
    nbformat.validate(made)
    return str(cell.source)


def test_buttons_are_there_where_the_repository_is_named() -> None:
    settings = yaml.safe_load((root() / "_config.yml").read_text("utf-8"))
    assert launch.repository(settings) is None  # This one has no address.
    assert launch.with_buttons(settings) == settings
    named = launch.with_buttons({**settings, "repository": {"url": ADDRESS, "branch": "pages"}})
    assert named["repository"] == {"url": ADDRESS, "branch": "pages", "path_to_book": "_sources"}
    assert {"binderhub_url", "colab_url"} <= named["launch_buttons"].keys()
    assert named["launch_buttons"]["thebe"] is False


def test_in_a_checkout_the_first_cell_does_nothing(tmp_path: Path) -> None:
    code = first_cell("nowhere", "0")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("commit", "revision"),
    [("1a2b3c4-dirty", "1a2b3c4"), ("1a2b3c4", "1a2b3c4"), ("unknown", "HEAD")],
)
def test_the_first_cell_checks_out_what_there_is(commit: str, revision: str) -> None:
    assert f'"checkout", "--quiet", "{revision}"]' in first_cell(ADDRESS, commit)


def test_binder_is_told_of_an_interpreter_alone(tmp_path: Path) -> None:
    launch.write_environment(tmp_path)
    made = yaml.safe_load((tmp_path / "environment.yml").read_text("utf-8"))
    assert {"pip", "jupyterlab"} <= set(made["dependencies"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_elsewhere_the_first_cell_gets_the_project(tmp_path: Path) -> None:
    """On a Python that has what stablib needs and not stablib, which pip then leaves alone."""
    venv.create(tmp_path / "host", with_pip=True)
    python = tmp_path / "host" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout
    (Path(site.strip()) / "needs.pth").write_text(sysconfig.get_path("purelib"))
    head = ["git", "-C", str(root()), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
    code = first_cell(str(root()), commit)
    code += "\nimport json, stablib, stablib.studies"
    code += "\nprint(json.dumps([stablib.__file__, stablib.studies.papers()['synthesis']]))"
    ran = subprocess.run(
        [python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    file, _ = json.loads(ran.stdout)
    assert Path(file) == tmp_path / "stablib" / "stablib" / "__init__.py"
