"""The pages: every one loads in a real browser, asks no other machine, and is whole at two widths."""

import functools
import html.parser
import http.server
import importlib.util
import os
import threading
import urllib.parse

import pytest

from tests.browser.chromium import INSTALL, OPTIONS, Complaints, find_chromium
from tests.repository.files import NOTEBOOKS

pytestmark = [
    pytest.mark.skipif(not os.environ.get("COURSE_SITE"), reason="the pages have a command of their own: make test-site"),
    pytest.mark.skipif(importlib.util.find_spec("sphinx_book_theme") is None, reason="the extra [site] is missing: make site"),
]
IN_THE_PAGE = """
() => {
const edge = document.documentElement.clientWidth + 1;
const scrolls = (part) => part && (/auto|scroll/.test(getComputedStyle(part).overflowX) || scrolls(part.parentElement));
const words = [...document.querySelectorAll(".bd-article :is(p, li, code, summary, img)")];
return {
  formulas: document.querySelectorAll("div.math, span.math").length,
  typeset: document.querySelectorAll("div.math > mjx-container, span.math > mjx-container").length,
  wrong: document.querySelectorAll("mjx-merror, [data-mml-node=merror]").length,
  silent: [...document.images].filter((image) => !image.alt.trim()).map((image) => image.src),
  broken: [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  cut: words.filter((part) => part.getBoundingClientRect().right > edge && !scrolls(part)).map((part) => part.textContent),
};
}
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that keeps no log."""

    def log_message(self, *arguments):
        pass


class Page(html.parser.HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        self.links += [values[key] for key in ("href", "src") if values.get(key)]


@pytest.fixture(scope="module")
def pages():
    """The folder of the pages, built anew."""
    from tools.site import HTML, build

    build()
    return HTML


@pytest.fixture(scope="module")
def port(pages):
    """A server of the pages on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(pages))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """A headless browser."""
    api = pytest.importorskip("playwright.sync_api", reason="no playwright here: make environment")
    with api.sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            pytest.skip(INSTALL)
        started = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield started
        started.close()


def test_every_notebook_has_a_page_and_a_card(pages):
    index = (pages / "index.html").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        assert (pages / "notebooks" / f"{path.stem}.html").is_file()
        assert index.count(f'<a href="notebooks/{path.stem}.html"><img ') == 1


def test_animations_still_play(pages):
    moving = [path for path in (pages / "_images").glob("*.png") if b"acTL" in path.read_bytes()[:200]]
    # Each notebook has at least one.
    assert len(moving) >= len(NOTEBOOKS)


def test_every_link_inside_leads_somewhere(pages):
    parsed = {path: Page(path.read_text(encoding="utf-8")) for path in pages.rglob("*.html") if "_static" not in path.parts}
    assert len(parsed) > len(NOTEBOOKS)
    wrong = []
    for path, page in parsed.items():
        for address in page.links:
            parts = urllib.parse.urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            anchor = urllib.parse.unquote(parts.fragment)
            known = target.is_file() and (not anchor or target not in parsed or anchor in parsed[target].anchors)
            if not known and address != "#":
                wrong.append(f"{path.relative_to(pages)}: {address}")
    assert not wrong


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_loads_whole_and_asks_nobody_else(pages, port, browser, width):
    faults = []
    for path in sorted(pages.rglob("*.html")):
        name = path.relative_to(pages).as_posix()
        if "_static" in path.parts or name in ("genindex.html", "py-modindex.html"):
            continue
        page = browser.new_page(viewport={"width": width, "height": 900})
        complaints = Complaints(page, port)
        page.goto(f"http://127.0.0.1:{port}/{name}", wait_until="load")
        if page.evaluate("() => document.querySelectorAll('div.math, span.math').length"):
            page.wait_for_function("() => window.MathJax?.startup?.promise")
            page.evaluate("() => MathJax.startup.promise.then(() => true)")
        seen = page.evaluate(IN_THE_PAGE)
        if seen.pop("formulas") != seen.pop("typeset"):
            faults.append(f"{name}: not every formula is typeset")
        faults += [f"{name}: {key} {value}" for key, value in seen.items() if value]
        faults += [f"{name}: {what}" for what in complaints.errors + complaints.outside]
        page.close()
    assert not faults


def test_a_word_is_found(pages, port, browser):
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/search.html?q=convolution")
    page.wait_for_selector("#search-results li p.context", timeout=20_000)
    assert page.locator("#search-results li a").count() > 3
    # What is shown of a page is its text, not the names of the buttons around it.
    assert not [words for words in page.locator("#search-results p.context").all_text_contents() if "System Settings" in words]
    page.close()


def test_a_slider_changes_the_picture(pages, port, browser):
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/frames.html")
    for frames in page.locator(".frames").all():
        shown = frames.locator("img:not([hidden])")
        before = shown.get_attribute("src")
        assert before.endswith("_00.png") and frames.locator("output").text_content().startswith("step 1 of ")
        frames.locator("input").press("ArrowRight")
        assert shown.count() == 1 and shown.get_attribute("src") != before
        assert frames.locator("output").text_content().startswith("step 2 of ")
        assert shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }")
    page.close()
