"""Arrays and a JSON header in one npz file: checked on reading, written atomically."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.atomic import replacing
from stablib.errors import StoreError

Arrays = dict[str, NDArray[Any]]

_HEADER = "header"
_PLANES = "byte planes"


class DamagedFile(StoreError):
    """A file that is truncated or altered. It is named, never believed."""


class Damaged(UserWarning):
    """A damaged file was found; it counts as missing."""


def write(
    path: Path,
    arrays: Arrays,
    header: dict[str, Any],
    *,
    published: bool = False,
    compress: bool = True,
) -> None:
    """Write a file: complete under its name, or not at all.

    Parameters
    ----------
    path : Path
        Target.
    arrays : dict of str to ndarray
        Arrays, of any numeric type.
    header : dict
        JSON values: recipe, plans, provenance.
    published : bool, default False
        Take many times as long for a file about a third smaller: lzma over byte planes.
    compress : bool, default True
        False for the weights of a large model, which are written often and hardly get smaller.

    Raises
    ------
    StoreError
        If the file cannot be written (disk full, no permission, an array of more than 2 GiB); no
        partial file stays.
    """
    largest = max((array.nbytes for array in arrays.values()), default=0)
    if largest > _LARGEST:
        raise StoreError(f"cannot write file {path}: an array of {largest:,} bytes is too large")
    header = {**header, "checksums": {name: _checksum(array) for name, array in arrays.items()}}
    encoded = dict(arrays)
    if published:
        header[_PLANES] = {name: array.dtype.str for name, array in arrays.items()}
        encoded = {name: _to_planes(array) for name, array in arrays.items()}
    text = json.dumps(header, sort_keys=True)
    encoded[_HEADER] = np.frombuffer(text.encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    smaller = zipfile.ZIP_LZMA if published else zipfile.ZIP_DEFLATED
    method = smaller if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, array in encoded.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    try:
        with replacing(path) as partial:
            partial.write_bytes(buffer.getbuffer())
    except OSError as error:
        raise StoreError(f"cannot write file {path}: {error.strerror or error}") from error


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read a file and check it.

    Returns
    -------
    arrays : dict of str to ndarray
    header : dict

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedFile
        If it is truncated, altered or no such file.
    StoreError
        If it cannot be read for another reason (permission, too many open files).
    """
    with _opened(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        arrays: Arrays = {name: _member(archive, name) for name in names}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        expected = header["checksums"]
        for name, dtype in header.pop(_PLANES, {}).items():
            arrays[name] = _from_planes(arrays[name], np.dtype(dtype))
    if {name: _checksum(array) for name, array in arrays.items()} != expected:
        raise DamagedFile(f"file {path} is damaged (checksum differs)")
    return arrays, header


def read_header(path: Path) -> dict[str, Any]:
    """Read only the header of a file; same errors as :func:`read`."""
    with _opened(path) as archive:
        header: dict[str, Any] = json.loads(_member(archive, _HEADER).tobytes())
    return header


#: Bytes of an array; a damaged header may claim any number.
_LARGEST = 2**31


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read an array of numbers, whose size must be what the archive says; nothing is unpickled."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"array {name!r} has format {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != info.file_size - member.tell() or size > _LARGEST:
            raise ValueError(f"array {name!r} of shape {shape} and type {dtype} is not what it was")
        flat = np.frombuffer(bytearray(member.read()), dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a file; whatever its bytes make the reader stumble over means damage."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read file {path}: {error.strerror or error}") from error
    with stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                yield archive
        except OSError as error:
            # A seek to an impossible place comes from altered bytes, and so does what a wrong
            # decompressor stumbles over; anything else is the system.
            if error.errno in (None, errno.EINVAL):
                raise DamagedFile(f"file {path} is damaged ({error})") from error
            raise StoreError(f"cannot read file {path}: {error.strerror}") from error
        # Altered bytes can claim encryption, another compression, any version or any shape.
        except Exception as error:
            raise DamagedFile(f"file {path} is damaged ({error})") from error


def _to_planes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bytes of equal significance side by side, runs last: what resembles each other is near."""
    runs_last = np.ascontiguousarray(np.moveaxis(array, 0, -1))
    return np.ascontiguousarray(np.moveaxis(runs_last[..., None].view(np.uint8), -1, 0))


def _from_planes(planes: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Undo :func:`_to_planes`."""
    runs_last = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(dtype)[..., 0]
    return np.ascontiguousarray(np.moveaxis(runs_last, -1, 0))


def _checksum(array: NDArray[Any]) -> str:
    """Hash of type, shape and bytes."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
