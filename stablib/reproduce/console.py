"""What all commands share: options, the console, studies opened with settings from the line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stablib.errors import UsageError, unknown

if TYPE_CHECKING:
    from stablib.studies.base import Study

out = Console()
CORES = os.cpu_count() or 1
#: Characters of a column that is not the widest, where each row is a line.
_MOST = 19

Preset = Annotated[str, typer.Option(help="smoke (seconds), laptop (default) or paper.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", help="name=value of a paper's setting; repeat for several."),
]


def processes(jobs: int, dask: str | None) -> int:
    """How many of the processes asked for there will be: no more than cores on this machine."""
    return jobs if dask else min(jobs, CORES)


Jobs = Annotated[int, typer.Option(min=1, max=1024, help="Training processes on this machine.")]
Strict = Annotated[
    bool, typer.Option("--strict-data", help="Fail instead of using data that only stand in.")
]
DaskAddress = Annotated[
    str | None, typer.Option("--dask", help="Address of a Dask scheduler to train on.")
]
Budget = Annotated[
    str | None,
    typer.Option(help="Train only what fits: 90s, 2m, 1.5h or none. Main exhibits come first."),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(help="Leave an exhibit out, such as LI-X1 (full fine-tuning); repeat."),
]
OnlyPlan = Annotated[
    bool, typer.Option("--plan", help="Say what is missing and what it will cost, and stop.")
]


def build_folder(preset: str) -> Path:
    """Presets have folders of their own; the default one is the book that readers open."""
    from stablib.reproduce.notebooks import root

    return root() / "_build" if preset == "laptop" else root() / "_build" / preset / "_build"


def check_preset(preset: str) -> None:
    """Refuse a preset that no study has."""
    from stablib.studies import papers, study_class

    known = dict.fromkeys(p for paper in papers() for p in study_class(paper).presets)
    if preset not in known:
        raise unknown("preset", preset, known)


def open_with(paper: str, preset: str, param: Sequence[str], strict: bool) -> Study:
    """Open a study with the settings given at the command line."""
    from stablib.reproduce.parameters import convert, parse
    from stablib.studies import study_class

    given = parse(param)
    if "preset" in given:
        raise UsageError(f"preset is no --param: --preset {given['preset']}")
    study = study_class(paper)
    return study(preset, strict=strict, **convert(given, study))


def print_lines(rows: Sequence[dict[str, str]]) -> None:
    """Print rows, each on one line: what does not fit is cut, most of it in the widest column."""
    if not rows:
        return
    whole = {name: max(len(row[name]) for row in rows) for name in rows[0]}
    widest = max(whole, key=whole.__getitem__)
    widths = {name: min(width, _MOST) for name, width in whole.items()}
    rest = out.width - sum(width + 1 for name, width in widths.items() if name != widest)
    widths[widest] = max(1, min(whole[widest], rest))
    for row in rows:
        cells = (_cut(text, widths[name]) for name, text in row.items())
        out.print(" ".join(cells).rstrip(), soft_wrap=True, markup=False, highlight=False)


def _cut(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table; whatever they hold is text."""
    table = Table()
    for column in rows[0] if rows else ("nothing",):
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    out.print(table)
