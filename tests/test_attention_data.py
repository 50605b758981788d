"""Data of the paper on random seeds: counts of its tables, MIMIC-III of made records, reviews."""

from __future__ import annotations

import csv
import functools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from stablib.data import ENTRIES, Dataset, entry, inference, load, notices, pinned, sentiment
from stablib.data.mimic import ADMISSIONS, DIAGNOSES, NOTES
from stablib.data.texts import words
from stablib.errors import DataError, UsageError

TEXTS = ("sst", "adr", "imdb", "agnews", "snli", "babi1", "babi2", "babi3")
BINARY = ("sst", "adr", "imdb", "agnews")
THREE = ("contradiction", "entailment", "neutral")


@functools.cache
def real(name: str) -> Dataset:
    """What is at hand, read once: the longest takes seconds."""
    return load(name, strict=True)


def counts(name: str, *splits: str) -> list[int]:
    gold = real(name).gold
    return np.bincount(np.concatenate([gold[split] for split in splits])).tolist()


# Counts, as Table 1 prints them or as the authors' own file and filter give them.


def test_adr_has_the_counts_of_table_1(real_data: Path) -> None:
    assert counts("adr", "train", "val") == [14446, 1939]
    assert counts("adr", "test") == [3636, 487]


def test_sst_has_the_counts_of_the_authors_file(real_data: Path) -> None:
    """Table 1 prints 3034 and 652/653, which their file does not give."""
    assert counts("sst", "train") == [3035, 3321]
    assert counts("sst", "test") == [863, 863]


def test_agnews_and_snli_have_the_test_counts_of_table_1(real_data: Path) -> None:
    assert counts("agnews", "test") == [1900, 1900]
    snli = real("snli")
    by_name = dict(zip(snli.label_names, counts("snli", "test"), strict=True))
    assert by_name == {"neutral": 3219, "contradiction": 3237, "entailment": 3368}


def test_imdb_is_near_table_1(real_data: Path) -> None:
    """A fifth of the short test reviews, but not the same fifth; 179 tokens on average."""
    assert counts("imdb", "test") == pytest.approx([2184, 2172], rel=0.02)
    texts = real("imdb").texts
    assert texts is not None
    lengths = [len(text.split()) for text in texts["train"]]
    assert np.mean(lengths) == pytest.approx(179, abs=2)
    assert max(lengths) < 400


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_at_hand_is_what_is_pinned(real_data: Path, name: str) -> None:
    data = real(name)
    assert data.notice == ""
    assert data.content_hash == pinned(name)
    assert {split: len(gold) for split, gold in data.gold.items()} == entry(name).sizes
    assert data.texts is not None
    for texts in data.texts.values():
        assert all(text.split() for text in texts)
        pairs = name == "snli" or name.startswith("babi")
        assert all(text.count("\t") == pairs for text in texts)


def test_babi_answers_stand_among_the_facts(real_data: Path) -> None:
    """A question of task 1 asks for a place to which the person last went."""
    babi = real("babi1")
    assert babi.texts is not None
    for text, gold in zip(babi.texts["test"], babi.gold["test"], strict=True):
        facts, question = text.split("\t")
        person = question.split()[-1]
        last = [fact for fact in facts.split(" . ") if fact.startswith(person)][-1]
        assert last.split()[-1] == babi.label_names[gold]


# What may not be shipped, and what is said without it.


def test_nothing_of_these_is_shipped() -> None:
    for name in (*TEXTS, "anemia", "diabetes"):
        assert not entry(name).shipped
        assert entry(name).origin


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "SAID", set())
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("name", BINARY)
def test_reviews_stand_in_with_a_notice(offline: None, name: str) -> None:
    with pytest.warns(UserWarning, match="generated stand-in"):
        data = load(name)
    assert (data.name, data.n_classes) == ("reviews", 2)
    with pytest.raises(DataError, match=f"put {entry(name).file} .from .* at [0-9a-f]{{40}}"):
        load(name, strict=True)


def test_pairs_stand_in_for_pairs(offline: None) -> None:
    with pytest.warns(UserWarning, match="generated stand-in"):
        data = load("snli")
    assert (data.name, data.label_names) == ("pairs", THREE)
    with pytest.raises(DataError, match="cannot be had"):
        load("babi1")


def test_credentialed_data_are_said_to_need_credentials(offline: None) -> None:
    assert ENTRIES["anemia"].licence == "needs credentialed data"
    with pytest.raises(DataError, match=r"MIMIC-III, anemia cannot .* for credentialed users"):
        load("anemia")
    with pytest.raises(UsageError, match="nothing is pinned"):
        pinned("diabetes")


# Words.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic!", "do n't panic !"),
        ("They’re here; it's 9/11.", "they 're here ; it 's qqq / qqq ."),
        ("the 21st CENTURY", "the qqq century"),
        ("James' cat can't", "james ' cat ca n't"),
        (" \n ", ""),
    ],
)
def test_words_are_those_of_the_vectors(text: str, expected: str) -> None:
    assert words(text) == expected


# MIMIC-III, of generated records in the official form.


def note(admission: int, text: str, **changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "ROW_ID": admission,
        "SUBJECT_ID": admission,
        "HADM_ID": float(admission),
        "CHARTDATE": "2100-01-01",
        "CHARTTIME": "",
        "STORETIME": "",
        "CATEGORY": "Discharge summary",
        "DESCRIPTION": "Report",
        "CGID": "",
        "ISERROR": "",
        "TEXT": text,
    }
    return {**plain, **changes}


@pytest.fixture
def mimic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty admissions: codes by number, two notes each, and notes that do not count."""
    monkeypatch.setattr(notices, "SAID", set())
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    folder = tmp_path / "mimic3"
    folder.mkdir()
    notes, codes = [], []
    for k in range(1, 41):
        text = f"Admission [**2100-1-{k}**] of [**Known lastname**]\n====\nwith many, many words"
        notes += [
            note(k, "the addendum", DESCRIPTION="Addendum"),
            note(k, text),
            note(k, "wrong", ISERROR="1"),
            note(k, "nursing", CATEGORY="Nursing"),
        ]
        given = [["2851"], ["28521"], ["25000"], ["2851", "2859", "28529"]][k % 4]
        codes += [
            {"ROW_ID": k, "SUBJECT_ID": k, "HADM_ID": k, "SEQ_NUM": n, "ICD9_CODE": code}
            for n, code in enumerate(given)
        ]
    for name, rows in ((NOTES, notes), (DIAGNOSES, codes)):
        pd.DataFrame(rows).to_csv(folder / name, index=False, quoting=csv.QUOTE_NONNUMERIC)
    for split, numbers in (("train", range(1, 25)), ("val", range(25, 31)), ("test", (31, 32))):
        (folder / ADMISSIONS[split]).write_text("".join(f"{n}\n" for n in numbers))
    return folder


def test_diabetes_is_whether_the_code_was_given(mimic: Path) -> None:
    data = load("diabetes", strict=True)
    assert {split: len(gold) for split, gold in data.gold.items()} == {
        "train": 24,
        "val": 6,
        "test": 2,
    }
    expected = [int(k % 4 == 2) for k in range(1, 25)]
    assert data.label_names == ("no", "yes")
    assert data.gold["train"].tolist() == expected
    assert data.texts is not None
    assert data.texts["train"][0] == (
        "admission hiddenname of hiddenname = with many , many words the addendum"
    )


def test_anemia_is_acute_or_chronic_but_not_both(mimic: Path) -> None:
    data = load("anemia", strict=True)
    assert data.label_names == ("of chronic disease", "posthemorrhagic")
    sizes = {split: len(gold) for split, gold in data.gold.items()}
    assert sum(sizes.values()) == 20
    assert sizes["test"] == 4
    # Admission 1 is chronic (k % 4 == 1), 4 is acute: in the order of their numbers.
    assert data.gold["test"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("table", [NOTES, DIAGNOSES, *ADMISSIONS.values()])
def test_a_missing_table_is_refused_by_name(mimic: Path, table: str) -> None:
    (mimic / table).unlink()
    with pytest.raises(DataError, match=f"the table {table} is missing"):
        load("diabetes")


def test_a_table_of_another_form_is_refused(mimic: Path) -> None:
    pd.DataFrame({"hadm_id": [1]}).to_csv(mimic / DIAGNOSES, index=False)
    with pytest.raises(DataError, match="not the official tables"):
        load("anemia")


# Generated pairs.


def test_a_pair_is_labelled_by_what_both_sentences_say() -> None:
    """The rule, written once more: the judged thing, and the side of the judgement."""
    frame = inference.generate(seed=5, n_train=300, n_val=10, n_test=10)
    side = {w: s for s in ("positive", "negative") for w in sentiment.decisive_words(s)}
    seen = set()
    for text, label in zip(frame["text"], frame["label"], strict=True):
        first, second = text.split("\t")
        judged = dict(re.findall(r"the ([\w ]+?) is ([\w-]+)", first))
        assert len(judged) == 2
        ((thing, word),) = re.findall(r"the ([\w ]+?) is ([\w-]+)", second)
        expected = "neutral"
        if thing in judged:
            alike = side[judged[thing]] == side[word]
            expected = "entailment" if alike else "contradiction"
            seen.add(list(judged).index(thing))
        assert label == expected
    assert seen == {0, 1}  # Asked about is the first thing or the second.
    assert frame["text"].is_unique
    assert set(frame["label"]) == set(THREE)


# Generated reviews.


def test_the_majority_of_decisive_words_is_the_label() -> None:
    frame = sentiment.generate(seed=3, n_train=300, n_val=10, n_test=10)
    for text, label in zip(frame["text"], frame["label"], strict=True):
        tokens = text.split()
        told = [
            tokens[i] in sentiment.decisive_words("positive") for i in sentiment.positions(text)
        ]
        assert len(told) in (1, 3)
        assert (sum(told) > len(told) / 2) == (label == "positive")
    assert frame["text"].is_unique


def test_no_other_word_says_anything() -> None:
    """Without the decisive words a linear model is at chance, with them it is not."""
    frame = sentiment.generate()
    known = sentiment.decisive_words("positive") | sentiment.decisive_words("negative")
    bare = [" ".join(w for w in text.split() if w not in known) for text in frame["text"]]
    train, test = (frame["split"] == split for split in ("train", "test"))
    scores = []
    for texts in (pd.Series(bare), frame["text"]):
        model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000))
        model.fit(texts[train], frame["label"][train])
        scores.append(model.score(texts[test], frame["label"][test]))
    assert abs(scores[0] - 0.5) < 0.05  # Three standard deviations of 1,000 coins.
    assert scores[1] > 0.95
