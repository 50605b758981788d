"""The page on which every exhibit is found."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from stablib.errors import StablibError
from stablib.reproduce import atlas, console, downloads, scorecard
from stablib.reproduce.cards import cards
from stablib.reproduce.notebooks import sections
from stablib.studies import study_class

TITLES = {card.exhibit: card.title for card in cards(sections())}


def recorded(folder: Path, exhibit: str, finding: str) -> Path:
    (folder / exhibit).mkdir(parents=True)
    (folder / exhibit / "provenance.json").write_text(json.dumps({"finding": finding}))
    return folder / exhibit


def test_every_exhibit_that_a_notebook_shows_has_a_card_that_leads_to_it() -> None:
    anchors = {exhibit for section in sections() for exhibit in section.exhibits()}
    # Anchors of exhibits hold no dots.
    assert {anchor.replace(".", "-") for anchor in anchors} == {
        exhibit.replace(".", "-") for exhibit in TITLES
    }


def test_cards_have_the_numbers_of_the_papers(real_data: Path) -> None:
    text = (real_data.parent / "exhibits.csv").read_text("utf-8")
    known = list(csv.DictReader(text.splitlines()))
    assert {row["id"] for row in known} <= set(TITLES)
    for row in known:
        kind, _, number = row["item"].partition(" ")
        if kind in ("Table", "Figure"):
            assert re.search(rf"\b{re.escape(number)}\b", TITLES[row["id"]]), row


def test_a_card_says_what_came_out_and_how_it_was_judged(tmp_path: Path) -> None:
    folder = recorded(tmp_path, "LI-F1", "So & so <much>.")
    (folder / "figure.webp").touch()
    page = atlas.page(tmp_path)
    (card,) = [part for part in page.split("<li>") if "<strong>LI-F1</strong>" in part]
    assert "So &amp; so &lt;much&gt;." in card
    assert 'src="../exhibits/LI-F1/figure.webp"' in card
    assert "not attempted" in card
    (without,) = [part for part in page.split("<li>") if "<strong>LI-F2</strong>" in part]
    assert "<img" not in without


def test_a_table_without_a_picture_shows_its_first_cells(tmp_path: Path) -> None:
    folder = recorded(tmp_path, "LI-T1", "")
    frame = pd.DataFrame({"index": ["<a>"] * 9, "LE_m": "-0.10", "labels": "", "beyond": "never"})
    frame.to_csv(folder / "numbers.csv", index=False)
    (card,) = [part for part in atlas.page(tmp_path).split("<li>") if "<strong>LI-T1<" in part]
    assert card.count("&lt;a&gt;") == 5
    assert "\u22120.10" in card
    assert "LE\u2098" in card
    assert all(word not in card for word in ("index", "NaN", "never", "\n    "))


def test_a_page_gets_the_cards_and_the_verdicts_that_it_asks_for(tmp_path: Path) -> None:
    recorded(tmp_path, "LI-F1", "This came out.")
    text = atlas.fill("Before\n\n<!-- cards: LI-F1 ND-T1 -->\n\n<!-- verdicts -->\n", tmp_path)
    assert text.startswith("Before\n\n<ul")
    assert text.index("LI-F1") < text.index("This came out.") < text.index("ND-T1")
    assert text.count("<li>") == 2
    # Nothing was recorded of the claims: none was attempted.
    for paper in ("local_instability", "random_seed"):
        study = study_class(paper)
        row = text[text.index(study.title) :]
        assert str(len(study.claims())) in row[:200]
    with pytest.raises(StablibError, match="did you mean 'LI-F1'"):
        atlas.fill("<!-- cards: LI-F11 -->", tmp_path)


def test_a_page_gets_networks_that_train_in_it(tmp_path: Path) -> None:
    text = atlas.fill("Before\n\n<!-- train again: LI-F1 -->\n\nAfter\n", tmp_path)
    before, made, after = text.split("````")
    assert (before, after) == ("Before\n\n", "\n\nAfter\n")
    assert made.startswith("{raw} html\n")
    assert 'src="../exhibits/LI-F1/figure.png"' in made
    assert 'hostStatic(widget, "stablib-train-again")' in made
    with pytest.raises(StablibError, match="did you mean 'LI-F1'"):
        atlas.fill("<!-- train again: LI-F11 -->", tmp_path)


def test_a_card_shows_the_model_that_is_judged(tmp_path: Path) -> None:
    """Else it would say of heads what came out, and of the best model whether that is right."""
    folder = recorded(tmp_path, "LI-F1", "r is 0.44.")
    better = recorded(tmp_path, "LI-F1/finetune", "r is 0.76.")
    models = study_class("local_instability").models
    for place, model, verdict in (
        (folder, models[-1], "undecided"),
        (better, models[0], "reproduced"),
    ):
        (place / "figure.webp").touch()
        measured = {"claim": "f1-massive-r", "value": 0.5, "low": 0.4, "high": 0.6, "model": model}
        answer = {"measured": measured, "verdict": verdict}
        rows = [{"claim": {"claim": "f1-massive-r"}, "answers": [answer]}]
        (place / "claims.json").write_text(json.dumps(rows))
    text = atlas.fill("<!-- cards: LI-F1 -->", tmp_path)
    assert f"{models[0]}: r is 0.76." in text
    assert "0.44" not in text
    assert "exhibits/LI-F1/finetune/figure.webp" in text


def test_the_scorecard_has_a_mark_a_claim_and_a_row_for_all_its_variants(tmp_path: Path) -> None:
    page = scorecard.page(tmp_path)
    claims = study_class("nondeterminism").claims().values()
    exhibits = {claim.exhibit for claim in claims}
    assert all(f"<strong>{exhibit}</strong>" in page for exhibit in exhibits)
    (folded,) = [part for part in page.split("<details") if "<strong>ND-T4</strong>" in part]
    assert "../notebooks/nondeterminism/04_instability.html#nd-t4" in folded
    head, table = folded.split("</summary>")
    assert head.count("<i ") == 3
    assert "3 not attempted" in head
    assert table.count("<tr ") == 4  # With the heading.


def test_the_scorecard_knows_from_which_presets_an_exhibit_was_made(tmp_path: Path) -> None:
    folder = recorded(tmp_path, "LI-F1", "")
    results = [{"preset": preset, "paper": "p"} for preset in ("smoke", "laptop", "smoke")]
    (folder / "provenance.json").write_text(json.dumps({"results": results}))
    page = scorecard.page(tmp_path)
    (made,) = [part for part in page.split("<details") if "<strong>LI-F1</strong>" in part]
    assert 'data-preset="smoke|laptop"' in made
    assert 'data-preset="not made"' in page


def test_variants_of_a_claim_stand_side_by_side(tmp_path: Path) -> None:
    folder = tmp_path / "LI-F1"
    folder.mkdir()
    measured = {"claim": "f1-massive-r", "value": 0.76, "low": 0.73, "high": 0.78}
    answers = [
        {"measured": measured, "verdict": "reproduced"},
        {"measured": {**measured, "value": -0.44, "variant": "<b>"}, "verdict": "not reproduced"},
    ]
    rows = [{"claim": {"claim": "f1-massive-r"}, "answers": answers}]
    (folder / "claims.json").write_text(json.dumps(rows))
    page = scorecard.page(tmp_path)
    (folded,) = [part for part in page.split("<details") if "<strong>LI-F1</strong>" in part]
    head, table = folded.split("</summary>")
    # Of a claim the first answer is judged.
    assert "1 reproduced" in head
    assert "not reproduced" not in head
    assert table.count('class="scorecard-answer"') == 2
    assert "0.76 [0.73, 0.78]" in table
    assert "\u22120.44 [0.73, 0.78]" in table
    assert "<small>&lt;b&gt;</small>" in table


def test_in_a_terminal_a_claim_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scorecard.collect(tmp_path, "nondeterminism")
    monkeypatch.setattr(console, "out", Console(width=80))
    console.print_lines(scorecard.lines(found))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(found) > 80
    assert max(map(len, printed)) <= 80
    for line, one in zip(printed, found, strict=True):
        assert line.startswith(f"– {one.claim.exhibit}")
        assert one.claim.said[:18] in line


def test_a_table_is_taken_away_as_latex_and_every_exhibit_cited(tmp_path: Path) -> None:
    table, figure = (recorded(tmp_path, exhibit, "") for exhibit in ("LI-T3", "LI-F1"))
    frame = pd.DataFrame({"": ["SWA & co_1"], "gain (%)": ["1 [0, 2]"]})
    frame.to_csv(table / "numbers.csv", index=False)
    for folder, kind in ((table, "table"), (figure, "figure")):
        (folder / "figure.png").touch()  # A table may have a picture too.
        about = {"exhibit": folder.name, "kind": kind, "commit": "abc"}
        about["caption"] = "p^(1/T) in %, by $LE_m$."
        (folder / "provenance.json").write_text(json.dumps(about))
    downloads.write(tmp_path)
    made = (table / "table.tex").read_text()
    assert r"SWA \& co\_1 & 1 [0, 2] \\" in made
    assert r"\caption{p\textasciicircum{}(1/T) in \%, by \$LE\_m\$.}" in made
    assert r"\label{tab:li-t3}" in made
    assert not (figure / "table.tex").exists()
    assert "title = {{LI-T3}, Table 3: " in (table / "cite.bib").read_text()
    for folder in (table, figure):
        cited = (folder / "cite.bib").read_text()
        assert cited.startswith(f"@misc{{stablib-{folder.name.lower()},")
        assert cited.count("{") == cited.count("}")
        assert "commit abc" in cited
