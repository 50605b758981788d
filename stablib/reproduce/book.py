"""Assemble the executed notebooks and the prose pages, and build the book."""

from __future__ import annotations

import datetime
import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import stablib
from stablib.commit import commit, commit_date
from stablib.errors import StablibError
from stablib.reproduce import atlas, downloads, launch, scorecard
from stablib.reproduce.notebooks import root, sections
from stablib.reproduce.pages import fill

_PACKAGE = Path(stablib.__file__).parent


class BookFailed(StablibError):
    """Sphinx reported an error or a warning."""


def build(folder: Path, *, preset: str) -> bool:
    """Build ``<folder>/html`` from the executed notebooks in ``<folder>/notebooks``.

    Parameters
    ----------
    folder : Path
        Build folder.
    preset : str
        For the footer.

    Returns
    -------
    bool
        False if the book was up to date.

    Raises
    ------
    BookFailed
        If a notebook has not been executed, or Sphinx warns.
    """
    source = folder / "source"
    assemble(source, folder, preset=preset)
    # The reference is made from the docstrings, the pages of the code from all of it.
    stamp = _tree_hash(source, "*") + _tree_hash(_PACKAGE, "*.py")
    stamp_file = folder / "html" / ".stamp"
    if stamp_file.is_file() and stamp_file.read_text() == stamp:
        return False
    stamp_file.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(source)]
    command += ["--path-output", str(folder.parent), "--warningiserror", "--keep-going", "--quiet"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        log = folder / "book.log"
        log.write_text(outcome.stdout + outcome.stderr)
        problems = [
            line for line in log.read_text().splitlines() if "WARNING" in line or "ERROR" in line
        ]
        raise BookFailed("; ".join(problems[:5]) or f"the book was not built, see {log}")
    shutil.copytree(folder / "exhibits", folder / "html" / "exhibits", dirs_exist_ok=True)
    downloads.write(folder / "html" / "exhibits")
    write_sources(folder / "html" / "source")
    if launch.repository(_settings()):
        launch.write_environment(folder / "html")
    stamp_file.write_text(stamp)
    return True


def assemble(source: Path, folder: Path, *, preset: str) -> None:
    """Put everything that Sphinx reads into one folder; unchanged files keep their time."""
    top = root()
    wanted: dict[Path, bytes] = {}
    url = launch.repository(_settings())
    for path in sorted((top / "book").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".md":
                content = atlas.fill(fill(content.decode()), folder / "exhibits").encode()
            wanted[path.relative_to(top)] = content
    for section in sections():
        name = section.name
        executed = folder / "notebooks" / f"{name}.ipynb"
        if not executed.is_file():
            raise BookFailed(f"notebook {name} has not been executed: stablib reproduce {name}")
        text = executed.read_text("utf-8")
        text = launch.with_first_cell(text, url, commit()) if url else text
        wanted[Path("notebooks") / f"{name}.ipynb"] = text.encode()
    wanted[Path("book/atlas.md")] = atlas.page(folder / "exhibits").encode()
    wanted[Path("book/scorecard.md")] = scorecard.page(folder / "exhibits").encode()
    wanted[Path("_toc.yml")] = (top / "_toc.yml").read_bytes()
    wanted[Path("_config.yml")] = _config(folder, preset).encode()
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.relative_to(source) not in wanted:
            path.unlink()
    for relative, content in wanted.items():
        target = source / relative
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _settings() -> dict[str, Any]:
    """What ``_config.yml`` says."""
    settings: dict[str, Any] = yaml.safe_load((root() / "_config.yml").read_text("utf-8"))
    return settings


def _config(folder: Path, preset: str) -> str:
    """The book's configuration with the stamp of this build in the footer."""
    config = launch.with_buttons(_settings())
    data: set[str] = set()
    for path in sorted((folder / "exhibits").glob("*/provenance.json")):
        for result in json.loads(path.read_text())["results"]:
            data.update(f"{source} ({key[:8]})" for source, key in result["data"].items())
    date = commit_date() or datetime.date.today().isoformat()
    made = f"stablib {stablib.__version__}, commit {commit()} of {date} · preset {preset}"
    config["html"]["extra_footer"] = (
        f'<details class="stablib-stamp"><summary>{html.escape(made)}</summary>'
        f"Data: {html.escape('; '.join(sorted(data)))}</details>"
    )
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _tree_hash(folder: Path, pattern: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob(pattern) if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def write_sources(target: Path) -> None:
    """Write the library's code as pages with line anchors, for the links of exhibits and reference.

    Each page leads back to the page of the reference on its subpackage.
    """
    for path in sorted(_PACKAGE.rglob("*.py")):
        name = path.relative_to(_PACKAGE.parent)
        page = target / f"{name.as_posix()}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        formatter = HtmlFormatter(
            full=True, title=name.as_posix(), linenos="inline", lineanchors="line", wrapcode=True
        )
        code = highlight(path.read_text("utf-8"), PythonLexer(), formatter)
        page.write_text(code.replace("</h2>", f"</h2>{_way_back(page, target.parent)}", 1), "utf-8")


def _way_back(page: Path, book: Path) -> str:
    """Link from a page of code to the reference, or to the book where that has no such page."""
    part = page.relative_to(book).parts[2].partition(".")[0]
    reference = book / "book" / "api" / f"{part}.html"
    goal, words = (reference, "Reference") if reference.is_file() else (book / "index.html", "Book")
    return f'<p><a href="{os.path.relpath(goal, page.parent)}">{words}</a></p>'
