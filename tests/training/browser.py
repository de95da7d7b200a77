"""A report in a real browser: what axe finds, and whether anything is cut off."""

import shutil
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
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


def edges(tab, selector: str) -> dict:
    """Return the colours at both ends of an element, and how much of it is hidden beyond them.

    ``page`` is its colour where nothing is drawn: the colour of what it stands on.
    """
    element = tab.locator(selector).first
    element.scroll_into_view_if_needed()
    shot = Image.open(BytesIO(element.screenshot())).convert("RGB")
    hidden = element.evaluate("own => own.scrollWidth - own.clientWidth")
    behind = element.evaluate("own => getComputedStyle(own).backgroundColor")
    colour = tuple(int(part) for part in behind[4:-1].split(","))
    return {
        "hidden": hidden,
        "left": shot.getpixel((1, 3)),
        "right": shot.getpixel((shot.width - 2, 3)),
        "page": colour,
    }
