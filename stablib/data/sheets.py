"""Label sheets: ids and gold labels of a published data set, without its texts.

With a sheet, published runs can be shown on a machine that has no data.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from stablib import files
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
    gold = dataset.published_gold
    files.write(path, {split: labels.astype(small) for split, labels in gold.items()}, header)
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
        Without texts; None if there is no sheet, or none for the pinned content. A damaged one is
        named in a warning.

    Raises
    ------
    UsageError
        If the name or the label is unknown.
    """
    item = entry(name)
    pinned = item.content.get(item.chosen(label))
    try:
        arrays, header = files.read(folder / f"{name}-{label}.npz")
    except FileNotFoundError:
        return None
    except files.DamagedFile as error:
        warnings.warn(f"{error}; it counts as missing", files.Damaged, stacklevel=2)
        return None
    if header.get("content_hash") != pinned:
        return None
    gold = {split: arrays[split].astype(np.int64) for split in SPLITS if split in arrays}
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
