"""Shared fixtures: caches of their own, and real data where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep tests out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STABLIB_CACHE", str(folder))
    return folder


@pytest.fixture
def real_data() -> Path:
    """Folder of the real data; without it the test is skipped, in CI it fails."""
    value = os.environ.get("STABLIB_DATA")
    if value and Path(value).is_dir():
        return Path(value)
    if os.environ.get("CI"):
        pytest.fail("STABLIB_DATA is not set: CI must run the tests on real data")
    pytest.skip("needs the real data in STABLIB_DATA")
