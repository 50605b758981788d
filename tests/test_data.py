"""Named data sets: sources in order, checks, and a fake hub on loopback."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import http.server
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stablib import files
from stablib.atomic import replacing
from stablib.data import (
    ENTRIES,
    DataNotice,
    Entry,
    content_hash,
    entry,
    find_local,
    from_frame,
    hub,
    load,
    notices,
    pinned,
    registry,
    ship,
    stand_in,
    status,
    verify,
)
from stablib.data.files import read_table, write_table
from stablib.data.sheets import read_sheet, write_sheet
from stablib.errors import DataError, UsageError

#: The real folder, whatever a test puts in its place.
SHIPPED = registry.SHIPPED


def frame(n: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [f"utterance {i}" for i in range(n)],
            "intent": ["alarm_set", "play_music"] * (n // 2),
            "domain": ["alarm", "play"] * (n // 2),
            "split": ["train", "train", "val", "val", "test", "test"][:n],
        }
    )


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice is said, and the hub asked, once per process; each test is one of its own."""
    monkeypatch.setattr(notices, "SAID", set())
    monkeypatch.setenv("STABLIB_HUB_FAILED", "{}")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh machine without network."""
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None) -> Path:
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    return tmp_path


def add(monkeypatch: pytest.MonkeyPatch, **changes: object) -> Entry:
    """Add a data set that is not shipped, with the content of :func:`frame`."""
    rows = frame()
    item = dataclasses.replace(
        entry("massive"),
        name="requests",
        title="Requests 1.0",
        file="requests.parquet",
        shipped=False,
        content={
            label: content_hash(rows["split"], rows["text"], rows[label])
            for label in ("domain", "intent")
        },
        sizes={"train": 2, "val": 2, "test": 2},
        **changes,
    )
    monkeypatch.setitem(ENTRIES, "requests", item)
    return item


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A data set that may not be shipped and names a stand-in."""
    return add(monkeypatch, stand_in=stand_in)


# What is shipped


def test_massive_has_the_counts_of_table_2(offline: None) -> None:
    massive = load("massive", strict=True)
    assert {k: len(v) for k, v in massive.gold.items()} == {
        "train": 11514,
        "val": 2033,
        "test": 2974,
    }
    assert massive.n_classes == 18
    assert load("massive", label="intent", strict=True).n_classes == 60


def test_clinc150_has_the_counts_of_table_2(offline: None) -> None:
    clinc = load("clinc150", strict=True)
    assert clinc.n_classes == 150
    assert (np.bincount(clinc.gold["train"]) == 100).all()
    assert len(clinc.gold["val"]) == 3000


@pytest.mark.parametrize("name", ["massive", "clinc150"])
def test_a_fresh_machine_without_network_has_the_real_data_at_once(
    offline: None, own_cache: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    data = load(name)  # A notice would be an error.
    assert (data.name, data.notice) == (name, "")
    assert data.source == f"{entry(name).title}, shipped with stablib"
    assert data.content_hash == pinned(name)
    assert not list(own_cache.iterdir())


@pytest.mark.parametrize("name", ["massive", "clinc150", "standin", "reviews"])
def test_entries_say_the_sizes_and_content_of_the_data(offline: None, name: str) -> None:
    item = entry(name)
    for label in item.labels:
        data = load(name, label)
        assert {split: len(gold) for split, gold in data.gold.items()} == item.sizes
        assert data.content_hash == pinned(name, label) == item.content[label]


@pytest.mark.parametrize("name", ["massive", "clinc150"])
def test_the_attribution_lies_beside_what_is_shipped(name: str) -> None:
    item = entry(name)
    text = (registry.SHIPPED / item.file).with_suffix(".txt").read_text(encoding="utf-8")
    assert item.hub is not None
    assert item.hub.repo in text
    assert item.hub.revision in text
    assert f"{item.licence}, https://creativecommons.org/licenses/by/" in text
    assert re.split(r"arXiv:|doi:", item.citation)[1] in text
    for part in ("Title:", "Authors:", "Source:", "Changes:"):
        assert part in text


def test_nothing_is_shipped_without_an_entry_that_allows_it() -> None:
    shipped = {item.file for item in ENTRIES.values() if item.shipped}
    assert {path.name for path in registry.SHIPPED.glob("*.parquet")} == shipped
    assert all(item.licence.startswith("CC BY ") for item in ENTRIES.values() if item.shipped)


def test_the_copies_in_the_data_folder_are_those_that_are_shipped(real_data: Path) -> None:
    for item in (item for item in ENTRIES.values() if item.shipped):
        own = read_table(real_data / item.file, columns=item.columns)
        shipped = read_table(registry.SHIPPED / item.file, columns=item.columns)
        pd.testing.assert_frame_equal(own, shipped)


# Order of the sources


def test_the_data_folder_comes_before_the_package_and_the_package_before_the_cache(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (folder, own_cache / "data"):
        write_table(frame(), place / "massive_en.parquet", columns=entry("massive").columns)
    with pytest.warns(DataNotice, match="other content"):
        assert load("massive").source.endswith("from STABLIB_DATA")
    (folder / "massive_en.parquet").unlink()
    assert load("massive").source.endswith("shipped with stablib")
    monkeypatch.setattr(registry, "SHIPPED", folder)
    monkeypatch.setattr(notices, "SAID", set())
    with pytest.warns(DataNotice, match="other content"):
        assert load("massive").source.endswith("from cache")


def test_find_local_never_asks_the_hub(
    requests: Entry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(hub, "_ask", lambda *args, **more: pytest.fail("asked the hub"))
    assert find_local("requests") is None
    write_table(frame(), folder / requests.file, columns=requests.columns)
    found = find_local("requests", "intent")
    assert found is not None
    assert found.label_names == ("alarm_set", "play_music")
    assert found.source == "Requests 1.0, from STABLIB_DATA"
    generated = find_local("standin")
    assert generated is not None
    assert generated.content_hash == stand_in().content_hash


def test_the_generated_corpus_is_to_be_had_by_name(offline: None) -> None:
    assert load("standin").content_hash == stand_in().content_hash
    assert not load("standin", strict=True).notice
    assert "standin" not in ENTRIES


def test_a_data_set_need_not_have_every_split(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame()[lambda f: f["split"] != "val"]
    hashes = {"domain": content_hash(rows["split"], rows["text"], rows["domain"])}
    item = dataclasses.replace(
        add(monkeypatch), labels=("domain",), content=hashes, sizes={"train": 2, "test": 2}
    )
    monkeypatch.setitem(ENTRIES, "requests", item)
    write_table(rows, folder / item.file, columns=item.columns)
    assert list(load("requests").gold) == ["train", "test"]


# Stand-ins


def test_nothing_at_hand_gives_the_named_stand_in_with_a_notice(
    requests: Entry, folder: Path
) -> None:
    with pytest.warns(DataNotice, match="generated stand-in, because Requests 1.0 could not"):
        data = load("requests", "intent")
    assert data.name == "standin"
    assert data.notice == registry.STANDIN_NOTICE.format(
        title="Requests 1.0", what="a generated stand-in", about="generated data"
    )


def test_strict_refuses_the_stand_in(requests: Entry, folder: Path) -> None:
    with pytest.raises(DataError, match=r"Requests 1\.0 cannot be had: .* put requests\.parquet"):
        load("requests", strict=True)


def test_without_a_stand_in_it_is_said_how_to_get_the_data(
    offline: None, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch)
    message = (
        f"Requests 1.0 cannot be had: not in STABLIB_DATA (not set), not in the cache "
        f"{own_cache / 'data'}, and the hub is switched off (HF_HUB_OFFLINE); to use a copy of "
        "your own, put requests.parquet (columns split, text, domain, intent) into a folder and "
        "name the folder in STABLIB_DATA"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load("requests")


def test_a_data_set_may_be_in_no_repository(offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    add(monkeypatch, hub=None)
    with pytest.raises(DataError, match="and Requests 1.0 has no repository on the hub"):
        load("requests")


# Notices


def test_a_notice_is_said_once_per_process_and_reason(requests: Entry, folder: Path) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(3):
            load("requests")
        write_table(frame(), folder / "massive_en.parquet", columns=entry("massive").columns)
        assert find_local("massive").notice == load("massive").notice != ""
    assert [str(w.message).split(",")[0] for w in said] == [
        "Made with a generated stand-in",
        "MASSIVE 1.0",
    ]


def test_a_notice_is_one_line_without_a_path(folder: Path) -> None:
    write_table(frame(), folder / "massive_en.parquet", columns=entry("massive").columns)
    code = (
        "import warnings; from stablib.data import load; usual = warnings.formatwarning;"
        "load('massive'); load('massive'); assert warnings.formatwarning is usual"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"DataNotice: MASSIVE 1\.0, en-US at hand has other .*\n", run.stderr)


# Files


def test_other_content_is_usable_with_a_notice(folder: Path) -> None:
    frame().to_parquet(folder / "massive_en.parquet")
    with pytest.warns(DataNotice, match="other content"):
        data = load("massive")
    assert data.label_names == ("alarm", "play")
    assert data.content_hash != pinned("massive")


def test_missing_column_is_refused_by_name(folder: Path) -> None:
    frame().drop(columns="domain").to_parquet(folder / "massive_en.parquet")
    with pytest.raises(DataError, match="massive_en.parquet: column 'domain' is missing"):
        load("massive")


def test_text_that_is_not_utf8_is_refused_by_name(folder: Path) -> None:
    table = pa.table({**frame().to_dict("list"), "text": [b"caf\xe9"] * 6})
    pq.write_table(table, folder / "massive_en.parquet")
    with pytest.raises(DataError, match="massive_en.parquet: column 'text' .* not UTF-8"):
        load("massive")


def test_truncated_file_is_refused_by_name(folder: Path) -> None:
    path = folder / "massive_en.parquet"
    frame().to_parquet(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"massive_en\.parquet: not a readable parquet file"):
        load("massive")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ["hello", None, "c", "d", "e", "f"]}, "column 'text' has no value in row 1"),
        ({"domain": [*"abcde", None]}, "column 'domain' has no value in row 5"),
        ({"domain": [1.0, float("nan"), 1.0, 1.0, 1.0, 1.0]}, "column 'domain' has no value"),
        ({"split": [None] * 6}, "column 'split' has no value in row 0"),
        (
            {"split": ["train", "train", "validation", "val", "test", "test"]},
            r"column 'split' has 'validation' in row 2 \(allowed: train, val, test\)",
        ),
        ({"split": ["train"] * 4 + ["test"] * 2}, "column 'split' has no row of 'val'"),
        ({"is_oos": [False] * 4 + [True] * 2}, "column 'split' has no row of 'test'"),
        ({"is_oos": [False, None] * 3}, r"column 'is_oos' has None .*\(allowed: True, False\)"),
        ({"is_oos": [0, 1, 2, 0, 0, 0]}, "column 'is_oos' has 2 in row 2"),
        ({"is_oos": ["no"] * 6}, "column 'is_oos' has 'no'"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name(
    folder: Path, change: dict[str, list[object]], message: str
) -> None:
    pq.write_table(pa.table({**frame().to_dict("list"), **change}), folder / "massive_en.parquet")
    with pytest.raises(DataError, match=r"^massive_en\.parquet: " + message):
        load("massive")


def test_a_file_without_rows_is_refused_by_name(folder: Path) -> None:
    frame().head(0).to_parquet(folder / "massive_en.parquet")
    with pytest.raises(DataError, match=r"massive_en\.parquet: .* no row of 'train'"):
        load("massive")


@pytest.mark.parametrize("kind", [bool, int])
def test_rows_out_of_scope_are_left_out(folder: Path, kind: type) -> None:
    is_oos = [kind(flag) for flag in (0, 1, 0, 1, 0, 1)]
    frame().assign(is_oos=is_oos).to_parquet(folder / "massive_en.parquet")
    with pytest.warns(DataNotice, match="other content"):
        data = load("massive")
    assert data.texts == {
        s: (f"utterance {i}",) for i, s in ((0, "train"), (2, "val"), (4, "test"))
    }


def test_unknown_names_get_the_nearest(folder: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'massive'"):
        load("masive")
    with pytest.raises(UsageError, match="did you mean 'intent'"):
        load("massive", label="intents")
    with pytest.raises(UsageError, match="did you mean 'domain'"):
        load("standin", label="domains")
    with pytest.raises(UsageError, match="unknown label of massive ''"):
        pinned("massive", "")


def test_a_folder_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STABLIB_DATA", "/no/such/folder")
    with pytest.raises(UsageError, match="STABLIB_DATA"):
        load("massive")


def test_content_hash_sees_every_field_and_border() -> None:
    base = content_hash(["train", "val"], ["ab", "c"], ["x", "y"])
    assert base != content_hash(["train", "val"], ["a", "bc"], ["x", "y"])
    assert base != content_hash(["val", "train"], ["ab", "c"], ["x", "y"])
    assert base != content_hash(["train", "val"], ["ab", "c"], ["y", "x"])


# Label sheets


def test_label_sheet_round_trip(requests: Entry, folder: Path, tmp_path: Path) -> None:
    write_table(frame(), folder / requests.file, columns=requests.columns)
    data = load("requests", strict=True)
    path = write_sheet(data, tmp_path / "sheets")
    assert [path] == list(path.parent.iterdir())
    (folder / requests.file).unlink()
    assert find_local("requests") is None
    sheet = read_sheet("requests", "domain", path.parent)
    assert sheet is not None
    assert sheet.texts is None
    assert sheet.content_hash == data.content_hash == pinned("requests")
    assert (sheet.label_names, sheet.ids) == (data.label_names, data.ids)
    assert sheet.describe("val", 1) == "val-1"
    np.testing.assert_array_equal(sheet.gold["test"], data.gold["test"])
    assert not sheet.notice


def test_a_label_sheet_of_other_content_or_damaged_is_none(
    requests: Entry, folder: Path, tmp_path: Path
) -> None:
    other = from_frame(frame(4), name="requests", label="domain", source="other")
    path = write_sheet(other, tmp_path)
    assert read_sheet("requests", "domain", tmp_path) is None
    for damaged in (path.read_bytes()[:50], b""):
        path.write_bytes(damaged)
        with pytest.warns(files.Damaged, match=f"{path.name} is damaged.* counts as missing"):
            assert read_sheet("requests", "domain", tmp_path) is None
    assert read_sheet("requests", "intent", tmp_path) is None


def test_a_label_sheet_with_a_flipped_bit_is_named_or_says_the_same(
    requests: Entry, folder: Path, tmp_path: Path
) -> None:
    data = from_frame(frame(), name="requests", label="domain", source="here")
    path = write_sheet(data, tmp_path)
    whole, named = path.read_bytes(), 0
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sheet = read_sheet("requests", "domain", tmp_path)
        if sheet is None:
            assert [warning.category for warning in caught] == [files.Damaged]
            named += 1
        else:  # Dates and the like, which nobody reads.
            assert sheet.label_names == data.label_names
            for split, gold in data.gold.items():
                np.testing.assert_array_equal(sheet.gold[split], gold)
    assert named > len(whole) // 2


def test_a_label_sheet_has_the_splits_of_its_data(
    requests: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = from_frame(frame(4), name="requests", label="domain", source="here")
    monkeypatch.setitem(requests.content, "domain", data.content_hash)
    write_sheet(data, tmp_path)
    sheet = read_sheet("requests", "domain", tmp_path)
    assert sheet is not None
    assert list(sheet.gold) == ["train", "val"]


# Tables


def test_a_table_has_the_same_bytes_from_the_same_rows(tmp_path: Path) -> None:
    columns = entry("massive").columns
    write_table(frame(), tmp_path / "one.parquet", columns=columns)
    other = frame().assign(more=1).convert_dtypes().set_index(pd.Index(range(6, 0, -1)))
    write_table(other, tmp_path / "two.parquet", columns=columns)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    again = read_table(tmp_path / "one.parquet", columns=columns)
    pd.testing.assert_frame_equal(again, frame()[list(columns)], check_dtype=False)


def test_a_file_that_is_not_finished_is_not_left(tmp_path: Path) -> None:
    def write_half(path: Path) -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    path = tmp_path / "table.parquet"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]


# Frames


def small(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(
        {"split": ["train", "train", "test"], "text": ["a", "b", "c"], "kind": ["x", "y", "x"]}
        | columns
    )


def made(frame: pd.DataFrame) -> object:
    return from_frame(frame, name="own", label="kind", source="made in the test")


def test_a_frame_needs_neither_ids_nor_every_split() -> None:
    data = from_frame(small(), name="own", label="kind", source="here")
    assert data.ids == {"train": ("train-0", "train-1"), "test": ("test-0",)}
    assert list(data.gold) == list(data.texts) == ["train", "test"]
    assert list(data.head(1).gold) == ["train", "test"]
    given = from_frame(small(id=[7, 8, 7]), name="own", label="kind", source="here")
    assert given.ids == {"train": ("7", "8"), "test": ("7",)}
    assert given.content_hash == data.content_hash


@pytest.mark.parametrize(
    ("labels", "names", "gold"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0]),
        ([10, 9, 10], ("9", "10"), [1, 0]),
        (np.array([10, 9, 9], np.int8), ("9", "10"), [1, 0]),
        ([True, False, True], ("False", "True"), [1, 0]),
        (pd.Categorical(["b", "a", "b"], ["b", "a", "c"]), ("a", "b"), [1, 0]),
        (pd.array([10, 9, 9], "Int64"), ("9", "10"), [1, 0]),
    ],
)
def test_class_names_are_the_labels_as_str_in_the_order_of_the_labels(
    labels: list[object], names: tuple[str, ...], gold: list[int]
) -> None:
    data = from_frame(small(kind=labels), name="own", label="kind", source="here")
    assert data.label_names == names
    assert data.gold["train"].tolist() == gold


def test_labels_have_the_same_identity_as_numbers_and_as_text() -> None:
    as_int, as_text = (
        from_frame(small(kind=kind), name="own", label="kind", source="here")
        for kind in ([1, 0, 1], ["1", "0", "1"])
    )
    assert as_int.content_hash == as_text.content_hash


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (small().drop(columns="kind"), r"column 'kind' is missing \(it has split, text\)"),
        (small().drop(columns="split"), r"column 'split' is missing \(it has text, kind\)"),
        (small().drop(columns="text"), "column 'text' is missing"),
        (small().head(0), r"it has no rows \(a data set needs one at least\)"),
        (small(kind=["x", None, "y"]), r"column 'kind' has no value in row 1 \(every row"),
        (small(kind=[1, 0, float("nan")]), "column 'kind' has no value in row 2"),
        (small(kind=pd.array([1, None, 0], "Int64")), "column 'kind' has no value in row 1"),
        (small(text=["a", "b", None]), "column 'text' has no value in row 2"),
        (small(split=[None, "train", "test"]), "column 'split' has no value in row 0"),
        (small(id=["1", None, "2"]), "column 'id' has no value in row 1"),
        (small(id=["1", "1", "2"]), r"column 'id' has '1' more than once in train \(allowed: once"),
        (
            small(split=["train", "validation", "test"]),
            r"column 'split' has 'validation' in row 1 \(allowed: train, val, test\)",
        ),
        (
            small(kind=[1.0, 0.0, 1.0]),
            r"column 'kind' has 1.0 in row 0, which is float \(allowed: bool, int, str\)",
        ),
        (small(kind=["x", 1, "x"]), r"column 'kind' mixes int and str \(one of them is allowed\)"),
        (small(text=["a", 1, "c"]), r"column 'text' has 1 in row 1, which is int \(allowed: str\)"),
    ],
)
def test_a_frame_that_is_no_data_set_is_refused_in_one_line(
    rows: pd.DataFrame, message: str
) -> None:
    with pytest.raises(UsageError, match="^frame: " + message) as caught:
        made(rows)
    assert "\n" not in str(caught.value)


# What is at hand


def test_status_says_where_each_data_set_would_come_from(
    requests: Entry, folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sources() -> dict[str, str]:
        return {row.name: row.source for row in status()}

    monkeypatch.setattr(hub, "_ask", lambda *args, **more: pytest.fail("asked the hub"))
    found = sources()
    assert found.keys() == ENTRIES.keys()
    shipped = {name for name, source in found.items() if source == "package"}
    assert shipped == {"massive", "clinc150"}
    assert (found["requests"], found["sst"], found["babi1"]) == ("stand-in", "stand-in", "nowhere")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert sources()["requests"] == "hub"
    write_table(frame(), own_cache / "data" / requests.file, columns=requests.columns)
    assert sources()["requests"] == "cache"
    (folder / requests.file).write_bytes(b"not even a table")
    assert status()[-1].source == "STABLIB_DATA"
    assert status()[-1].where == str(folder / requests.file)


def test_status_of_a_data_set_that_cannot_be_had(
    offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(monkeypatch)
    assert (status()[-1].source, status()[-1].where) == ("nowhere", "")


def test_verify_has_a_row_for_each_label_and_stops_at_none(
    requests: Entry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(hub, "_ask", lambda *args, **more: pytest.fail("asked the hub"))
    frame().to_parquet(folder / "massive_en.parquet")
    (folder / "clinc150.parquet").write_bytes(b"PAR1")
    mine = ("massive", "clinc150", "requests")
    rows = [row for row in verify() if row.name in mine]  # A notice would be an error.
    assert [(row.name, row.label, row.verdict) for row in rows] == [
        ("massive", "domain", "other content"),
        ("massive", "intent", "other content"),
        ("clinc150", "intent", "damaged"),
        ("requests", "domain", "missing"),
        ("requests", "intent", "missing"),
    ]
    assert rows[0].content_hash not in ("", rows[0].pinned)
    assert rows[2].detail.startswith("clinc150.parquet: not a readable parquet file")
    for name in ("massive_en", "clinc150"):
        (folder / f"{name}.parquet").unlink()
    write_table(frame(), folder / requests.file, columns=requests.columns)
    assert {row.verdict for row in verify() if row.name in mine} == {"as pinned"}


def test_importing_the_package_imports_no_slow_library() -> None:
    code = (
        "import sys, stablib.data;"
        "print(sorted({'pandas', 'pyarrow', 'huggingface_hub'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# The hub

#: Seconds in which even a machine that is busy with other things answers itself.
PATIENCE = 120.0


class FakeHub(http.server.BaseHTTPRequestHandler):
    """Answers like the hub for the files in ``files``, by their path after the revision.

    ``trouble`` is what goes wrong with every file, ``asked`` what was asked for, with which token.
    """

    files: dict[str, bytes] = {}
    trouble = ""
    asked: list[tuple[str, str | None]] = []
    stop = threading.Event()

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        name = self.path.split("/resolve/")[-1].partition("/")[2]
        self.asked.append((name or self.path, self.headers["Authorization"]))
        content = self.files.get(name)
        if content is not None and self.trouble == "unavailable":
            self.send_error(503)
            return
        if content is not None and self.trouble == "stalls":
            self.stop.wait()  # Set at the end of the test, which has a time limit.
            return
        if content is not None and self.trouble.startswith("http:"):
            self.send_response(302)
            self.send_header("Location", self.trouble.replace("SELF", self.headers["Host"]))
            self.end_headers()
            return
        if content is not None and self.trouble == "babbles":
            self.wfile.write(b"\x1b[2J no HTTP\r\n\r\n")
            return
        if content is not None and self.trouble == "slow":
            self.stop.wait(0.9)
        self.send_response(200 if content is not None else 404)
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            size = 2**40 if self.trouble == "boasts" else len(content)
            self.send_header("Content-Length", str(size))
        else:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if body and content is not None:
            if self.trouble == "drops":
                content = content[: len(content) // 2]
            self.wfile.write(content[:1])
            while self.trouble == "trickles" and not self.stop.wait(0.1):
                self.wfile.write(b" ")
            self.wfile.write(content[1:])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    FakeHub.files = {}
    FakeHub.trouble = ""
    FakeHub.asked = []
    FakeHub.stop.clear()
    # It answers at once, but not on every machine within the seconds that a user waits.
    monkeypatch.setattr(hub, "CONNECT_TIMEOUT", PATIENCE)
    monkeypatch.setattr(hub, "DOWNLOAD_LIMIT", PATIENCE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield FakeHub.files
    FakeHub.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def serve(files: dict[str, bytes], content: pd.DataFrame) -> None:
    names = {"train": "train", "validation": "val", "test": "test"}
    for split, ours in names.items():
        rows = content[content["split"] == ours]
        lines = [
            json.dumps({"id": i, "text": t, "label_text": label}, ensure_ascii=False)
            for i, (t, label) in enumerate(zip(rows["text"], rows["intent"], strict=True))
        ]
        files[f"{split}.jsonl"] = "\n".join(lines).encode()


def test_hub_files_are_read_and_cached(
    fake_hub: dict[str, bytes], requests: Entry, own_cache: Path
) -> None:
    serve(fake_hub, frame())
    first = load("requests")
    assert first.source.endswith("from the hub")
    assert first.texts is not None
    assert first.texts["val"] == ("utterance 2", "utterance 3")
    fake_hub.clear()
    again = load("requests")
    assert again.source.endswith("from cache")
    assert again.content_hash == first.content_hash
    assert not first.notice + again.notice
    assert [path.name for path in (own_cache / "data").iterdir()] == [requests.file]


def parquet(columns: dict[str, list[Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


LONG = "it's a story of 12 people , told well"


def of_paper(name: str) -> dict[str, bytes]:
    """Files as the hub has them for a data set of the random seed paper, a few rows each."""
    part = "{}-00000-of-00001.parquet"
    if name == "sst":
        lines = [{"text": f"{LONG} {word}", "label": k} for k, word in enumerate(("dull", "fine"))]
        lines.append({"text": "too short", "label": 0})
        text = "\n".join(json.dumps(line) for line in lines).encode()
        return dict.fromkeys(("train.jsonl", "dev.jsonl", "test.jsonl"), text)
    if name == "imdb":
        rows = {"text": [f"{LONG}<br />{k}th" for k in range(120)], "label": [0, 1] * 60}
        return {f"plain_text/{part.format(s)}": parquet(rows) for s in ("train", "test")}
    if name == "agnews":
        rows = {"text": [f"{LONG} {k}" for k in range(120)], "label": [0, 1, 2, 3] * 30}
        return {f"data/{part.format(s)}": parquet(rows) for s in ("train", "test")}
    rows = {
        "premise": [f"{LONG}."] * 4,
        "hypothesis": ["It is.", "It may be.", "It isn't.", "Who knows?"],
        "label": [0, 1, 2, -1],
    }
    splits = ("train", "validation", "test")
    return {f"plain_text/{part.format(s)}": parquet(rows) for s in splits}


@pytest.mark.parametrize(
    ("name", "n_test", "label", "ends"),
    [
        ("sst", 2, "positive", "people told well fine"),
        ("imdb", 24, "negative", "people told well qqq"),
        ("agnews", 60, "World", "people , told well qqq"),
        ("snli", 3, "contradiction", "told well .\tit is n't ."),
    ],
)
def test_data_of_the_random_seed_paper_come_from_the_hub(
    fake_hub: dict[str, bytes], own_cache: Path, name: str, n_test: int, label: str, ends: str
) -> None:
    """Filtered and split into words as the files at hand are; nobody has pinned their content."""
    fake_hub.update(of_paper(name))
    with pytest.warns(DataNotice, match="other content"):
        first = load(name, strict=True)
    assert first.source.endswith("from the hub")
    assert len(first.gold["test"]) == n_test
    assert first.texts is not None
    of_label = [
        text
        for text, k in zip(first.texts["test"], first.gold["test"], strict=True)
        if first.label_names[k] == label
    ]
    assert of_label
    assert of_label[-1].endswith(ends)
    fake_hub.clear()
    again = load(name, strict=True)
    assert again.source.endswith("from cache")
    assert again.content_hash == first.content_hash


def test_a_label_that_is_none_is_refused(fake_hub: dict[str, bytes], own_cache: Path) -> None:
    fake_hub.update(of_paper("agnews"))
    odd = {"text": [LONG], "label": [4]}
    fake_hub["data/test-00000-of-00001.parquet"] = parquet(odd)
    with pytest.raises(DataError, match="'label' has the value '4', not one of 0, 1, 2, 3"):
        load("agnews", strict=True)


def test_other_content_from_the_hub_is_refused_and_nothing_cached(
    fake_hub: dict[str, bytes], requests: Entry, own_cache: Path
) -> None:
    serve(fake_hub, frame()[::-1])
    with pytest.warns(DataNotice, match="stand-in, .* domain content .* not the pinned .* refused"):
        assert load("requests").name == "standin"
    pin = pinned("requests")[:12]
    with pytest.raises(DataError, match=f"Requests 1.0 .* not the pinned {pin}; refused"):
        load("requests", strict=True)
    assert not list(own_cache.iterdir())


def test_wrong_checksum_is_refused_and_nothing_cached(
    fake_hub: dict[str, bytes], requests: Entry, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(fake_hub, frame())
    monkeypatch.setitem(requests.hub.sha256, "test", "0" * 64)
    with pytest.raises(DataError, match="checksum .* refused"):
        registry.fetch(requests)
    assert not list(own_cache.iterdir())


@pytest.mark.parametrize(
    ("trouble", "limits", "why"),
    [
        ("unavailable", {}, "503"),
        ("drops", {}, r"IncompleteRead\(\d+ bytes read, \d+ more expected\)"),
        ("stalls", {"CONNECT_TIMEOUT": 1.0}, "timed out"),
        ("trickles", {"DOWNLOAD_LIMIT": 2.0}, "not done within 2 s"),
        ("slow", {"DOWNLOAD_LIMIT": 2.0}, "not done within 2 s"),
        ("babbles", {}, r"BadStatusLine\('\\x1b\[2J no HTTP"),
        ("boasts", {}, "larger than the allowed 256,000,000 bytes"),
        ("http://SELF/resolve/again/train.jsonl", {}, "redirect error .* infinite loop"),
    ],
)
def test_a_hub_in_trouble_is_given_up_within_seconds(
    fake_hub: dict[str, bytes],
    requests: Entry,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    limits: dict[str, float],
    why: str,
) -> None:
    serve(fake_hub, frame())
    monkeypatch.setattr(FakeHub, "trouble", trouble)
    for name, seconds in limits.items():
        monkeypatch.setattr(hub, name, seconds)
    began = time.perf_counter()
    with pytest.raises(DataError, match=rf"t\w+\.jsonl at f7672a01: .*({why})") as caught:
        registry.fetch(requests)
    assert time.perf_counter() - began < PATIENCE  # Left to itself it would go on for ever.
    assert str(caught.value).isprintable()
    assert not list(own_cache.iterdir())
    with pytest.warns(DataNotice, match=f"generated stand-in, .*({why})"):
        assert load("requests").name == "standin"


def test_a_redirection_to_what_is_no_address_is_a_clear_error(
    fake_hub: dict[str, bytes], requests: Entry
) -> None:
    serve(fake_hub, frame())
    FakeHub.trouble = "http://["
    with warnings.catch_warnings():
        # urllib leaves the connection to the garbage collector then.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(
            DataError, match=r"train\.jsonl at f7672a01: Invalid IPv6 URL"
        ) as caught:
            registry.fetch(requests)
        del caught
        gc.collect()


def test_a_process_asks_the_hub_once_for_what_it_does_not_give(
    fake_hub: dict[str, bytes], requests: Entry
) -> None:
    serve(fake_hub, frame())
    FakeHub.trouble = "unavailable"
    with pytest.raises(DataError, match="503"):
        load("requests", strict=True)
    asked = len(FakeHub.asked)
    FakeHub.trouble = ""
    for label in ("domain", "intent"):
        with pytest.raises(DataError, match=r"503.* \(not asked again .*stablib data fetch"):
            load("requests", label, strict=True)
    assert len(FakeHub.asked) == asked
    # Kernels and workers that it starts inherit what it knows.
    assert "503" in os.environ["STABLIB_HUB_FAILED"]
    registry.fetch(requests)  # What 'stablib data fetch' does.
    assert load("requests", strict=True).source.endswith("from cache")


def test_a_hub_that_was_switched_off_is_asked_when_it_is_on(
    fake_hub: dict[str, bytes], requests: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(fake_hub, frame())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="switched off"):
        load("requests", strict=True)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert load("requests", strict=True).source.endswith("from the hub")


def in_a_fresh_process(code: str, home: Path) -> None:
    """Run code in a process whose hub client has kept nothing from earlier ones."""
    environment = {**os.environ, "HF_HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_the_hub_is_asked_for_the_pinned_files_and_nothing_else(
    fake_hub: dict[str, bytes], tmp_path: Path
) -> None:
    serve(fake_hub, frame())
    in_a_fresh_process(
        "import dataclasses; from stablib.data import entry, registry;"
        "registry.download(dataclasses.replace(entry('massive'), content={}))",
        tmp_path,
    )
    assert [name for name, _ in FakeHub.asked[1:]] == [
        "train.jsonl",
        "validation.jsonl",
        "test.jsonl",
    ]


def test_an_encoder_is_looked_for_without_asking_the_hub(
    fake_hub: dict[str, bytes], tmp_path: Path
) -> None:
    in_a_fresh_process(
        "from stablib.models import encoders as e; [e.identity(name) for name in e.names()]",
        tmp_path,
    )
    assert not FakeHub.asked


def test_the_users_token_goes_to_the_hub_and_to_no_other_address(
    fake_hub: dict[str, bytes], requests: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(fake_hub, frame())
    monkeypatch.setenv("HF_TOKEN", "secret")
    registry.fetch(requests)
    assert {token for _, token in FakeHub.asked[1:]} == {"Bearer secret"}
    FakeHub.asked.clear()
    FakeHub.trouble = "http://SELF/resolve/elsewhere/none"
    with pytest.raises(DataError, match="404"):
        registry.fetch(requests)
    assert FakeHub.asked[1:] == [("train.jsonl", "Bearer secret"), ("none", None)]


def test_a_token_that_cannot_be_had_in_time_is_left_out(
    fake_hub: dict[str, bytes], requests: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(fake_hub, frame())
    monkeypatch.setattr(hub, "CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: FakeHub.stop.wait(60))
    assert load("requests", strict=True).source.endswith("from the hub")
    assert {token for _, token in FakeHub.asked} == {None}


def test_a_hub_that_never_answers_is_given_up_within_seconds(
    requests: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert hub.CONNECT_TIMEOUT + hub.DOWNLOAD_LIMIT < 60  # What a user waits at most for a file.
    monkeypatch.setattr(hub, "CONNECT_TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.perf_counter()
        with pytest.warns(DataNotice, match="generated stand-in, .* cannot be reached"):
            assert load("requests").name == "standin"
    assert time.perf_counter() - began < PATIENCE


@pytest.mark.parametrize("line", ["", '["hello"]', '{"text": null, "label_text": "play_music"}'])
def test_a_damaged_file_of_the_hub_is_refused_by_name(
    fake_hub: dict[str, bytes], requests: Entry, line: str
) -> None:
    serve(fake_hub, frame())
    fake_hub["test.jsonl"] += f"\n{line}\n".encode()
    with pytest.raises(
        DataError, match=r"test\.jsonl: (not UTF-8 json|column 'text' has no value)"
    ):
        registry.fetch(requests)


def test_a_sentence_may_hold_a_separator_of_lines(
    fake_hub: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame().replace({"text": {"utterance 1": "utterance\u2028one"}})
    hashes = {"domain": content_hash(rows["split"], rows["text"], rows["domain"])}
    serve(fake_hub, rows)
    fetched = registry.fetch(dataclasses.replace(add(monkeypatch), content=hashes))
    assert fetched["text"][1] == "utterance\u2028one"


@pytest.mark.parametrize(
    "address", ["foo", "localhost:80", "ftp://foo", "http://", "http://[", "http://a:b"]
)
def test_an_address_of_the_hub_that_is_none_is_refused(
    requests: Entry, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(UsageError, match="HF_ENDPOINT is .* not an http:// or https:// address"):
        load("requests")


# Shipping


def serve_clinc(files: dict[str, bytes], content: pd.DataFrame) -> None:
    """Serve it as the hub has it: an intent is a number, and rows out of scope come last."""
    names = sorted({*content["intent"], "oos"})
    about = {"info": {"features": {"intent": {"names": names}}}}
    for split, ours in {"train": "train", "validation": "val", "test": "test"}.items():
        rows = content[content["split"] == ours]
        columns = {
            "text": [*rows["text"], "how many birds are there"],
            "intent": [names.index(intent) for intent in (*rows["intent"], "oos")],
        }
        table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(about)})
        file = io.BytesIO()
        pq.write_table(table, file)
        files[f"plus/{split}-00000-of-00001.parquet"] = file.getvalue()


@pytest.fixture
def full_hub(
    fake_hub: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, bytes]:
    """The hub with what is shipped, in its own form, and a folder to ship to."""
    massive, clinc = (
        read_table(registry.SHIPPED / item.file, columns=item.columns)
        for item in (entry("massive"), entry("clinc150"))
    )
    serve(fake_hub, massive)
    serve_clinc(fake_hub, clinc)
    for split in ("validation", "test"):  # The files served have other bytes than the hub's.
        monkeypatch.delitem(entry("clinc150").hub.sha256, split)
    monkeypatch.setattr(registry, "SHIPPED", tmp_path)
    return fake_hub


def test_what_is_shipped_is_made_of_the_hubs_files(
    full_hub: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "massive: massive_en.parquet differs from what the hub has",
        "clinc150: clinc150.parquet differs from what the hub has",
    ]
    assert not list(tmp_path.iterdir())
    assert ship.main(["--write"]) == 0
    assert ship.main([]) == 0
    assert "clinc150: clinc150.parquet unchanged" in capsys.readouterr().out
    for name in ("massive_en", "clinc150"):
        made = pq.read_table(tmp_path / f"{name}.parquet")
        assert made.equals(pq.read_table(SHIPPED / f"{name}.parquet"))


def test_shipping_without_the_hub_is_an_error_of_one_line(
    offline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship.main(["--write"]) == 1
    assert capsys.readouterr().err == "error: the hub is switched off (HF_HUB_OFFLINE)\n"


def test_shipping_other_content_is_refused(
    full_hub: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(full_hub, frame())
    assert ship.main(["--write"]) == 1
    assert re.fullmatch("error: .* is not the pinned .*; refused\n", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())
