"""Collect what the recorded exhibits say about the papers' claims."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from stablib.papers.claims import PAPERS, Claim, Measured, Scored, read_claims, score
from stablib.show.exhibit import VERDICT_MARKS, estimate, summary, table_html

#: How claims are judged, in words.
RULES = {
    "local_instability": (
        "A claim counts as *reproduced* if the value is within the tolerance (accuracy: two of the "
        "paper's standard deviations; reductions: 5 points; shares of E_b: 10 points) or the "
        "interval contains the reported number, and as *direction reproduced* if the whole "
        "interval lies on the same side of no effect. Where the paper leaves open whether students "
        "share a teacher, both variants are scored."
    ),
    "synthetic_irreproducibility": (
        "The paper prints curves, and few numbers: its orders of magnitude count as *reproduced* "
        "within a factor of ten, its orderings if the whole interval of the ratio, in decades, is "
        "on the claimed side. Where it uses words such as *equal* or *comparable*, the limit that "
        "is counted as such is ours, and stands beside them. T is the length of the stream; the "
        "paper's is 2^26."
    ),
}


def collect(exhibits: Path) -> list[Scored]:
    """Score every claim; those whose exhibit was not recorded are "not attempted"."""
    measured = []
    for path in sorted(exhibits.glob("*/claims.json")):
        rows = json.loads(path.read_text())
        measured += [Measured(**row["measured"]) for row in rows if row["measured"]]
    return score(measured, read_claims().values())


def frame(scored: list[Scored]) -> pd.DataFrame:
    """One row a comparison."""
    return pd.DataFrame([_row(s.claim, s) for s in scored])


def _row(claim: Claim, scored: Scored) -> dict[str, str]:
    m = scored.measured
    return {
        "exhibit": claim.exhibit,
        "claim": claim.title,
        "reported": claim.said,
        "read at": claim.read_at,
        "reproduced": "–" if m is None else estimate(claim, m),
        "variant": "" if m is None else m.variant,
        "verdict": f"{VERDICT_MARKS[scored.verdict]} {scored.verdict}",
    }


def page(exhibits: Path) -> str:
    """Write the scorecard as a page of the book."""
    scored = collect(exhibits)
    parts = [
        "# Scorecard\n",
        "Every claim of the papers that a number can answer, beside what came out here: value and "
        "95 % bootstrap interval over runs. Model and size are those of the preset in the page's "
        "footer, not the paper's.\n",
        f"**{summary(scored)}.**\n",
    ]
    for paper, title in PAPERS.items():
        own = read_claims(paper)
        rows = [s for s in scored if s.claim.claim in own]
        parts.append(f"\n## {title}\n")
        parts.append(f"{RULES[paper]} {summary(rows)}.\n")
        for exhibit, table in frame(rows).groupby("exhibit", sort=False):
            # A plain link would find this very heading.
            parts.append(f"\n### {{ref}}`{exhibit} <{str(exhibit).lower()}>`\n")
            parts.append(table_html(table.drop(columns="exhibit").reset_index(drop=True)) + "\n")
    return "\n".join(parts)
