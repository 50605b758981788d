"""Launch buttons: notebooks on hosts such as Binder and Colab, which know nothing of stablib.

They are there when ``_config.yml`` names the repository. The built pages are then meant to be its
branch ``gh-pages``: the buttons open the notebooks in it, of which the first cell gets the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

#: Where the buttons lead to.
HOSTS = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}
#: Branch with the built pages, and where Sphinx puts the notebooks in them.
_BRANCH, _NOTEBOOKS = "gh-pages", "_sources"

#: The first cell of a notebook; in a checkout, where stablib is installed, it does nothing.
_CELL = """\
# On a host without stablib: get the project, and what it needs. That takes minutes.
import importlib.util, pathlib, subprocess, sys
if importlib.util.find_spec("stablib") is None:
    subprocess.run(["git", "clone", "--quiet", "{url}", "stablib"], check=True)
    subprocess.run(["git", "-C", "stablib", "checkout", "--quiet", "{revision}"], check=True)
    project = pathlib.Path("stablib").resolve()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "-c", f"{{project}}/constraints.txt"]
    subprocess.run([*pip, "-e", f"{{project}}[train,book]"], check=True)
    sys.path.insert(0, str(project))  # What is installed while a kernel runs, it does not see.
"""


def repository(config: Mapping[str, Any]) -> str | None:
    """Address of the project, if the book's configuration says it."""
    return (config.get("repository") or {}).get("url")


def with_buttons(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a book's configuration with launch buttons, if it says where the project is.

    Examples
    --------
    >>> address = {"url": "https://example.org/owner/name"}
    >>> with_buttons({"repository": address})["repository"]["branch"]
    'gh-pages'
    >>> with_buttons({"title": "A book"})
    {'title': 'A book'}
    """
    if repository(config) is None:
        return dict(config)
    places = {"branch": _BRANCH, "path_to_book": _NOTEBOOKS, **config["repository"]}
    buttons = {**config.get("launch_buttons", {}), **HOSTS}
    return {**config, "repository": places, "launch_buttons": buttons}


def with_first_cell(notebook: str, url: str, commit: str) -> str:
    """Return a notebook, as JSON, that gets the project first where it is not installed.

    At the commit of the code in use; if that is unknown, as the repository has it.
    """
    import nbformat

    revision = "HEAD" if commit == "unknown" else commit.removesuffix("-dirty")
    parsed = nbformat.reads(notebook, as_version=4)
    cell = nbformat.v4.new_code_cell(_CELL.format(url=url, revision=revision), id="get-stablib")
    cell.metadata["tags"] = ["remove-cell"]
    # The page's title stays first: Sphinx takes it from there.
    parsed.cells.insert(1, cell)
    return nbformat.writes(parsed)


def write_environment(folder: Path) -> None:
    """Write what Binder needs to open the notebooks; their first cell gets the rest."""
    needs = {"channels": ["conda-forge"], "dependencies": ["python=3.11", "pip", "jupyterlab"]}
    (folder / "environment.yml").write_text(yaml.safe_dump({"name": "stablib", **needs}))
