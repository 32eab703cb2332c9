"""Downloading a data set so that nothing half done is ever left under its final name."""

import http.client
import os
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

TIMEOUT = 5.0
"""Seconds that a server has to answer before it counts as out of reach."""


def unreachable(urls: Iterable[str]) -> str | None:
    """Why none of the addresses can be reached within TIMEOUT seconds; None where one answers.

    The question is asked in daemon threads, all at once: looking up a name is not bound by any
    socket's time-out and can hang for a minute on a machine without a network.
    """
    answers: list[str | None] = []

    def ask(url: str) -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT).close()
            answers.append(None)
        except urllib.error.HTTPError as error:
            error.close()
            answers.append(None)  # it refuses this question, but it is there
        except (OSError, ValueError, http.client.HTTPException) as error:
            answers.append(str(error))

    threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
    deadline = time.monotonic() + TIMEOUT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return None if None in answers else (answers or [f"no answer within {TIMEOUT:g} s"])[0]


def download_into(root: Path, folder: str, files: Iterable[str], fetch: Callable[[Path], object]) -> None:
    """Run ``fetch(temporary folder)`` and move the files that it made to ``root/folder``.

    The temporary folder lies in the root, so that each move is one atomic renaming. It is removed
    however this ends, also when the user interrupts it. Of two processes that download the same
    set, each moves whole files with the same contents.

    Args:
        root: the data root; made if it is not there.
        folder: where the files lie, both under the temporary folder and under the root.
        files: their names.
        fetch: downloads the set into the folder that it is given.
    """
    root.mkdir(parents=True, exist_ok=True)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(4 * TIMEOUT)  # of every new socket: it gives up where nothing comes any more
    try:
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root, ignore_cleanup_errors=True) as temporary:
            fetch(Path(temporary))
            (root / folder).mkdir(parents=True, exist_ok=True)
            for name in files:
                os.replace(Path(temporary, folder, name), root / folder / name)
    finally:
        socket.setdefaulttimeout(before)
