"""Which code a notebook depends on: its own paper's and the trunk's, not another paper's."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import stablib

_PACKAGE = Path(stablib.__file__).parent

#: Files beside modules that they read.
_RESOURCES = ("*.js", "*.css", "*.json")


def code_of(source: Path, study_module: str) -> list[Path]:
    """Files of the package that a notebook depends on.

    Parameters
    ----------
    source : Path
        The notebook as a py:percent file.
    study_module : str
        Module in which the paper's study is defined.

    Returns
    -------
    list of Path
        Every module that the notebook or the study imports, directly or not, with the scripts and
        style sheets beside it; sorted.
    """
    imported = _imports(source, package="")
    study = importlib.util.find_spec(study_module)
    outside = [Path(study.origin)] if study and study.origin else []
    todo = [*_files(imported), *_files([study_module]), *(p for p in outside if not _own(p))]
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported_files(path)
    folders = {path.parent for path in found if _own(path)}
    found.update(file for folder in folders for kind in _RESOURCES for file in folder.glob(kind))
    return sorted(found)


def _own(path: Path) -> bool:
    return _PACKAGE in path.parents


@cache
def _imported_files(path: Path) -> tuple[Path, ...]:
    """Files of the modules that a file imports, and of the packages around them."""
    package = ""
    if _own(path):
        parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
        package = ".".join(parts[:-1])
    return tuple(_files(_imports(path, package=package)))


def _imports(path: Path, *, package: str) -> list[str]:
    """Dotted names that a file imports; a name imported from a package may be a module of it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _files(names: Iterable[str]) -> Iterator[Path]:
    """Files of those names that are modules of this package, and of the packages around them."""
    for name in names:
        parts = name.split(".")
        if parts[0] != _PACKAGE.name:
            continue
        for end in range(1, len(parts) + 1):
            place = _PACKAGE.parent.joinpath(*parts[:end])
            for file in (place / "__init__.py", place.with_suffix(".py")):
                if file.is_file():
                    yield file
