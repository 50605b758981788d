"""Download pinned files from the hub, or say within seconds that it cannot be done.

Requests go out once, under limits of our own: the hub's client repeats them for minutes, and has no
setting for how often.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import urllib.error
import urllib.request
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlsplit

from stablib.errors import DataError, UsageError

#: Seconds to wait for the hub's first answer, and while it is silent, before going on without it.
CONNECT_TIMEOUT = 4.0

#: Seconds that one file may take; the largest has some 2 MB.
DOWNLOAD_LIMIT = 30.0

#: What a request can end in. A host name that cannot be encoded is a UnicodeError.
_FAILURES = (OSError, http.client.HTTPException, UnicodeError)


def endpoint() -> str:
    """Address of the hub: ``HF_ENDPOINT`` or the public one.

    Raises
    ------
    UsageError
        If ``HF_ENDPOINT`` is not an http or https address.
    """
    value = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise UsageError(f"HF_ENDPOINT is {value!r}, which is not an http:// or https:// address")
    return value.rstrip("/")


def is_switched_off() -> bool:
    """Whether ``HF_HUB_OFFLINE`` says not to use the hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def check_reachable() -> None:
    """Ask the hub for any answer once.

    Raises
    ------
    DataError
        If ``HF_HUB_OFFLINE`` is set or nothing answers within :data:`CONNECT_TIMEOUT`.
    UsageError
        If ``HF_ENDPOINT`` is not an address.
    """
    if is_switched_off():
        raise DataError("the hub is switched off (HF_HUB_OFFLINE)")
    try:
        _ask(urllib.request.Request(endpoint(), method="HEAD"), limit=CONNECT_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()  # It answered.
    except _FAILURES as error:
        raise DataError(f"the hub at {endpoint()} cannot be reached ({error})") from error


def download(repo: str, filename: str, *, revision: str, sha256: str | None, folder: Path) -> Path:
    """Fetch one file of a data set at a pinned revision.

    Parameters
    ----------
    repo, filename, revision : str
        Which file; ``revision`` is a full commit.
    sha256 : str or None
        Expected checksum of the file; None where only the content hash of the data is pinned.
    folder : Path
        Where to put it.

    Returns
    -------
    Path
        The file in the folder.

    Raises
    ------
    DataError
        If it cannot be had or its checksum is wrong; no file is left then.
    """
    from huggingface_hub import hf_hub_url  # Slow to import, and only needed to download.
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo, filename, repo_type="dataset", revision=revision, endpoint=endpoint())
    request = urllib.request.Request(url)
    for name, value in build_hf_headers().items():
        # They may hold the user's token, which must not follow a redirection to another host.
        request.add_unredirected_header(name, value)
    try:
        content = _ask(request, limit=DOWNLOAD_LIMIT)
    except _FAILURES as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise DataError(f"{repo}/{filename} at {revision[:8]}: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise DataError(
            f"{repo}/{filename}: checksum {found[:12]} is not the pinned {sha256[:12]}; refused"
        )
    file = folder / Path(filename).name
    file.write_bytes(content)
    return file


def _ask(request: urllib.request.Request, *, limit: float) -> bytes:
    """Send a request once and return the body of the answer, or raise one of ``_FAILURES``.

    The limit is kept by a thread: a socket's timeout bounds neither the look-up of a name, nor the
    attempts at several addresses, nor an answer that trickles.
    """
    answer: Future[bytes] = Future()

    def send() -> None:
        try:
            with urllib.request.urlopen(request, timeout=min(limit, CONNECT_TIMEOUT)) as response:
                answer.set_result(response.read())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=send, daemon=True).start()
    try:
        return answer.result(timeout=limit)
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"not done within {limit:g} s") from error
