"""The browser of this machine, and what a page of it has to complain about."""

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_A_MAC = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
OPTIONS += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
INSTALL = (
    "no Chromium here, so JupyterLab was not tried in a browser. To have it tried: `apt-get install chromium` as root on Debian, "
    "or `.venv/bin/python -m playwright install --with-deps chromium` elsewhere, then make test-browser"
)
# The badge at the top of each notebook is Colab's picture: the only thing that a page asks of the world outside.
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def find_chromium(playwright) -> str | None:
    """The program to start: the machine's own, or the one that `playwright install` has downloaded; None if there is none."""
    programs = [*filter(None, map(shutil.which, NAMES)), *ON_A_MAC, playwright.chromium.executable_path]
    return next((program for program in programs if Path(program).is_file()), None)


class Complaints:
    """Listens to a page: errors in its scripts, and requests to other machines, which are refused."""

    def __init__(self, page, port: int) -> None:
        self.errors: list[str] = []
        self.outside: list[str] = []
        self._here = (f"http://127.0.0.1:{port}/", "data:", "blob:")
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**/*", self._let_pass)

    def _let_pass(self, route) -> None:
        url = route.request.url
        if url.startswith(self._here):
            route.continue_()
            return
        if url != BADGE:
            self.outside.append(url)
        route.abort()
