"""The tests in a browser can fail: a dead control, an error in a picture, in a cell, in a formula or in a script is noticed."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.browser.chromium import Complaints
from tests.browser.hands import EXPLORER, Explorer, use
from tests.browser.notebook_page import END, LAST_CELL, LISTEN, NotebookPage

# One control of each kind. `scale` works only while `on` is ticked, `none` never.
KINDS = """
import ipywidgets as widgets
from course_lib.viz import Explorer, new_figure

def render(height, on, scale, form, word, text, pressed, none):
    figure, axes = new_figure(size=(3, 2))
    heights = [height, scale * on, len(form), int(word), int(text), pressed, count[0]]
    axes[0, 0].bar(range(7), heights)
    axes[0, 0].set_ylim(0, 12)
    return figure

count = [0]
controls = {
    "height": widgets.IntSlider(value=10, max=10),
    "scale": widgets.FloatSlider(value=1, max=2, continuous_update=False),
    "on": widgets.Checkbox(value=False),
    "form": widgets.Dropdown(options=["one", "two", "three"]),
    "word": widgets.Text(value="4", continuous_update=False),
    "text": widgets.Textarea(value="3", continuous_update=False),
    "pressed": widgets.ToggleButton(description="pressed"),
    "none": widgets.IntSlider(value=1),
}
for name, control in controls.items():
    control.description = name
button = widgets.Button(description="again")

def again(_):
    count[0] += 1
    explorer.draw()

explorer = Explorer(render, controls, alt="Bars.", layout=[*controls.values(), button])
button.on_click(again)
explorer.show()
"""
FAILS = """
def render(height):
    if height > 1:
        raise ValueError("too high")
    return new_figure()[0]

Explorer(render, {"height": widgets.IntSlider(value=1)}, alt="Nothing.").show()
"""
STRANGE = """
colour = widgets.ColorPicker(value="#000000")
Explorer(lambda: new_figure()[0], {}, alt="Nothing.", layout=[colour]).show()
"""


def open_notebook(lab, page, *cells) -> NotebookPage:
    """A notebook with these cells in the browser."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=[*cells, new_code_cell(LAST_CELL)], metadata=kernel), lab.root / "trial.ipynb")
    return NotebookPage(page, lab, "trial.ipynb", limit=120)


def test_a_dead_control_is_noticed_among_controls_of_every_kind(lab, page):
    opened = open_notebook(lab, page, *[new_code_cell(source.strip()) for source in (KINDS, FAILS, STRANGE)])
    opened.run_all()
    opened.wait_for_text(END)
    opened.wait_for(lambda: page.locator(EXPLORER).count() == 3, "sign of three explorers")
    first, fails, strange = (Explorer(opened, place) for place in range(3))
    kinds = [kind for kind, _ in first.controls()]
    assert sorted(kinds) == ["button", "checkbox", "dropdown", "slider", "slider", "slider", "text", "text", "toggle"]
    (idle,) = use(first)
    assert idle.startswith("slider 'none")
    with pytest.raises(AssertionError, match="the explorer says: ValueError: too high"):
        use(fails)
    with pytest.raises(AssertionError, match="take a hand, 0 are known"):
        use(strange)


def test_errors_in_cells_formulas_and_scripts_are_noticed(lab, page):
    texts = ["$x^2$ is right", "$\\frac{1$", "$\\nosuch$", "$1 \\over 2 \\over 3$", "5 $ are no formula"]
    expected = ["$\\frac{1$", "in red: \\nosuch", "in red: Ambiguous use of \\over", "5 $ are no formula"]
    opened = open_notebook(lab, page, *map(new_markdown_cell, texts), new_code_cell("print('before')\n1 / 0"))
    opened.wait_for(lambda: opened.untypeset() == expected, "sign of four wrong formulas", seconds=30)
    opened.run_all()
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        opened.wait_for_text(END)


def test_a_page_that_breaks_or_asks_other_machines_is_noticed(lab, chromium):
    page = chromium.new_page()
    complaints = Complaints(page, lab.port)
    page.goto(lab.address(""))
    page.evaluate("() => { setTimeout(() => { throw new Error('broken') }); return fetch('http://192.0.2.1/').catch(() => 0) }")
    page.wait_for_event("pageerror") if not complaints.errors else None
    assert complaints.errors == ["broken"] and complaints.outside == ["http://192.0.2.1/"]
    page.close()


def test_a_page_that_does_not_know_its_kernel_yet_is_waited_for(page):
    """JupyterLab's own page has a session only some time after its notebook is shown: each step on the way there is no error."""
    kernel = "{anyMessage: {connect() {}}}"
    for widget in ("null", "{}", "{sessionContext: {session: null}}", "{sessionContext: {session: {kernel: null}}}"):
        page.evaluate(f"window.jupyterapp = {{shell: {{currentWidget: {widget}}}}}")
        assert page.evaluate(LISTEN) is False
    page.evaluate(f"window.jupyterapp.shell.currentWidget = {{sessionContext: {{session: {{kernel: {kernel}}}}}}}")
    assert page.evaluate(LISTEN) is True and page.evaluate("window.unanswered.size") == 0
