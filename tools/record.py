"""Runs what is too long for a notebook, and keeps its numbers and pictures in course_lib/recorded.

    make record PART="NAME ..."   (without PART: what there is)

A recipe is a function of tools/recordings that returns its numbers (a dictionary that JSON can hold)
and its pictures, {picture: (figure, alternative text)}.
"""

import datetime
import json
import platform
import sys
import time
from pathlib import Path

import torch

from course_lib.recorded import FOLDER
from course_lib.runtime import pick_device
from course_lib.runtime.device import processor
from course_lib.viz import page_width, png
from tools.recordings import RECIPES


def record(name: str, folder: Path = FOLDER) -> dict:
    """Run one recipe and write its files. Returns what the JSON file holds."""
    device = pick_device()
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    begin = clock()
    numbers, pictures = RECIPES[name]()
    minutes, unit = (clock() - begin) / 60, "minutes" if device.type == "cuda" else "core-minutes"
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}"
    made = f"{datetime.date.today()}, {minutes:.1f} {unit} on {hardware}, {versions}"
    shown = {}
    for picture, (figure, alternative) in pictures.items():
        (folder / f"{name}-{picture}.png").write_bytes(png(figure))
        shown[picture] = {"alt": alternative, "width": page_width(figure)}
    result = {"made": made, **numbers, "pictures": shown}
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")  # last: it names the pictures
    return result


def main(names: list[str]) -> int:
    if not names or not set(names) <= set(RECIPES):
        print(f'PART="..." names what is to be recorded: {", ".join(RECIPES)}')
        return 2
    for name in names:
        print(f"{name}: {record(name)['made']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
