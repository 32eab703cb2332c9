# Two commands do all the set-up: `make lab` opens the course, `make test` runs every check. `make help` lists the rest.
# Works with GNU make 3.81 (macOS) and later. Paths stay relative, so the checkout may lie in a folder with a space in its name.

SHELL := /bin/sh
# Extra options for pip, for example a smaller CPU-only build of PyTorch: see README.md.
PIP_ARGS ?=
# Exact versions of the environment. `make lab CONSTRAINTS=` takes the newest versions that fit instead.
CONSTRAINTS ?= constraints.txt
# Options for JupyterLab, for example LAB_ARGS=--no-browser.
LAB_ARGS ?=
# Workers of the test run. `logical` counts hardware threads; `auto` counts cores and leaves half of a small cloud machine idle.
WORKERS ?= logical
NOTEBOOK ?=
# Of `make grade`: the folder of the handed-in notebooks, a file for a table of the results, a number that draws the cases, a word
# that draws the images of an open task, how many files at the same time, and UNSAFE=1 for no sandbox.
HANDED_IN ?=
CSV ?=
SEED ?=
PRIVATE ?=
JOBS ?= 1
UNSAFE ?=
# Of `make assignment`: otter, nbgrader or classroom50.
FORMAT ?=
# Of `make pretrained` and the bench-* commands: which parts.
PART ?=
# Of `make check`: a folder of tests.
ROOM ?=
# Of `make new-chapter`.
NAME ?=
# FULL=1: in the browser, all cells of all notebooks.
FULL ?=
REPOSITORY ?=
BRANCH ?=
export REPOSITORY BRANCH HANDED_IN CSV PRIVATE

# Settings of another active environment would leak into this one.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX MPLBACKEND JUPYTER_PATH

IN_VENV := .venv/bin/python -m
STAMP := .venv/.course-installed
COLAB := .venv-colab/bin/python
COLAB_STAMP := .venv-colab/.course-installed
ASSIGNMENTS_STAMP := .venv-assignments/.course-installed
LOWEST := .venv-lowest/bin/python -m
LOWEST_STAMP := .venv-lowest/.course-installed

# One thread for each worker: with another busy process on the machine, two OpenMP threads wait for each other in a spin and
# can be ten times slower than one. No progress bars, and nobody's own Jupyter, IPython or matplotlib settings.
TEST_ENVIRONMENT = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TQDM_DISABLE=1 \
	IPYTHONDIR="$(CURDIR)/.venv/config/ipython" JUPYTER_CONFIG_DIR="$(CURDIR)/.venv/config/jupyter" \
	MPLCONFIGDIR="$(CURDIR)/.venv/config/matplotlib"
# What the pages need, installed once.
SITE_READY = .venv/bin/python -c 'import mathjax, myst_nb, sphinx_book_theme' 2>/dev/null || \
	$(IN_VENV) pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e ".[site]"
# The checks run with the network refused, kernels and other child processes included.
OFFLINE = PYTHONPATH="$(CURDIR)/tests/offline"
# -rs: what was skipped says why, and what to install. The longest files first, each in one worker: a long one at the end
# would keep one core busy and the others idle.
PYTEST = pytest -rs -n $(WORKERS) --maxprocesses=8 --dist loadfile --no-loadscope-reorder \
	tests/notebooks/test_as_a_reader.py tests/browser notebooks tests

# The environment is made, or completed, when its Python does not start, when the checkout has moved, and when the lists of
# dependencies have changed; not when the files that hold them are merely newer, as after `make address` or `git pull`.
DESCRIBE := .venv/bin/python tools/environment.py
ifneq ($(shell $(DESCRIBE) 2>/dev/null || echo broken),$(shell cat $(STAMP) 2>/dev/null))
.PHONY: $(STAMP)
endif

# What hands out and grades never touches an environment that is there: no pip, no network.
PRESENT := $(if $(wildcard $(STAMP)),,$(STAMP))

.PHONY: help lab test check new-chapter test-browser test-class environment notebooks measure handout assignment assignment-tools \
	grade figures address lock format health pretrained record bench-convolution bench-classification bench-gan bench-vae bench-devices \
	gpu-check speedrun site test-site public-names test-lowest test-colab test-wheel

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

lab: $(STAMP) ## make the environment if needed and open your own copies of the notebooks, in my/, in JupyterLab
	@folder="$$($(IN_VENV) tools.working_copies)" && \
	echo "Opening JupyterLab on $$folder/00_start_here.ipynb (a few seconds). Stop it with Ctrl-C, twice." && \
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(IN_VENV) jupyterlab --ServerApp.root_dir="$(CURDIR)" \
	  --LabApp.news_url=None --LabApp.default_url=/lab/tree/$$folder/00_start_here.ipynb $(LAB_ARGS)

test: $(STAMP) ## make the environment if needed and run every check: twelve minutes on two cores, no network
	@echo "[1/3] ruff check: mistakes that can be seen without running anything (a second)"
	@$(IN_VENV) ruff check .
	@echo "[2/3] ruff format: one style everywhere (a second)"
	@$(IN_VENV) ruff format --check .
	@echo "[3/3] pytest: unit tests, then every notebook top to bottom (minutes; nothing is read from the network)"
	@$(TEST_ENVIRONMENT) $(OFFLINE) $(IN_VENV) $(PYTEST)

check: $(STAMP) ## style, types and the tests of one room, in a minute: ROOM=gan; without ROOM those of the repository
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) mypy
	@$(TEST_ENVIRONMENT) $(OFFLINE) $(IN_VENV) pytest -q -n $(WORKERS) --maxprocesses=8 "tests/$(or $(ROOM),repository)"

new-chapter: $(STAMP) ## a new room with its tests and its notebook, to start from: NAME=flows
	@$(IN_VENV) tools.new_chapter "$(NAME)"

test-browser: $(STAMP) ## use every notebook in JupyterLab with Chromium, as in make test; FULL=1: all cells of each
	@$(TEST_ENVIRONMENT) $(OFFLINE) COURSE_BROWSER=$(if $(FULL),full,quick) $(IN_VENV) \
	  pytest -rs -n $(WORKERS) --maxprocesses=2 --dist load tests/browser

environment: $(STAMP) ## make or bring up to date the environment in .venv

$(STAMP):
	@if .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "[1/2] .venv is there: completing it"; \
	else \
	  python="$$(sh tools/find_python.sh)" || exit 1; \
	  echo "[1/2] making an environment in .venv with $$("$$python" --version) (seconds)"; \
	  "$$python" -m venv --clear .venv || exit 1; \
	fi
	@echo "[2/2] installing PyTorch, JupyterLab and the course into .venv. The first time this downloads several GB on Linux,"
	@echo "      because PyTorch comes with CUDA there (a few hundred MB on a Mac): 2 to 20 minutes, as the connection allows."
	@echo "      It can be stopped and started again. README.md names a smaller way for machines without a GPU."
	@$(IN_VENV) pip install --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) $(PIP_ARGS) -e ".[lab,test]"
	@$(DESCRIBE) > $(STAMP)

notebooks: $(STAMP) ## execute and normalise all notebooks, or NOTEBOOK=notebooks/01_convolution.ipynb
	@$(IN_VENV) tools.notebooks $(NOTEBOOK)

measure: $(STAMP) ## minutes and memory of all notebooks, or NOTEBOOK=..., into the README's table; the notebooks stay as they are
	@$(IN_VENV) tools.notebooks --measure $(NOTEBOOK)

test-class: $(STAMP) ## every kind of hand-in, right to hostile, of two notebooks; after make assignment-tools other graders too
	@$(TEST_ENVIRONMENT) $(OFFLINE) COURSE_CLASS=1 COURSE_ASSIGNMENTS="$(or $(COURSE_ASSIGNMENTS),$(if $(wildcard .venv-assignments/bin),$(CURDIR)/.venv-assignments/bin))" \
	  $(IN_VENV) pytest -rs tests/notebooks/test_hand_ins.py tests/notebooks/test_hostile.py tests/notebooks/test_assignment.py

assignment-tools: $(ASSIGNMENTS_STAMP) ## Otter-Grader and nbgrader, into .venv-assignments: what the formats of make assignment need

$(ASSIGNMENTS_STAMP): $(STAMP)
	@python="$$(sh tools/find_python.sh)" && "$$python" -m venv --clear .venv-assignments
	@echo "Installing Otter-Grader and nbgrader into .venv-assignments (with PyTorch, several GB on Linux)"
	@.venv-assignments/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e ".[assignments]"
	@printf '%s\n' "$(CURDIR)" > $(ASSIGNMENTS_STAMP)

handout: $(PRESENT) ## a notebook without its solutions, into build/handout: NOTEBOOK=notebooks/01_convolution.ipynb SEED=3
	@$(IN_VENV) tools.exercises "$(NOTEBOOK)" $(if $(SEED),--seed "$(SEED)")

assignment: $(PRESENT) ## the exercises for another grader, into build/assignments: NOTEBOOK=... FORMAT=otter, nbgrader or classroom50
	@$(IN_VENV) tools.assignment "$(NOTEBOOK)" "$(FORMAT)" $(if $(SEED),--seed "$(SEED)")

grade: $(PRESENT) ## grade handed-in copies: NOTEBOOK=notebooks/01_convolution.ipynb HANDED_IN=folder JOBS=2 CSV=table.csv SEED=7 PRIVATE=word
	@OMP_NUM_THREADS=1 $(IN_VENV) tools.grade_class "$(NOTEBOOK)" "$$HANDED_IN" --csv "$$CSV" --private "$$PRIVATE" \
	  -j "$(JOBS)" $(if $(SEED),--seed "$(SEED)") $(if $(filter 1,$(UNSAFE)),--unsafe)

address: $(STAMP) ## rewrite Colab links and set-up cells: REPOSITORY=https://github.com/you/name BRANCH=main
	@$(IN_VENV) tools.address "$$REPOSITORY" "$$BRANCH"

format: $(STAMP) ## put code and notebooks into the one style
	@$(IN_VENV) ruff check --fix .
	@$(IN_VENV) ruff format .
	@$(IN_VENV) tools.notebooks --form

health: $(STAMP) ## report on this machine and the environment
	@$(IN_VENV) course_lib

figures: $(STAMP) ## draw the figure of the README again
	@OMP_NUM_THREADS=1 $(IN_VENV) tools.readme_figure

site: $(STAMP) ## the course as pages in build/site/html, from the committed notebooks (half a minute)
	@$(SITE_READY)
	@$(TEST_ENVIRONMENT) $(OFFLINE) $(IN_VENV) tools.site

test-site: $(STAMP) ## build the pages and open each in Chromium, at two widths (minutes)
	@$(SITE_READY)
	@$(TEST_ENVIRONMENT) $(OFFLINE) COURSE_SITE=1 $(IN_VENV) pytest -rs tests/site

public-names: $(STAMP) ## bring docs/public_names.txt up to date; a name that is gone must be in CHANGELOG.md
	@$(IN_VENV) tools.public_names

bench-convolution: $(STAMP) ## compare the course's convolutions with PyTorch's
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 .venv/bin/python benchmarks/convolution.py

bench-classification: $(STAMP) ## how fast classifiers learn: PART="loop mnist", also mnist-peer and cifar10 (an hour)
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TQDM_DISABLE=1 $(IN_VENV) benchmarks.classification $(PART)

bench-vae: $(STAMP) ## how fast autoencoders learn: PART="loop mlp glyphs", also mlp-peer, conv and conv-long (two hours)
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TQDM_DISABLE=1 $(IN_VENV) benchmarks.vae $(PART)

bench-gan: $(STAMP) ## how fast generators learn: PART="loop mnist glyphs" (loop takes a minute, the others ten)
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TQDM_DISABLE=1 $(IN_VENV) benchmarks.gan $(PART)

bench-devices: $(STAMP) ## the loops on this device, bfloat16 on and off: PART="loops busy processes" (processes: two on the CPUs)
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TQDM_DISABLE=1 $(IN_VENV) benchmarks.devices $(PART)

gpu-check: $(STAMP) ## check everything on a GPU in ten minutes; COURSE_DEVICE=cpu: on the CPU; PART="speed": a part of it
	@$(IN_VENV) tools.gpu_check $(PART)

speedrun: $(STAMP) ## CIFAR-10 to 94 % on one GPU, as fast as the course's pieces go: needs CIFAR-10 in the data root
	@TQDM_DISABLE=1 $(IN_VENV) benchmarks.speedrun $(PART)

pretrained: $(STAMP) ## train what the package brings again, and print the lines that do: PART="judge mnist"; all takes an hour, with MNIST in the data root
	@OMP_NUM_THREADS=1 $(IN_VENV) tools.pretrained $(PART)

record: $(STAMP) ## run again what the notebooks show and is too long for them: PART="mnist"; without PART the list
	@OMP_NUM_THREADS=1 $(IN_VENV) tools.record $(PART)

lock: $(STAMP) ## refresh the exact versions in constraints.txt from pyproject.toml
	@$(IN_VENV) pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[maintain]"
	@$(IN_VENV) tools.lock

# Old packages use what newer ones among their own dependencies deprecate; that is no news about the course.
test-lowest: $(LOWEST_STAMP) ## run every check with the oldest versions that pyproject.toml allows (needs Python 3.11)
	@$(TEST_ENVIRONMENT) $(OFFLINE) $(LOWEST) $(PYTEST) \
	  -W ignore::DeprecationWarning

$(LOWEST_STAMP): $(STAMP)
	@$(IN_VENV) pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[maintain]"
	@python="$$(sh tools/find_python.sh 3.11)" && "$$python" -m venv --clear .venv-lowest
	@echo "Installing the lowest versions of what the package needs into .venv-lowest (several GB on Linux)"
	@$(IN_VENV) uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --no-header --no-annotate \
	  pyproject.toml -o .venv-lowest/lowest.txt
	@$(LOWEST) pip install --disable-pip-version-check -c .venv-lowest/lowest.txt $(PIP_ARGS) -e ".[lab,test]"
	@printf '%s\n' "$(CURDIR)" > $(LOWEST_STAMP)

test-colab: $(COLAB_STAMP) ## every notebook as in Colab: its Python (3.13, or PYTHON=...), its versions, the set-up cell (uses the network)
	@$(TEST_ENVIRONMENT) COURSE_COLAB="$(CURDIR)/$(COLAB)" $(IN_VENV) pytest -rs -n $(WORKERS) --maxprocesses=8 --dist load tests/colab

test-wheel: $(STAMP) ## a release as readers get it: python -m build, then notebooks in the imitation of Colab with its wheel (uses the network)
	@$(IN_VENV) pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e ".[maintain]"
	@rm -rf build/dist && $(IN_VENV) build --outdir build/dist
	@$(TEST_ENVIRONMENT) COURSE_WHEEL="$(CURDIR)/build/dist" $(IN_VENV) pytest -rs tests/colab/test_wheel.py

$(COLAB_STAMP): tests/repository/colab_packages.json tools/colab_packages.py $(STAMP)
	@python="$$(sh tools/find_python.sh 3.13)" && "$$python" -m venv --clear .venv-colab
	@echo "Installing Colab's versions of the packages that the course uses into .venv-colab (several GB on Linux)"
	@$(IN_VENV) tools.colab_packages > .venv-colab/packages.txt
	@$(COLAB) -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r .venv-colab/packages.txt
	@printf '%s\n' "$(CURDIR)" > $(COLAB_STAMP)
