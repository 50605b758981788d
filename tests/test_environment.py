"""pyproject.toml, constraints.txt and environment.yml describe one environment."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def name(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    every = (*project["dependencies"], *(r for extra in extras.values() for r in extra))
    wanted = {name(r) for r in every}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {name(line) for line in lines}
    assert all("==" in line for line in lines)
    assert wanted <= pinned


def test_torch_is_the_version_of_the_papers_reproduction() -> None:
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_conda_environment_installs_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    text = " ".join(pip)
    assert "-c constraints.txt" in text
    assert "-e .[train,book,cluster,explain,dev]" in text
    assert any(str(d).startswith("python=3.11") for d in environment["dependencies"])
