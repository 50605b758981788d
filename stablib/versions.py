"""Versions of the training code, part of every run's key.

They are raised by hand whenever a change alters results: runs of another version are not found
any more, and the store may delete them.
"""

#: Of runs on a data set.
TRAINING_VERSION = 1
#: Of pairs on a synthetic stream.
STREAM_VERSION = 1
