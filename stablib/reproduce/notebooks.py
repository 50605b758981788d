"""Execute notebooks through papermill, only when something that they depend on has changed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import html
import json
import logging
import os
import re
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stablib.errors import StablibError, unknown
from stablib.reproduce.dependencies import code_of
from stablib.runs import RunStore
from stablib.runs.obtain import groups
from stablib.studies import papers, study_class
from stablib.studies.base import Study

#: Seconds after which a notebook is given up; training belongs before it, see ``stablib train``.
TIME_LIMIT = 3 * 3600

_ANCHOR = re.compile(r"^# \(([a-z0-9.-]+)\)=$", re.MULTILINE)


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


@dataclasses.dataclass(frozen=True)
class Section:
    """One notebook: a section of a paper.

    Parameters
    ----------
    name : str
        Such as ``local_instability/05_results``.
    source : Path
        The py:percent file.
    """

    name: str
    source: Path

    @property
    def paper(self) -> str:
        """The paper that it belongs to."""
        return self.name.split("/")[0]

    @property
    def study(self) -> type[Study]:
        """The paper's study."""
        return study_class(self.paper)

    def exhibits(self) -> list[str]:
        """Ids of the exhibits that it shows, from its anchors."""
        return [anchor.upper() for anchor in _ANCHOR.findall(self.source.read_text("utf-8"))]


def sections() -> list[Section]:
    """All notebooks."""
    folder = root() / "notebooks"
    return [
        Section(path.relative_to(folder).with_suffix("").as_posix(), path)
        for path in sorted(folder.glob("*/*.py"))
    ]


def select(name: str | None) -> list[Section]:
    """Return the notebooks of a paper, of one section, or all.

    Raises
    ------
    UsageError
        If there is no such paper or section.
    """
    every = sections()
    chosen = [s for s in every if name is None or name in (s.name, s.paper)]
    if not chosen:
        raise unknown("paper or section", name, {s.paper for s in every} | {s.name for s in every})
    return chosen


@dataclasses.dataclass(frozen=True)
class Execution:
    """How a notebook is executed, and where its results go.

    Parameters
    ----------
    folder : Path
        Build folder: ``notebooks``, ``exhibits`` and ``plain`` are inside.
    study : Study
        With the preset and the settings.
    command : str
        The words after ``stablib reproduce`` that make the page again.
    left_out : mapping of str to str
        Exhibits that are not made, and why.
    """

    folder: Path
    study: Study
    command: str
    left_out: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """What papermill injects."""
        return {"preset": self.study.preset, **self.study.changes}


def to_ipynb(section: Section, target: Path, left_out: Mapping[str, str]) -> None:
    """Convert a py:percent notebook; cells of exhibits that are left out say so instead."""
    import jupytext
    import nbformat

    notebook = jupytext.read(section.source)
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        raise StablibError(f"notebook {section.name} has no cell tagged 'parameters'")
    exhibit = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^\(([a-z0-9.-]+)\)=$", cell.source, re.MULTILINE)
            heading = re.search(r"^#+ ", cell.source, re.MULTILINE)
            if found or heading:
                exhibit = found[-1].upper() if found else ""
        elif exhibit in left_out:
            cell.source = (
                "from stablib.show.exhibit import left_out\n\n"
                f"left_out({exhibit!r}, {left_out[exhibit]!r})"
            )
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)


def execute(section: Section, how: Execution) -> bool:
    """Execute one notebook into ``<folder>/notebooks/<name>.ipynb``, if anything has changed.

    Its exhibits are recorded in a folder of their own first, and take the place of the old ones
    when the whole notebook has succeeded.

    Returns
    -------
    bool
        Whether it was executed.

    Raises
    ------
    NotebookFailed
        If a cell raised an error or wrote a warning; the last good result stays.
    """
    target = how.folder / "notebooks" / f"{section.name}.ipynb"
    stamp = fingerprint(section, how)
    if _is_whole(target, how.folder / "exhibits", stamp):
        return False
    # Loading them takes seconds, which unchanged pages need not wait for.
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    plain = how.folder / "plain" / f"{section.name}.ipynb"
    to_ipynb(section, plain, how.left_out)
    partial = target.with_name(f"{target.stem}.{os.getpid()}.partial.ipynb")
    staged = how.folder / "staged" / f"{section.name.replace('/', '-')}.{os.getpid()}"
    partial.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        "STABLIB_EXHIBITS": str(staged),
        "STABLIB_BOOK_ROOT": "../..",
        "STABLIB_PAGE": how.command,
    }
    # Whatever fails is raised. A kernel that is stopped midway would be logged as one that died.
    for talker in ("papermill", "asyncio"):
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    try:
        with _environment(environment), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                papermill.execute_notebook(
                    str(plain),
                    str(partial),
                    parameters=how.parameters,
                    progress_bar=False,
                    execution_timeout=TIME_LIMIT,
                    store_widget_state=False,
                    cwd=str(root()),
                    # The kernel's own log would mix with ours; errors of cells are raised here.
                    extra_arguments=["--log-level=CRITICAL"],
                )
            except papermill.PapermillExecutionError as error:
                why = f"{error.ename}: {error.evalue}"
                raise NotebookFailed(f"notebook {section.name}: {why}") from error
            except (DeadKernelError, CellTimeoutError) as error:
                why = " ".join(str(error).split())
                raise NotebookFailed(f"notebook {section.name}: {why}") from error
        notebook = nbformat.read(partial, as_version=4)
        _refuse_warnings(section.name, notebook)
        _prepare_page(notebook)
        made = _swap(staged, how.folder / "exhibits")
        notebook.metadata["stablib"] = {
            "stamp": stamp,
            "exhibits": made,
            "content": _content(json.loads(nbformat.writes(notebook))),
        }
        nbformat.write(notebook, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
        shutil.rmtree(staged, ignore_errors=True)
    return True


def execute_timed(one: tuple[Section, Execution]) -> float | None:
    """Execute one notebook and return the seconds it took; None if nothing has changed."""
    began = time.perf_counter()
    return time.perf_counter() - began if execute(*one) else None


def _swap(staged: Path, exhibits: Path) -> dict[str, str]:
    """Put recorded exhibits into the place of older ones; return their hashes."""
    made = {}
    for folder in sorted(staged.glob("*")):
        target = exhibits / folder.name
        target.parent.mkdir(parents=True, exist_ok=True)
        old = exhibits / f"{folder.name}.{os.getpid()}.old"
        if target.exists():
            target.replace(old)
        folder.replace(target)
        shutil.rmtree(old, ignore_errors=True)
        made[folder.name] = _tree(target)
    return made


def _tree(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _is_whole(target: Path, exhibits: Path, stamp: str) -> bool:
    """Whether an executed notebook and its exhibits are there, and made from what is there now."""
    try:
        notebook = json.loads(target.read_bytes())
        metadata = notebook["metadata"]["stablib"]
        same = metadata["stamp"] == stamp and metadata["content"] == _content(notebook)
        return same and all(_tree(exhibits / e) == h for e, h in metadata["exhibits"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _content(notebook: dict[str, Any]) -> str:
    """Hash of an executed notebook, outputs included, without what we say of it ourselves."""
    metadata = {name: value for name, value in notebook["metadata"].items() if name != "stablib"}
    content = json.dumps({**notebook, "metadata": metadata}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _refuse_warnings(name: str, notebook: Any) -> None:
    """Raise NotebookFailed if a cell wrote to stderr: it would stand in the page."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise NotebookFailed(f"notebook {name}: {output['text'].strip()}")


def _prepare_page(notebook: Any) -> None:
    """Hide the parameters, fold the code, drop widget state that the book embeds itself."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        tags = cell.metadata.setdefault("tags", [])
        if "parameters" in tags:
            tags.append("remove-cell")
        elif cell.cell_type == "code" and "hide-input" not in tags:
            tags.append("hide-input")
        for output in cell.get("outputs", []):
            # The page's text/html hosts the widget; its live view has no kernel to talk to.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def fingerprint(section: Section, how: Execution) -> str:
    """Hash of everything that an executed notebook depends on: its own paper's, no other's."""
    given = {
        "parameters": how.parameters,
        "left out": dict(how.left_out),
        "optional": [how.study.has(request) for request in how.study.optional()],
        "data": _data(how.study),
    }
    digest = hashlib.sha256(json.dumps([given, how.command], sort_keys=True).encode())
    module = papers()[section.paper].partition(":")[0]
    claims = section.study.claims_file
    own = [section.source, *code_of(section.source, module), root() / "constraints.txt"]
    own.append(Path(__file__))  # What is hidden, folded and left out on the page.
    packs = _packs(how.study)
    for path in [*own, *packs]:
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    text = claims.read_text("utf-8") if claims else json.dumps(_claims(section.study), default=str)
    digest.update(text.encode())
    return digest.hexdigest()


def _claims(study: type[Study]) -> dict[str, Any]:
    return {name: dataclasses.asdict(claim) for name, claim in study.claims().items()}


def _packs(study: Study) -> list[Path]:
    """Packs of published runs that a study may read."""
    published = RunStore().published
    if published is None:
        return []
    wanted = [*study.wanted(), *study.optional()]
    keys = {group.key for r in wanted for group in groups(r, study.inputs(r.recipe))}
    return sorted(published / f"{key}.npz" for key in keys)


def _data(study: Study) -> list[tuple[str, str, str]]:
    """The data that would be used now: their content, where they come from and the notice."""
    used = [study.inputs(request.recipe) for request in study.wanted()]
    return sorted({(inputs.key, inputs.source, inputs.notice) for inputs in used})


def headlines(folder: Path, exhibits: Sequence[str]) -> list[str]:
    """What came out of some exhibits, in a sentence each."""
    lines = []
    for exhibit in exhibits:
        path = folder / "exhibits" / exhibit / "provenance.json"
        if path.is_file():
            finding = json.loads(path.read_text("utf-8"))["finding"]
            lines += [f"{exhibit}: {html.unescape(finding)}"] * bool(finding)
    return lines


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
