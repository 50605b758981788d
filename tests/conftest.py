"""Shared fixtures: caches of their own, and real data where it is at hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stablib.training import keep_freed_memory

ROOT = Path(__file__).parent.parent

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many workers as cores: torch's threads would wait for one another. It reads this
    # when it is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    keep_freed_memory()


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of texts, which take an encoder half a minute, are made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "features"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    features: Path,
) -> Path:
    """Keep tests out of the user's cache: theirs is empty, but for features in slow ones."""
    folder = tmp_path_factory.mktemp("cache")
    if request.node.get_closest_marker("slow"):
        (folder / "features").symlink_to(features)
    monkeypatch.setenv("STABLIB_CACHE", str(folder))
    return folder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as a checkout, so that the real one's _build stays as it is."""
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True, scope="session")
def audible_ctrl_c() -> Iterator[None]:
    """Hear Ctrl-C: a background job is started deaf to it, and its children inherit that."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def real_data() -> Path:
    """Folder of the real data; without it the test is skipped, in CI it fails."""
    value = os.environ.get("STABLIB_DATA")
    if value and Path(value).is_dir():
        return Path(value)
    if os.environ.get("CI"):
        pytest.fail("STABLIB_DATA is not set: CI must run the tests on real data")
    pytest.skip("needs the real data in STABLIB_DATA")
