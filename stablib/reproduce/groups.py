"""Commands on data sets, on the store of runs and on the book."""

from __future__ import annotations

import contextlib
import functools
import http.server
from collections.abc import Callable
from typing import Annotated, Any

import typer

from stablib.errors import StablibError, UsageError
from stablib.reproduce.console import (
    CORES,
    Jobs,
    Params,
    Preset,
    build_folder,
    check_preset,
    open_with,
    out,
    print_rows,
)

data_app = typer.Typer(help="Data sets: where they come from and whether they are whole.")
runs_app = typer.Typer(help="The store of finished runs.")
book_app = typer.Typer(help="Build the book from executed notebooks, print or serve it.")


@data_app.command("status")
def data_status() -> None:
    """Say where each data set would come from, without touching the network."""
    from stablib.data import entry, status

    print_rows(
        [
            {
                "data set": row.name,
                "found in": row.source,
                "where": row.where,
                "licence": entry(row.name).licence,
                "cite": entry(row.name).citation,
            }
            for row in status()
        ]
    )


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="Data set, e.g. massive.")]) -> None:
    """Download a data set from the hub into the cache."""
    from stablib.data import entry, registry

    registry.fetch(entry(name))
    out.print(f"{name} is in {registry.cache_folder() / 'data'}", markup=False)


@data_app.command("verify")
def data_verify() -> None:
    """Check the content of the data sets at hand; exit code 1 if any is damaged."""
    from stablib.data import verify

    checks = list(verify())
    print_rows(
        [
            {
                "data set": f"{check.name}/{check.label}",
                "verdict": check.verdict,
                "content": (check.content_hash or "")[:16],
                "detail": check.detail,
            }
            for check in checks
        ]
    )
    raise typer.Exit(1 if any(check.verdict == "damaged" for check in checks) else 0)


@runs_app.command("list")
def runs_list() -> None:
    """List groups of runs in the local store and among the published ones."""
    from stablib.runs import RunStore

    store = RunStore()
    out.print(f"local: {store.folder}", soft_wrap=True, markup=False)
    out.print(f"published: {store.published or 'none'}", soft_wrap=True, markup=False)
    print_rows([_describe(row) for row in store.catalogue()])


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
        out.print(f"damaged: {path}", soft_wrap=True, markup=False)
    out.print(f"{len(damaged)} damaged files")
    raise typer.Exit(1 if damaged else 0)


@runs_app.command("gc")
def runs_gc() -> None:
    """Delete damaged and abandoned files, runs of old versions and teachers' soft labels."""
    import stablib.workloads  # noqa: F401 - so that their versions are known
    from stablib.runs import RunStore

    removed, size = RunStore().collect_garbage()
    out.print(f"{removed} files removed, {size / 2**20:.1f} MiB")


@runs_app.command("publish")
def runs_publish(
    paper: Annotated[str, typer.Argument(help="Paper, such as local_instability.")],
    preset: Preset = "laptop",
    param: Params = None,
) -> None:
    """Put a paper's finished local runs among the published ones, results/runs of this checkout."""
    from stablib.reproduce.notebooks import root
    from stablib.reproduce.publish import publish

    study = open_with(paper, preset, param or (), True)
    rows = [
        {
            "group": pack.group.title(),
            "runs": pack.n_runs,
            "file": pack.path.name,
            "KiB": pack.path.stat().st_size // 1024,
        }
        for pack in publish(study, root() / "results" / "runs")
    ]
    print_rows(rows)


@book_app.command("build")
def book_build(preset: Preset = "laptop", jobs: Jobs = CORES) -> None:
    """Execute changed notebooks and build the book; prints where it is."""
    from stablib.reproduce.book import build
    from stablib.reproduce.cli import reproduce

    reproduce(preset=preset, jobs=jobs)
    folder = build_folder(preset)
    with out.status("Building the pages"):
        changed = build(folder, preset=preset)
    where = folder / "html" / "index.html"
    out.print(f"{'Built' if changed else 'Up to date'}: {where}", soft_wrap=True, markup=False)


@book_app.command("pdf")
def book_pdf(preset: Preset = "laptop", jobs: Jobs = CORES) -> None:
    """Build the book and print it as one PDF; needs Chromium or Chrome."""
    from stablib.reproduce.printed import find_browser, print_book

    find_browser()  # Before minutes of work.
    book_build(preset, jobs)
    with out.status("Printing"):
        made = print_book(build_folder(preset))
    out.print(f"Printed: {made}", soft_wrap=True, markup=False)


@book_app.command("serve")
def book_serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000, preset: Preset = "laptop"
) -> None:
    """Serve the built book on this machine alone."""
    check_preset(preset)
    folder = build_folder(preset) / "html"
    if not (folder / "index.html").is_file():
        raise StablibError("there is no book yet: stablib book build")
    handler: Callable[..., Any] = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise StablibError(f"port {port} cannot be used: {error.strerror}") from error
    out.print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
