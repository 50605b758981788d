"""Collect what the recorded exhibits say about the papers' claims."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stablib.errors import DataError
from stablib.papers.claims import Claim, Measured, Scored, score
from stablib.show.exhibit import (
    VERDICT_MARKS,
    estimate,
    summary,
    table_html,
    variant_and_null,
)
from stablib.studies import papers, study_class


def collect(exhibits: Path, paper: str) -> list[Scored]:
    """Read how every claim of a paper was judged; what was not recorded was not attempted.

    Raises
    ------
    DataError
        If a recorded file cannot be read.
    """
    claims = study_class(paper).claims()
    found: dict[str, list[Scored]] = {name: [] for name in claims}
    for exhibit in dict.fromkeys(claim.exhibit for claim in claims.values()):
        for row in _read(exhibits / exhibit / "claims.json", []):
            name = row["claim"]["claim"]
            if name in claims and row["measured"]:
                measured = Measured(**row["measured"])
                found[name].append(Scored(claims[name], measured, row["verdict"]))
    rows = [scored for name in claims for scored in found[name] or score([], [claims[name]])]
    return rows


def made_from(exhibits: Path) -> list[str]:
    """Presets, changed settings and notices of the recorded exhibits: the head of a scorecard."""
    heads: dict[str, None] = {}
    for path in sorted(exhibits.glob("*/provenance.json")):
        for result in _read(path, {}).get("results", []):
            changes = "".join(f", {name}={v}" for name, v in result.get("changes", {}).items())
            notice = f". {result['notice']}" if result.get("notice") else ""
            heads[f"{result['paper']}: preset {result['preset']}{changes}{notice}"] = None
    return list(heads)


def _read(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return default
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read ({error}): delete it and reproduce its notebook again"
        ) from error


def frame(scored: Sequence[Scored]) -> pd.DataFrame:
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
        "variant": "" if m is None else variant_and_null(m),
        "verdict": f"{VERDICT_MARKS[scored.verdict]} {scored.verdict}",
    }


def page(exhibits: Path) -> str:
    """Write the scorecard as a page of the book."""
    by_paper = {paper: collect(exhibits, paper) for paper in papers()}
    scored = [row for rows in by_paper.values() for row in rows]
    parts = [
        "# Scorecard\n",
        "Every claim of the papers that a number can answer, beside what came out here: value and "
        "95 % interval over runs. Model and size are those of the preset, or of the variant where "
        "it names a model, and not the paper's.\n",
        *(f"- {line}" for line in made_from(exhibits)),
        f"\n**{summary(scored)}.**\n",
    ]
    for paper, rows in by_paper.items():
        study = study_class(paper)
        parts.append(f"\n## {study.title}\n")
        parts.append(f"{study.rules} {summary(rows)}.\n")
        if not rows:
            continue
        for exhibit, table in frame(rows).groupby("exhibit", sort=False):
            # A plain link would find this very heading.
            parts.append(f"\n### {{ref}}`{exhibit} <{str(exhibit).lower()}>`\n")
            parts.append(table_html(table.drop(columns="exhibit").reset_index(drop=True)) + "\n")
    return "\n".join(parts)
