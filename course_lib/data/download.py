"""Downloading a data set so that nothing half done is ever left under its final name."""

import http.client
import os
import queue
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TIMEOUT = 5.0
"""Seconds that a server has to answer before it counts as out of reach."""


def unreachable(urls: Iterable[str]) -> str | None:
    """Why none of the addresses can be reached, found out within TIMEOUT seconds; None as soon as one of them answers.

    The question is asked in daemon threads, all at once: looking up a name is not bound by any socket's time-out and can hang
    for a minute on a machine without a network.
    """
    answers: queue.Queue[str | None] = queue.Queue()

    def ask(url: str) -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT).close()
            answers.put(None)
        except urllib.error.HTTPError as error:
            error.close()
            answers.put(None)  # it refuses this question, but it is there
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.put(str(getattr(error, "reason", error)))

    urls = list(urls)
    for url in urls:
        threading.Thread(target=ask, args=(url,), daemon=True).start()
    deadline = time.monotonic() + TIMEOUT
    reason: str | None = f"no answer within {TIMEOUT:g} s"
    for _ in urls:
        try:
            reason = answers.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            return reason
        if reason is None:
            return None
    return reason


@contextmanager
def socket_timeout(seconds: float) -> Iterator[None]:
    """Let every new socket give up after so many seconds without an answer, for the duration."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download_into(root: Path, folder: str, files: Iterable[str], fetch: Callable[[Path], object]) -> None:
    """Run ``fetch(temporary folder)`` and move the files that it made to ``root/folder``.

    The temporary folder lies in the root, so that each move is one atomic renaming. It is removed however this ends, also when
    the user interrupts it. Of two processes that download the same set, each moves whole files with the same contents.

    Args:
        root: the data root; made if it is not there.
        folder: where the files lie, both under the temporary folder and under the root.
        files: their names.
        fetch: downloads the set into the folder that it is given.
    """
    root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".download-", dir=root))
    try:
        with socket_timeout(4 * TIMEOUT):
            fetch(temporary)
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name in files:
            os.replace(temporary / folder / name, root / folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
