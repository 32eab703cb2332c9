"""The first code cell of every notebook, the line that opens it in Colab, and the address that both carry."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.files import ROOT

# The account that stands for "not set yet". GitHub cannot register a name with an underscore, so nobody can own it.
PLACEHOLDER_ACCOUNT = "YOUR_ACCOUNT"

GITHUB = "https://github.com/"

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
# rebuilt. Colab opens files of GitHub alone; from elsewhere the line hands over the file.
BADGE_START = "[![Open In Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
TEXT_START = "[Open in Colab]"
DOWNLOAD_START = "[Download, and in Colab choose File → Upload notebook]"
STARTS = "|".join(map(re.escape, (BADGE_START, TEXT_START, DOWNLOAD_START)))
COLAB_LINE = re.compile(rf"^({STARTS})\(\S+\)$", re.MULTILINE)


@dataclass(frozen=True)
class Address:
    """Where the repository is published: its page on GitHub or a GitLab, and the branch or tag that readers get."""

    repository: str
    branch: str

    @property
    def on_github(self) -> bool:
        """Whether Colab can open its notebooks."""
        return self.repository.startswith(GITHUB)

    def colab(self, path: str) -> str:
        """What Colab opens for the notebook at `path`, given from the root; the file itself where Colab cannot."""
        if self.on_github:
            return f"https://colab.research.google.com/github/{self.repository.removeprefix(GITHUB)}/blob/{self.branch}/{path}"
        return f"{self.repository}/-/raw/{self.branch}/{path}?inline=false"

    def page(self, path: str) -> str:
        """The page that shows a file of the repository."""
        return f"{self.repository}{'' if self.on_github else '/-'}/blob/{self.branch}/{path}"

    def setup_cell(self) -> str:
        """The source of the set-up cell."""
        return SETUP_CELL.format(repository=self.repository, branch=self.branch)

    def colab_line(self, path: str, start: str = TEXT_START) -> str:
        """The line of Markdown that opens the notebook at `path`, given from the root of the repository, in Colab."""
        if not self.on_github:
            start = DOWNLOAD_START
        elif start == DOWNLOAD_START:
            start = TEXT_START
        return f"{start}({self.colab(path)})"


def parse_address(repository: str, branch: str) -> Address:
    """Checks and tidies an address.

    Args:
        repository: "https://github.com/ACCOUNT/NAME", or "https://gitlab.com/GROUP/NAME" with groups in the group, or the same on
            a GitLab of one's own; "git@HOST:ACCOUNT/NAME.git" and a final slash or .git are understood.
        branch: the name of a branch or tag.

    Raises:
        ValueError: the repository is no such address, or a name cannot exist.
    """
    text = re.sub(r"^git@([^:/]+):", r"https://\1/", repository.strip())
    match = re.fullmatch(r"https://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/([^\s:]+?)(?:\.git)?/?", text)
    host, *names = [match[1], *match[2].split("/")] if match else ["", ""]
    if len(names) < 2 or (host == "github.com" and len(names) > 2):
        raise ValueError(f"REPOSITORY is {repository!r}: give it as {GITHUB}ACCOUNT/NAME or https://gitlab.com/GROUP/NAME")
    if (
        host == "github.com"
        and names[0] != PLACEHOLDER_ACCOUNT
        and not re.fullmatch(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", names[0])
    ):
        raise ValueError(f"REPOSITORY names the account {names[0]!r}: GitHub has letters, digits and single hyphens, at most 39")
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) or name.startswith("-") or name in (".", ".."):
            raise ValueError(f"REPOSITORY has the name {name!r}: it may hold letters, digits, dots, hyphens and underscores")
    branch = branch.strip()
    parts = branch.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", branch) or ".." in branch or branch.startswith("-"):
        raise ValueError(f"BRANCH is {branch!r}: give a branch or tag of letters, digits, dots, hyphens and slashes")
    if any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts):
        raise ValueError(f"BRANCH is {branch!r}: git allows no empty part, and none that starts with a dot or ends in . or .lock")
    return Address(f"https://{host}/{'/'.join(names)}", branch)


def read_address(root: Path = ROOT) -> Address:
    """The address in [tool.course] of pyproject.toml in the checkout `root`."""
    course = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]
    return parse_address(course["repository"], course["branch"])
