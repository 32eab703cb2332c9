"""One setting, one command: a copy of the course moves to another address, back again, and nowhere else changes."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.repository.files import ROOT
from tools.address import rewrite
from tools.notebook_form import dumps
from tools.records import code_digest
from tools.setup_cell import BADGE_START, COLAB_LINE, DOWNLOAD_START, PLACEHOLDER_ACCOUNT, Address, parse_address, read_address

FORK = Address("https://github.com/an-instructor/vision-101", "term/autumn.2")
GITLAB = Address("https://gitlab.com/group/sub/name", "autumn")


@pytest.fixture
def copy(tmp_path):
    """A copy of what carries the address, with one more notebook and a document that names other repositories."""
    (tmp_path / "notebooks").mkdir()
    for path in [ROOT / "pyproject.toml", *ROOT.glob("*.md"), *ROOT.glob("notebooks/*.ipynb")]:
        shutil.copy2(path, tmp_path / path.relative_to(ROOT))
    address = read_address()
    code = [
        new_code_cell(address.setup_cell(), execution_count=1, outputs=[], metadata={"jupyter": {"source_hidden": True}}),
        new_code_cell("1 + 1", execution_count=2, outputs=[]),
    ]
    firsts = {
        "97_text": "# A title\n\nand below it\n\n" + address.colab_line("notebooks/97_text.ipynb") + "\n\nand an end",
        "98_trial": address.colab_line("notebooks/98_trial.ipynb", BADGE_START) + "\n\n# A title below the badge",
    }
    for name, first in firsts.items():
        book = new_notebook(cells=[new_markdown_cell(first), *code])
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(dumps(book), encoding="utf-8")
    badge = firsts["98_trial"].splitlines()[0]
    (tmp_path / "OTHER.md").write_text(
        f"{address.repository} and {address.repository}.git, but not {address.repository}-solutions; "
        f'`pip install "git+{address.repository}@{address.branch}"`; {badge}; '
        f"{address.page('tools/files.py')}; "
        "https://github.com/pytorch/pytorch\n",
        encoding="utf-8",
    )
    # Whether the notebooks have today's set-up cell is the question of another test.
    rewrite(tmp_path, address)
    return tmp_path


def contents(folder) -> dict[str, str]:
    return {str(path): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


def code_digests(folder) -> dict[str, str]:
    return {path.name: code_digest(nbformat.read(path, as_version=4)) for path in folder.glob("notebooks/*.ipynb")}


@pytest.mark.parametrize("new", [FORK, GITLAB], ids=["github", "gitlab"])
def test_everything_moves_and_a_second_time_changes_nothing(copy, new):
    codes = code_digests(copy)
    changed = rewrite(copy, new)
    assert code_digests(copy) == codes, "the records of the notebooks would no longer fit, nor make test pass in a fork"
    assert {"pyproject.toml", "README.md", "OTHER.md", "notebooks/98_trial.ipynb"} <= set(changed)
    assert read_address(copy) == new
    assert rewrite(copy, new) == []
    old = read_address()
    other = (copy / "OTHER.md").read_text(encoding="utf-8")
    assert other.count(old.repository) == other.count(f"{old.repository}-solutions") == 1
    assert f"{new.repository}.git" in other and "https://github.com/pytorch/pytorch" in other
    assert f'"git+{new.repository}@{new.branch}"' in other and f"({new.colab('notebooks/98_trial.ipynb')})" in other
    assert ("colab.research.google.com/github/" in other) == new.on_github
    for path in copy.glob("notebooks/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        (start,) = COLAB_LINE.findall(notebook.cells[0].source)
        assert new.colab_line(f"notebooks/{path.name}", start) in notebook.cells[0].source.splitlines()
        assert new.setup_cell() in [cell.source for cell in notebook.cells]
        assert PLACEHOLDER_ACCOUNT not in notebook.cells[0].source


@pytest.mark.parametrize("new", [FORK, GITLAB], ids=["github", "gitlab"])
def test_the_way_back_restores_every_byte(copy, new):
    if new is GITLAB:  # a badge comes back as the text of today
        rewrite(copy, new)
        rewrite(copy, read_address())
    before = contents(copy)
    rewrite(copy, new)
    rewrite(copy, read_address())
    assert contents(copy) == before


def test_an_older_set_up_cell_becomes_today_s_and_loses_what_it_has_printed(copy):
    path = copy / "notebooks" / "98_trial.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells[1] = new_code_cell("# Set-up, the same in every notebook: an older one\nprint(1)", execution_count=1)
    book.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    path.write_text(dumps(book), encoding="utf-8")
    assert rewrite(copy, read_address(copy)) == ["notebooks/98_trial.ipynb"]
    setup, other = nbformat.read(path, as_version=4).cells[1:]
    assert setup.source == read_address(copy).setup_cell() and setup.outputs == []
    assert setup.metadata.jupyter.source_hidden and "jupyter" not in other.metadata


def test_a_notebook_that_is_not_as_expected_stops_it_before_anything_is_written(copy):
    broken = new_notebook(cells=[new_markdown_cell("no badge"), new_code_cell("1")])
    (copy / "notebooks" / "99_broken.ipynb").write_text(dumps(broken), encoding="utf-8")
    before = contents(copy)
    with pytest.raises(ValueError, match=r"notebooks/99_broken.ipynb has 0 Colab links and 0 set-up cells"):
        rewrite(copy, FORK)
    assert contents(copy) == before


@pytest.mark.parametrize(
    "repository",
    [
        "https://github.com/you/name",
        " https://github.com/you/name/ ",
        "https://github.com/you/name.git",
        "git@github.com:you/name.git",
    ],
)
def test_the_usual_forms_of_an_address_are_understood(repository):
    assert parse_address(repository, "main") == Address("https://github.com/you/name", "main")


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "you/name",
        "http://github.com/you/name",
        "https://gitlab.com/you",
        "https://localhost/you/name",
        "https://gitlab.com/you/-/name",
        "https://github.com/you",
        "https://github.com/you/name/tree/main",
        "https://github.com/-you/name",
        "https://github.com/you_/name",
        "https://github.com/you/..",
        'https://github.com/you/name"; import os; "',
        "https://github.com/you/na me",
        "https://token@github.com/you/name",
        "https://token@gitlab.com/you/name",
        "https://gitlab.com:8443/you/name",
    ],
)
def test_an_odd_repository_is_refused(repository):
    with pytest.raises(ValueError, match="REPOSITORY"):
        parse_address(repository, "main")


@pytest.mark.parametrize("repository", ["https://gitlab.com/group/sub/name", "git@gitlab.com:group/sub/name.git"])
def test_an_address_on_a_gitlab_hands_over_the_file_that_colab_cannot_open(repository):
    address = parse_address(repository, "autumn")
    assert address == GITLAB
    link = "https://gitlab.com/group/sub/name/-/raw/autumn/notebooks/a.ipynb?inline=false"
    assert address.colab_line("notebooks/a.ipynb") == f"{DOWNLOAD_START}({link})"
    assert address.page("tools/a.py") == "https://gitlab.com/group/sub/name/-/blob/autumn/tools/a.py"
    assert "git+https://gitlab.com/group/sub/name@autumn" in address.setup_cell()
    own = parse_address("https://gitlab.uni-ort.de/kurs/sehen", "main").setup_cell()
    assert "git+https://gitlab.uni-ort.de/kurs/sehen@main\n" in own


@pytest.mark.parametrize("branch", ["", " ", "-f", "a..b", "/a", "a/", "a//b", ".a", "a.lock", "a b", 'a"b', "a@{b", "é"])
def test_an_odd_branch_is_refused(branch):
    with pytest.raises(ValueError, match="BRANCH"):
        parse_address("https://github.com/you/name", branch)


def test_the_command_says_in_one_line_what_is_wrong():
    command = [sys.executable, "-m", "tools.address", "not an address", "main"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("make address: REPOSITORY is 'not an address'")
