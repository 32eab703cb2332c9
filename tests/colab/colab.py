"""An imitation of Colab: a Python with its own packages, google.colab loaded, an empty folder, and a repository to install from.
Kaggle has no google.colab; in Visual Studio Code the kernel may be any Python, in the notebook's folder or at the root.

Every `make test` imitates it with the packages of this environment, without a network. `make test-colab` makes an environment
with Colab's version of Python and Colab's versions of the packages that matter, and names its Python in COURSE_COLAB.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.address import rewrite
from tools.files import ROOT
from tools.setup_cell import Address

# What tells a place from others, beside google.colab.
PLACES = {
    "colab": {},
    "kaggle": {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"},
    "code": {},
}
IMITATION = Path(__file__).parent / "imitation"
OFFLINE = ROOT / "tests" / "offline"
FORK = Address("https://github.com/an-instructor/see-and-generate", "autumn")
COMMIT = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "snapshot"]
# The Python whose packages stand for Colab's.
FULL = "COURSE_COLAB" in os.environ
BASE = os.environ.get("COURSE_COLAB", sys.executable)

LIST = "import json; from importlib.metadata import distributions as d; print(json.dumps({x.name: x.version for x in d()}))"
FOLDERS = "import json, sysconfig; print(json.dumps([sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]))"


def ask(python: Path | str, code: str) -> object:
    """What another Python prints as JSON."""
    return json.loads(subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True).stdout)


def make_environment(folder: Path) -> Path:
    """A new environment that finds what is installed in BASE, pip and PyTorch included, but not course_lib; its Python."""
    subprocess.run([BASE, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    packages = Path(ask(python, FOLDERS)[0])
    # A .pth file adds folders to the search path without reading the .pth files in them; the one that makes course_lib
    # importable here, an editable install, therefore has no effect there.
    (packages / "elsewhere.pth").write_text("\n".join(sorted(set(ask(BASE, FOLDERS)))) + "\n", encoding="utf-8")
    return python


def publish(folder: Path) -> None:
    """Makes `folder` a repository with the files of this working tree, moved to the address of a fork, as its instructor would.

    Raises:
        LookupError: this is no git checkout.
    """
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise LookupError("not a git checkout: there is nothing to take a snapshot of")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    rewrite(folder, FORK)
    for command in (["git", "init", "-q", "-b", FORK.branch], ["git", "add", "-A", "-f"], COMMIT):
        subprocess.run(command, cwd=folder, check=True)


def variables(place: str, published: Path | None = None) -> dict[str, str]:
    """The environment of a process there: the fork's address leads to the repository `published`, nothing else to anywhere."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "OMP_NUM_THREADS", "PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE")
    found = {key: os.environ[key] for key in kept if key in os.environ}
    found |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    found |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONWARNINGS": "ignore::DeprecationWarning", "TQDM_DISABLE": "1"}
    found |= PLACES[place]
    path = [str(IMITATION)] if place == "colab" else []
    if not FULL:
        # Building needs setuptools, which is taken from this environment instead of an index.
        found |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_CONFIG_FILE": os.devnull}
        path += [str(OFFLINE)]
    if path:
        found["PYTHONPATH"] = os.pathsep.join(path)
    if published:
        found |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf"}
        found["GIT_CONFIG_VALUE_0"] = FORK.repository
    return found


# A cell may hold what Python alone does not read, as %pip.
RUN_CELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
sys.exit(not InteractiveShell.instance(colors="NoColor").run_cell(sys.argv[1]).success)
"""


def run(python: Path | str, code: str, folder: Path, place: str, published: Path | None = None) -> subprocess.CompletedProcess:
    """Runs a cell with `python` in `folder`, as a notebook's kernel would."""
    with tempfile.TemporaryDirectory() as own:  # of IPython
        found = {**variables(place, published), "IPYTHONDIR": own}
        return subprocess.run([str(python), "-c", RUN_CELL, code], cwd=folder, env=found, capture_output=True, text=True)
