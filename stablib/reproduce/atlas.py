"""The page on which every exhibit is found: its picture, what came out, and the verdicts on it."""

from __future__ import annotations

import collections
import functools
import html
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from stablib.errors import unknown
from stablib.papers.claims import Scored
from stablib.reproduce import scorecard
from stablib.reproduce.cards import Card, cards, verdict_marks
from stablib.reproduce.notebooks import sections
from stablib.show.exhibit import THUMBNAIL
from stablib.show.in_print import in_print
from stablib.show.widgets import train_again
from stablib.studies import papers, study_class

#: Where a page wants cards, the table of verdicts, or networks that train in it.
_CARDS, _VERDICTS = re.compile(r"<!-- cards: (.+?) -->"), re.compile(r"<!-- verdicts -->")
_TRAINER = re.compile(r"<!-- train again: (.+?) -->")

#: Cells of a table without a picture that a card has room for, and headings that name nothing.
_ROWS, _COLUMNS, _UNNAMED = 5, 3, re.compile(r"index|level_\d+")

_INTRODUCTION = """# Find a table or figure

Every exhibit of the papers and of our own, in the order of the pages: its picture, what came out
and the verdicts on the paper's claims about it. Ids are those of the papers' own numbers: `LI-T3`
is Table 3 of the local instability paper. The search finds both.
"""


def page(exhibits: Path) -> str:
    """Write the page from the recorded exhibits.

    Parameters
    ----------
    exhibits : Path
        Folder in which notebooks have recorded them.

    Returns
    -------
    str
        Markdown.
    """
    parts = [_INTRODUCTION]
    for paper in papers():
        parts.append(f"\n## {study_class(paper).title}\n")
        parts.append(_grid(_cards(exhibits, paper).values()))
    return "\n".join(parts)


def fill(text: str, exhibits: Path) -> str:
    """Put what was recorded into a page.

    Parameters
    ----------
    text : str
        Markdown. ``<!-- cards: LI-F1 ND-X4 -->`` becomes the cards of these exhibits,
        ``<!-- verdicts -->`` a table of how many claims of each paper got which verdict, and
        ``<!-- train again: LI-F1 -->`` networks that train in the page, with this exhibit's picture
        where scripts do not run.
    exhibits : Path
        As for :func:`page`.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    StablibError
        If no notebook shows an exhibit.
    """

    @functools.cache  # Few pages ask for one.
    def every() -> dict[str, str]:
        return {k: v for paper in papers() for k, v in _cards(exhibits, paper).items()}

    def known(names: str) -> list[str]:
        for exhibit in names.split():
            if exhibit not in every():
                raise unknown("exhibit", exhibit, every())
        return names.split()

    text = _CARDS.sub(lambda found: _grid(every()[name] for name in known(found[1])), text)
    text = _TRAINER.sub(lambda found: _trainer(*known(found[1])), text)
    return _VERDICTS.sub(lambda _: scorecard.matrix(exhibits), text)


def _trainer(exhibit: str) -> str:
    """Networks that train in a page of ``book``."""
    picture = f'<img alt="{exhibit}" loading="lazy" src="../exhibits/{exhibit}/figure.png">'
    made = train_again(picture=picture).static_html()
    # Else Markdown would take the blank lines of the scripts for paragraphs.
    return f"````{{raw}} html\n{made}\n````"


def _grid(made: Iterable[str]) -> str:
    return "\n".join(['<ul class="atlas">', *made, "</ul>\n"])


def _cards(exhibits: Path, paper: str) -> dict[str, str]:
    """The cards of a paper's exhibits, in the order of its pages."""
    scored = scorecard.by_exhibit(scorecard.collect(exhibits, paper))
    return {
        card.exhibit: _card(card, exhibits / card.exhibit, scored.get(card.exhibit, ()))
        for card in cards([section for section in sections() if section.paper == paper])
    }


def _card(card: Card, exhibit: Path, scored: Sequence[Scored]) -> str:
    folder, model = _judged(exhibit, scored)
    finding = _finding(folder)
    said = f"{model}: {finding}" if model and finding else finding
    if (folder / THUMBNAIL).is_file():
        place = folder.relative_to(exhibit.parent).as_posix()
        source = f"../exhibits/{place}/{THUMBNAIL}"
        picture = f'<img src="{source}" alt="" loading="lazy" width="240" height="200">'
    else:
        picture = _top_of_table(folder)
    return (
        f'<li><a href="{card.link}">{picture}'
        f"<strong>{card.exhibit}</strong> {html.escape(card.title)}</a>"
        f"{verdict_marks(scored)}<p>{in_print(html.escape(said))}</p></li>"
    )


def _top_of_table(folder: Path) -> str:
    """The first cells of a table that has no picture, if it was recorded."""
    if not (folder / "numbers.csv").is_file():
        return ""
    frame = pd.read_csv(folder / "numbers.csv", dtype=str, keep_default_na=False)
    top = frame.iloc[:_ROWS, :_COLUMNS]
    top = top.rename(columns=lambda name: "" if _UNNAMED.fullmatch(name) else name)
    # Markdown would take an indented line for code.
    made = re.sub(r"\n *", "", in_print(top.to_html(index=False, border=0)))
    # The link has a name, and its page the whole table.
    return f'<div class="atlas-table" aria-hidden="true">{made}</div>'


def _judged(exhibit: Path, scored: Sequence[Scored]) -> tuple[Path, str]:
    """Where the model is recorded on which most claims are judged, and its name if there are more.

    A card would else say of one model what came out and of another one whether that is right.
    """
    judged = collections.Counter(one.answers[0].measured.model for one in scored if one.answers)
    others = sorted(path.parent for path in exhibit.glob("*/claims.json"))
    if not judged or not others:
        return exhibit, ""
    ((model, _),) = judged.most_common(1)
    for folder in (exhibit, *others):
        rows = json.loads((folder / "claims.json").read_text("utf-8"))
        if any(a["measured"]["model"] == model for row in rows for a in row["answers"]):
            return folder, model
    return exhibit, ""


def _finding(folder: Path) -> str:
    """What came out, in the words of the exhibit."""
    path = folder / "provenance.json"
    finding = json.loads(path.read_text("utf-8"))["finding"] if path.is_file() else ""
    return html.unescape(finding)
