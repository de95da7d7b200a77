"""A report in a real browser: what axe finds, and whether anything is cut off."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

DEADLINE_MS = 120_000  # for what takes a second: on a busy machine nothing fails for being late
CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"
)


@contextmanager
def opened(page: Path, scheme: str, width: int):
    """Open a page in Chromium, light or dark, on a screen so wide, without any network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True
            )
            context.set_default_timeout(DEADLINE_MS)
            tab = context.new_page()
            tab.goto(page.resolve().as_uri())
            yield tab
        finally:
            browser.close()


def assert_axe_finds_nothing(page: Path, scheme: str, width: int) -> None:
    """Hold a page against axe's rules; the page must also fit the width of the screen."""
    with opened(page, scheme, width) as tab:
        found = Axe().run(tab)
        widest = tab.evaluate("document.documentElement.scrollWidth")
    assert not found.response["violations"], found.generate_report()
    assert widest <= width
