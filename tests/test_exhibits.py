"""Exhibits: each id is recorded by a notebook, judged by its claims, and shows text as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stablib.data import load
from stablib.papers.claims import Measured, judge, read_claims, score
from stablib.runs import RunStore, obtain
from stablib.show.exhibit import table_html
from stablib.studies import open_study
from stablib.studies.local_instability import PRESETS, requests
from stablib.training import seed_plans

ROOT = Path(__file__).parent.parent
IDS = [*(f"LI-T{i}" for i in range(1, 7)), *(f"LI-F{i}" for i in range(1, 9)), "LI-A1"]
IDS += [f"SI-F{i}" for i in (1, 2, 3, 4, 6, 7, 8, 9, 10)]


def test_every_exhibit_has_an_anchor_in_a_notebook() -> None:
    text = "".join(p.read_text() for p in (ROOT / "notebooks").rglob("*.py"))
    anchors = set(re.findall(r"\(([a-z0-9-]+)\)=", text))
    assert {i.lower() for i in IDS} <= anchors


def test_claims_belong_to_exhibits() -> None:
    assert {claim.exhibit for claim in read_claims().values()} <= set(IDS)


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (33.0, 32.0, 34.0, "reproduced"),
        (45.0, 30.0, 60.0, "reproduced"),
        (10.0, 5.0, 15.0, "direction reproduced"),
        (3.0, -1.0, 7.0, "not reproduced"),
        (float("nan"), 0.0, 0.0, "not attempted"),
    ],
)
def test_verdicts(value: float, low: float, high: float, verdict: str) -> None:
    claim = read_claims()["t3-massive-tgtss-reduction"]
    assert judge(claim, Measured(claim.claim, value, low, high)) == verdict


def test_a_claim_without_a_value_is_not_attempted() -> None:
    claims = read_claims().values()
    assert {s.verdict for s in score([], claims)} == {"not attempted"}
    with pytest.raises(KeyError):
        score([Measured("no-such-claim", 1.0, 1.0, 1.0)], claims)


def test_html_in_cells_is_text() -> None:
    page = table_html(pd.DataFrame({"<b>x</b>": ["<img src=x onerror=alert(1)>"]}))
    assert "<img" not in page
    assert "<b>" not in page


def test_published_runs_cover_the_laptop_preset() -> None:
    session = open_study("laptop")
    assert session.store.published is not None
    packs = {path.stem for path in session.store.published_files()}
    massive = [r for r in requests(PRESETS["laptop"]) if r.recipe.dataset == "massive"]
    assert len(massive) >= 20
    assert len(packs) >= len(requests(PRESETS["laptop"]))


def test_a_published_seed_retrains_to_the_same_labels(real_data: Path) -> None:
    """The run's key is only worth something if training it again gives the same answer."""
    published = open_study("laptop").results("massive", methods=["Control"])
    recipe = published.runs["Control"].recipe
    fresh = obtain(
        recipe,
        seed_plans(2),
        dataset=load("massive", strict=True),
        store=unpublished(RunStore()),
    )
    differing = np.mean(fresh["labels_test"] != published.labels("Control")[:2])
    # Another processor rounds differently, and a near tie may fall to the other side.
    assert differing < 0.002


def unpublished(store: RunStore) -> RunStore:
    store.published = None
    return store


def test_settings_refuse_what_is_not_allowed() -> None:
    with pytest.raises(ValueError, match="did you mean 'temperature'"):
        open_study("laptop", temprature=1.0)
    with pytest.raises(ValueError, match="n_runs"):
        open_study("laptop", n_runs=-1)
