"""Download pinned files from the hub, or say within seconds that it is out of reach."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from stablib.errors import DataError

#: Seconds to wait for the hub's first answer before going on without it.
CONNECT_TIMEOUT = 4.0


def endpoint() -> str:
    """Address of the hub: ``HF_ENDPOINT`` or the public one."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def check_reachable() -> None:
    """Ask the hub for any answer once, without the client's long retries.

    Raises
    ------
    DataError
        If ``HF_HUB_OFFLINE`` is set or nothing answers within :data:`CONNECT_TIMEOUT`.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise DataError("the hub is switched off (HF_HUB_OFFLINE)")
    request = urllib.request.Request(endpoint(), method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT).close()
    except urllib.error.HTTPError:
        return  # It answered.
    except OSError as error:
        raise DataError(f"the hub at {endpoint()} cannot be reached ({error})") from error


def download(
    repo: str, filename: str, *, revision: str, sha256: str | None, cache: Path, kind: str
) -> Path:
    """Fetch one file of a pinned revision.

    Parameters
    ----------
    repo, filename, revision : str
        Which file; ``revision`` is a full commit.
    sha256 : str or None
        Expected checksum of the file; None where only the content hash of the data is pinned.
    cache : Path
        Folder of the hub's client.
    kind : {"dataset", "model"}
        Kind of repository.

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    DataError
        If it cannot be had or its checksum is wrong; a wrong file is not left in the cache.
    """
    try:
        path = hf_hub_download(
            repo,
            filename,
            repo_type=kind,
            revision=revision,
            cache_dir=cache,
            endpoint=endpoint(),
            etag_timeout=CONNECT_TIMEOUT,
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise DataError(f"{repo}/{filename} at {revision[:8]}: {error}") from error
    file = Path(path)
    if sha256 is not None:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != sha256:
            file.resolve().unlink()
            file.unlink(missing_ok=True)
            raise DataError(
                f"{repo}/{filename}: checksum {found[:12]} is not the pinned {sha256[:12]}; refused"
            )
    return file
