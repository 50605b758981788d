"""Run files: arrays and a JSON header in one npz, checked on reading, written atomically."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import lzma
import os
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stablib.errors import StoreError
from stablib.training.record import Arrays

_HEADER = "header"
_PLANES = "byte planes"


class DamagedFile(StoreError):
    """A run file that is truncated or altered. It is named, never believed."""


def write(path: Path, arrays: Arrays, header: dict[str, Any], *, published: bool = False) -> None:
    """Write a run file: complete under its name, or not at all.

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

    Raises
    ------
    StoreError
        If the file cannot be written (disk full, no permission); no partial file stays.
    """
    header = {**header, "checksums": {name: _checksum(array) for name, array in arrays.items()}}
    encoded = dict(arrays)
    if published:
        header[_PLANES] = {name: array.dtype.str for name, array in arrays.items()}
        encoded = {name: _to_planes(array) for name, array in arrays.items()}
    text = json.dumps(header, sort_keys=True)
    encoded[_HEADER] = np.frombuffer(text.encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    method = zipfile.ZIP_LZMA if published else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, array in encoded.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StoreError(f"cannot write run file {path}: {error.strerror or error}") from error


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read a run file and check it.

    Returns
    -------
    arrays : dict of str to ndarray
    header : dict

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedFile
        If it is truncated, altered or not a run file.
    StoreError
        If it cannot be read for another reason (permission, too many open files).
    """
    with _opened(path) as file:
        arrays: Arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        expected = header["checksums"]
        for name, dtype in header.pop(_PLANES, {}).items():
            arrays[name] = _from_planes(arrays[name], np.dtype(dtype))
    if {name: _checksum(array) for name, array in arrays.items()} != expected:
        raise DamagedFile(f"run file {path} is damaged (checksum differs)")
    return arrays, header


def read_header(path: Path) -> dict[str, Any]:
    """Read only the header of a run file; same errors as :func:`read`."""
    with _opened(path) as file:
        header: dict[str, Any] = json.loads(file[_HEADER].tobytes())
    return header


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a run file; whatever its bytes make the reader stumble over means damage."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read run file {path}: {error.strerror or error}") from error
    with stream:
        try:
            with np.load(stream, allow_pickle=False) as file:
                yield file
        # An altered zip header can claim encryption or unknown compression: RuntimeError.
        except (
            EOFError,
            KeyError,
            RuntimeError,
            TypeError,
            ValueError,
            lzma.LZMAError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise DamagedFile(f"run file {path} is damaged ({error})") from error
        except OSError as error:
            # A seek to an impossible place comes from altered bytes; anything else is the system.
            if error.errno == errno.EINVAL:
                raise DamagedFile(f"run file {path} is damaged ({error})") from error
            raise StoreError(f"cannot read run file {path}: {error.strerror}") from error


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
