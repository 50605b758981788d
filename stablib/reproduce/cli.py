"""The command line."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stablib.errors import StablibError, UsageError, unknown

if TYPE_CHECKING:
    from stablib.reproduce.budget import Plan
    from stablib.reproduce.notebooks import Section
    from stablib.studies.base import Study

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
#: Minutes that a section with other parameters may train, unless a budget is given.
_DEFAULT_BUDGET = "2m"
#: Packages that a command may lack, and the extra that brings them.
_EXTRAS = {
    "train": ("torch", "transformers", "tokenizers", "numba", "huggingface_hub"),
    "book": ("papermill", "jupytext", "nbformat", "nbclient", "jupyter_book", "yaml", "pygments"),
}

Preset = Annotated[str, typer.Option(help="smoke (seconds), laptop (default) or paper.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", help="name=value of a paper's setting; repeat for several."),
]
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


def main() -> None:
    """Run the command line: an expected error is one line and exit code 2, Ctrl-C one and 130."""
    try:
        app()
    except StablibError as error:
        print(f"stablib: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = next((e for e, packages in _EXTRAS.items() if package in packages), None)
        if extra is None:
            raise
        print(f"stablib: this needs {package}: pip install 'stablib[{extra}]'", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        # Nobody reads on; a flush of what is left at exit would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        # A cache that cannot be written, a full disk: the file is named, and nothing is half-done.
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


def _say_version(wanted: bool) -> None:
    if wanted:
        import stablib

        print(f"stablib {stablib.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say it.")
    ] = False,
) -> None:
    """What holds for all commands."""


def _build_folder(preset: str) -> Path:
    """Presets have folders of their own; the default one is the book that readers open."""
    from stablib.reproduce.notebooks import root

    return root() / "_build" if preset == "laptop" else root() / "_build" / preset / "_build"


def _check_preset(preset: str) -> None:
    from stablib.studies import papers, study_class

    known = dict.fromkeys(p for paper in papers() for p in study_class(paper).presets)
    if preset not in known:
        raise unknown("preset", preset, known)


def _open(paper: str, preset: str, param: Sequence[str], strict: bool) -> Study:
    """Open a study with the settings given at the command line."""
    from stablib.reproduce.parameters import convert, parse
    from stablib.studies import study_class

    given = parse(param)
    if "preset" in given:
        raise UsageError(f"preset is no --param: --preset {given['preset']}")
    study = study_class(paper)
    return study(preset, strict=strict, **convert(given, study))


@app.command()
def reproduce(
    section: Annotated[
        str | None, typer.Argument(help="PAPER or PAPER/SECTION; all if left out.")
    ] = None,
    preset: Preset = "laptop",
    param: Params = None,
    plan: OnlyPlan = False,
    budget: Budget = None,
    skip: Skip = None,
    fresh: Annotated[
        bool,
        typer.Option(
            help="Retrain everything (laptop: hours) and compare with the published runs."
        ),
    ] = False,
    jobs: Jobs = _CORES,
    dask: DaskAddress = None,
    strict_data: Strict = False,
) -> None:
    """Train what is missing and execute notebooks; unchanged notebooks are skipped.

    With --param, one paper or section is made with other settings, beside the book and not in its
    place; a section then trains for two minutes at most, unless --budget says otherwise.
    """
    from stablib.reproduce.budget import parse_time
    from stablib.reproduce.notebooks import select

    _check_preset(preset)
    if param and section is None:
        raise UsageError(
            "--param goes with a paper or a section: stablib reproduce PAPER --param …"
        )
    if fresh and (param or (section is not None and "/" in section)):
        raise UsageError("--fresh retrains a whole preset: it goes with no section and no --param")
    chosen = select(section)
    studies = {s.paper: _open(s.paper, preset, param or (), strict_data) for s in chosen}
    if fresh:
        _fresh(list(studies), preset, jobs, dask, strict_data)
        return
    text = budget or (_DEFAULT_BUDGET if param and section and "/" in section else "none")
    limit = parse_time(text)
    for paper, study in studies.items():
        own = [s for s in chosen if s.paper == paper]
        made = _plan(study, own, limit, skip or (), jobs)
        _show_plan(study, made, only=plan)
        if not plan:
            _train(study, made, jobs, dask)
            _execute(study, own, made, param or (), preset)


def _plan(
    study: Study, sections: Sequence[Section], limit: float, skip: Sequence[str], jobs: int
) -> Plan:
    from stablib.reproduce.budget import make

    exhibits = [exhibit for s in sections for exhibit in s.exhibits()]
    known = study.requests()
    for exhibit in skip:
        if exhibit not in known:
            raise unknown("exhibit", exhibit, known)
    return make(study, exhibits, budget=limit, skipped=skip, jobs=jobs)


def _show_plan(study: Study, plan: Plan, *, only: bool) -> None:
    """Say what will be trained and for how long, if anything is missing."""
    from stablib.runs.cost import in_words

    if plan.costs:
        guessed = any(cost.guessed for cost in plan.costs)
        out.print(
            f"{study.name}: {len(plan.costs)} groups of runs are missing, about "
            f"{in_words(plan.seconds)} of training here, once the data are prepared"
            + (" (a guess)" if guessed else "")
        )
    elif only:
        out.print(f"{study.name}: nothing is missing")
    if only and plan.costs:
        _print_rows(
            [
                {
                    "group": cost.request.recipe.title(),
                    "runs": len(cost.request.plans),
                    "about": in_words(cost.seconds),
                }
                for cost in plan.costs
            ]
        )
    for exhibit, why in plan.left_out.items():
        out.print(f"{exhibit} is left out: {escape(why)}", soft_wrap=True)


def _train(study: Study, plan: Plan, jobs: int, dask: str | None) -> int:
    """Train what a plan names."""
    from stablib.reproduce.jobs import executor_for, train_all

    if not plan.costs:
        return 0
    with executor_for(jobs, dask) as (executor, tell):
        return train_all(plan.costs, executor, tell, study.store, study.inputs, strict=study.strict)


def _execute(
    study: Study, sections: Sequence[Section], plan: Plan, param: Sequence[str], preset: str
) -> None:
    """Execute notebooks; of a rerun say where its results are and what came out."""
    from stablib.reproduce.notebooks import Execution, execute, headlines

    options = [*(["--preset", preset] if preset != "laptop" else [])]
    options += [word for pair in param for word in ("--param", pair)]
    for number, section in enumerate(sections, start=1):
        folder = _build_folder(preset)
        if param:
            folder = folder / "reruns" / _slug(section.name, [preset, *param])
        command = " ".join([section.name, *options])
        began = time.perf_counter()
        out.print(f"[{number}/{len(sections)}] {section.name}: ", end="", markup=False)
        executed = execute(section, Execution(folder, study, command, plan.left_out))
        out.print(f"{time.perf_counter() - began:.0f} s" if executed else "unchanged")
        if param:
            out.print(f"{folder / 'notebooks' / section.name}.ipynb", soft_wrap=True, markup=False)
            for line in headlines(folder, section.exhibits()):
                out.print(line, soft_wrap=True, markup=False)


def _slug(name: str, words: Sequence[str]) -> str:
    """Folder of a rerun: its section, and a hash of what differs from the book."""
    from stablib.runs.group import digest

    return f"{name.replace('/', '-')}-{digest(sorted(words))[:8]}"


def _fresh(papers: Sequence[str], preset: str, jobs: int, dask: str | None, strict: bool) -> None:
    """Retrain studies into an empty store and compare with the published runs."""
    from stablib.data.registry import cache_folder
    from stablib.reproduce.budget import make
    from stablib.reproduce.compare import compare, only_local, only_published
    from stablib.runs.store import default_published

    fresh, data = _build_folder(preset) / "fresh", cache_folder() / "data"
    if data.is_dir():
        shutil.copytree(data, fresh / "data", dirs_exist_ok=True)
    published = only_published(default_published())
    # Workers inherit both, and find nothing that was published.
    os.environ["STABLIB_CACHE"] = str(fresh)
    os.environ["STABLIB_RESULTS"] = str(fresh / "none")
    for paper in papers:
        study = _open(paper, preset, (), strict)
        plan = make(study, list(study.requests()), jobs=jobs)
        _show_plan(study, plan, only=False)
        _train(study, plan, jobs, dask)
        _print_rows(compare(study, only_local(study.store), published))
    shutil.rmtree(fresh)  # Only now: an interrupted call resumes, the next one starts anew.


@app.command()
def train(
    paper: Annotated[str, typer.Argument(help="Paper, such as local_instability.")],
    preset: Preset = "laptop",
    param: Params = None,
    plan: OnlyPlan = False,
    budget: Budget = None,
    skip: Skip = None,
    jobs: Jobs = _CORES,
    dask: DaskAddress = None,
    strict_data: Strict = False,
) -> None:
    """Train the runs that a paper's exhibits need and that no store has."""
    from stablib.reproduce.budget import make, parse_time

    study = _open(paper, preset, param or (), strict_data)
    limit = parse_time(budget or "none")
    made = make(study, list(study.requests()), budget=limit, skipped=skip or (), jobs=jobs)
    _show_plan(study, made, only=plan)
    if not plan:
        done = _train(study, made, jobs, dask)
        out.print(f"{done} groups trained; what {paper} needs at {preset} is in the store")


@app.command()
def scorecard(preset: Preset = "laptop") -> None:
    """Print every claim beside what came out in the executed notebooks."""
    from stablib.reproduce.scorecard import collect, frame, made_from
    from stablib.studies import papers

    _check_preset(preset)
    exhibits = _build_folder(preset) / "exhibits"
    heads = made_from(exhibits)
    for line in heads or ["no notebook has been executed yet: stablib reproduce"]:
        out.print(line, soft_wrap=True, markup=False)
    for paper in papers():
        _print_rows(frame(collect(exhibits, paper)).to_dict("records"))


@data_app.command("status")
def data_status() -> None:
    """Say where each data set would come from, without touching the network."""
    from stablib.data import entry, status

    _print_rows(
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
    """Check the content of the data sets at hand; exit code 1 if any is damaged or missing."""
    from stablib.data import verify

    checks = list(verify())
    _print_rows(
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
    raise typer.Exit(1 if any(c.verdict in ("damaged", "missing") for c in checks) else 0)


@runs_app.command("list")
def runs_list() -> None:
    """List groups of runs in the local store and among the published ones."""
    from stablib.runs import RunStore

    store = RunStore()
    out.print(f"local: {store.folder}", soft_wrap=True, markup=False)
    out.print(f"published: {store.published or 'none'}", soft_wrap=True, markup=False)
    _print_rows([_describe(row) for row in store.catalogue()])


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

    study = _open(paper, preset, param or (), True)
    rows = [
        {
            "group": pack.group.title(),
            "runs": pack.n_runs,
            "file": pack.path.name,
            "KiB": pack.path.stat().st_size // 1024,
        }
        for pack in publish(study, root() / "results" / "runs")
    ]
    _print_rows(rows)


@book_app.command("build")
def book_build(preset: Preset = "laptop", jobs: Jobs = _CORES) -> None:
    """Execute changed notebooks and build the book; prints where it is."""
    from stablib.reproduce.book import build

    reproduce(preset=preset, jobs=jobs)
    folder = _build_folder(preset)
    with out.status("Building the pages"):
        changed = build(folder, preset=preset)
    where = folder / "html" / "index.html"
    out.print(f"{'Built' if changed else 'Up to date'}: {where}", soft_wrap=True, markup=False)


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
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise StablibError(f"port {port} cannot be used: {error.strerror}") from error
    out.print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table; whatever they hold is text."""
    table = Table()
    for column in rows[0] if rows else ("nothing",):
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    out.print(table)
