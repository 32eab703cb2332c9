"""Moves the course to another address: `make address REPOSITORY=https://github.com/you/name BRANCH=main`.

The address is one setting, [tool.course] in pyproject.toml. This rewrites it, and from it the links and badges of the
Markdown files and the Colab link and set-up cell of every notebook. Whoever forks the course runs it once and commits; Colab
then opens their own notebooks. Without an address it brings all of them up to date with the one that is set.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat

from tools.files import ROOT, write_atomically
from tools.notebook_form import dumps
from tools.setup_cell import COLAB_LINE, SETUP_START, Address, parse_address, read_address


def main() -> None:
    """Rewrites the checkout for the address on the command line; without one, for the address that is set."""
    repository, branch, *_ = [*sys.argv[1:], "", ""]
    current = read_address()
    try:
        new = parse_address(repository or current.repository, branch or current.branch)
        changed = rewrite(ROOT, new)
    except ValueError as error:
        sys.exit(f"make address: {error}")
    print(f"The address is {new.repository}, branch {new.branch}.")
    print("\n".join(["Rewritten:", *changed]) if changed else "Every Colab link and set-up cell had it already.")


def rewrite(root: Path, new: Address) -> list[str]:
    """Rewrites the address everywhere in the checkout `root` and returns the files that changed, by path from the root.

    All new contents are made before the first file is replaced: an error leaves the checkout as it was.

    Raises:
        ValueError: pyproject.toml or a notebook is not as expected.
    """
    current = read_address(root)
    contents = {root / "pyproject.toml": rewrite_settings((root / "pyproject.toml").read_text(encoding="utf-8"), new)}
    for path in sorted([*root.glob("*.md"), *root.glob("CITATION.cff")]):
        contents[path] = rewrite_markdown(path.read_text(encoding="utf-8"), current, new)
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        contents[path] = rewrite_notebook(path.read_text(encoding="utf-8"), f"notebooks/{path.name}", new)
    changed = [path for path, text in contents.items() if text != path.read_text(encoding="utf-8")]
    for path in changed:
        write_atomically(path, contents[path])
    return [path.relative_to(root).as_posix() for path in changed]


def rewrite_settings(text: str, new: Address) -> str:
    """pyproject.toml with another [tool.course]; everything else, comments included, stays."""
    before, header, section = text.partition("\n[tool.course]\n")
    for key, value in (("repository", new.repository), ("branch", new.branch)):
        section, count = re.subn(rf'^{key} = "[^"\n]*"$', f'{key} = "{value}"', section, count=1, flags=re.MULTILINE)
        if not header or not count:
            raise ValueError(f'pyproject.toml has no line {key} = "..." under [tool.course]')
    return before + header + section


def rewrite_markdown(text: str, current: Address, new: Address) -> str:
    """A Markdown file with the badges, the pip lines and the links to the repository moved from one address to another."""
    notebook = r"(notebooks/[\w.-]+\.ipynb)"
    for opens in (rf"https://colab\.research\.google\.com/github/[^\s()]+?/{notebook}", _pattern(current.colab, notebook)):
        text = re.sub(opens, lambda match: new.colab(match[1]), text)
    text = re.sub(_pattern(current.page, r"([^\s()#]+)"), lambda match: new.page(match[1]), text)
    old = re.escape(current.repository)
    text = re.sub(rf"git\+{old}@{re.escape(current.branch)}(?![\w/-])", lambda _: f"git+{new.repository}@{new.branch}", text)
    return re.sub(rf"{old}(?![\w-])", lambda _: new.repository, text)


def _pattern(address: Callable[[str], str], path: str) -> str:
    """What finds an address of any path of a kind."""
    return re.escape(address("PATH")).replace("PATH", path)


def rewrite_notebook(text: str, path: str, new: Address) -> str:
    """A notebook with its Colab link and its set-up cell, folded, for another address; all else stays as it is."""
    notebook = nbformat.reads(text, as_version=4)
    linked = [c for c in notebook.cells if c.cell_type == "markdown" and COLAB_LINE.search(c.source)]
    setups = [c for c in notebook.cells if c.cell_type == "code" and c.source.startswith(SETUP_START)]
    if len(linked) != 1 or len(setups) != 1:
        raise ValueError(f"{path} has {len(linked)} Colab links and {len(setups)} set-up cells: it needs one of each")
    linked[0].source = COLAB_LINE.sub(lambda match: new.colab_line(path, match[1]), linked[0].source)
    (setup,) = setups
    if setup.source != new.setup_cell():
        # What it has printed belongs to the cell that it was. It prints nothing where course_lib is there.
        setup.source, setup.outputs = new.setup_cell(), []
    setup.metadata["jupyter"] = {"source_hidden": True}
    return text if notebook == nbformat.reads(text, as_version=4) else dumps(notebook)


if __name__ == "__main__":
    main()
