"""Label sheets: ids and gold labels of a published data set, without its texts.

With a sheet, published runs can be shown on a machine that has no data.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from stablib.atomic import replacing
from stablib.data.dataset import SPLITS, Dataset, place_ids
from stablib.data.entries import entry


def write_sheet(dataset: Dataset, folder: Path) -> Path:
    """Write the labels of a data set to ``<folder>/<name>-<label>.npz``.

    Parameters
    ----------
    dataset : Dataset
        With the ids that its places give, such as ``"test-0"``: a sheet does not hold them.
    folder : Path
        Made if need be.

    Returns
    -------
    Path
        The file.
    """
    path = folder / f"{dataset.name}-{dataset.label}.npz"
    header = {"label_names": dataset.label_names, "content_hash": dataset.content_hash}
    small = np.min_scalar_type(dataset.n_classes - 1)
    arrays: Any = {split: gold.astype(small) for split, gold in dataset.gold.items()}
    header_bytes = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, header=header_bytes, **arrays)
    return path


def read_sheet(name: str, label: str, folder: Path) -> Dataset | None:
    """Read the label sheet of a data set.

    Parameters
    ----------
    name, label : str
        Data set and kind of label.
    folder : Path
        Where :func:`write_sheet` put it.

    Returns
    -------
    Dataset or None
        Without texts; None if there is no sheet, or none for the pinned content.

    Raises
    ------
    UsageError
        If the name or the label is unknown.
    """
    item = entry(name)
    pinned = item.content[item.chosen(label)]
    try:
        # numpy leaves a damaged file open that it opened itself.
        with (
            (folder / f"{name}-{label}.npz").open("rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):
            header = json.loads(file["header"].tobytes())
            gold = {s: file[s].astype(np.int64) for s in SPLITS if s in file.files}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if header["content_hash"] != pinned:
        return None
    return Dataset(
        name=name,
        label=label,
        label_names=tuple(header["label_names"]),
        texts=None,
        gold=gold,
        ids={split: place_ids(split, len(labels)) for split, labels in gold.items()},
        content_hash=header["content_hash"],
        source=f"{item.title}, published labels (texts are not at hand)",
    )
