"""The documents: licences, links, and the promise that two commands do all the set-up."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.repository.files import ROOT, name_of

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md")])


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a Markdown text."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_inside_the_repository_resolve(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        linked = (path.parent / file) if file else path
        assert linked.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{target} has no such heading"


def test_code_and_text_have_their_licences():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    text = (ROOT / "LICENSE-TEXT.md").read_text(encoding="utf-8")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in text
    # The typefaces that the embedded glyphs were drawn from.
    for font in ("DejaVu", "STIX", "Computer Modern"):
        assert font in text, f"the licence of {font} is not named"


def test_the_readme_gives_the_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^make lab\b", readme, re.MULTILINE) and re.search(r"^make test\b", readme, re.MULTILINE)
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in set(re.findall(r"\bmake ([a-z][a-z-]+)(?=[\s`:])", readme + contributing)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target} does not exist"


def test_the_reader_s_own_copies_are_passed_over():
    readme, rules = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", ".gitignore"))
    assert "`my/`" in readme
    assert "my/" in rules.splitlines(), "git and ruff take them from this file"
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]["testpaths"] == [
        "tests",
        "notebooks",
    ]


def test_continuous_integration_runs_make_test_alone():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "exec make test"


def test_no_tracked_file_names_a_folder_of_this_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    personal = (f"{ROOT}/", f"{Path.home()}/")
    for file in filter(None, listed.stdout.split("\0")):
        path = ROOT / file
        if path.is_file() and path.suffix not in (".png", ".jpg", ".npz", ".pt"):
            text = path.read_text(encoding="utf-8")
            assert not any(folder in text for folder in personal), f"{file} names a folder of this machine"
