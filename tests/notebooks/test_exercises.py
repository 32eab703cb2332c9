"""The exercises of each notebook: handed out without solutions, solved by these, waited for, and used by what follows."""

import ast
import builtins
import contextlib
import io

import nbformat
import pytest

from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.exercises import CHOICE, SOLUTION, exercises, handout, open_tasks, solutions
from tools.grading import assemble, one_by_one
from tools.needed_cells import parse, reads, replaces
from tools.notebook_form import dumps, faults
from tools.setup_cell import COLAB_LINE

WITH_EXERCISES = [path for path in NOTEBOOKS if exercises(notebook(path))]
REBUILT = [path for path in WITH_EXERCISES if any(CHOICE.search(cell.source) for cell in notebook(path).cells)]
each_notebook = pytest.mark.parametrize("path", WITH_EXERCISES, ids=name_of)
each_rebuilt = pytest.mark.parametrize("path", REBUILT, ids=name_of)


def run(book: nbformat.NotebookNode) -> tuple[list[str], dict]:
    """What each cell prints, and the names at the end: the cells that `make grade` runs, run here without a kernel."""
    names: dict = {}
    printed = []
    for cell in book.cells:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(cell.source, names)
        printed.append(said.getvalue())
    return printed, names


@each_notebook
def test_what_is_handed_out_is_the_notebook_without_solutions_and_colab_link(path):
    before, after = notebook(path), handout(notebook(path))
    assert [c for c in after.cells if c.cell_type == "code"] == [c for c in before.cells if c.cell_type == "code"]
    assert exercises(after) and solutions(after) == {} and faults(after) == []
    text = "\n\n".join(cell.source for cell in after.cells if cell.cell_type == "markdown")
    for code in solutions(before).values():
        assert code not in text
    assert "Solution<" not in text and not COLAB_LINE.search(text)
    assert after.cells[0].source.startswith("# ") and "### Where it comes from" in text
    # Nothing else is lost.
    lost = "".join(match[0] for cell in before.cells for match in SOLUTION.finditer(cell.source))
    lost += "".join(match[0] for cell in before.cells for match in COLAB_LINE.finditer(cell.source))
    left, whole = ("".join(cell.source for cell in book.cells) for book in (after, before))
    assert sorted("".join((left + lost).split())) == sorted("".join(whole.split()))
    assert dumps(nbformat.reads(dumps(after), as_version=4)) == dumps(after)


@each_notebook
def test_the_solutions_are_right_on_hidden_cases_too_and_need_few_cells(path):
    book = one_by_one(notebook(path))
    assembled, places = assemble(book, solutions(book))
    # Cells that only define something cost nothing: the networks of a page, on which answers may build.
    defining = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    costly = [cell for cell in assembled.cells if not all(isinstance(part, defining) for part in parse(cell.source).body)]
    assert len(costly) <= 2 * len(places) + 2, "it would run cells that no check needs"
    printed, _ = run(assembled)
    for name, place in places.items():
        assert "is right" in printed[place + 1] and "waiting" not in printed[place + 1], f"{name}: {printed[place + 1]}"


@each_rebuilt
def test_a_solution_is_right_also_where_it_is_the_only_answer(path):
    """The course's version stands in for the exercises that it builds on."""
    book = one_by_one(notebook(path))
    for name, code in solutions(book).items():
        assembled, places = assemble(book, {name: code})
        assert f"{name} is right in all" in run(assembled)[0][places[name] + 1]


@pytest.mark.parametrize("path", [path for path in WITH_EXERCISES if path not in REBUILT], ids=name_of)
def test_where_no_version_stands_in_no_exercise_needs_another_one(path):
    for name, code in solutions(notebook(path)).items():
        known = {*dir(builtins), "_names"}
        for cell in assemble(notebook(path), {name: code})[0].cells:
            assert reads(cell.source) <= known
            assert f"{name} = _names" not in cell.source or reads(code) <= known
            known |= replaces(cell.source)


@each_notebook
def test_the_committed_checks_wait_for_the_reader(path):
    book = notebook(path)
    for name, place in exercises(book).items():
        said = "".join(output.get("text", "") for output in book.cells[place + 1].outputs)
        assert (f"{name} is waiting for you" if path in REBUILT else "waiting for you") in said


@each_rebuilt
def test_after_wrong_answers_the_chapter_goes_on_with_the_course_s(path):
    book = one_by_one(notebook(path))
    wrong = {name: f"def {name}(*arguments, **settings):\n    raise ArithmeticError" for name in exercises(book)}
    assembled, places = assemble(book, wrong)
    printed, names = run(assembled)
    for name, place in places.items():
        if name in open_tasks(book):
            assert f"{name} has no score yet: it raises ArithmeticError" in printed[place + 1]
            continue
        assert f"{name} is not right yet: it raises ArithmeticError" in printed[place + 1]
        assert printed[place + 1].endswith("What follows runs on the course's.\n")
        assert names[name].__module__.startswith("course_lib.")


@each_rebuilt
def test_what_the_reader_writes_is_used_below(path):
    book = notebook(path)
    for name in exercises(book).keys() - open_tasks(book).keys():  # the score is what an open task is for
        place = exercises(book)[name]
        later = [cell.source for cell in book.cells[place + 2 :] if cell.cell_type == "code"]
        assert any(name in reads(source) for source in later), f"nothing runs on {name}"
