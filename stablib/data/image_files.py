"""Read the data sets of images from their files into the columns split, image and label."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stablib.data.files import SPLIT_NAMES
from stablib.data.images import ImageDataset, from_image_frame
from stablib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: Names of CIFAR-10's classes by their number.
CIFAR_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_DIGITS = tuple(map(str, range(10)))


def read_cifar10(path: Path) -> pd.DataFrame:
    """Read CIFAR-10 from a parquet file of JPEGs (columns split, label, jpeg)."""
    table = _columns(path, ("split", "label", "jpeg"))
    return _frame(table["split"], table["jpeg"], table["label"], CIFAR_CLASSES, path)


def read_mnist(path: Path) -> pd.DataFrame:
    """Read MNIST from the arrays x_train, y_train, x_test and y_test of an npz file.

    Raises
    ------
    DataError
        If the file is no such file.
    """
    import pandas as pd

    parts = []
    try:
        with np.load(path) as arrays:
            for split in ("train", "test"):
                images, numbers = arrays[f"x_{split}"], arrays[f"y_{split}"].tolist()
                if images.ndim != 3 or images.dtype != np.uint8:
                    raise DataError(
                        f"{path.name}: x_{split} must be pixels of uint8, shape (n_images, height, "
                        f"width), got {images.dtype} of shape {images.shape}"
                    )
                parts.append(_frame([split] * len(numbers), list(images), numbers, _DIGITS, path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path.name}: not the npz file it should be ({error})") from error
    return pd.concat(parts, ignore_index=True)


def read_cifar10_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's parquet files of PNGs (columns img, label)."""
    return _from_hub(paths, "img", CIFAR_CLASSES)


def read_mnist_hub(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Read the hub's parquet files of PNGs (columns image, label)."""
    return _from_hub(paths, "image", _DIGITS)


def digits() -> ImageDataset:
    """Return scikit-learn's 1,797 handwritten digits of 8 x 8 pixels; every fourth is for testing.

    Raises
    ------
    DataError
        If scikit-learn is not installed.
    """
    import pandas as pd

    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError(
            "the handwritten digits need scikit-learn: pip install scikit-learn"
        ) from None
    bunch = load_digits()
    # Grey levels from 0 to 16 in steps that fill a byte.
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)
    frame = pd.DataFrame(
        {
            "split": np.where(np.arange(len(images)) % 4 == 3, "test", "train"),
            "image": list(images),
            "label": [str(k) for k in bunch.target],
        }
    )
    return from_image_frame(
        frame, name="digits", label="label", source="handwritten digits of scikit-learn"
    )


def _from_hub(paths: Mapping[str, Path], column: str, names: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for split, path in paths.items():
        table = _columns(path, (column, "label"))
        try:
            images = [image["bytes"] for image in table[column]]
        except (TypeError, KeyError) as error:
            raise DataError(f"{path.name}: images are no bytes ({error})") from error
        parts.append(
            _frame([SPLIT_NAMES[split]] * len(images), images, table["label"], names, path)
        )
    return pd.concat(parts, ignore_index=True)


def _columns(path: Path, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    """Columns of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name}: not a readable parquet file ({error})") from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise DataError(f"{path.name}: column {missing[0]!r} is missing")
    return {column: table.column(column).to_pylist() for column in columns}


def _frame(
    splits: list[str], images: list[Any], numbers: list[int], names: tuple[str, ...], path: Path
) -> pd.DataFrame:
    """Make the frame; labels are given by their numbers."""
    import pandas as pd

    wrong = next((n for n in numbers if n not in range(len(names))), None)
    if wrong is not None:
        raise DataError(f"{path.name}: label {wrong!r} (allowed: 0 to {len(names) - 1})")
    labels = [names[number] for number in numbers]
    return pd.DataFrame({"split": splits, "image": images, "label": labels})
