"""Collect what the recorded exhibits say about the papers' claims."""

from __future__ import annotations

import collections
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stablib.errors import DataError
from stablib.papers.claims import Answer, Claim, Measured, Scored
from stablib.reproduce.cards import cards
from stablib.reproduce.notebooks import sections
from stablib.show.exhibit import VERDICT_MARKS, estimate, summary, titled, variant_and_null
from stablib.show.in_print import in_print
from stablib.show.table import table_html
from stablib.studies import papers, study_class


def collect(exhibits: Path, paper: str) -> list[Scored]:
    """Read how every claim of a paper was judged; what was not recorded was not attempted.

    Of several models, the answer of the one that the study names first is judged.

    Raises
    ------
    DataError
        If a recorded file cannot be read.
    """
    study = study_class(paper)
    claims = study.claims()
    found: dict[str, list[Answer]] = {name: [] for name in claims}
    for exhibit in dict.fromkeys(claim.exhibit for claim in claims.values()):
        folder = exhibits / exhibit
        for path in (folder / "claims.json", *sorted(folder.glob("*/claims.json"))):
            for row in _read(path, []):
                answers = (Answer(Measured(**a["measured"]), a["verdict"]) for a in row["answers"])
                if row["claim"]["claim"] in claims:  # Else it was recorded by an older version.
                    found[row["claim"]["claim"]].extend(answers)

    def rank(answer: Answer) -> int:
        known = answer.measured.model in study.models
        return study.models.index(answer.measured.model) if known else len(study.models)

    return [Scored(claim, tuple(sorted(found[name], key=rank))) for name, claim in claims.items()]


def by_exhibit(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Claims by the exhibit that answers them, in the order in which they are first named."""
    found: dict[str, list[Scored]] = {}
    for one in scored:
        found.setdefault(one.claim.exhibit, []).append(one)
    return found


def lines(scored: Sequence[Scored]) -> list[dict[str, str]]:
    """One row a claim: how it was judged, what came out and what the paper says."""
    return [
        {
            "": VERDICT_MARKS[one.verdict],
            "exhibit": one.claim.exhibit,
            "claim": titled(one.claim),
            "here": estimate(one.claim, one.answers[0].measured) if one.answers else "–",
            "paper": one.claim.said,
        }
        for one in scored
    ]


def made_from(exhibits: Path) -> list[str]:
    """Presets, changed settings, notices and commits of the recorded exhibits, a line a kind."""
    heads: dict[str, dict[str, None]] = {}
    for path in sorted(exhibits.glob("*/provenance.json")):
        made = _read(path, {})
        for result in made.get("results", []):
            changes = "".join(f", {name}={v}" for name, v in result.get("changes", {}).items())
            notice = f". {result['notice']}" if result.get("notice") else ""
            head = f"{result['paper']}: preset {result['preset']}{changes}{notice}"
            heads.setdefault(head, {})[str(made.get("commit", "unknown"))] = None
    return [f"{head}; executed at {', '.join(commits)}" for head, commits in heads.items()]


def _presets(exhibit: Path) -> list[str]:
    """Presets from which an exhibit was made."""
    results = _read(exhibit / "provenance.json", {}).get("results", [])
    return list(dict.fromkeys(result["preset"] for result in results)) or ["not made"]


def _read(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return default
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}): delete it and reproduce its notebook again"
        ) from error


def matrix(exhibits: Path) -> str:
    """How many claims of each paper got which verdict, as a table in HTML."""
    rows = {}
    for paper in papers():
        counts = collections.Counter[str](row.verdict for row in collect(exhibits, paper))
        rows[study_class(paper).title] = {
            f"{mark} {verdict}": counts[verdict] for verdict, mark in VERDICT_MARKS.items()
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return table_html(frame.loc[frame.any(axis=1), frame.any()], name="Claims by paper and verdict")


def page(exhibits: Path) -> str:
    """Write the scorecard as a page of the book: a grid of verdicts, each exhibit to be opened."""
    by_paper = {paper: collect(exhibits, paper) for paper in papers()}
    scored = [row for rows in by_paper.values() for row in rows]
    places = {card.exhibit: card for card in cards(sections())}
    parts = [
        "# Scorecard\n",
        "Every claim of the papers that a number can answer, as a mark by the exhibit that "
        "answers it. Open one to see what came out beside what the paper says: value and 95 % "
        "interval over runs. Model and size are those of the preset, or of the variant where it "
        "names a model, and not the paper's.\n",
        f"**{summary(scored)}.**\n",
        f'<p class="scorecard-key">{"".join(map(_key, _occurring(scored)))}</p>\n',
        _folded("Made with", [f"<p>{html.escape(line)}</p>" for line in made_from(exhibits)]),
        '<div class="scorecard-filter"></div>\n',  # Its controls need scripts.
    ]
    for paper, rows in by_paper.items():
        if not rows:
            continue
        study = study_class(paper)
        parts.append(f"\n## {study.title}\n")
        # Before it, as it may hold Markdown.
        rules = f":class-container: scorecard-rules\n\n{summary(rows)}. {in_print(study.rules)}"
        parts.append(f":::{{dropdown}} How they are judged\n{rules}\n:::\n")
        parts.append('<div class="scorecard-grid">')
        for exhibit, of_exhibit in by_exhibit(rows).items():
            head = f"<strong>{exhibit}</strong> {_a_mark_a_claim(of_exhibit)}"
            # One that no page shows has no link; and none belongs into what can be clicked itself.
            place = places.get(exhibit)
            link = f'<p><a href="{place.link}">{html.escape(place.title)}</a></p>' if place else ""
            verdicts = "|".join(dict.fromkeys(one.verdict for one in of_exhibit))
            presets = "|".join(_presets(exhibits / exhibit))
            about = (
                f' data-paper="{html.escape(study.title)}" data-preset="{presets}"'
                f' data-verdict="{verdicts}"'
            )
            parts.append(_folded(head, [link, _claims(exhibit, of_exhibit)], about))
        parts.append("</div>\n")
    return "\n".join(parts)


def _occurring(scored: Sequence[Scored]) -> list[str]:
    """Verdicts that a claim got, in their order."""
    there = {one.verdict for one in scored}
    return [verdict for verdict in VERDICT_MARKS if verdict in there]


def _key(verdict: str) -> str:
    return f"<span>{_mark(verdict)} {verdict}</span>"


def _mark(verdict: str, title: str = "") -> str:
    said = f' title="{html.escape(title)}"' if title else ""
    return f'<i data-verdict="{verdict}"{said} aria-hidden="true">{VERDICT_MARKS[verdict]}</i>'


def _a_mark_a_claim(scored: Sequence[Scored]) -> str:
    """The verdicts of an exhibit's claims, and how many of each there are for who hears them."""
    marks = "".join(_mark(one.verdict, f"{one.verdict}: {titled(one.claim)}") for one in scored)
    counts = collections.Counter[str](one.verdict for one in scored)
    heard = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return (
        f'<span class="scorecard-marks">{marks}</span><span class="visually-hidden">{heard}</span>'
    )


#: Stands in a cell for answers that are marked up.
_ANSWERS = "answers-of-claim-"


def _claims(exhibit: str, scored: Sequence[Scored]) -> str:
    """Table of an exhibit's claims, one row a claim: its variants stand side by side."""
    rows = [
        {
            "verdict": f"{VERDICT_MARKS[one.verdict]} {one.verdict}",
            "claim": titled(one.claim),
            "here [95 % interval]": f"{_ANSWERS}{number}-" if one.answers else "–",
            "paper": one.claim.said,
            "read at": one.claim.read_at,
        }
        for number, one in enumerate(scored)
    ]
    table = table_html(pd.DataFrame(rows), name=f"Claims about {exhibit}")
    for number, one in enumerate(scored):
        answers = "".join(_answer(one.claim, answer) for answer in one.answers)
        table = table.replace(f"{_ANSWERS}{number}-", in_print(answers))
    return table


def _answer(claim: Claim, answer: Answer) -> str:
    """What came out, of which variant, and how it is judged."""
    value = html.escape(estimate(claim, answer.measured))
    variant = html.escape(variant_and_null(claim, answer.measured))
    of = f" <small>{variant}</small>" if variant else ""
    heard = f'<span class="visually-hidden">{answer.verdict}: </span>'
    return f'<span class="scorecard-answer">{_mark(answer.verdict)}{heard} {value}{of}</span>'


def _folded(headline: str, content: Sequence[str], attributes: str = "") -> str:
    body = "\n".join(content)
    opening = f'<details class="scorecard"{attributes}><summary>{headline}</summary>'
    return f"{opening}\n{body}\n</details>\n"
