#!/bin/sh
# The environment of `make environment` with PyTorch's build for CPUs: uv knows where it lies.
set -eu
cd "$(dirname "$0")/.."
python3 -m pip install --quiet uv
python3 -m uv venv --seed .venv
python3 -m uv pip install --python .venv/bin/python --torch-backend cpu -c constraints.txt -e ".[lab,test]"
.venv/bin/python tools/environment.py > .venv/.course-installed
