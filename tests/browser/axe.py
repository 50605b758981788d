"""What axe-core finds on a page that keeps someone from reading or using it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
#: Without its own request for the style sheets, which a page from a file may not make.
_RUN = "axe.run({ resultTypes: ['violations'], preload: false })"


@cache
def _script() -> str:
    if not _SCRIPT.is_file():
        reason = "needs axe-core (npm ci)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return _SCRIPT.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """Serious and critical findings, each with the rule and the element."""
    page.evaluate(_script())
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in page.evaluate(_RUN)["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
