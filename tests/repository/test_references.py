"""What the chapters read stands once more in one list, with the same title."""

import re

import pytest

from tests.repository.files import NOTEBOOKS, name_of, notebook

LIST = next(path for path in NOTEBOOKS if path.name.startswith("99"))
CHAPTERS = [path for path in NOTEBOOKS if path != LIST]
TITLE = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")


def section(path, heading):
    """The text of a section, from its heading to the next one of the same rank or to the end of its cell."""
    cells = [cell.source for cell in notebook(path).cells if cell.cell_type == "markdown" and heading in cell.source]
    assert len(cells) == 1, f"{name_of(path)} has {len(cells)} cells with {heading!r}"
    rank = heading.split()[0]
    return re.split(rf"\n{rank} ", cells[0].split(heading)[1])[0]


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_what_a_chapter_read_is_in_the_list(path):
    titles = set(TITLE.findall(section(path, "### Where it comes from")))
    assert titles, "a chapter says where it comes from"
    missing = titles - set(TITLE.findall(section(LIST, "## 8. What was read")))
    assert not missing


def test_every_work_of_the_list_is_there_once():
    titles = TITLE.findall(section(LIST, "## 8. What was read"))
    assert len(titles) > 80
    assert {title for title in titles if titles.count(title) > 1} == set()


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_whoever_is_named_with_a_year_is_in_the_list_of_the_chapter(path):
    text = "\n".join(cell.source for cell in notebook(path).cells if cell.cell_type == "markdown")
    where = section(path, "### Where it comes from")
    for name, year in re.findall(r"(\w+)(?: and others|, \w+ and \w+| and \w+)?,? \(?((?:19|20)\d\d)\)", text.replace(where, "")):
        if name[0].isupper():
            assert re.search(rf"{name}\b[^\n]*{year}", where), f"{name} ({year})"
