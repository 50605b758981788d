"""Named data sets."""

from stablib.data.dataset import SPLITS, Dataset, content_hash, from_frame
from stablib.data.registry import ENTRIES, DataNotice, Entry, entry, load, stand_in

__all__ = [
    "ENTRIES",
    "SPLITS",
    "DataNotice",
    "Dataset",
    "Entry",
    "content_hash",
    "entry",
    "from_frame",
    "load",
    "stand_in",
]
