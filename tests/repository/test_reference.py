"""The reference pages are what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = runpy.run_path(str(REPOSITORY / "tools" / "write_reference.py"))["PAGES"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_are_current(name: str) -> None:
    page = (REPOSITORY / "docs" / "reference" / name).read_text()
    assert page == PAGES[name](), f"docs/reference/{name} is out of date: run `make docs`"
