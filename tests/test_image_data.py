"""Data sets of images: what they contain, how they are decoded, and what is refused."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from stablib.data import DataNotice, ImageDataset, entry, load
from stablib.data.files import read_table, write_table
from stablib.data.image_files import read_cifar10, read_cifar10_hub, read_mnist, read_mnist_hub
from stablib.data.images import area_mean, fitted, from_image_frame
from stablib.data.sheets import read_sheet, write_sheet
from stablib.errors import DataError, UsageError


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    return buffer.getvalue()


def pictures(n: int, side: int = 4, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(n, side, side, channels), dtype=np.uint8)


def images(name: str) -> ImageDataset:
    found = load(name)
    assert isinstance(found, ImageDataset)
    return found


def test_cifar10_has_its_images_once(real_data: Path) -> None:
    cifar = images("cifar10")
    assert np.bincount(cifar.gold["train"]).tolist() == [5_000] * 10
    assert np.bincount(cifar.gold["test"]).tolist() == [1_000] * 10
    assert cifar.head(7, others=3).pixels("test").shape == (3, 32, 32, 3)
    assert not cifar.notice


@pytest.mark.slow
def test_cifar10_decodes_to_known_pixels(real_data: Path) -> None:
    """What another decoder made of the same file, and the published means of the channels."""
    pixels = images("cifar10").pixels("train")
    found = hashlib.sha256(pixels.tobytes()).hexdigest()
    assert found == "86f5d04cec053f2b10c1307c973faf9deb6acf3a28611026681133b8abc68790"
    np.testing.assert_allclose(pixels.mean(axis=(0, 1, 2)), [125.3, 123.0, 113.9], atol=0.15)


def test_mnist_has_the_official_test_file(real_data: Path) -> None:
    """Its md5, once the pixels have the header of the official file again."""
    mnist = images("mnist")
    test = mnist.pixels("test")
    official = struct.pack(">IIII", 2051, 10_000, 28, 28) + test.tobytes()
    assert hashlib.md5(official).hexdigest() == "2646ac647ad5339dbf082846283269ea"
    assert {k: len(v) for k, v in mnist.gold.items()} == {"train": 60_000, "test": 10_000}


def test_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits, known = images("digits"), datasets.load_digits()
    assert {k: len(v) for k, v in digits.gold.items()} == dict(entry("digits").sizes)
    both = np.concatenate([digits.pixels("train"), digits.pixels("test")])[..., 0]
    order = np.arange(len(known.images))
    ours = np.concatenate([order[order % 4 != 3], order[order % 4 == 3]])
    np.testing.assert_allclose(both / 255 * 16, known.images[ours], atol=0.04)
    gold = np.concatenate([digits.gold["train"], digits.gold["test"]])
    assert (gold == known.target[ours]).all()


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_digits_stand_in_for_what_cannot_be_had(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STABLIB_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.warns(DataNotice, match="handwritten digits as a stand-in, because") as said:
        found = load(name)
    assert found.name == "digits"
    assert f"not about {entry(name).title}" in str(said[0].message)
    with pytest.raises(DataError, match=f"put {entry(name).file}"):
        load(name, strict=True)


def test_an_image_is_the_same_decoded_from_png_and_as_it_is() -> None:
    pixels = pictures(2)
    columns = {"split": ["train", "test"], "label": ["a", "b"]}
    for stored in ([png(p) for p in pixels], list(pixels)):
        made = from_image_frame(
            pd.DataFrame({**columns, "image": stored}), name="n", label="label", source="s"
        )
        np.testing.assert_array_equal(made.pixels("train")[0], pixels[0])


def test_the_identity_depends_on_every_image_label_and_place() -> None:
    def made(**changes: Any) -> str:
        columns = {"split": ["train", "train"], "label": ["a", "b"], "image": [b"1", b"2"]}
        frame = pd.DataFrame({**columns, **changes})
        return from_image_frame(frame, name="n", label="label", source="s").content_hash

    others = [
        made(image=[b"2", b"1"]),
        made(image=[b"1", b"3"]),
        made(label=["b", "a"]),
        made(split=["train", "test"]),
        made(image=[b"1a", b"2"], label=["", "b"]),  # The same bytes, parted elsewhere.
    ]
    assert len({made(), *others}) == 1 + len(others)


def test_means_of_areas_are_those_of_average_pooling() -> None:
    import torch

    pixels = pictures(3, side=8)
    pooled = torch.nn.functional.avg_pool2d(
        torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32)), 4
    )
    np.testing.assert_allclose(
        area_mean(pixels, 2).transpose(0, 3, 1, 2), pooled.numpy(), rtol=1e-6
    )
    for side in (3, 0, 16):
        with pytest.raises(UsageError, match=f"side must divide .* got {side} for 8 x 8"):
            area_mean(pixels, side)


def test_a_stand_in_gets_the_shape_of_what_it_stands_for() -> None:
    """Each pixel becomes a block, grey the same in every channel."""
    pixels = pictures(2, side=4, channels=1)
    found = fitted(pixels, (3, 8, 8))
    assert found.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(found, np.kron(pixels, np.ones((1, 2, 2, 3), np.uint8)))
    np.testing.assert_array_equal(fitted(pixels, (1, 4, 4)), pixels)


def test_labels_alone_are_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = images("digits")
    write_sheet(digits, tmp_path)
    sheet = read_sheet("digits", "label", tmp_path)
    assert sheet is not None
    assert not sheet.trainable
    assert digits.trainable
    np.testing.assert_array_equal(sheet.gold["test"], digits.gold["test"])


def test_images_are_kept_in_the_cache_as_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"split": ["train"], "image": [png(pictures(1)[0])], "label": ["cat"]})
    path = tmp_path / "kept.parquet"
    write_table(frame, path, columns=("split", "image", "label"))
    again = read_table(path, columns=("split", "image", "label"), splits=("train",))
    pd.testing.assert_frame_equal(again, frame)


def test_copies_of_the_hub_are_read(tmp_path: Path) -> None:
    pixels = pictures(2)
    for reader, column, name in (
        (read_cifar10_hub, "img", "automobile"),
        (read_mnist_hub, "image", "1"),
    ):
        path = tmp_path / f"{column}.parquet"
        cells = [{"bytes": png(p), "path": None} for p in pixels]
        pq.write_table(pa.table({column: cells, "label": [1, 0]}), path)
        frame = reader({"train": path})
        assert frame["label"].tolist()[0] == name
        assert frame["image"].tolist() == [png(p) for p in pixels]


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"nothing")
    for read in (read_cifar10, read_mnist):
        with pytest.raises(DataError, match="broken"):
            read(path)
    pq.write_table(pa.table({"split": ["train"], "label": [10], "jpeg": [b""]}), path)
    with pytest.raises(DataError, match="broken: label 10 .allowed: 0 to 9"):
        read_cifar10(path)
    np.savez(tmp_path / "flat.npz", x_train=np.zeros((2, 784), np.uint8), y_train=[0, 1])
    with pytest.raises(DataError, match=r"flat\.npz: x_train must be pixels .* got .* \(2, 784\)"):
        read_mnist(tmp_path / "flat.npz")
    np.savez(tmp_path / "other.npz", x_train=np.zeros(1))
    with pytest.raises(DataError, match=r"other\.npz"):
        read_mnist(tmp_path / "other.npz")


def test_images_that_cannot_be_used_are_refused_by_name() -> None:
    columns = {"split": ["train", "train"], "label": ["a", "b"]}
    frame = pd.DataFrame({**columns, "image": [b"no image", png(pictures(1)[0])]})
    made = from_image_frame(frame, name="n", label="label", source="s")
    with pytest.raises(DataError, match="image train-0 cannot be decoded"):
        made.pixels("train")
    sizes = [pictures(1, side=side)[0] for side in (2, 4)]
    made = from_image_frame(
        pd.DataFrame({**columns, "image": sizes}), name="n", label="label", source="s"
    )
    with pytest.raises(DataError, match=r"n, train: images have different sizes"):
        made.pixels("train")
    flat = from_image_frame(
        pd.DataFrame({**columns, "image": [np.zeros(4, np.uint8)] * 2}),
        name="n",
        label="label",
        source="s",
    )
    with pytest.raises(
        DataError, match=r"image train-0 must be pixels .* got uint8 of shape \(4,\)"
    ):
        flat.pixels("train")
    with pytest.raises(UsageError, match="column 'image' is missing"):
        from_image_frame(frame.drop(columns="image"), name="n", label="label", source="s")
    with pytest.raises(UsageError, match="it has no rows"):
        from_image_frame(frame[:0], name="n", label="label", source="s")
