"""The documentation site builds strictly, its links lead somewhere, and it fetches nothing."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES_OUTSIDE = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "models").rglob("*.md")),
    *sorted((REPOSITORY / "ros2_ws" / "src").glob("*/README.md")),
]


class Links(HTMLParser):
    """What a page points to, what it loads, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.targets.append(values["href"])
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(values["href"])
        elif tag in ("script", "img", "iframe", "source") and "src" in values:
            self.loaded.append(values["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Links]:
    """All pages of the site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    command = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return {page: Links(page) for page in folder.rglob("*.html")}


def test_every_page_is_in_the_site(site: dict[Path, Links]) -> None:
    names = {page.stem for page in site}
    assert {page.stem for page in (REPOSITORY / "docs").rglob("*.md")} <= names


def test_links_and_anchors_of_the_site_lead_somewhere(site: dict[Path, Links]) -> None:
    followed = 0
    for page, links in site.items():
        if page.name == "404.html":
            continue  # its links are those of the server's root
        for target in [*links.targets, *links.loaded]:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert there.exists(), f"{page.name}: {target}"
            if parts.fragment and there.suffix == ".html":
                assert unquote(parts.fragment) in site[there].anchors, f"{page.name}: {target}"
            followed += 1
    assert followed > 500


def test_the_site_fetches_nothing_from_elsewhere(site: dict[Path, Links]) -> None:
    for page, links in site.items():
        assert links.loaded
        for target in links.loaded:
            assert not urlsplit(target).netloc, f"{page.name}: {target}"


def anchors(markdown: str) -> set[str]:
    """The anchors that code hosts give the headings of a page."""
    text = re.sub(r"```.*?```", "", markdown, flags=re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES_OUTSIDE, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_links_of_pages_outside_the_site_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        there = (page.parent / parts.path).resolve() if parts.path else page
        assert there.exists(), target
        if parts.fragment and there.suffix == ".md":
            assert parts.fragment in anchors(there.read_text()), target


def test_paths_to_pages_in_code_and_configuration_exist() -> None:
    """Comments, error texts and scripts name pages by their path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.yaml", "*.md", "*.toml", "*.bash", "*.txt", "Makefile"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        file = REPOSITORY / name
        if not file.is_file():
            continue
        for path in re.findall(r"\bdocs/[\w/]+\.md\b", file.read_text()):
            assert (REPOSITORY / path).exists(), f"{name}: {path}"
