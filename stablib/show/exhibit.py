"""Record an exhibit: its picture or table, the numbers behind it, its provenance and its claims."""

from __future__ import annotations

import dataclasses
import html
import inspect
import json
import math
import os
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from stablib.commit import commit
from stablib.data.registry import cache_folder
from stablib.metrics import Interval
from stablib.papers.claims import Claim, Measured, Scored, Verdict, score
from stablib.papers.names import named
from stablib.show import forest
from stablib.show.in_print import in_print
from stablib.show.style import narrow, raise_powers, to_pdf, to_png, to_svg, to_thumbnail
from stablib.show.table import has_named_rows, table_html
from stablib.show.table_figure import table_figure
from stablib.studies.base import Outcome, Study

AnyStudy = TypeVar("AnyStudy", bound=Study)

VERDICT_MARKS = {
    "reproduced": "●",
    "direction reproduced": "◐",
    "undecided": "◇",
    "not reproduced": "○",
    "no verdict": "◌",
    "not attempted": "–",
}

#: Name of the small picture beside an exhibit's, for cards.
THUMBNAIL = "figure.webp"

#: Orders of magnitude below it, and limits from here on, are written with powers of ten.
_TINY, _LARGE, _HUGE = 0.01, 1e4, 1e6

#: Stands around the number of a drawing while a table is written; occurs in no text.
_DRAWING = "\ue002"

#: Column of what came out.
_HERE = "here [95 % interval]"

#: Says what the picture of a table shows, to readers who cannot see it.
_ALT = "The table below as a picture: values as dots with their intervals, a panel a column."

#: Longer comparisons are folded.
_SHORT = 10


def folder() -> Path:
    """Where exhibits are recorded: ``STABLIB_EXHIBITS``, or ``exhibits`` in the cache.

    A notebook that is run by hand thus writes nothing beside itself, and nothing into the book.
    """
    return Path(os.environ.get("STABLIB_EXHIBITS") or cache_folder() / "exhibits")


@dataclasses.dataclass(frozen=True)
class Exhibit:
    """A recorded exhibit, shown by Jupyter as HTML."""

    exhibit: str
    numbers: pd.DataFrame
    page: str

    def _repr_html_(self) -> str:
        return self.page


def record(
    exhibit: str,
    content: Figure | pd.DataFrame,
    *,
    made_by: Callable[..., Any],
    results: Sequence[Outcome],
    caption: str,
    numbers: pd.DataFrame | None = None,
    alt: str = "",
    finding: str = "",
    measured: Sequence[Measured] = (),
    details: str = "",
) -> Exhibit:
    """Record an exhibit and make its place on the page.

    Parameters
    ----------
    exhibit : str
        Id, e.g. ``"LI-T3"``.
    content : Figure or DataFrame
        Picture or table as shown.
    made_by : callable
        The function that computed it; the page leads to its source.
    results : sequence of Outcome
        What it was computed from.
    caption : str
        One sentence: what it shows.
    numbers : DataFrame, optional
        Numbers behind a picture; a table's are its own.
    alt : str
        For a picture: what it shows, for readers who cannot see it.
    finding : str
        What came out, in a sentence with computed numbers.
    measured : sequence of Measured
        Answers to the paper's claims about this exhibit.
    details : str
        What else a reader may want to know of how it was made; folded.

    Returns
    -------
    Exhibit
    """
    data = content if isinstance(content, pd.DataFrame) else numbers
    if data is None:
        raise ValueError(f"exhibit {exhibit}: a picture needs the numbers behind it")
    study = results[0].study
    place = f"{exhibit}/{study.aside}" if study.aside else exhibit
    target = folder() / place
    target.mkdir(parents=True, exist_ok=True)
    for earlier in target.glob("figure.*"):  # There may be none today.
        earlier.unlink()
    claims = [claim for claim in study.claims().values() if claim.exhibit == exhibit]
    why_not = _why_unjudged(results)
    named = [dataclasses.replace(m, model=study.model) for m in measured]
    scored = score(named, claims, judged=not why_not)
    if study.aside:  # What a variant leaves open is the study's to answer.
        scored = [each for each in scored if each.answers]
    provenance = {
        "exhibit": exhibit,
        "kind": "figure" if isinstance(content, Figure) else "table",
        "caption": caption,
        "finding": finding,
        "details": details,
        "made by": f"{made_by.__module__}.{made_by.__qualname__}",
        "command": command(),
        "commit": commit(),
        "not judged": why_not,
        "results": [result.provenance() for result in results],
    }
    _flat(data).to_csv(target / "numbers.csv", index=False)
    (target / "numbers.json").write_text(_flat(data).to_json(orient="records"))
    (target / "provenance.json").write_text(json.dumps(provenance, indent=1))
    (target / "claims.json").write_text(
        json.dumps([dataclasses.asdict(s) for s in scored], indent=1)
    )
    if isinstance(content, Figure):
        body = _draw(content, content, target, place, alt)
    else:
        with table_figure(content) as wide, table_figure(content, n_panels=1) as small:
            body = _draw(wide, small, target, place, _ALT) if wide and small else ""
        body += table_html(content, name=f"Table {exhibit}")
    page = "\n".join(
        [
            # A live notebook would typeset $...$ in an utterance as a formula.
            f'<div class="exhibit mathjax_ignore tex2jax_ignore" data-exhibit="{place}">',
            _notices(results),
            f'<p class="exhibit-finding">{_sentence(finding)}</p>' if finding else "",
            body,
            f'<p class="exhibit-caption"><strong>{exhibit}</strong> {_sentence(caption)}</p>',
            claims_html(scored, why_not) if scored else "",
            '<details class="exhibit-made"><summary>How it was made</summary>',
            f'<p class="exhibit-line">{_sentence(details)}</p>' if details else "",
            f'<p class="exhibit-line">{_bases(results)}</p>',
            f'<p class="exhibit-line exhibit-links">{_links(place, made_by)}</p>',
            f'<p class="exhibit-line exhibit-links">{_downloads(place, content)}</p>',
            "</details>",
            "</div>",
        ]
    )
    return Exhibit(exhibit, data, page)


def _draw(made: Figure, small: Figure, target: Path, place: str, alt: str) -> str:
    """Write an exhibit's picture, and show it; a book shows phones a smaller one.

    ``small``, which may be the same, is laid out anew for a phone.
    """
    raise_powers(made)
    svg = to_svg(made, name=place)
    (target / "figure.svg").write_text(svg.replace("currentColor", "#222222"))
    (target / "figure.png").write_bytes(to_png(made))
    if _book_root() is None:  # What follows takes longer than all else.
        return _picture(svg, alt)
    (target / "figure.pdf").write_bytes(to_pdf(made))
    raise_powers(small)
    narrow(small)
    on_phones = to_svg(small, name=f"{place}-narrow")
    (target / THUMBNAIL).write_bytes(to_thumbnail(small))
    return _picture(svg, alt, " for-wide") + _picture(on_phones, alt, " for-narrow")


def _picture(svg: str, alt: str, screens: str = "") -> str:
    name = _sentence(alt)
    return f'<div class="exhibit-picture{screens}" role="img" aria-label="{name}">{svg}</div>'


def with_models(study: AnyStudy, exhibit: str, make: Callable[[AnyStudy], Exhibit]) -> Exhibit:
    """Make an exhibit, and the same of the study's other models folded below it.

    Parameters
    ----------
    study : Study
        Whose :meth:`~stablib.studies.base.Study.beside` names the others.
    exhibit : str
        Id.
    make : callable
        Makes it from a study.

    Returns
    -------
    Exhibit
        The study's own, on a page that shows all.
    """
    made = make(study)
    others = study.beside(exhibit)
    if others:
        note = (
            f"With the {html.escape(study.model)}. The scorecard judges the model of which most is "
            "trained; others are folded below."
        )
        page = f'<p class="exhibit-line">{note}</p>\n{made.page}'
        made = Exhibit(exhibit, made.numbers, page)
    for other in others:
        folded = (
            f'<details class="exhibit-beside"><summary>{exhibit} with another model: '
            f"{html.escape(other.looks_at)}</summary>{make(other).page}</details>"
        )
        made = Exhibit(exhibit, made.numbers, f"{made.page}\n{folded}")
    return made


def left_out(exhibit: str, why: str) -> Exhibit:
    """Say in an exhibit's place why it is not there; nothing is recorded."""
    page = (
        f'<p class="exhibit-line"><strong>{exhibit}</strong> is left out: {html.escape(why)}.</p>'
    )
    return Exhibit(exhibit, pd.DataFrame(), page)


def picture(exhibit: str) -> str:
    """Static picture of a recorded exhibit, for a page whose scripts do not run.

    Where they do, it is replaced before it is loaded.
    """
    if not (folder() / exhibit / "figure.png").is_file():
        return ""
    return f'<img alt="{exhibit}" loading="lazy" src="../../exhibits/{exhibit}/figure.png">'


def with_interval(value: float, interval: Interval, digits: int = 1) -> str:
    """Write a value with its interval; a dash where there is no value.

    What is rounded to nothing has no sign.

    Examples
    --------
    >>> with_interval(1.25, Interval(-0.04, 2.0)), with_interval(float("nan"), Interval(0, 0))
    ('1.2 [0.0, 2.0]', '–')
    """
    if math.isnan(value):
        return "–"
    low, high = ("–" if math.isnan(end) else f"{end:z.{digits}f}" for end in interval)
    return f"{value:z.{digits}f} [{low}, {high}]"


def counted(
    claims: Container[str], claim: str, value: float, *, variant: str = ""
) -> list[Measured]:
    """A number that no run changes as the answer to a claim; empty if there is no such claim."""
    return [Measured(claim, value, value, value, variant)] if claim in claims else []


def answered(
    claims: Container[str],
    claim: str,
    found: tuple[float, Interval],
    *,
    variant: str = "",
    null: float | None = None,
) -> list[Measured]:
    """A value with its interval as the answer to a claim; empty if there is no such claim."""
    value, interval = found
    return [Measured(claim, value, *interval, variant, null)] if claim in claims else []


def _sentence(text: str) -> str:
    """Write a sentence for a page, as it stands in print."""
    return in_print(html.escape(text))


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Plain columns, for files."""
    flat = frame.reset_index() if has_named_rows(frame) else frame.copy()
    flat.columns = [
        " ".join(str(part) for part in column if str(part)) if isinstance(column, tuple) else column
        for column in flat.columns
    ]
    return flat


def _why_unjudged(results: Sequence[Outcome]) -> str:
    """Why the numbers say nothing about the paper's; empty if they do."""
    reasons = [result.study.unjudged for result in results]
    reasons += ["other data than the paper"] * any(result.notice for result in results)
    return ", ".join(dict.fromkeys(filter(None, reasons)))


def claims_html(scored: Sequence[Scored], why_not: str = "") -> str:
    """What the paper says beside what came out."""
    reason = f" ({html.escape(why_not)})" if why_not else ""
    head = f"<summary>{summary(scored)}{reason}</summary>"
    unfolded = " open" if len(scored) <= _SHORT else ""
    exhibit = scored[0].claim.exhibit
    frame = comparison(scored)[["verdict", "claim", _HERE, "variant", "paper"]]
    if not frame["variant"].any():
        frame = frame.drop(columns="variant")
    drawn = forest.drawings(scored)
    frame.insert(2, "", [f"{_DRAWING}{row}{_DRAWING}" for row in range(len(drawn))])
    table = table_html(frame, name=f"Claims about {exhibit}")
    for row, drawing in enumerate(drawn):
        table = table.replace(f"{_DRAWING}{row}{_DRAWING}", drawing)
    key = forest.legend("".join(drawn)) if any(drawn) else ""
    return f'<details class="exhibit-claims"{unfolded}>{head}{table}{key}</details>'


def comparison(scored: Sequence[Scored]) -> pd.DataFrame:
    """One row an answer; those of other variants below the one that is judged."""
    rows = []
    for each in scored:
        claim = each.claim
        about = {
            "exhibit": claim.exhibit,
            "claim": titled(claim),
            "paper": claim.said,
            "read at": claim.read_at,
        }
        if not each.answers:
            rows.append(about | _answer("–", "", each.verdict))
        for answer in each.answers:
            value = estimate(claim, answer.measured)
            rows.append(
                about | _answer(value, variant_and_null(claim, answer.measured), answer.verdict)
            )
            about = dict.fromkeys(about, "")
    return pd.DataFrame(rows)


def titled(claim: Claim) -> str:
    """What is claimed, and of which data."""
    return f"{claim.what} ({named(claim.dataset)})" if claim.dataset else claim.what


def _answer(value: str, variant: str, verdict: Verdict) -> dict[str, str]:
    return {
        _HERE: value,
        "variant": variant,
        "verdict": f"{VERDICT_MARKS[verdict]} {verdict}",
    }


def summary(scored: Sequence[Scored]) -> str:
    """Count the verdicts, in one sentence."""
    counts = pd.Series([s.verdict for s in scored]).value_counts()
    parts = [f"{counts[v]} {v}" for v in VERDICT_MARKS if v in counts]
    return f"Paper against reproduction, {_count(len(scored))}: {', '.join(parts)}"


def _count(number: int) -> str:
    return "1 claim" if number == 1 else f"{number} claims"


def variant_and_null(claim: Claim, measured: Measured) -> str:
    """Say of what, and in which reading, a value was measured, and what no effect gave there."""
    style = _style(claim, measured.value)
    null = "" if measured.null is None else f"other seeds {measured.null:{style}}"
    return ", ".join(filter(None, (measured.model, measured.variant, null)))


def estimate(claim: Claim, measured: Measured) -> str:
    """Write a measured value and its interval in the claim's unit."""
    style = _style(claim, measured.value)
    low, high = (
        "–" if math.isnan(end) else f"{end:{style}}" for end in (measured.low, measured.high)
    )
    text = f"{measured.value:{style}} [{low}, {high}]"
    if measured.low == measured.high and float(measured.value).is_integer():
        text = f"{measured.value:,.0f}"  # A count that no run changes.
    return f"{text} {claim.unit}".strip() if claim.in_words else text


def _style(claim: Claim, value: float) -> str:
    """How numbers in the claim's unit are written, of about the size of a value."""
    fine = claim.unit in ("r", "times", "decades", "p", "nats", "points", "")
    target = claim.target or 0.0
    far = (claim.rule == "magnitude" and target < _TINY) or target >= _HUGE
    # A count that no run changes is written in full.
    if far and claim.rule != "value":
        return "z.1e"
    if abs(value) >= _LARGE:
        return "z,.0f"
    return "z.2f" if fine else "z.1f"


def _bases(results: Sequence[Outcome]) -> str:
    return html.escape(" · ".join(dict.fromkeys(r.basis() for r in results)))


def _notices(results: Sequence[Outcome]) -> str:
    notices = dict.fromkeys(r.notice for r in results if r.notice)
    return "".join(f'<p class="exhibit-notice">{html.escape(n)}</p>' for n in notices)


def command() -> str:
    """The command that makes this page again."""
    page = os.environ.get("STABLIB_PAGE", "")
    return f"stablib reproduce {page}".strip()


def _book_root() -> str | None:
    """Way from the page to the top of the book that it is part of; None outside one."""
    return os.environ.get("STABLIB_BOOK_ROOT")


def _links(place: str, made_by: Callable[..., Any]) -> str:
    """Ways to code, data, provenance and command; links where the page is part of a book."""
    root = _book_root()
    code = f"{made_by.__module__}.{made_by.__qualname__}"
    how = f"<code>{html.escape(command())}</code>"
    if root is None:
        return f"code: <code>{code}</code> · data: <code>{folder() / place}</code> · again: {how}"
    line = inspect.getsourcelines(made_by)[1]
    source = f"{root}/source/{made_by.__module__.replace('.', '/')}.py.html#line-{line}"
    base = f"{root}/exhibits/{place}"
    return (
        f'<a href="{source}">code</a> · <a href="{base}/numbers.csv">data</a> · '
        f'<a href="{base}/provenance.json">provenance</a> · again: {how}'
    )


def _downloads(place: str, content: Figure | pd.DataFrame) -> str:
    """What can be taken away of an exhibit of a book, see :mod:`stablib.reproduce.downloads`."""
    root = _book_root()
    if root is None:
        return ""
    files = {"BibTeX": "cite.bib"}
    if (folder() / place / "figure.svg").is_file():
        files |= {kind: f"figure.{kind}" for kind in ("svg", "png", "pdf")}
    if isinstance(content, pd.DataFrame):
        files |= {"csv": "numbers.csv", "LaTeX": "table.tex"}
    links = (f'<a href="{root}/exhibits/{place}/{file}">{name}</a>' for name, file in files.items())
    return f"to take away: {' · '.join(links)}"
