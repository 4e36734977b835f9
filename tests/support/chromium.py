"""A real browser, headless; a test that needs it skips where there is none, and says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def find_chromium() -> str | None:
    """Return the path of a browser on this machine."""
    given = os.environ.get("DRIFTWISE_CHROMIUM")
    return given or next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium_page(**options: object) -> Iterator[Page]:
    """Open a fresh browser with one page, which fails the test when a script on it fails.

    Args:
        options: of Playwright's browser context: `color_scheme`, `viewport`.
    """
    with open_page(**options) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
        yield page
        assert problems == [], "a script of the page failed, or its policy stopped one"


@contextmanager
def open_page(**options: object) -> Iterator[Page]:
    """Open a fresh browser with one page, on which anything may fail.

    Args:
        options: as above.
    """
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install it, or set DRIFTWISE_CHROMIUM to one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield browser.new_context(**options).new_page()  # type: ignore[arg-type]  # passed on as they are
        finally:
            browser.close()


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture of a page where DRIFTWISE_PICTURES says, for whoever wants to look."""
    folder = os.environ.get("DRIFTWISE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
