"""Which code a notebook depends on: its own paper's and the trunk's, not another paper's."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import stablib

_PACKAGE = Path(stablib.__file__).parent

#: A dotted name, and which of its names are wanted; None for all.
Import = tuple[str, frozenset[str] | None]

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
    study = importlib.util.find_spec(study_module)
    outside = [Path(study.origin)] if study and study.origin else []
    todo = [*_imports(source, None), (study_module, None)]
    found = {path for path in outside if not _own(path)}
    for path in found:
        todo += _imports(path, None)
    seen: set[Import] = set()
    while todo:
        imported = todo.pop()
        if imported not in seen:
            seen.add(imported)
            for path, wanted in _files(*imported):
                found.add(path)
                todo += _imports(path, wanted)
    folders = {path.parent for path in found if _own(path)}
    found.update(file for folder in folders for kind in _RESOURCES for file in folder.glob(kind))
    return sorted(found)


def _own(path: Path) -> bool:
    return _PACKAGE in path.parents


@cache
def _imports(path: Path, wanted: frozenset[str] | None) -> tuple[Import, ...]:
    """What a file imports; of a package that only hands names on, what hands on those wanted."""
    tree = ast.parse(path.read_text("utf-8"))
    definitions = (ast.ClassDef, ast.FunctionDef)
    hands_on = path.name == "__init__.py" and not any(isinstance(n, definitions) for n in tree.body)
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = frozenset(alias.name for alias in node.names)
            if hands_on and wanted is not None and not names & wanted:
                continue
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, _package(path))
            # A name that is imported from a package may be a module of it.
            found += [(base, names), *((f"{base}.{name}", None) for name in names)]
    return tuple(found)


def _package(path: Path) -> str:
    return ".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts[:-1])


def _files(
    name: str, wanted: frozenset[str] | None
) -> Iterator[tuple[Path, frozenset[str] | None]]:
    """Files of a dotted name if it is a module of this package, and of the packages around it."""
    parts = name.split(".")
    if parts[0] != _PACKAGE.name:
        return
    for end in range(1, len(parts) + 1):
        place = _PACKAGE.parent.joinpath(*parts[:end])
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                # Of a package around it nothing is wanted but that it is loaded.
                yield file, wanted if end == len(parts) else frozenset()
