"""Named data sets: sources in order, checks, and a fake hub on loopback."""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stablib.data import DataNotice, content_hash, entry, hub, load, registry
from stablib.data.sheets import read_sheet, write_sheet
from stablib.errors import DataError, UsageError


def frame(n: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [f"utterance {i}" for i in range(n)],
            "intent": ["alarm_set", "play_music"] * (n // 2),
            "domain": ["alarm", "play"] * (n // 2),
            "split": ["train", "train", "val", "val", "test", "test"][:n],
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STABLIB_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def test_massive_has_the_counts_of_table_2(real_data: Path) -> None:
    massive = load("massive", strict=True)
    assert {k: len(v) for k, v in massive.gold.items()} == {
        "train": 11514,
        "val": 2033,
        "test": 2974,
    }
    assert massive.n_classes == 18
    assert load("massive", label="intent", strict=True).n_classes == 60
    assert not massive.notice


def test_clinc150_has_the_counts_of_table_2(real_data: Path) -> None:
    clinc = load("clinc150", strict=True)
    assert clinc.n_classes == 150
    assert (np.bincount(clinc.gold["train"]) == 100).all()
    assert len(clinc.gold["val"]) == 3000
    assert not clinc.notice


def test_other_content_is_usable_with_a_notice(folder: Path) -> None:
    frame().to_parquet(folder / "massive_en.parquet")
    with pytest.warns(DataNotice, match="other content"):
        data = load("massive")
    assert data.label_names == ("alarm", "play")
    assert data.content_hash != entry("massive").content["domain"]


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


def test_nothing_at_hand_gives_the_stand_in_with_a_notice(folder: Path) -> None:
    began = time.perf_counter()
    with pytest.warns(DataNotice, match="generated stand-in"):
        data = load("massive")
    assert data.name == "standin"
    assert time.perf_counter() - began < 10


def test_strict_refuses_the_stand_in(folder: Path) -> None:
    with pytest.raises(DataError, match="MASSIVE .* cannot be had"):
        load("massive", strict=True)


def test_unknown_names_get_the_nearest(folder: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'massive'"):
        load("masive")
    with pytest.raises(UsageError, match="did you mean 'intent'"):
        load("massive", label="intents")


def test_a_folder_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STABLIB_DATA", "/no/such/folder")
    with pytest.raises(UsageError, match="STABLIB_DATA"):
        load("massive")


def test_content_hash_sees_every_field_and_border() -> None:
    base = content_hash(["train", "val"], ["ab", "c"], ["x", "y"])
    assert base != content_hash(["train", "val"], ["a", "bc"], ["x", "y"])
    assert base != content_hash(["val", "train"], ["ab", "c"], ["x", "y"])
    assert base != content_hash(["train", "val"], ["ab", "c"], ["y", "x"])


def test_label_sheet_round_trip(real_data: Path, tmp_path: Path) -> None:
    massive = load("massive", strict=True)
    write_sheet(massive, tmp_path)
    sheet = read_sheet("massive", "domain", tmp_path)
    assert sheet is not None
    assert sheet.texts is None
    assert sheet.content_hash == massive.content_hash
    assert sheet.describe("val", 3) == massive.ids["val"][3]
    np.testing.assert_array_equal(sheet.gold["test"], massive.gold["test"])


class FakeHub(http.server.BaseHTTPRequestHandler):
    """Answers like the hub for the files in ``files``, by their path after the revision.

    ``trouble`` is what goes wrong with every file.
    """

    files: dict[str, bytes] = {}
    trouble = ""
    stop = threading.Event()

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        name = self.path.split("/resolve/")[-1].partition("/")[2]
        content = self.files.get(name)
        if content is not None and self.trouble == "unavailable":
            self.send_error(503)
            return
        if content is not None and self.trouble == "stalls":
            self.stop.wait(60)
            return
        self.send_response(200 if content is not None else 404)
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", entry("massive").hub.revision)
            self.send_header("Content-Length", str(len(content)))
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
    FakeHub.stop.clear()
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


def serve_massive(files: dict[str, bytes]) -> None:
    names = {"train": "train", "validation": "val", "test": "test"}
    for split, ours in names.items():
        rows = frame()[lambda f, ours=ours: f["split"] == ours]
        lines = [
            json.dumps({"id": i, "text": t, "label": 0, "label_text": label})
            for i, (t, label) in enumerate(zip(rows["text"], rows["intent"], strict=True))
        ]
        files[f"{split}.jsonl"] = "\n".join(lines).encode()


def pin(monkeypatch: pytest.MonkeyPatch, content: pd.DataFrame) -> None:
    """Make this the content that MASSIVE must have."""
    for label in ("domain", "intent"):
        found = content_hash(content["split"], content["text"], content[label])
        monkeypatch.setitem(entry("massive").content, label, found)


def test_hub_files_are_read_and_cached(
    fake_hub: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_massive(fake_hub)
    pin(monkeypatch, frame())
    first = load("massive")
    assert first.source.endswith("from the hub")
    assert first.texts is not None
    assert first.texts["val"] == ("utterance 2", "utterance 3")
    fake_hub.clear()
    again = load("massive")
    assert again.source.endswith("from cache")
    assert again.content_hash == first.content_hash
    assert not first.notice + again.notice


def test_other_content_from_the_hub_is_refused_and_nothing_cached(
    fake_hub: dict[str, bytes], own_cache: Path
) -> None:
    serve_massive(fake_hub)
    with pytest.warns(DataNotice, match="stand-in .* domain content .* not the pinned .* refused"):
        assert load("massive").name == "standin"
    with pytest.raises(DataError, match="MASSIVE .* not the pinned 0de433c9414b; refused"):
        load("massive", strict=True)
    assert not list(own_cache.iterdir())


def test_wrong_checksum_is_refused_and_nothing_cached(
    fake_hub: dict[str, bytes], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_massive(fake_hub)
    pin(monkeypatch, frame())
    monkeypatch.setitem(entry("massive").hub.sha256, "test", "0" * 64)
    with pytest.raises(DataError, match="checksum .* refused"):
        registry.fetch(entry("massive"))
    assert not list(own_cache.iterdir())


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ("unavailable", "503"),
        ("drops", r"IncompleteRead\(\d+ bytes read, \d+ more expected\)"),
        ("stalls", "timed out"),
        ("trickles", "not done within 2 s"),
    ],
)
def test_a_hub_in_trouble_is_given_up_within_seconds(
    fake_hub: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, trouble: str, why: str
) -> None:
    serve_massive(fake_hub)
    pin(monkeypatch, frame())
    monkeypatch.setattr(FakeHub, "trouble", trouble)
    monkeypatch.setattr(hub, "CONNECT_TIMEOUT", 1.0)
    monkeypatch.setattr(hub, "DOWNLOAD_LIMIT", 2.0)
    began = time.perf_counter()
    with pytest.raises(DataError, match=rf"train\.jsonl at f7672a01: .*{why}"):
        registry.fetch(entry("massive"))
    assert time.perf_counter() - began < 5
    with pytest.warns(DataNotice, match=f"generated stand-in .*{why}"):
        assert load("massive").name == "standin"


def test_a_hub_that_never_answers_is_given_up_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.perf_counter()
        with pytest.warns(DataNotice, match="generated stand-in .* cannot be reached"):
            assert load("massive").name == "standin"
    assert time.perf_counter() - began < hub.CONNECT_TIMEOUT + 3


@pytest.mark.parametrize("line", ["", '["hello"]', '{"text": null, "label_text": "play_music"}'])
def test_a_damaged_file_of_the_hub_is_refused_by_name(
    fake_hub: dict[str, bytes], line: str
) -> None:
    serve_massive(fake_hub)
    fake_hub["test.jsonl"] += f"\n{line}\n".encode()
    with pytest.raises(
        DataError, match=r"test\.jsonl: (not UTF-8 json|column 'text' has no value)"
    ):
        registry.fetch(entry("massive"))


@pytest.mark.parametrize(
    "address", ["foo", "localhost:80", "ftp://foo", "http://", "http://[", "http://a:b"]
)
def test_an_address_of_the_hub_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(UsageError, match="HF_ENDPOINT is .* not an http:// or https:// address"):
        load("massive")
