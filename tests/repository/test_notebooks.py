"""Every notebook is committed as `make notebooks` leaves it: complete, quiet, small, and readable without a kernel."""

import base64
import re

import pytest

from tests.repository.files import NOTEBOOKS, ROOT, code_cells, name_of, notebook
from tools.needed_cells import makes_explorers
from tools.notebook_form import dumps, faults
from tools.setup_cell import BADGE_START, COLAB_LINE, SETUP_START, TEXT_START, read_address

MAX_BYTES = 3_000_000
MAX_CELL_LINES, MAX_EXERCISE_LINES = 30, 60
# What JupyterLab and Colab show on a laptop; a longer line is broken in the middle of a word.
MAX_COLUMNS = 110
NEIGHBOUR = re.compile(r"\d\d_\w+\.ipynb(#\S+)?")
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)


def tags(cell) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def test_there_are_notebooks():
    # Without this, a folder that was moved would make every test below pass on nothing.
    assert NOTEBOOKS


@each_notebook
def test_it_is_normalised(path):
    text = path.read_text(encoding="utf-8")
    assert dumps(notebook(path)) == text, f"run: make notebooks NOTEBOOK={name_of(path)}"
    assert len(text.encode()) < MAX_BYTES
    assert notebook(path).metadata.kernelspec.name == "python3"


@each_notebook
def test_it_was_run_from_top_to_bottom_without_noise(path):
    assert faults(notebook(path)) == []


@each_notebook
def test_it_opens_in_colab_and_sets_itself_up(path):
    address = read_address()
    first = notebook(path).cells[0]
    # A rebuilt notebook begins with its title; the others, until they are, with a badge.
    start = TEXT_START if first.source.startswith("# ") else BADGE_START
    links = [match[0] for cell in notebook(path).cells for match in COLAB_LINE.finditer(cell.source)]
    assert links == [address.colab_line(name_of(path), start)], "run: make address"
    assert first.cell_type == "markdown" and links[0] in first.source.splitlines()
    setups = [cell for cell in code_cells(path) if cell.source.startswith(SETUP_START)]
    assert [cell.source for cell in setups] == [address.setup_cell()], "run: make address"
    assert setups[0].metadata.get("jupyter") == {"source_hidden": True}, "run: make address"
    assert code_cells(path)[0] is setups[0], "it has to be the first code cell"
    # What it prints depends on where it runs.
    assert "nbval-check-output" not in tags(setups[0])


@each_notebook
def test_facts_are_compared(path):
    checked = [cell for cell in code_cells(path) if "nbval-check-output" in tags(cell)]
    assert checked, "tag the cells that print deterministic facts with nbval-check-output"
    empty = [cell.execution_count for cell in checked if not cell.outputs]
    assert not empty, f"nothing to compare in the cells {empty}"


@each_notebook
def test_cells_fit_a_screen(path):
    for cell in code_cells(path):
        limit = MAX_EXERCISE_LINES if "exercise" in tags(cell) else MAX_CELL_LINES
        lines = len(cell.source.splitlines())
        assert lines <= limit, f"{lines} lines in code cell {cell.execution_count}: at most {limit}"


@each_notebook
def test_what_is_printed_fits_a_page(path):
    for cell in code_cells(path):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        long = [line for line in printed.splitlines() if len(line) > MAX_COLUMNS]
        assert not long, f"code cell {cell.execution_count} prints more than {MAX_COLUMNS} columns: {long}"


@each_notebook
def test_every_picture_has_a_text_alternative(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            if any(kind.startswith("image/") for kind in data):
                where = f"code cell {cell.execution_count}"
                text = data.get("text/plain", "")
                # matplotlib's own "<Figure size 640x480 with 1 Axes>" says nothing about the picture.
                assert len(text.split()) >= 3 and not text.startswith("<"), f"{where}: show it with course_lib.viz.show"
                assert output.metadata.get("image/png", {}).get("alt") == text, f"{where}: the image itself carries it too"
    for cell in notebook(path).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\s*\]\(", cell.source), "a picture in the text without an alternative"


@each_notebook
def test_no_picture_is_blurred(path):
    """A sharp screen has at least one and a half pixels, usually two, for each of the page."""
    for cell in code_cells(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                pixels = int.from_bytes(base64.b64decode(output.data["image/png"])[16:20])
                shown = output.metadata.get("image/png", {}).get("width", pixels)
                where = f"code cell {cell.execution_count}: {pixels} pixels shown as {shown}"
                assert pixels >= 1.5 * shown, f"{where}: show it with course_lib.viz.show"


@each_notebook
def test_every_explorer_has_its_static_strip(path):
    """On GitHub, in print and without a kernel there is its first picture, and below it what it shows at other settings."""
    cells = code_cells(path)
    for place, cell in enumerate(cells):
        if not makes_explorers(cell.source):
            continue
        where = f"the explorer of code cell {cell.execution_count}"
        assert pictures(cell), f"{where} has no picture of its own"
        below = pictures(cells[place + 1]) if place + 1 < len(cells) else []
        assert below, f"{where} needs pictures at other settings in the next code cell"
        assert not any(text.startswith("Explorer:") for text in below), f"{where} is followed by another one instead"


def pictures(cell) -> list[str]:
    """The text alternatives of a cell's pictures."""
    return [output.data.get("text/plain", "") for output in cell.outputs if "image/png" in output.get("data", {})]


@each_notebook
def test_it_needs_no_file_beside_it_and_its_links_lead_somewhere(path):
    # Colab opens the notebook alone: a picture beside it would be missing. A link may lead to another notebook.
    address = read_address()
    own = re.compile(re.escape(address.repository) + r"/(?:blob|tree|raw)/" + re.escape(address.branch) + r"/([^)#\s]+)")
    for cell in notebook(path).cells:
        assert "attachments" not in cell
        if cell.cell_type == "markdown":
            found = re.findall(r"(!?)\[[^\]]*\]\((?!https://|data:|#)([^)]*)\)", cell.source)
            found += [("!", name) for name in re.findall(r"(?:src|href)=[\"'](?!https://|data:|#)([^\"']*)", cell.source)]
            local = [name for mark, name in found if mark or not NEIGHBOUR.fullmatch(name)]
            assert not local, f"{local} would be missing in Colab: give a full address"
            missing = [name for _, name in found if not path.with_name(name.partition("#")[0]).is_file()]
            missing += [file for file in own.findall(cell.source) if not (ROOT / file).exists()]
            assert not missing, f"{missing} are not in the repository"


@each_notebook
def test_it_is_in_the_table_of_the_readme(path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("|") and f"({name_of(path)})" in line]
    assert len(rows) == 1
    assert f"({read_address().colab(name_of(path))})" in rows[0], "run: make address"
