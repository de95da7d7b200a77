"""The documentation page: complete, safe, and readable by everyone."""

import base64
import hashlib
import json
import re
import shlex
import shutil
from dataclasses import replace
from itertools import pairwise

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from app import create_app
from app.documentation import docs_page
from tests.app.serving import serving
from tests.factories import TINY_FEATURES, renamed, write_tiny_artifact
from tests.training.browser import edges

HTML = "{http://www.w3.org/1999/xhtml}"
A4_WIDTH = 718  # CSS pixels between margins of 1 cm
CHROMIUM = shutil.which("chromium")


@pytest.fixture
def response(client):
    """Return the answer of /docs."""
    return client.get("/docs")


@pytest.fixture
def page(response):
    """Return the page as a strict parser reads it."""
    return parsed(response)


def parsed(response):
    """Parse an answer; what is not valid HTML raises."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True)
    return parser.parse(response.text)


def text_of(element):
    """Return the text of an element without superfluous space."""
    return " ".join("".join(element.itertext()).split())


def rows_of(page, section):
    """Return the texts of the table rows of a section."""
    (found,) = (e for e in page.iter(f"{HTML}section") if e.get("aria-labelledby") == section)
    return [[text_of(cell) for cell in row] for row in found.iter(f"{HTML}tr")]


def commands_of(page):
    """Return the curl commands of the page as a shell splits them."""
    texts = ["".join(code.itertext()) for code in page.iter(f"{HTML}code")]
    return [shlex.split(t)[t.startswith("URL=") :] for t in texts if "curl -s" in t]


@pytest.mark.parametrize("mount", ["", "/fraud"])
def test_bare_address_leads_to_the_page_below_the_mount_path(client, mount):
    found = client.get("/", environ_overrides={"SCRIPT_NAME": mount})

    assert found.status_code == 302
    assert found.location == f"{mount}/docs"


def test_page_is_html_that_no_other_host_takes_part_in(response, page):
    assert response.content_type == "text/html; charset=utf-8"
    assert not re.findall(
        r"<script|<link|<img|<iframe|\ssrc=|@import|url\(|\son\w+=", response.text
    )
    for link in page.iter(f"{HTML}a"):
        assert link.get("href").startswith("#") or link.get("href") == "openapi.json"


def test_policy_allows_the_style_of_the_page_and_nothing_else(response, page):
    (style,) = page.iter(f"{HTML}style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()

    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["Content-Security-Policy"].split(";")
    )

    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_page_shows_every_feature_with_unit_and_range(page, champion):
    rows = {row[0]: row[1:] for row in rows_of(page, "features")}

    for feature in champion.artifact.scorer.spec.features:
        kind, unit, _, missing, *_ = rows[feature.name]
        assert kind == feature.kind
        assert unit == (feature.unit or "")
        assert missing == ("allowed" if feature.nullable else "refused")
    low, high = champion.artifact.scorer.spec.features[0].seen
    assert rows["Amount"][2] == "≥ 0"
    assert rows["Amount"][4] == f"{low:,.10g} to {high:,.10g}".replace("\n", " ")
    assert rows["merchant_category"][-1] == "grocery, travel, games"


def test_page_shows_every_route_status_and_schema(client, page):
    document = client.get("/openapi.json").get_json()

    headings = {text_of(heading) for heading in page.iter(f"{HTML}h3")}
    statuses = [row[0] for row in rows_of(page, "problems")[1:]]

    for path, methods in document["paths"].items():
        assert {f"{method.upper()} {path}" for method in methods} <= headings
    assert set(document["components"]["schemas"]) <= headings
    assert statuses == sorted(
        name.removeprefix("Problem") for name in document["components"]["responses"]
    )


def test_commands_of_the_page_work(client, page):
    commands = commands_of(page)

    assert len(commands) == 7
    for _, _, url, *_, body in commands:
        response = client.post(url.removeprefix("$URL"), data=body, content_type="application/json")
        assert response.status_code == 200


def test_names_that_look_like_markup_or_quotes_stay_text(tmp_path):
    hostile = '<b>O\'Brien</b> & "$(reboot)"'
    features = list(renamed(TINY_FEATURES, V1=hostile))
    features[4] = replace(features[4], categories=(hostile, "travel", "games"))
    write_tiny_artifact(tmp_path, features=tuple(features))
    client = create_app({"MODEL_DIR": tmp_path}).test_client()

    page = parsed(client.get("/docs"))

    assert not list(page.iter(f"{HTML}b"))
    assert hostile in [row[0] for row in rows_of(page, "features")]
    for _, _, url, *_, body in commands_of(page):
        assert hostile in json.dumps(json.loads(body), ensure_ascii=False).replace('\\"', '"')
        response = client.post(url.removeprefix("$URL"), data=body, content_type="application/json")
        assert response.status_code == 200


def test_page_can_be_read_without_seeing_it(page):
    levels = [int(e.tag[-1]) for e in page.iter() if re.fullmatch(rf"{HTML}h[1-6]", str(e.tag))]
    identifiers = [e.get("id") for e in page.iter() if e.get("id")]

    assert page.get("lang") == "en"
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(identifiers) == len(set(identifiers))
    for landmark in ("header", "nav", "main"):
        assert len(list(page.iter(f"{HTML}{landmark}"))) == 1
    for cell in page.iter(f"{HTML}th"):
        assert cell.get("scope") in ("row", "col")
    for link in page.iter(f"{HTML}a"):
        assert link.get("href") == "openapi.json" or link.get("href")[1:] in identifiers


@pytest.fixture(scope="module")
def browser():
    """Return a running Chromium; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the path (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_page_in_a_browser_fits_the_screen_and_axe_finds_nothing(app, browser, scheme, width):
    with serving(app) as url:
        tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        complaints = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(f"{url}/docs")

        widest = tab.evaluate("document.documentElement.scrollWidth")
        page_width = tab.evaluate("getComputedStyle(document.body).maxWidth")
        found = Axe().run(tab)
        tab.emulate_media(media="print")
        tab.set_viewport_size({"width": A4_WIDTH, "height": 1000})
        widest_in_print = tab.evaluate("document.documentElement.scrollWidth")
        tab.close()

    assert not found.response["violations"], found.generate_report()
    assert widest <= width
    assert widest_in_print <= A4_WIDTH
    assert page_width == "1152px"  # the style sheet passed the policy
    assert not [text for text in complaints if "Content Security Policy" in text]


def test_sentences_end_once(response):
    assert not re.search(r"[?!.]\.\s", re.sub(r"<pre.*?</pre>", "", response.text, flags=re.DOTALL))


def test_thousands_of_years_are_not_separated():
    assert docs_page._shown(1996.0) == "1996"
    assert docs_page._shown(12_000) == "12,000"


@pytest.mark.parametrize("selector", ["nav", "section > .wide"])
def test_what_is_wider_than_a_phone_scrolls_and_shows_it(app, browser, selector):
    with serving(app) as url:
        tab = browser.new_page(viewport={"width": 320, "height": 900})
        tab.goto(f"{url}/docs")
        before = edges(tab, selector)
        tab.locator(selector).first.evaluate("own => { own.scrollLeft = 10_000 }")
        after = edges(tab, selector)
        tab.close()

    assert before["hidden"] > 0
    assert (before["left"], after["right"]) == (before["page"], before["page"])
    assert before["page"] not in (before["right"], after["left"])
