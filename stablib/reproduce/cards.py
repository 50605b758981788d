"""Where each exhibit is shown, what it is called, and how its claims were judged."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stablib.papers.claims import Scored
from stablib.reproduce.notebooks import Section
from stablib.show.exhibit import VERDICT_MARKS

#: The heading of an exhibit in a notebook: its id, and what it is.
_HEADING = re.compile(r"^# ## ([A-Z]{2}-[A-Z][0-9.]+) · (.+)$", re.MULTILINE)


class Card(NamedTuple):
    """One exhibit: its id, what it is in the paper, and where a page in ``book`` finds it."""

    exhibit: str
    title: str
    link: str


def cards(of: Sequence[Section]) -> Iterator[Card]:
    """The exhibits of some notebooks, from their headings."""
    for section in of:
        for exhibit, title in _HEADING.findall(section.source.read_text("utf-8")):
            anchor = exhibit.lower().replace(".", "-")
            yield Card(exhibit, title, f"../notebooks/{section.name}.html#{anchor}")


def verdict_marks(scored: Sequence[Scored]) -> str:
    """How many claims got which verdict, by mark and in words."""
    counts = collections.Counter[str](one.verdict for one in scored)
    marks = "".join(
        f'<span title="{verdict}">{mark} {counts[verdict]}'
        f'<span class="visually-hidden"> {verdict}</span></span>'
        for verdict, mark in VERDICT_MARKS.items()
        if counts[verdict]
    )
    return f'<p class="atlas-verdicts">{marks}</p>' if marks else ""
