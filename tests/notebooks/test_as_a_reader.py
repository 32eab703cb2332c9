"""What a reader does with a notebook: answers its exercises, and changes the one word that chooses the images."""

import copy
import re

import nbformat
import pytest

from course_lib import data
from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.exercises import exercises, solutions
from tools.notebooks import execute

CHOICE = re.compile(r'DATASET = "glyphs(-color)?"')
WAITING = "waiting for you"
# Run after the set-up cell: everything is done, and little of it is learned. nbval does the whole.
HURRY = """
import copy
import functools

import course_lib.gan.mistakes
import course_lib.vae.mistakes
from course_lib import classification, gan, vae


def short_epochs(fit):
    @functools.wraps(fit)
    def fit_less(model, batches, *arguments, **settings):
        few = copy.copy(batches)
        few.images = batches.images[: 3 * batches.batch_size]
        few.targets = None if batches.targets is None else batches.targets[: len(few.images)]
        return fit(model, few, *arguments, **settings)

    return fit_less


def few_steps(fit, most):
    @functools.wraps(fit)
    def fit_less(*arguments, steps, **settings):
        return fit(*arguments, steps=min(steps, most), **settings)

    return fit_less


classification.fit_classifier = short_epochs(classification.fit_classifier)
gan.fit_gan = few_steps(gan.fit_gan, most=40)
gan.mistakes.play = few_steps(gan.mistakes.play, most=110)  # in one of them the generator waits for 100 steps
vae.fit_vae = short_epochs(vae.fit_vae)
vae.mistakes.learn = few_steps(vae.mistakes.learn, most=40)
"""
# Run after a right answer: the same answer with other numbers must be refused by the same check.
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


def answer_exercises(book):
    """Put the folded solution of each exercise in its place, and a spoiled one after its check; return the pairs of checks."""
    checks, folded = [], solutions(book)
    for name, number in reversed(exercises(book).items()):
        assert name in folded, f"no folded solution defines {name}"
        book.cells[number].source = folded[name]
        check = book.cells[number + 1]
        spoiled = nbformat.v4.new_code_cell(SPOILED.format(name=name, check=check.source))
        book.cells.insert(number + 2, spoiled)
        checks.append((check, spoiled))
    return checks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_exercises_can_be_solved_and_real_images_work(path):
    """One run for both, since each takes every cell: on MNIST where it is in the data root, else on the glyphs."""
    book = copy.deepcopy(notebook(path))
    waiting = sum(WAITING in str(cell.get("outputs")) for cell in book.cells)
    checks = answer_exercises(book)
    assert len(checks) == waiting, "every exercise waits in the committed notebook and has a solution"
    choosing = [cell for cell in book.cells if cell.cell_type == "code" and CHOICE.search(cell.source)]
    assert len(choosing) == 1, "the data set is chosen in one place"
    if data.available()["mnist"]:
        choosing[0].source = CHOICE.sub('DATASET = "mnist"', choosing[0].source)
    setup = next(number for number, cell in enumerate(book.cells) if cell.cell_type == "code")
    book.cells.insert(setup + 1, nbformat.v4.new_code_cell(HURRY))
    execute(book, path.parent)
    for check, spoiled in checks:
        assert "is right" in check.outputs[0].text, check.source
        assert spoiled.outputs[0].text == "refused\n", f"a wrong answer passes: {check.source}"
