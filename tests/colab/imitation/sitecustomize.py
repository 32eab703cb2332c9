"""Makes a Python look like Colab's to the set-up cell: there, google.colab is loaded before the first cell runs."""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import google.colab  # noqa: F401

# Python imports the first module of this name only; the next may refuse the network.
_others = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).resolve().parent]
_next = PathFinder.find_spec("sitecustomize", _others)
if _next is not None:
    _next.loader.exec_module(importlib.util.module_from_spec(_next))
