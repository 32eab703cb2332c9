"""What the chapters read stands once more in one list, with the same link and title; a chapter may leave out a subtitle."""

import re

import pytest

from tests.repository.files import NOTEBOOKS, name_of, notebook

LIST = next(path for path in NOTEBOOKS if path.name.startswith("99"))
CHAPTERS = [path for path in NOTEBOOKS if path != LIST]
TITLE = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
PAPER = re.compile(r"https://(?:arxiv\.org|doi\.org|distill\.pub|openreview\.net|proceedings\.mlr\.press|jmlr\.org)/[^)\s]+")
HAS_NO_PAGE = {
    "The extragradient method for finding saddle points and other problems",
    "Note on the bias of information estimates",
}


def listed():
    """The section of the list that holds the works."""
    return section(LIST, "## 8. What was read")


def short(title):
    """A title without its subtitle."""
    return re.split(r":|(?<=\?) ", title)[0]


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
    known = set(TITLE.findall(listed()))
    missing = titles - known - {short(title) for title in known}
    assert not missing


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_the_papers_that_a_chapter_links_are_in_the_list(path):
    linked = set(PAPER.findall(section(path, "### Where it comes from")))
    assert linked - set(PAPER.findall(listed())) == set()


def test_every_work_of_the_list_is_there_once():
    titles = TITLE.findall(listed())
    assert len(titles) > 80
    assert {title for title in titles if titles.count(title) > 1} == set()


def test_every_work_of_the_list_has_its_link_and_its_theme():
    linked = re.findall(r"(?<!\*)\[\*([^*\n]+)\*\]\(https?://[^)\s]+\)", listed())
    assert set(TITLE.findall(listed())) - set(linked) == HAS_NO_PAGE
    folded = re.findall(r"<details><summary>[^<]*: (\d+) works</summary>(.*?)</details>", listed(), re.DOTALL)
    assert [int(count) for count, _ in folded] == [len(TITLE.findall(works)) for _, works in folded]
    assert sum(int(count) for count, _ in folded) == len(TITLE.findall(listed()))


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_whoever_is_named_with_a_year_is_in_the_list_of_the_chapter(path):
    text = "\n".join(cell.source for cell in notebook(path).cells if cell.cell_type == "markdown")
    where = section(path, "### Where it comes from")
    for name, year in re.findall(r"(\w+)(?: and others|, \w+ and \w+| and \w+)?,? \(?((?:19|20)\d\d)\)", text.replace(where, "")):
        if name[0].isupper():
            assert re.search(rf"{name}\b[^\n]*{year}", where), f"{name} ({year})"
