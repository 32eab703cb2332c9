"""The first code cell of every notebook, the badge above it, and the address that both carry."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.files import ROOT

# The account that stands for "not set yet". GitHub cannot register a name with an underscore, so nobody can own it.
PLACEHOLDER_ACCOUNT = "YOUR_ACCOUNT"

SETUP_CELL = """\
# Set-up, the same in every notebook. In Colab it installs course_lib and nothing else.
import subprocess
import sys
from importlib import invalidate_caches, metadata, util

ADDRESS = "git+{repository}@{branch}"
if util.find_spec("course_lib") is None:
    where = f"no course_lib in {sys.executable}: open it by make lab, or %pip install {ADDRESS}"
    assert "google.colab" in sys.modules, where
    assert "{placeholder}" not in ADDRESS, "this notebook has no address: make address, publish it"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", ADDRESS]
    pip = subprocess.run(install, capture_output=True, text=True)
    assert pip.returncode == 0, f"pip could not install {ADDRESS}\\n{pip.stderr}"
    invalidate_caches()
    print("Installed course_lib alone; PyTorch is as it was: torch", metadata.version("torch"))
print("course_lib", metadata.version("course_lib"))"""

# How the cell is recognised, whatever version of it a notebook has.
SETUP_START = "# Set-up, the same in every notebook."
BADGE_START = "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"


@dataclass(frozen=True)
class Address:
    """Where the repository is published: its page on GitHub, and the branch or tag that readers get."""

    repository: str
    branch: str

    @property
    def colab(self) -> str:
        """What Colab opens, up to the path of the notebook."""
        account_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://colab.research.google.com/github/{account_and_name}/blob/{self.branch}"

    def setup_cell(self) -> str:
        """The source of the set-up cell."""
        source = SETUP_CELL.replace("{repository}", self.repository).replace("{branch}", self.branch)
        return source.replace("{placeholder}", PLACEHOLDER_ACCOUNT)

    def badge(self, path: str) -> str:
        """The Markdown of the badge that opens the notebook at `path`, given from the root of the repository."""
        return f"{BADGE_START}({self.colab}/{path})"


def parse_address(repository: str, branch: str) -> Address:
    """Checks and tidies an address.

    Args:
        repository: "https://github.com/ACCOUNT/NAME"; "git@github.com:ACCOUNT/NAME.git" and a final slash or .git are understood.
        branch: the name of a branch or tag.

    Raises:
        ValueError: the repository is not on GitHub, which is where Colab opens notebooks from, or a name cannot exist.
    """
    text = repository.strip()
    match = re.fullmatch(r"(?:https://github\.com/|git@github\.com:)([^/\s]+)/([^/\s]+?)(?:\.git)?/?", text)
    if not match:
        raise ValueError(f"REPOSITORY is {repository!r}: give it as https://github.com/ACCOUNT/NAME, where Colab can open it")
    account, name = match.groups()
    if account != PLACEHOLDER_ACCOUNT and not re.fullmatch(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", account):
        raise ValueError(f"REPOSITORY names the account {account!r}: GitHub has letters, digits and single hyphens, at most 39")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or name in (".", ".."):
        raise ValueError(f"REPOSITORY has the name {name!r}: GitHub has letters, digits, dots, hyphens and underscores")
    branch = branch.strip()
    parts = branch.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", branch) or ".." in branch or branch.startswith("-"):
        raise ValueError(f"BRANCH is {branch!r}: give a branch or tag of letters, digits, dots, hyphens and slashes")
    if any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts):
        raise ValueError(f"BRANCH is {branch!r}: git allows no empty part, and none that starts with a dot or ends in . or .lock")
    return Address(f"https://github.com/{account}/{name}", branch)


def read_address(root: Path = ROOT) -> Address:
    """The address in [tool.course] of pyproject.toml in the checkout `root`."""
    course = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]
    return parse_address(course["repository"], course["branch"])
