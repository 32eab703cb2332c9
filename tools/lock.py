"""Refreshes constraints.txt, the exact versions of the environment, from pyproject.toml: `make lock`."""

import datetime
import subprocess
import sys

from tools.files import ROOT, write_atomically

HEADER = """\
# The exact versions of the environment that `make lab` and `make test` install: the newest that fit together on {date},
# for Python 3.11 and later on Linux, macOS and Windows. Made from pyproject.toml by `make lock`; do not edit by hand.
"""


def main() -> None:
    """Resolves all extras of pyproject.toml with uv, for every platform at once, and writes constraints.txt."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--no-header", "--no-annotate"]
    command += ["--all-extras", "pyproject.toml"]
    resolved = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    if resolved.returncode:
        sys.exit(f"uv found no versions that fit together:\n{resolved.stderr}")
    date = datetime.datetime.now(datetime.UTC).date()
    write_atomically(ROOT / "constraints.txt", HEADER.format(date=date) + resolved.stdout)
    print(f"constraints.txt: {len(resolved.stdout.splitlines())} versions. Read the difference, then run make test.")


if __name__ == "__main__":
    main()
