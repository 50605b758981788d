"""One pass over synthetic streams: data models, shuffling windows, pairs of small networks."""

from stablib.streams.data import DataModel
from stablib.streams.pairs import STREAM_VERSION, StreamGroup, obtain_pairs, train_pair
from stablib.streams.recipe import StreamRecipe

__all__ = [
    "STREAM_VERSION",
    "DataModel",
    "StreamGroup",
    "StreamRecipe",
    "obtain_pairs",
    "train_pair",
]
