"""Tables of the prose pages that are made from the code, so that nothing is typed twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from stablib.files import read_header
from stablib.reproduce.parameters import known
from stablib.studies import papers, study_class

#: ``<!-- made: NAME -->`` and ``<!-- end -->`` around what is made.
_PLACE = re.compile(r"(<!-- made: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def presets() -> str:
    """The settings of every paper at each preset, with their meaning."""
    parts = []
    for paper in papers():
        study = study_class(paper)
        head = ["setting", *(f"`{preset}`" for preset in study.presets), "meaning"]
        rows = [
            [f"`{name}`", *(_cell(getattr(s, name)) for s in study.presets.values()), about]
            for name, (_, about) in known(study).items()
        ]
        parts.append(f"**{study.title}** (`{paper}`)\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def commands() -> str:
    """Every command of the command line, with its help."""
    from stablib.reproduce.cli import app

    rows: list[list[str]] = []

    def walk(command: Any, words: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{words} {name}")
        if not hasattr(command, "commands"):
            arguments = " ".join(
                f"[{p.name.upper()}]" if not p.required else p.name.upper()
                for p in command.params
                if p.param_type_name == "argument"
            )
            options = ", ".join(
                f"`{p.opts[0]}`"
                for p in command.params
                if p.param_type_name == "option" and p.opts[0] != "--help"
            )
            about = " ".join((command.help or "").split("\n\n")[0].split())
            rows.append([f"`{words} {arguments}`".replace(" `", "`"), about, options or "–"])

    walk(typer.main.get_command(app), "stablib")
    return _table(["command", "what it does", "options"], rows)


def data() -> str:
    """The named data sets."""
    from stablib.data import ENTRIES

    head = ["data set", "name", "labels", "examples (train, val, test)", "licence", "shipped"]
    rows = [
        [
            entry.title,
            f"`{entry.name}`",
            ", ".join(entry.labels),
            ", ".join(f"{entry.sizes.get(split, 0):,}" for split in ("train", "val", "test")),
            entry.licence,
            "yes" if entry.shipped else "no",
        ]
        for entry in ENTRIES.values()
    ]
    return _table(head, rows)


def published() -> str:
    """What training the published runs took, by workload."""
    packs: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(Path("results", "runs").glob("*.npz")):
        header = read_header(path)
        seconds = sum(run["seconds"] for run in header["provenance"])
        packs.setdefault(header["group"]["workload"], []).append((len(header["plans"]), seconds))
    rows = [
        [
            workload,
            f"{len(each):,}",
            f"{sum(runs for runs, _ in each):,}",
            f"{sum(seconds for _, seconds in each) / 3600:.1f}",
        ]
        for workload, each in sorted(packs.items())
    ]
    return _table(["workload", "groups", "runs", "hours"], rows)


MADE: dict[str, Callable[[], str]] = {
    "presets": presets,
    "commands": commands,
    "data": data,
    "published": published,
}


def fill(text: str) -> str:
    """Put what is made from the code into a page, between its marks."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{MADE[m[2]]()}\n\n{m[3]}", text)


def write(paths: Sequence[Path]) -> list[Path]:
    """Bring pages of the repository up to date; return those that changed."""
    changed = []
    for path in paths:
        text = path.read_text("utf-8")
        new = fill(text)
        if new != text:
            path.write_text(new, "utf-8")
            changed.append(path)
    return changed


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


if __name__ == "__main__":
    for path in write([Path("README.md"), *sorted(Path("book").glob("*.md"))]):
        print(path)
