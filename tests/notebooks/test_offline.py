"""The checks run without a network: the refusal works, and a notebook's kernel is under it too."""

import os
import socket
import subprocess
import sys

import pytest

from tests.repository.files import ROOT

OFFLINE = ROOT / "tests" / "offline"
# Addresses that are reserved for documentation: nobody is there.
REACH = {
    "a connection": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "a look-up": "import socket; socket.getaddrinfo('example.invalid', 80)",
    "a download": "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
}


@pytest.mark.parametrize("way", REACH)
def test_a_process_cannot_leave_this_machine(way):
    variables = {**os.environ, "PYTHONPATH": str(OFFLINE), "no_proxy": "*"}
    done = subprocess.run([sys.executable, "-c", REACH[way]], env=variables, capture_output=True, text=True)
    assert done.returncode != 0
    assert "the network is refused during tests" in done.stderr


def test_a_process_can_reach_itself():
    code = (
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(server.getsockname()).close()"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(OFFLINE)}, check=True)


def test_make_test_refuses_the_network():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert 'OFFLINE = PYTHONPATH="$(CURDIR)/tests/offline"' in makefile
    assert "$(OFFLINE) $(IN_VENV) $(PYTEST)" in makefile
    if str(OFFLINE) not in os.environ.get("PYTHONPATH", ""):
        pytest.skip("this run was not started by make test")
    with pytest.raises(OSError, match="refused during tests"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
