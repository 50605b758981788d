"""The command line."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from stablib.errors import StablibError, UsageError, unknown
from stablib.reproduce.console import (
    CORES,
    Budget,
    DaskAddress,
    Jobs,
    OnlyPlan,
    Params,
    Preset,
    Skip,
    Strict,
    build_folder,
    check_preset,
    open_with,
    out,
    print_lines,
    print_rows,
    processes,
)
from stablib.reproduce.groups import book_app, data_app, runs_app

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
for name, group in (("data", data_app), ("runs", runs_app), ("book", book_app)):
    app.add_typer(group, name=name, no_args_is_help=True)

#: Exit code after Ctrl-C.
INTERRUPTED = 130
#: Minutes that a section with other parameters may train, unless a budget is given.
_DEFAULT_BUDGET = "2m"
#: Packages that a command may lack, and the extra that brings them.
_EXTRAS = {
    "train": ("torch", "transformers", "tokenizers", "numba", "huggingface_hub"),
    "book": ("papermill", "jupytext", "nbformat", "nbclient", "jupyter_book", "yaml", "pygments"),
}


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
    jobs: Jobs = CORES,
    dask: DaskAddress = None,
    strict_data: Strict = False,
) -> None:
    """Train what is missing and execute notebooks; unchanged notebooks are skipped.

    With --param, one paper or section is made with other settings, beside the book and not in its
    place; a section then trains for two minutes at most, unless --budget says otherwise.
    """
    from stablib.reproduce.budget import parse_time
    from stablib.reproduce.notebooks import select

    check_preset(preset)
    jobs = processes(jobs, dask)
    if param and section is None:
        raise UsageError(
            "--param goes with a paper or a section: stablib reproduce PAPER --param …"
        )
    if fresh and (param or plan or budget or skip or (section is not None and "/" in section)):
        raise UsageError(
            "--fresh retrains a whole preset: it goes with no section, --param, --plan, --budget "
            "or --skip"
        )
    chosen = select(section)
    studies = {s.paper: open_with(s.paper, preset, param or (), strict_data) for s in chosen}
    if fresh:
        _fresh(list(studies), preset, jobs, dask, strict_data)
        return
    _check_skip(skip or (), studies.values())
    bounded = param and section and "/" in section and not plan
    text = budget or (_DEFAULT_BUDGET if bounded else "none")
    limit = parse_time(text)
    for paper, study in studies.items():
        own = [s for s in chosen if s.paper == paper]
        made = _plan(study, own, limit, skip or (), jobs)
        _show_plan(study, made, only=plan)
        if not plan:
            _train(study, made, jobs, dask)
            _execute(study, own, made, param or (), preset, jobs)


def _check_skip(skip: Sequence[str], studies: Iterable[Study]) -> None:
    """Refuse exhibits that no chosen study knows."""
    known = {exhibit for study in studies for exhibit in study.requests()}
    for exhibit in skip:
        if exhibit not in known:
            raise unknown("exhibit", exhibit, known)


def _plan(
    study: Study, sections: Sequence[Section], limit: float, skip: Sequence[str], jobs: int
) -> Plan:
    from stablib.reproduce.budget import make

    exhibits = [exhibit for s in sections for exhibit in s.exhibits()]
    return make(study, exhibits, budget=limit, skipped=skip, jobs=jobs)


def _show_plan(study: Study, plan: Plan, *, only: bool) -> None:
    """Say what will be trained and for how long, if anything is missing."""
    from stablib.runs.cost import in_words

    if plan.costs:
        guessed = any(cost.guessed for cost in plan.costs)
        missing = f"{len(plan.costs)} groups of runs are" if len(plan.costs) > 1 else "one group is"
        out.print(
            f"{study.name}: {missing} missing, about "
            f"{in_words(plan.seconds)} of training here, once the data are prepared"
            + (" (a guess)" if guessed else "")
        )
        if plan.memory:
            out.print(
                f"each process will take about {plan.memory / 1024:.1f} GiB of memory, like those "
                "that trained such runs before"
            )
    elif only:
        out.print(f"{study.name}: nothing is missing")
    if only and plan.costs:
        print_rows(
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
    study: Study,
    sections: Sequence[Section],
    plan: Plan,
    param: Sequence[str],
    preset: str,
    jobs: int,
) -> None:
    """Execute notebooks; of a rerun say where its results are and what came out."""
    from stablib.reproduce.jobs import side_by_side
    from stablib.reproduce.notebooks import Execution, execute_timed, headlines

    # What differs from the book, or lacks a part of it, does not take its place.
    beside = bool(param or plan.left_out)
    options = [*(["--preset", preset] if preset != "laptop" else [])]
    options += [word for pair in param for word in ("--param", pair)]
    hows = []
    for section in sections:
        folder = build_folder(preset)
        if beside:
            folder = folder / "reruns" / _slug(section.name, [preset, *param, *plan.left_out])
        command = " ".join([section.name, *options])
        hows.append((section, Execution(folder, study, command, plan.left_out)))
    done = side_by_side(execute_timed, hows, jobs)
    for number, ((section, how), seconds) in enumerate(zip(hows, done, strict=True), start=1):
        said = "unchanged" if seconds is None else f"{seconds:.0f} s"
        out.print(f"[{number}/{len(hows)}] {section.name}: {said}", markup=False)
        if beside:
            out.print(
                f"{how.folder / 'notebooks' / section.name}.ipynb", soft_wrap=True, markup=False
            )
            for line in headlines(how.folder, section.exhibits()):
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

    fresh, data = build_folder(preset) / "fresh", cache_folder() / "data"
    if data.is_dir():
        shutil.copytree(data, fresh / "data", dirs_exist_ok=True)
    published = only_published(default_published())
    # Workers inherit both, and find nothing that was published.
    os.environ["STABLIB_CACHE"] = str(fresh)
    os.environ["STABLIB_RESULTS"] = str(fresh / "none")
    for paper in papers:
        study = open_with(paper, preset, (), strict)
        plan = make(study, list(study.requests()), jobs=jobs)
        _show_plan(study, plan, only=False)
        _train(study, plan, jobs, dask)
        print_rows(compare(study, only_local(study.store), published))
    shutil.rmtree(fresh)  # Only now: an interrupted call resumes, the next one starts anew.


@app.command()
def train(
    paper: Annotated[str, typer.Argument(help="Paper, such as local_instability.")],
    preset: Preset = "laptop",
    param: Params = None,
    plan: OnlyPlan = False,
    budget: Budget = None,
    skip: Skip = None,
    optional: Annotated[
        bool,
        typer.Option(
            "--optional",
            help="Also what pages show only where it is published, such as other models (hours).",
        ),
    ] = False,
    jobs: Jobs = CORES,
    dask: DaskAddress = None,
    strict_data: Strict = False,
) -> None:
    """Train the runs that a paper's exhibits need and that no store has."""
    from stablib.reproduce.budget import make, parse_time

    jobs = processes(jobs, dask)
    study = open_with(paper, preset, param or (), strict_data)
    _check_skip(skip or (), [study])
    limit = parse_time(budget or "none")
    made = make(
        study,
        list(study.requests()),
        budget=limit,
        skipped=skip or (),
        optional=optional,
        jobs=jobs,
    )
    _show_plan(study, made, only=plan)
    if not plan:
        done = _train(study, made, jobs, dask)
        groups = f"{done} group" if done == 1 else f"{done} groups"
        out.print(f"{groups} trained; what {paper} needs at {preset} is in the store")


@app.command()
def scorecard(
    preset: Preset = "laptop",
    details: Annotated[
        bool, typer.Option("--details", help="Also variants, other models and where it is said.")
    ] = False,
) -> None:
    """Print every claim, a line each, beside what came out in the executed notebooks."""
    from stablib.commit import commit
    from stablib.reproduce.scorecard import collect, lines, made_from
    from stablib.show.exhibit import VERDICT_MARKS, comparison
    from stablib.studies import papers

    check_preset(preset)
    exhibits = build_folder(preset) / "exhibits"
    heads = made_from(exhibits)
    for line in heads or ["no notebook has been executed yet: stablib reproduce"]:
        out.print(line, soft_wrap=True, markup=False)
    if heads:
        out.print(f"This code is {commit()}; stablib reproduce executes what it changes")
    for paper in papers():
        if details:
            print_rows(comparison(collect(exhibits, paper)).to_dict("records"))
        else:
            print_lines(lines(collect(exhibits, paper)))
    if not details:
        marks = ", ".join(f"{mark} {verdict}" for verdict, mark in VERDICT_MARKS.items())
        out.print(f"{marks}; --details says more of each", markup=False, highlight=False)
