"""The Stop button of JupyterLab: a training ends where it is, the cells below go on, and they find the model and the run."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser.notebook_page import END, LAST_CELL, NotebookPage

PREPARE = """
import torch
from course_lib import data
from course_lib.classification import CNN, evaluate, fit_classifier
torch.set_num_threads(1)
torch.manual_seed(0)
images = data.load("glyphs", "train").subset(slice(0, 2000))
model = CNN(1, 32, 10, widths=(8, 16), hidden=32, stride=2).set_statistics(images.images)
before = model.head.weight.detach().clone()
"""
TRAIN = """
run = fit_classifier(model, data.Batches(images, batch_size=64), epochs=10**6, lr=0.01, schedule="constant")
"""
KEPT = """
print("stopped:", run.stopped, "- steps kept:", run.step == len(run.steps["loss"]) > 0)
print("the model has moved:", not torch.equal(before, model.head.weight))
print("and answers:", 0 <= evaluate(model, images).accuracy <= 1)
steps = run.step
"""
GO_ON = """
run = fit_classifier(model, data.Batches(images, batch_size=64), epochs=10**6, lr=0.01, schedule="constant", resume=run)
"""
AGAIN = """
print("stopped again:", run.stopped, "- further:", run.step > steps)
"""


def test_stop_ends_a_training_and_keeps_the_model(lab, page):
    cells = [new_code_cell(source.strip()) for source in (PREPARE, TRAIN, KEPT, GO_ON, AGAIN, LAST_CELL)]
    # Without a kernel's name JupyterLab would ask which one to start.
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), lab.root / "stop.ipynb")
    opened = NotebookPage(page, lab, "stop.ipynb", limit=300)
    opened.run_all()
    opened.wait_for_text("step/s")  # the progress bar of a training that would go on for days
    opened.stop()
    opened.wait_for_text("the model has moved: True")
    assert "step/s" not in opened.outputs()[0], "the progress bar is gone when its training has ended"
    opened.wait_for_text("step/s")
    opened.stop()
    opened.wait_for_text(END)
    text = "".join(opened.outputs())
    for fact in ("stopped: True - steps kept: True", "and answers: True", "stopped again: True - further: True"):
        assert fact in text, text
