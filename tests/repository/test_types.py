"""The type annotations of the package say what is so, as far as mypy can tell."""

import subprocess
import sys

from tests.repository.files import ROOT


def test_mypy_finds_nothing_wrong():
    """With the settings of pyproject.toml. A cache makes the second run a matter of seconds."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", ".mypy_cache", "--no-error-summary", "course_lib"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
