"""The first code cell of every notebook, the line that opens it in Colab, and the address that both carry."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.files import ROOT

# The account that stands for "not set yet". GitHub cannot register a name with an underscore, so nobody can own it.
PLACEHOLDER_ACCOUNT = "YOUR_ACCOUNT"

SETUP_CELL = """\
# Set-up, the same in every notebook. Where there is no course_lib, as in Colab, pip installs it
# into the running environment, and nothing else: PyTorch and all the rest stay as they are.
from importlib.util import find_spec

if find_spec("torch") and not find_spec("course_lib"):
    %pip install -q --no-deps git+{repository}@{branch}
if not (find_spec("torch") and find_spec("course_lib")):
    hint = "Kaggle: Settings → Internet on. VS Code: select the kernel .venv (`make environment`)."
    raise ImportError(f"no PyTorch or no course_lib in this Python. {{hint}}")"""

# How the cell is recognised, whatever version of it a notebook has.
SETUP_START = "# Set-up, the same in every notebook"
# The line that opens a notebook in Colab: a badge in the older notebooks, a text in those that were
# rebuilt.
BADGE_START = "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
TEXT_START = "[Open in Colab]"
COLAB_LINE = re.compile(rf"^({re.escape(BADGE_START)}|{re.escape(TEXT_START)})\(\S+\)$", re.MULTILINE)


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
        return SETUP_CELL.format(repository=self.repository, branch=self.branch)

    def colab_line(self, path: str, start: str = TEXT_START) -> str:
        """The line of Markdown that opens the notebook at `path`, given from the root of the repository, in Colab."""
        return f"{start}({self.colab}/{path})"


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
