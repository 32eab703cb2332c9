"""The exercises of each notebook: handed out without solutions, solved by these, waited for, and used by what follows."""

import ast
import functools

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.answers import find, read_cells
from tools.exercises import CHOICE, HOW_TO_HAND_IN, SOLUTION, exercises, handout, open_tasks, solutions
from tools.grading import HIDDEN_SEED, Result, program
from tools.needed_cells import reads
from tools.notebook_form import dumps, faults
from tools.sandbox import inside
from tools.sandbox.plain import pack
from tools.setup_cell import COLAB_LINE
from tools.tasks import Course, course_of, judge_cells

WITH_EXERCISES = [path for path in NOTEBOOKS if exercises(notebook(path))]
REBUILT = [path for path in WITH_EXERCISES if any(CHOICE.search(cell.source) for cell in notebook(path).cells)]
each_notebook = pytest.mark.parametrize("path", WITH_EXERCISES, ids=name_of)
each_rebuilt = pytest.mark.parametrize("path", REBUILT, ids=name_of)


@functools.cache
def course(path) -> Course:
    return course_of(notebook(path))


def programs(path, sources: list[str], others: str = "right"):
    """What the grader would run of a hand-in of these cells, by name; the other exercises have this result."""
    asked, cells = course(path), read_cells(new_notebook(cells=[new_code_cell(source) for source in sources]))
    places, results = find(cells, asked.stubs), {name: Result(others) for name in asked.tasks}
    return {name: program(asked, cells, places, name, results)[0] for name in places}


def judged(path, name: str, given: dict) -> str:
    """What the grader would say of an answer, which runs here without a sandbox."""
    task, answer = course(path).tasks[name], inside.run(given)[name]
    if task.exercise is None:
        return judge_cells(course(path), task, answer)
    return task.exercise.fault(answer, HIDDEN_SEED) or "right"


@each_notebook
def test_what_is_handed_out_is_the_notebook_without_solutions_and_colab_link(path):
    before, after = notebook(path), handout(notebook(path))
    assert [c for c in after.cells if c.cell_type == "code"] == [c for c in before.cells if c.cell_type == "code"]
    assert solutions(before).keys() == exercises(before).keys() - open_tasks(before).keys()
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
    assert left.count(HOW_TO_HAND_IN) == 1
    left = left.replace(HOW_TO_HAND_IN, "")
    assert sorted("".join((left + lost).split())) == sorted("".join(whole.split()))
    assert dumps(nbformat.reads(dumps(after), as_version=4)) == dumps(after)


@each_notebook
def test_the_solutions_are_right_on_hidden_cases_too_and_need_few_statements(path):
    for name, given in programs(path, [*solutions(notebook(path)).values()]).items():
        assert judged(path, name, given) == "right", name
        assert len(given["statements"]) <= 12, "it would run what no check needs"


@each_notebook
def test_a_solution_is_right_also_where_it_is_the_only_answer(path):
    """The course's version stands in for the exercises that it builds on."""
    for name, code in solutions(notebook(path)).items():
        assert judged(path, name, programs(path, [code], "missing")[name]) == "right", name


@each_notebook
def test_no_exercise_carries_its_own_answer_into_the_sandbox(path):
    """How an exercise is used goes there, and its answer does not."""
    for name, task in course(path).tasks.items():
        if task.use:
            reference = getattr(task.exercise.reference, "__name__", "")
            bodies = [node.body for node in ast.parse(task.use[0]).body if getattr(node, "name", "") == reference]
            assert all(len(body) == 1 and isinstance(body[0], ast.Raise | ast.Pass) for body in bodies)
            assert inside.find_use(*task.use), name


def test_every_exercise_of_the_chapters_draws_its_cases_from_a_seed():
    count = 0
    for path in WITH_EXERCISES:
        for name, task in course(path).tasks.items():
            if not task.is_open:
                (one, other), again = (
                    [pack(task.exercise.cases(torch.Generator().manual_seed(s))) for s in seeds] for seeds in ((1, 2), (1,))
                )
                assert one != other and [one] == again, name
                count += 1
    assert count == sum(len(exercises(notebook(path)).keys() - open_tasks(notebook(path)).keys()) for path in WITH_EXERCISES)


def test_a_seed_changes_the_numbers_of_the_checks_of_a_handout():
    book = notebook(WITH_EXERCISES[0])
    before, after = ([cell.source for cell in handout(book, seed).cells if cell.cell_type == "code"] for seed in (0, 5))
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == len(set(exercises(book).values()) - {exercises(book)[name] for name in open_tasks(book)})
    assert all(b == a.replace(")", ", seed=5)") for a, b in changed)


@each_notebook
def test_the_committed_checks_wait_for_the_reader(path):
    book = notebook(path)
    for name, place in exercises(book).items():
        said = "".join(output.get("text", "") for output in book.cells[place + 1].outputs)
        assert (f"{name} is waiting for you" if path in REBUILT else "waiting for you") in said


@each_rebuilt
def test_after_wrong_answers_the_chapter_goes_on_with_the_course_s(path, capsys):
    def wrong(*arguments, **settings):
        raise ArithmeticError

    for name, task in course(path).tasks.items():
        if task.is_open:
            task.exercise.score(wrong)
            assert "wrong has no score yet: it raises ArithmeticError" in capsys.readouterr().out
            continue
        chosen = task.exercise.choose(wrong)
        said = capsys.readouterr().out
        assert said.startswith("wrong is not right yet: it raises ArithmeticError"), name
        assert said.endswith("What follows runs on the course's.\n")
        assert chosen.__module__.startswith("course_lib.")


@each_rebuilt
def test_what_the_reader_writes_is_used_below(path):
    book = notebook(path)
    for name in exercises(book).keys() - open_tasks(book).keys():  # the score is what an open task is for
        place = exercises(book)[name]
        later = [cell.source for cell in book.cells[place + 2 :] if cell.cell_type == "code"]
        assert any(name in reads(source) for source in later), f"nothing runs on {name}"
