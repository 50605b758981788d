"""The command line."""

from __future__ import annotations

import contextlib
import functools
import http.server
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from stablib.errors import StablibError, UsageError, unknown

app = typer.Typer(
    help=(
        "Reproduce the research on neural-network instability: train networks that differ only "
        "by their seed, execute the papers' notebooks, build the book."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Data sets: where they come from and whether they are whole.")
runs_app = typer.Typer(help="The store of finished runs.")
book_app = typer.Typer(help="Build the book from executed notebooks, or serve it.")
for name, group in (("data", data_app), ("runs", runs_app), ("book", book_app)):
    app.add_typer(group, name=name, no_args_is_help=True)

out = Console()
#: Exit code after Ctrl-C.
INTERRUPTED = 130
_CORES = os.cpu_count() or 1
Preset = Annotated[str, typer.Option(help="smoke (seconds), laptop (default) or paper.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="name=value of a notebook parameter; repeat.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Training processes on this machine.")]
Strict = Annotated[
    bool, typer.Option("--strict-data", help="Fail instead of using the generated stand-in.")
]


def main() -> None:
    """Run the command line: an expected error is one line and exit code 2, Ctrl-C one and 130."""
    try:
        app()
    except StablibError as error:
        print(f"stablib: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as end:
        # Typer answers Ctrl-C with this code and no word.
        if end.code == INTERRUPTED:
            print(
                "stablib: stopped; finished runs and notebooks are kept, the same command resumes",
                file=sys.stderr,
            )
        raise
    finally:
        for worker in multiprocessing.active_children():
            worker.terminate()  # Nobody waits for what it trains; what it wrote is whole.


def _build_folder(preset: str) -> Path:
    """Presets have folders of their own; the default one is the book that readers open."""
    from stablib.reproduce.notebooks import root

    return root() / "_build" if preset == "laptop" else root() / "_build" / preset / "_build"


def _check_preset(preset: str) -> None:
    from stablib.studies.local_instability import PRESETS

    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)


@app.command()
def reproduce(
    section: Annotated[
        str | None, typer.Argument(help="PAPER or PAPER/SECTION; all if left out.")
    ] = None,
    preset: Preset = "laptop",
    param: Params = None,
    fresh: Annotated[
        bool,
        typer.Option(
            help="Retrain everything (laptop: hours) and compare with the published runs."
        ),
    ] = False,
    jobs: Jobs = _CORES,
    strict_data: Strict = False,
) -> None:
    """Train what is missing and execute notebooks; unchanged notebooks are skipped.

    A whole paper's missing runs are trained first, by --jobs processes; a single section trains
    what it needs itself.
    """
    from stablib.reproduce.jobs import train_missing
    from stablib.reproduce.notebooks import execute, select
    from stablib.reproduce.parameters import parse
    from stablib.studies import open_study

    _check_preset(preset)
    chosen = select(section)
    parameters = parse(param or [])
    if "preset" in parameters:
        raise UsageError(f"preset is no --param: --preset {parameters['preset']}")
    given = {"preset": preset, **parameters}
    whole = section is None or "/" not in section
    if fresh and (param or not whole):
        raise UsageError("--fresh retrains a whole preset: it goes with no section and no --param")
    values = _validate(chosen, given)
    if strict_data:
        _require_data()
    if fresh:
        _fresh(preset, list(values), jobs, strict_data)
        return
    if whole:
        for paper, settings in values.items():
            train_missing(open_study(paper=paper, **settings), jobs=jobs, strict=strict_data)
    build = _build_folder(preset)
    for number, (name, source) in enumerate(chosen.items(), start=1):
        began = time.perf_counter()
        out.print(f"[{number}/{len(chosen)}] {name}: ", end="")
        executed = execute(name, source, given=_own(given), build=build)
        what = f"{time.perf_counter() - began:.0f} s" if executed else "unchanged"
        out.print(what)


def _own(given: dict[str, str]) -> dict[str, str]:
    """Leave out a default preset, so that the page's command stays short."""
    return {k: v for k, v in given.items() if (k, v) != ("preset", "laptop")}


def _validate(chosen: dict[str, Path], given: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Refuse bad parameters before anything runs; return them with their types, by paper."""
    from stablib.reproduce.notebooks import to_ipynb
    from stablib.reproduce.parameters import check

    values: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, source in chosen.items():
            paper = name.split("/")[0]
            plain = Path(folder) / f"{source.stem}.ipynb"
            to_ipynb(source, plain)
            values[paper] = values.get(paper, {}) | check(plain, given, paper=paper)
    return values


def _require_data() -> None:
    """Raise DataError if a data set cannot be had."""
    from stablib.data import ENTRIES, load

    for item in ENTRIES.values():
        load(item.name, label=item.labels[0], strict=True)


def _fresh(preset: str, papers: Sequence[str], jobs: int, strict: bool) -> None:
    """Retrain studies into an empty store and compare with the published runs."""
    from stablib.data.registry import cache_folder
    from stablib.reproduce.compare import compare, compare_pairs
    from stablib.reproduce.jobs import train_missing
    from stablib.studies import Session, open_study

    fresh, data = _build_folder(preset) / "fresh", cache_folder() / "data"
    if data.is_dir():
        shutil.copytree(data, fresh / "data", dirs_exist_ok=True)
    os.environ["STABLIB_CACHE"] = str(fresh)
    published = os.environ.get("STABLIB_RESULTS")
    os.environ["STABLIB_RESULTS"] = str(_build_folder(preset) / "none")
    studies = [open_study(preset, paper=paper) for paper in papers]
    for study in studies:
        train_missing(study, jobs=jobs, strict=strict)
    if published is None:
        del os.environ["STABLIB_RESULTS"]
    else:
        os.environ["STABLIB_RESULTS"] = published
    for study in studies:
        rows = (
            compare(study.requests(), strict=strict)
            if isinstance(study, Session)
            else compare_pairs(study)
        )
        _print_rows(rows)
    shutil.rmtree(fresh)  # Only now: an interrupted call resumes, the next one starts anew.


@app.command()
def train(
    paper: Annotated[
        str, typer.Argument(help="Paper, such as local_instability.")
    ] = "local_instability",
    preset: Preset = "laptop",
    jobs: Jobs = _CORES,
    dask: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler to train on.")
    ] = None,
    fine_tuning: Annotated[
        bool, typer.Option(help="Also the preset's fine-tuned runs (laptop: an hour).")
    ] = False,
    strict_data: Strict = False,
) -> None:
    """Train the runs that a paper's exhibits need and that no store has."""
    from stablib.reproduce.jobs import train_missing
    from stablib.studies import Session, open_study

    study = open_study(preset, paper=paper)
    if isinstance(study, Session) and not fine_tuning:
        study = study.changed(fine_tuned_runs=0)
    done = train_missing(study, jobs=jobs, strict=strict_data, dask=dask)
    out.print(f"{done} jobs trained; everything that {paper} needs at {preset} is in the store")


@app.command()
def scorecard(preset: Preset = "laptop") -> None:
    """Print every claim beside what came out in the executed notebooks."""
    from stablib.reproduce.scorecard import collect, frame

    _check_preset(preset)
    _print_rows(frame(collect(_build_folder(preset) / "exhibits")).to_dict("records"))


@data_app.command("status")
def data_status() -> None:
    """Say where each data set would come from, without touching the network."""
    from stablib.data import ENTRIES
    from stablib.data.registry import cache_folder, data_folder

    rows = []
    for item in ENTRIES.values():
        places = (("STABLIB_DATA", data_folder()), ("cache", cache_folder() / "data"))
        found = [where for where, f in places if f is not None and (f / item.file).is_file()]
        rows.append(
            {
                "data set": item.name,
                "found in": found[0] if found else "nowhere here; the hub would be asked",
                "licence": item.licence,
                "cite": item.citation,
            }
        )
    _print_rows(rows)


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="Data set, e.g. massive.")]) -> None:
    """Download a data set from the hub into the cache."""
    from stablib.data import registry

    registry.fetch(registry.entry(name))
    out.print(f"{name} is in {registry.cache_folder() / 'data'}")


@data_app.command("verify")
def data_verify() -> None:
    """Check the content of the data sets at hand against the pinned hashes."""
    from stablib.data import ENTRIES, load

    rows = []
    for item in ENTRIES.values():
        for label in item.labels:
            dataset = load(item.name, label=label, strict=True)
            rows.append(
                {
                    "data set": f"{item.name}/{label}",
                    "content": dataset.content_hash[:16],
                    "as pinned": "yes" if dataset.content_hash == item.content[label] else "NO",
                    "source": dataset.source,
                }
            )
    _print_rows(rows)


@runs_app.command("list")
def runs_list() -> None:
    """List groups of runs in the local store and among the published ones."""
    from stablib.runs import RunStore

    _print_rows([_describe(row) for row in RunStore().catalogue()])


def _describe(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("group", "what", "runs", "layer", "KiB")}


@runs_app.command("show")
def runs_show(
    group: Annotated[str, typer.Argument(help="Key (or its beginning) from runs list.")],
) -> None:
    """Print everything that is known about a group of runs."""
    from stablib.runs import RunStore

    found = [row for row in RunStore().catalogue() if row["group"].startswith(group)]
    if not found:
        raise UsageError(f"unknown group of runs {group!r}: 'stablib runs list' names them")
    for row in found:
        out.print_json(data=row["header"])


@runs_app.command("verify")
def runs_verify() -> None:
    """Read every run file and name the damaged ones; exit code 1 if there is any."""
    from stablib.runs import RunStore

    damaged = RunStore().damaged()
    for path in damaged:
        out.print(f"damaged: {path}")
    out.print(f"{len(damaged)} damaged files")
    raise typer.Exit(1 if damaged else 0)


@runs_app.command("gc")
def runs_gc() -> None:
    """Delete damaged and half-written files, old training versions and teachers' soft labels."""
    from stablib.runs import RunStore

    removed, size = RunStore().collect_garbage()
    out.print(f"{removed} files removed, {size / 2**20:.1f} MiB")


@book_app.command("build")
def book_build(preset: Preset = "laptop") -> None:
    """Execute changed notebooks and build the book; prints where it is."""
    from stablib.reproduce.book import build

    reproduce(preset=preset)
    folder = _build_folder(preset)
    with out.status("Building the pages"):
        changed = build(folder, preset=preset)
    out.print(f"{'Built' if changed else 'Up to date'}: {folder / 'html' / 'index.html'}")


@book_app.command("serve")
def book_serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000, preset: Preset = "laptop"
) -> None:
    """Serve the built book on this machine alone."""
    _check_preset(preset)
    folder = _build_folder(preset) / "html"
    if not (folder / "index.html").is_file():
        raise StablibError("there is no book yet: stablib book build")
    handler: Callable[..., Any] = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    out.print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table."""
    table = Table()
    for column in rows[0] if rows else ("nothing",):
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    out.print(table)
