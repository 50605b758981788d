"""One pass over synthetic streams: data models, shuffling windows, pairs of small networks."""

from stablib.streams.data import DataModel
from stablib.streams.group import StreamGroup
from stablib.streams.pairs import obtain_pairs
from stablib.streams.recipe import StreamRecipe
from stablib.streams.training import train_pair

__all__ = [
    "DataModel",
    "StreamGroup",
    "StreamRecipe",
    "obtain_pairs",
    "train_pair",
]
