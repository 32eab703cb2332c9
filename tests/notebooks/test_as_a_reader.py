"""What a reader does with a notebook: answers its exercises, and changes the one word that chooses the images."""

import copy
import re

import nbformat
import pytest
from PIL import Image

from course_lib import data
from tests.notebooks.hurry import HURRY, SKETCHES, hurried
from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.exercises import CHOICE as CHOOSE
from tools.exercises import exercises, open_tasks, solutions
from tools.notebooks import execute

CHOICE = re.compile(r'DATASET = "glyphs(-color)?"')
# Run after a right answer, where a check has assertions: the same answer with other numbers must be refused by it.
SPOILED = """
right_answer = {name}
def {name}(*arguments):
    answer = right_answer(*arguments)
    if isinstance(answer, list):
        return answer[::-1]
    return tuple(part + 0.5 for part in answer) if isinstance(answer, tuple) else answer + 0.5
try:
    exec({check!r})
except AssertionError:
    print("refused")
"""


@pytest.fixture
def photos(own_root) -> str:
    """The name of a set of colour images in a folder, as a reader's own photos lie: three classes of 20."""
    images = data.load("glyphs-color", "train", size=32)
    for digit, name in enumerate(("cups", "forks", "spoons")):
        folder = own_root / "photos" / name
        folder.mkdir(parents=True)
        for n in (images.labels == digit).nonzero().flatten()[:20].tolist():
            Image.fromarray(images.images[n].permute(1, 2, 0).numpy()).resize((50, 40)).save(folder / f"{n}.jpg")
    return f"folder:{own_root / 'photos'}"


def answer_exercises(book):
    """Put the folded solutions in their places; return the cells that are to print something, with what they are to print."""
    asked, scored, folded, expected = exercises(book), open_tasks(book), solutions(book), []
    for place in sorted(set(asked.values()), reverse=True):
        names = [name for name in asked if asked[name] == place]
        if names[0] in scored:  # an open task stays as it is
            expected.append((book.cells[place + 1], f"{names[0]} is waiting for you"))
            continue
        book.cells[place].source = "\n\n\n".join(dict.fromkeys(folded[name] for name in names))
        check = book.cells[place + 1]
        if CHOOSE.search(check.source):  # what it refuses is tested with the exercises
            expected += [(check, f"{name} is right in all") for name in names]
        else:
            spoiled = nbformat.v4.new_code_cell(SPOILED.format(name=names[0], check=check.source))
            book.cells.insert(place + 2, spoiled)
            expected += [(check, "is right"), (spoiled, "refused\n")]
    return expected


ASKING = [path for path in NOTEBOOKS if exercises(notebook(path))]  # all but the one of answers


@pytest.mark.parametrize("path", ASKING, ids=name_of)
def test_the_exercises_can_be_solved_and_a_few_photos_are_enough(path, photos):
    """One run for both, since each takes every cell."""
    book = copy.deepcopy(notebook(path))
    choosing = [cell for cell in book.cells if cell.cell_type == "code" and CHOICE.search(cell.source)]
    assert len(choosing) == 1, "the data set is chosen in one place"
    choosing[0].source = CHOICE.sub(f'DATASET = "{photos}"', choosing[0].source)
    expected = answer_exercises(book)
    for cell in book.cells:
        cell.source = hurried(cell.source)
    setup = next(number for number, cell in enumerate(book.cells) if cell.cell_type == "code")
    book.cells.insert(setup + 1, nbformat.v4.new_code_cell(HURRY + SKETCHES))
    execute(book, path.parent)
    for cell, words in expected:
        assert words in "".join(output.get("text", "") for output in cell.outputs), cell.source
