"""A JupyterLab and a browser for the tests of a file; a picture of the page and the server's log where one fails."""

import re
import shutil

import ipywidgets
import pytest
from packaging.version import Version

from tests.browser.chromium import INSTALL, OPTIONS, Complaints, find_chromium
from tests.browser.lab import Lab
from tools.files import ROOT

# Ignored by git, as everything in build/.
FAILURES = ROOT / "build" / "browser"
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="module")
def chromium():
    """A headless browser."""
    if Version(ipywidgets.__version__).major < 8:
        pytest.skip("JupyterLab 4 shows the widgets of ipywidgets 8 alone; version 7 is what Colab has")
    api = pytest.importorskip("playwright.sync_api", reason="no playwright here, so no browser was tried: make environment")
    with api.sync_playwright() as playwright:
        program = find_chromium(playwright)
        if program is None:
            pytest.skip(INSTALL)
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    """JupyterLab on an empty folder."""
    with Lab(tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture
def page(lab, chromium, request):
    """A fresh page, without cookies. It must neither break nor ask other machines for anything."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    complaints = Complaints(page, lab.port)
    yield page
    if request.node.stash.get(FAILED, False):
        FAILURES.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        page.screenshot(path=FAILURES / f"{name}.png")
        shutil.copy2(lab.log, FAILURES / f"{name}.log")
        print(f"what the page looked like: {FAILURES / name}.png")
    page.close()
    lab.end_kernels()
    assert not complaints.errors, f"errors in the page's scripts: {complaints.errors}"
    assert not complaints.outside, f"the page asks other machines: {complaints.outside}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
