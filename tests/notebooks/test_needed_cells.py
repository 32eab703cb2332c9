"""The cells that an explorer needs are found: by assignment, by change in place, through functions, and no others."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.needed_cells import count_explorers, needed_cells


def of(*sources) -> nbformat.NotebookNode:
    """A notebook of a text, a set-up cell and these cells."""
    return new_notebook(cells=[new_markdown_cell("text"), new_code_cell("ready = 1"), *map(new_code_cell, sources)])


@pytest.mark.parametrize(
    ("sources", "needed"),
    [
        (("a = 1", "b = 2", "explore_it(a).show()"), [0, 2]),
        (("a = 1", "a = 2", "explore_it(a).show()", "a = 3"), [1, 2]),
        (("a = 1", "if ready:\n    a = 2", "explore_it(a)"), [0, 1, 2]),
        (("a = [1]", "a[0] = 2", "explore_it(a)"), [0, 1, 2]),
        (("a = 1", "a += 2", "explore_it(a)"), [0, 1, 2]),
        (("a = []", "a.append(1)", "explore_it(a)"), [0, 1, 2]),
        # A training changes its model, whoever takes its result; a picture changes nothing.
        (("model = 1", "fit(model)", "explore_it(model)"), [0, 1, 2]),
        (("model = 1", "show(picture(model))", "print(model)", "explore_it(model)"), [0, 3]),
        # What a call is made of is not changed by it.
        (("import torch", "torch.manual_seed(0)", "a = torch.zeros(1)", "explore_it(a)"), [0, 2, 3]),
        (("def f(x):\n    return x", "xs = []\nxs.append(f(1))", "explore_it(f(2))"), [0, 2]),
        # A function needs what it reads when it is called, and its own variables are nobody else's.
        (("k = 2", "x = 3", "def f(x):\n    y = k\n    return x + y", "explore_it(f(1))"), [0, 2, 3]),
        (("n = 1", "a = [n for n in range(3)]", "explore_it(a)"), [1, 2]),
        (("i = 1", "a = 0\nfor i in range(3):\n    a = a + i", "explore_it(a)"), [1, 2]),
        (("a, (b, *c) = 1, (2, 3)", "explore_it(c)"), [0, 1]),
        (("with open_it() as a:\n    b = a", "explore_it(b)"), [0, 1]),
        (("b = 1", "class A:\n    c = b", "e = Explorer(A, {}, alt='')"), [0, 1, 2]),
        (("explore_a()", "x = 1", "explore_b()"), [0, 2]),
        # A class is not changed by a call, but it is by an assignment: the reader's or the course's is chosen.
        (("class A:\n    pass", "f(A)", "A = choose(A)", "explore_it(A)"), [0, 2, 3]),
    ],
)
def test_what_leads_to_an_explorer_is_found_and_nothing_else(sources, needed):
    book = of(*sources)
    assert needed_cells(book) == [1, *(2 + place for place in needed)]
    assert count_explorers(book) == sum("xplore" in source for source in sources)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_explorers_that_the_source_makes_are_those_that_were_shown(path):
    shown = [
        o for c in notebook(path).cells for o in c.get("outputs", []) if "Explorer:" in o.get("data", {}).get("text/plain", "")
    ]
    assert count_explorers(notebook(path)) == len(shown), "an explorer's alt begins with 'Explorer:'"
