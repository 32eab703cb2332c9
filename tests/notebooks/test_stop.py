"""The Stop button of a notebook: an interrupt to the kernel ends the training, and the next cell finds the model and the run."""

import time

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

TRAIN = """
import torch
from course_lib import data
from course_lib.classification import LinearClassifier, fit_classifier
torch.set_num_threads(1)
batches = data.Batches(torch.zeros(64, 1, 8, 8, dtype=torch.uint8), torch.zeros(64, dtype=torch.long), 16)
model = LinearClassifier(1, 8, 10)
steps = []
def note(x):
    steps.append(len(steps))
    if len(steps) == 5:
        print("learning", flush=True)
    return x
run = fit_classifier(model, batches, epochs=10**7, schedule="constant", augment=note)
print("ended", run.stopped, run.step > 0, run.step == len(run.steps["loss"]))
"""
GO_ON = """
before = model.head.bias[0].item()
print("learned", before > 0)
"""


@pytest.fixture
def kernel():
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    manager.start_kernel(extra_arguments=["--IPKernelApp.log_level=40"])
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def read(client, until, seconds=120):
    """What the kernel prints, up to and with a line that contains `until`; an error of the cell fails the test."""
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        message = client.get_iopub_msg(timeout=seconds)
        if message["msg_type"] == "error":
            pytest.fail("\n".join(message["content"]["traceback"]))
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            text += message["content"]["text"]
            if until in text and text.endswith("\n"):
                return text
    pytest.fail(f"no {until!r} in {text!r}")


def test_stop_keeps_the_model_and_the_run(kernel):
    manager, client = kernel
    client.execute(TRAIN)
    read(client, "learning")  # it would go on for hours
    manager.interrupt_kernel()
    assert "ended True True True" in read(client, "ended")
    client.execute(GO_ON)
    assert "learned True" in read(client, "learned")
