"""Download pinned files from the hub, or say within seconds that it cannot be done.

Requests go out once, under limits of our own: the hub's client repeats them for minutes, and has no
setting for how often. Nor does it make the headers: to do so it asks the hub for a list of its own,
in every process, under no limit that we could set.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from stablib.errors import DataError, UsageError

T = TypeVar("T")

#: Seconds to wait for the hub's first answer, and while it is silent, before going on without it.
CONNECT_TIMEOUT = 4.0

#: Seconds that all files of a data set may take together, the first answer included. With what a
#: command needs to start, one that cannot have the data says so within 15 s.
DOWNLOAD_LIMIT = 10.0

#: Bytes that one file may have; the largest, CIFAR-10's training images, has some 120 MB.
SIZE_LIMIT = 256_000_000

#: What a request can end in. A redirection to what is no address is a ValueError, and so is a host
#: name that cannot be encoded.
_FAILURES = (OSError, http.client.HTTPException, ValueError)


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
        If nothing answers within :data:`CONNECT_TIMEOUT`.
    UsageError
        If ``HF_ENDPOINT`` is not an address.
    """
    request = urllib.request.Request(endpoint(), method="HEAD")
    try:
        _ask(request, limit=CONNECT_TIMEOUT, began=time.monotonic())
    except urllib.error.HTTPError as error:
        error.close()  # It answered.
    except _FAILURES as error:
        raise DataError(
            f"the hub at {endpoint()} cannot be reached ({_in_words(error)})"
        ) from error


def download(
    repo: str,
    files: Mapping[str, str],
    *,
    revision: str,
    sha256: Mapping[str, str],
    folder: Path,
    limit: float | None = None,
) -> dict[str, Path]:
    """Fetch the files of a data set at a pinned revision, all of them within one limit.

    Parameters
    ----------
    repo, revision : str
        Which repository; ``revision`` is a full commit.
    files : mapping of str to str
        Files by split.
    sha256 : mapping of str to str
        Expected checksums by split; none where only the content hash of the data is pinned.
    folder : Path
        Where to put them.
    limit : float, optional
        Seconds for all files together; :data:`DOWNLOAD_LIMIT` by default.

    Returns
    -------
    dict of str to Path
        The files in the folder, by split.

    Raises
    ------
    DataError
        If one cannot be had within the limit or its checksum is wrong.
    UsageError
        If ``HF_ENDPOINT`` is not an address.
    """
    began = time.monotonic()
    check_reachable()
    from huggingface_hub import hf_hub_url  # Slow to import, and only needed to download.

    headers = _headers()
    paths = {}
    for split, name in files.items():
        url = hf_hub_url(repo, name, repo_type="dataset", revision=revision, endpoint=endpoint())
        request = urllib.request.Request(url)
        for key, value in headers.items():
            # They may hold the user's token, which must not follow a redirection to another host.
            request.add_unredirected_header(key, value)
        try:
            content = _ask(request, limit=limit or DOWNLOAD_LIMIT, began=began)
        except _FAILURES as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise DataError(f"{repo}/{name} at {revision[:8]}: {_in_words(error)}") from error
        _check(content, sha256.get(split), name=f"{repo}/{name}")
        paths[split] = folder / Path(name).name
        paths[split].write_bytes(content)
    return paths


def _check(content: bytes, sha256: str | None, *, name: str) -> None:
    """Refuse a file that has another checksum than the pinned one, if one is pinned."""
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise DataError(f"{name}: checksum {found[:12]} is not the pinned {sha256[:12]}; refused")


def _headers() -> dict[str, str]:
    """Make the headers of a request, with the user's token if there is one.

    The pinned repositories are public. A token that cannot be had in time (the client may have to
    renew it over the network) is left out; a private mirror then says that it wants one.
    """
    from huggingface_hub import constants, get_token

    headers = {"User-Agent": "stablib"}
    if not constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        with contextlib.suppress(Exception):
            token = _within(CONNECT_TIMEOUT, get_token, began=time.monotonic())
            if token:
                headers["Authorization"] = f"Bearer {token}"
    return headers


def _ask(request: urllib.request.Request, *, limit: float, began: float) -> bytes:
    """Send a request once and return the body of the answer, or raise one of ``_FAILURES``."""

    def send() -> bytes:
        with urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT) as response:
            if not isinstance(response, http.client.HTTPResponse):
                raise OSError(f"redirected to {response.url}, which is not http")
            # Without a number, http.client sets aside as much memory as the answer claims to have.
            claimed = response.length or 0
            content = b"" if claimed > SIZE_LIMIT else response.read(SIZE_LIMIT + 1)
            missing = response.length or 0
        if max(claimed, len(content)) > SIZE_LIMIT:
            raise OSError(f"larger than the allowed {SIZE_LIMIT:,} bytes")
        if missing:
            raise http.client.IncompleteRead(content, missing)
        return content

    return _within(limit, send, began=began)


def _within(limit: float, call: Callable[[], T], *, began: float) -> T:
    """Return what a call returns, or give up ``limit`` seconds after ``began``.

    The limit is kept by a thread: a socket's timeout bounds neither the look-up of a name, nor the
    attempts at several addresses, nor an answer that trickles.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except Exception as error:
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return result.result(timeout=max(0.0, began + limit - time.monotonic()))
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"not done within {limit:g} s") from error


def _in_words(error: Exception) -> str:
    """Say on one line what a request ended in; a hub may send any text, and much of it."""
    words = " ".join(str(error).split())
    # What is no HTTP is an error with nothing but the text that came.
    if isinstance(error, http.client.HTTPException) or not words or not words.isprintable():
        words = repr(error)
    return textwrap.shorten(words, 200, placeholder=" ...")
