"""Named data sets."""

from stablib.data.checks import Check, Status, status, verify
from stablib.data.dataset import SPLITS, Dataset, content_hash, from_frame
from stablib.data.entries import ENTRIES, entry, pinned, stand_in
from stablib.data.images import ImageDataset
from stablib.data.interactions import Interactions
from stablib.data.notices import DataNotice
from stablib.data.registry import find_local, load
from stablib.data.schema import Entry, Hub

__all__ = [
    "ENTRIES",
    "SPLITS",
    "Check",
    "DataNotice",
    "Dataset",
    "Entry",
    "Hub",
    "ImageDataset",
    "Interactions",
    "Status",
    "content_hash",
    "entry",
    "find_local",
    "from_frame",
    "load",
    "pinned",
    "stand_in",
    "status",
    "verify",
]
