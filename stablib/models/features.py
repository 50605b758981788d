"""Frozen encoder features of texts, cached on disk by content."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from stablib import files
from stablib.models.encoders import Encoder
from stablib.models.tokens import Ragged, tokenize
from stablib.models.transformer import hidden_states, load_encoder


def features(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    cache: Path | None = None,
    pause: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Mean of each text's last hidden states.

    Parameters
    ----------
    encoder : Encoder
        A pretrained encoder.
    texts : sequence of str, length n_texts
        Texts.
    cache : Path, optional
        Folder in which features are kept under a hash of encoder and texts.
    pause : callable, optional
        Called between batches; may raise.

    Returns
    -------
    ndarray of float32, shape (n_texts, width)
        Not normalised.
    """
    if cache is None:
        return _mean_pooled(encoder, texts, pause)
    made_of = hashlib.sha256("\x1e".join([encoder.checksum, *texts]).encode()).hexdigest()
    path = cache / f"{encoder.name}-{made_of[:16]}.npz"
    cache.mkdir(parents=True, exist_ok=True)
    # Other processes that want the same wait for them instead of making them too.
    with FileLock(path.with_suffix(".lock")):
        found = _read(path, made_of)
        if found is None:
            found = _mean_pooled(encoder, texts, pause)
            files.write(path, {"features": found}, {"made of": made_of}, compress=False)
    return found


def _read(path: Path, made_of: str) -> NDArray[np.float32] | None:
    """Features from the cache; None if they are not there, or with a warning if damaged."""
    try:
        arrays, header = files.read(path)
        if header.get("made of") != made_of:
            raise files.DamagedFile(f"file {path} is damaged (it holds features of other texts)")
        return arrays["features"]
    except FileNotFoundError:
        return None
    except files.DamagedFile as error:
        warnings.warn(f"{error}; it is made again", files.Damaged, stacklevel=2)
        return None


def _mean_pooled(
    encoder: Encoder, texts: Sequence[str], pause: Callable[[], object]
) -> NDArray[np.float32]:
    network = load_encoder(encoder.folder)
    states: Ragged = hidden_states(network, tokenize(encoder, texts), pause=pause)
    sums = np.add.reduceat(states.values, states.starts[:-1], axis=0)
    return (sums / states.lengths[:, None]).astype(np.float32)
