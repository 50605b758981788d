"""Execute notebooks through papermill, only when something that they depend on has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

import stablib
from stablib.data import ENTRIES
from stablib.data.registry import cache_folder, data_folder
from stablib.errors import StablibError, unknown
from stablib.reproduce.parameters import check
from stablib.runs.store import default_published

#: Seconds after which a notebook is given up; training belongs before it, see ``stablib train``.
TIME_LIMIT = 3 * 3600


class NotebookFailed(StablibError):
    """A notebook raised an error; the book is not built from it."""


def root() -> Path:
    """Folder of the project: where ``_toc.yml`` is, from here upwards.

    Raises
    ------
    StablibError
        Outside a checkout.
    """
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise StablibError("this is no checkout of the book: no _toc.yml and notebooks/ from here up")


def sections() -> dict[str, Path]:
    """All notebooks by name, such as ``local_instability/05_results``."""
    folder = root() / "notebooks"
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.glob("*/*.py"))
    }


def select(name: str | None) -> dict[str, Path]:
    """Return the notebooks of a paper, of one section, or all.

    Raises
    ------
    UsageError
        If there is no such paper or section.
    """
    every = sections()
    if name is None:
        return every
    chosen = {k: v for k, v in every.items() if k == name or k.split("/")[0] == name}
    if not chosen:
        papers = {key.split("/")[0] for key in every}
        raise unknown("paper or section", name, papers | set(every))
    return chosen


def to_ipynb(source: Path, target: Path) -> None:
    """Convert a py:percent notebook; make sure that its parameters survived."""
    notebook = jupytext.read(source)
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    if not any("parameters" in t for t in tags):
        raise StablibError(f"notebook {source.name} has no cell tagged 'parameters'")
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)


def execute(name: str, source: Path, *, given: Mapping[str, str], build: Path) -> bool:
    """Execute one notebook into ``<build>/notebooks/<name>.ipynb``.

    Parameters
    ----------
    name : str
        As in :func:`sections`.
    source : Path
        The py:percent file.
    given : mapping of str to str
        Parameters that differ from the notebook's own.
    build : Path
        Build folder.

    Returns
    -------
    bool
        Whether it was executed.

    Raises
    ------
    UsageError
        If a parameter is refused; nothing has run then.
    NotebookFailed
        If a cell raised an error or wrote a warning; the last good result stays.
    """
    plain, target = build / "plain" / f"{name}.ipynb", build / "notebooks" / f"{name}.ipynb"
    to_ipynb(source, plain)
    values = check(plain, given, paper=name.split("/")[0])
    stamp = fingerprint(source, values)
    if target.is_file() and _stamp(target) == stamp:
        return False
    partial = target.with_suffix(".partial.ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        "STABLIB_EXHIBITS": str(build / "exhibits"),
        "STABLIB_BOOK_ROOT": "../..",
        "STABLIB_PAGE": " ".join([name, *(f"--param {k}={v}" for k, v in given.items())]),
    }
    # Whatever fails is raised. A kernel that is stopped midway would be logged as one that died.
    for talker in ("papermill", "asyncio"):
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    with _environment(environment), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            papermill.execute_notebook(
                str(plain),
                str(partial),
                parameters=values,
                progress_bar=False,
                execution_timeout=TIME_LIMIT,
                store_widget_state=False,
                cwd=str(root()),
                # The kernel's own log would mix with ours; errors of cells are raised here.
                extra_arguments=["--log-level=CRITICAL"],
            )
        except papermill.PapermillExecutionError as error:
            raise NotebookFailed(f"notebook {name}: {error.ename}: {error.evalue}") from error
    notebook = nbformat.read(partial, as_version=4)
    _refuse_warnings(name, notebook)
    _prepare_page(notebook)
    notebook.metadata["stablib"] = {"stamp": stamp, "parameters": values}
    nbformat.write(notebook, partial)
    partial.replace(target)
    return True


def _refuse_warnings(name: str, notebook: Any) -> None:
    """Raise NotebookFailed if a cell wrote to stderr: it would stand in the page."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise NotebookFailed(f"notebook {name}: {output['text'].strip()}")


def _prepare_page(notebook: Any) -> None:
    """Hide the parameters, fold injected values, drop widget state that the book embeds itself."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        tags = cell.metadata.setdefault("tags", [])
        if "parameters" in tags:
            tags.append("remove-cell")
        if "injected-parameters" in tags:
            tags.append("hide-input")
        for output in cell.get("outputs", []):
            # The page's text/html hosts the widget; its live view has no kernel to talk to.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def fingerprint(source: Path, values: Mapping[str, Any]) -> str:
    """Hash of everything an executed notebook depends on."""
    digest = hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode())
    package = Path(stablib.__file__).parent
    code = [p for kind in ("*.py", "*.js", "*.css", "*.csv", "*.json") for p in package.rglob(kind)]
    unused = package / "reproduce"
    for path in sorted([source, *(p for p in code if unused not in p.parents)]):
        digest.update(path.read_bytes())
    for path in (*_data_files(), *_published_files()):
        digest.update(path.name.encode() + path.read_bytes())
    constraints = root() / "constraints.txt"
    if constraints.is_file():
        digest.update(constraints.read_bytes())
    return digest.hexdigest()


def _data_files() -> Iterator[Path]:
    """The data files that would be used now."""
    for folder in (data_folder(), cache_folder() / "data"):
        for item in ENTRIES.values():
            if folder is not None and (folder / item.file).is_file():
                yield folder / item.file


def _published_files() -> list[Path]:
    """Packs of published runs and label sheets."""
    runs = default_published()
    return sorted(runs.parent.rglob("*.npz")) if runs else []


def _stamp(path: Path) -> str | None:
    stamp: str | None = json.loads(path.read_bytes())["metadata"].get("stablib", {}).get("stamp")
    return stamp


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the kernel that is started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
