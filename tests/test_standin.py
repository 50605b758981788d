"""Properties of the generated stand-in corpus."""

import hashlib
import json
import re
import string
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from stablib.data import standin

pytestmark = pytest.mark.filterwarnings("error")

DOMAINS = [
    "alarm",
    "audio",
    "calendar",
    "cooking",
    "datetime",
    "email",
    "general",
    "iot",
    "lists",
    "music",
    "news",
    "play",
    "qa",
    "recommendation",
    "social",
    "takeaway",
    "transport",
    "weather",
]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return standin.generate()


@pytest.fixture(scope="module")
def grammar() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((files("stablib.data") / "grammar.json").read_text())
    return loaded


def all_templates(grammar: dict[str, Any]) -> list[str]:
    plain = [t for templates in grammar["domains"].values() for t in templates]
    return plain + [t for group in grammar["ambiguous"] for t in group["templates"]]


def slot_names(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def test_domains() -> None:
    assert standin.domains() == tuple(DOMAINS)


def test_columns_and_sizes(frame: pd.DataFrame) -> None:
    columns = ["id", "split", "text", "domain", "other_domain", "ambiguous"]
    assert list(frame.columns) == columns
    assert frame["split"].value_counts().to_dict() == {"train": 4000, "val": 1000, "test": 1500}
    assert frame["ambiguous"].dtype == bool
    assert frame["id"].is_unique
    assert frame["id"].iloc[[12, 4000, -1]].tolist() == [
        "standin-train-00012",
        "standin-val-00000",
        "standin-test-01499",
    ]


def test_same_seed_same_frame(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(frame, standin.generate(seed=0))


def test_same_seed_same_frame_in_another_process(frame: pd.DataFrame) -> None:
    code = (
        "import hashlib; from stablib.data import standin;"
        "print(hashlib.sha256(standin.generate().to_json().encode()).hexdigest())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(frame.to_json().encode()).hexdigest()


def test_another_seed_another_frame(frame: pd.DataFrame) -> None:
    other = standin.generate(seed=1)
    assert not frame["text"].equals(other["text"])


def test_all_domains_in_train_with_unequal_frequencies(frame: pd.DataFrame) -> None:
    counts = frame.loc[(frame["split"] == "train") & ~frame["ambiguous"], "domain"].value_counts()
    assert set(counts.index) == set(DOMAINS)
    assert counts[["play", "calendar", "qa"]].min() > counts[["cooking", "audio"]].max()
    assert counts.max() < 6 * counts.min()


@pytest.mark.parametrize("sizes", [(4000, 1000, 1500), (7, 1, 0), (101, 33, 50), (0, 0, 0)])
def test_exact_ambiguous_share(sizes: tuple[int, int, int]) -> None:
    frame = standin.generate(seed=3, n_train=sizes[0], n_val=sizes[1], n_test=sizes[2])
    for split, size in zip(("train", "val", "test"), sizes, strict=True):
        rows = frame[frame["split"] == split]
        assert len(rows) == size
        assert int(rows["ambiguous"].sum()) == round(standin.AMBIGUOUS_SHARE * size)


def test_kinds_of_rows_are_mixed(frame: pd.DataFrame) -> None:
    first_half = frame[:2000]["ambiguous"].mean()
    assert 0.10 < first_half < 0.20


def test_ambiguous_labels_are_a_fair_coin(frame: pd.DataFrame, grammar: dict[str, Any]) -> None:
    pairs = {tuple(group["domains"]) for group in grammar["ambiguous"]}
    assert (frame.loc[~frame["ambiguous"], "other_domain"] == "").all()
    rows = frame[frame["ambiguous"]]
    labels = list(zip(rows["domain"], rows["other_domain"], strict=True))
    assert all(label in pairs or label[::-1] in pairs for label in labels)
    heads = sum(label in pairs for label in labels)
    assert binomtest(heads, len(labels)).pvalue > 1e-4


def test_no_text_occurs_twice(frame: pd.DataFrame) -> None:
    assert frame["text"].is_unique


def test_grammar_is_rich_and_complete(grammar: dict[str, Any]) -> None:
    assert sorted(grammar["domains"]) == sorted(grammar["weights"]) == DOMAINS
    assert all(14 <= len(templates) <= 22 for templates in grammar["domains"].values())
    assert 18 <= len(grammar["ambiguous"]) <= 24
    pairs = [tuple(sorted(group["domains"])) for group in grammar["ambiguous"]]
    assert len(set(pairs)) == len(pairs)
    for group in grammar["ambiguous"]:
        assert 5 <= len(group["templates"]) <= 8
        assert len(group["domains"]) == 2
        assert set(group["domains"]) < set(DOMAINS)
    for name, fillers in grammar["slots"].items():
        assert 8 <= len(fillers) <= 25, name
        assert len(set(fillers)) == len(fillers), name


def test_every_slot_exists_and_is_used(grammar: dict[str, Any]) -> None:
    used = [slot_names(template) for template in all_templates(grammar)]
    assert {name for names in used for name in names} == set(grammar["slots"])
    assert all(len(set(names)) == len(names) for names in used)


def test_no_wording_has_two_owners(grammar: dict[str, Any]) -> None:
    owner: dict[str, str] = {}
    groups = [*grammar["domains"].items()]
    groups += [("/".join(group["domains"]), group["templates"]) for group in grammar["ambiguous"]]
    for name, templates in groups:
        for text in (text for template in templates for text in standin._expand(template)):
            assert owner.setdefault(text, name) == name, text
    assert len(owner) > 50_000


def test_every_utterance_looks_like_transcribed_speech() -> None:
    for text in standin._table()["text"]:
        assert re.fullmatch(r"[a-z']+( [a-z']+){1,13}", text), text


@pytest.mark.parametrize("name", ["n_train", "n_val", "n_test"])
def test_negative_size(name: str) -> None:
    sizes: dict[str, int] = {name: -1}
    with pytest.raises(ValueError, match=rf"{name} is -1; it must be 0 or more"):
        standin.generate(**sizes)


def test_too_many_utterances() -> None:
    with pytest.raises(ValueError, match=r"n_train \+ n_val \+ n_test .* at most \d+"):
        standin.generate(n_train=10**6)


def test_the_whole_grammar_can_be_asked_for() -> None:
    plain = int((standin._table()["second"] == "").sum())
    size = int(plain / (1 - standin.AMBIGUOUS_SHARE)) - 2
    assert standin.generate(n_train=size, n_val=0, n_test=0)["text"].is_unique


def test_a_linear_classifier_is_good_but_not_perfect(frame: pd.DataFrame) -> None:
    train, test = frame[frame["split"] == "train"], frame[frame["split"] == "test"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    correct = model.fit(train["text"], train["domain"]).predict(test["text"]) == test["domain"]
    assert 0.75 < correct[~test["ambiguous"]].mean() < 0.99
    assert 0.30 < correct[test["ambiguous"]].mean() < 0.75
