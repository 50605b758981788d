"""Labelled images in memory, and their identity."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from stablib.data.dataset import SPLITS, Dataset, place_ids, refuse_others
from stablib.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

#: An image: the bytes of a PNG or JPEG file, or its pixels.
Image = bytes | NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class ImageDataset(Dataset):
    """Images and gold labels of every split; it has no texts.

    Parameters
    ----------
    **fields
        As :class:`~stablib.data.Dataset`.
    images : mapping of str to sequence of Image
        By split, as they were stored: they are decoded when they are looked at.
    """

    images: Mapping[str, Sequence[Image]] = dataclasses.field(default_factory=dict)

    @property
    def trainable(self) -> bool:
        """Whether the images are at hand, and not the labels alone."""
        return bool(self.images)

    def head(self, limit: int | None, *, others: int | EllipsisType | None = ...) -> Self:
        """Keep the first examples, see :meth:`~stablib.data.Dataset.head`."""
        rest = limit if others is ... else others
        images = {s: p[: limit if s == "train" else rest] for s, p in self.images.items()}
        return dataclasses.replace(super().head(limit, others=others), images=images)

    def pixels(self, split: str) -> NDArray[np.uint8]:
        """Decode the images of a split.

        Returns
        -------
        ndarray of uint8, shape (n_examples, height, width, n_channels)
            Grey images have one channel.

        Raises
        ------
        DataError
            If an image cannot be decoded, or has another size than the first.
        """
        decoded = [_decoded(image, f"{split}-{k}") for k, image in enumerate(self.images[split])]
        sizes = {image.shape for image in decoded}
        if len(sizes) > 1:
            raise DataError(f"{self.name}, {split}: images have different sizes {sorted(sizes)}")
        return np.stack(decoded)


def from_image_frame(
    frame: pd.DataFrame, *, name: str, label: str, source: str, notice: str = ""
) -> ImageDataset:
    """Make a data set from a frame with the columns ``split``, ``image`` and the label's.

    Parameters
    ----------
    frame : DataFrame
        One row an example. An image is the bytes of a PNG or JPEG file, or an array of uint8 of
        shape (height, width) or (height, width, n_channels). A label is a str; classes are in
        alphabetical order.
    name, label, source, notice : str
        As in :class:`~stablib.data.Dataset`; ``label`` names the label column.

    Returns
    -------
    ImageDataset

    Raises
    ------
    UsageError
        If the frame has no row, or lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> grey = np.zeros((2, 2), dtype=np.uint8)
    >>> columns = {"split": ["train", "test"], "image": [grey, grey], "label": ["1", "0"]}
    >>> frame = pd.DataFrame(columns)
    >>> dots = from_image_frame(frame, name="dots", label="label", source="made up")
    >>> dots.gold["train"].tolist(), dots.pixels("test").shape
    ([1], (1, 2, 2, 1))
    """
    for column in ("split", "image", label):
        if column not in frame.columns:
            raise UsageError(f"frame: column {column!r} is missing (it has {list(frame.columns)})")
    if not len(frame):
        raise UsageError("frame: it has no rows (a data set needs one at least)")
    splits, images = frame["split"].tolist(), frame["image"].tolist()
    labels = [str(value) for value in frame[label]]
    refuse_others(splits, SPLITS, what="frame: column 'split'", error=UsageError)
    index = {value: k for k, value in enumerate(sorted(set(labels)))}
    rows = {s: [i for i, split in enumerate(splits) if split == s] for s in SPLITS if s in splits}
    return ImageDataset(
        name=name,
        label=label,
        label_names=tuple(index),
        texts=None,
        gold={s: np.array([index[labels[i]] for i in part], np.int64) for s, part in rows.items()},
        ids={split: place_ids(split, len(part)) for split, part in rows.items()},
        content_hash=image_hash(splits, images, labels),
        source=source,
        notice=notice,
        images={split: tuple(images[i] for i in part) for split, part in rows.items()},
    )


def image_hash(splits: Sequence[str], images: Sequence[Image], labels: Sequence[str]) -> str:
    """Hash of the rows (split, image as it is stored, label) in their order.

    Examples
    --------
    >>> image_hash(["train"], [b"png"], ["cat"])[:12]
    'a953f898694d'
    """
    digest = hashlib.sha256()
    for split, image, label in zip(splits, images, labels, strict=True):
        stored = image if isinstance(image, bytes) else repr(image.shape).encode() + image.tobytes()
        # Their lengths come first: bytes may be anything, so nothing could stand between them.
        for part in (split.encode(), stored, label.encode()):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def area_mean(pixels: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Shrink square images to a smaller side by the means of square areas.

    Parameters
    ----------
    pixels : ndarray, shape (n_examples, height, width, n_channels)
        Square images.
    side : int
        Height and width wanted; divides those of the images.

    Returns
    -------
    ndarray of float32, shape (n_examples, side, side, n_channels)

    Raises
    ------
    UsageError
        If the images are not square, or their side is no multiple of the one wanted.

    Examples
    --------
    >>> area_mean(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    n_examples, height, width, n_channels = pixels.shape
    if height != width or side < 1 or height % side:
        raise UsageError(
            f"side must divide the side of square images, got {side} for {height} x {width} pixels"
        )
    by_area = (n_examples, side, height // side, side, width // side, n_channels)
    return pixels.astype(np.float32).reshape(by_area).mean(axis=(2, 4))


def fitted(pixels: NDArray[np.uint8], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Give images that stand in for others their number of channels and their size.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (n_examples, height, width, n_channels)
    shape : tuple of int
        Channels, height and width wanted.

    Returns
    -------
    ndarray of uint8
        Each pixel is the nearest one; grey images are the same in every channel.

    Examples
    --------
    >>> fitted(np.array([[[[1], [2]], [[3], [4]]]], dtype=np.uint8), (1, 4, 4))[0, :, :, 0]
    array([[1, 1, 2, 2],
           [1, 1, 2, 2],
           [3, 3, 4, 4],
           [3, 3, 4, 4]], dtype=uint8)
    """
    n_channels, *size = shape
    rows, columns = (
        np.arange(n) * own // n for n, own in zip(size, pixels.shape[1:3], strict=True)
    )
    near = pixels[:, rows][:, :, columns]
    return near if near.shape[3] == n_channels else near[..., :1].repeat(n_channels, axis=3)


def _decoded(image: Image, name: str) -> NDArray[np.uint8]:
    """Pixels of an image, shape (height, width, n_channels)."""
    if isinstance(image, bytes):
        from PIL import Image as Pillow

        try:
            with Pillow.open(io.BytesIO(image)) as opened:
                image = np.asarray(opened if opened.mode in ("L", "RGB") else opened.convert("RGB"))
        except OSError as error:
            raise DataError(f"image {name} cannot be decoded: {error}") from error
    if image.ndim not in (2, 3) or image.dtype != np.uint8:
        raise DataError(
            f"image {name} must be pixels of uint8, shape (height, width) or (height, width, "
            f"n_channels), got {image.dtype} of shape {image.shape}"
        )
    return image if image.ndim == 3 else image[:, :, None]
