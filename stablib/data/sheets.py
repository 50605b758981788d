"""Label sheets: ids and gold labels of a published data set, without its texts.

With a sheet, published runs can be shown on a machine that has no data.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from stablib.data.dataset import SPLITS, Dataset
from stablib.data.registry import entry


def write_sheet(dataset: Dataset, folder: Path) -> Path:
    """Write the labels of a data set to ``<folder>/<name>-<label>.npz``."""
    path = folder / f"{dataset.name}-{dataset.label}.npz"
    header = {"label_names": dataset.label_names, "content_hash": dataset.content_hash}
    small = np.min_scalar_type(dataset.n_classes - 1)
    arrays: Any = {split: dataset.gold[split].astype(small) for split in SPLITS}
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial.npz")
    header_bytes = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez_compressed(partial, header=header_bytes, **arrays)
    partial.replace(path)
    return path


def read_sheet(name: str, label: str, folder: Path) -> Dataset | None:
    """Read the label sheet of a data set; None if there is none, or not for the pinned content."""
    item = entry(name)
    try:
        with np.load(folder / f"{name}-{label}.npz", allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            gold = {split: file[split].astype(np.int64) for split in SPLITS}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if header["content_hash"] != item.content[label]:
        return None
    return Dataset(
        name=name,
        label=label,
        label_names=tuple(header["label_names"]),
        texts=None,
        gold=gold,
        ids={split: tuple(f"{split}-{i}" for i in range(len(gold[split]))) for split in SPLITS},
        content_hash=header["content_hash"],
        source=f"{item.title}, published labels (texts are not at hand)",
    )
