"""Executes and normalises the notebooks: `make notebooks`, or `make notebooks NOTEBOOK=notebooks/01_convolution.ipynb`.

What is committed comes from here: each notebook is run from top to bottom in a fresh kernel on the CPU with one thread, and
its file is replaced only when that succeeded and the result is fit to be published. Date, device, versions, minutes and memory
are recorded in notebooks/record.json, and the README's table is brought up to date from it. `--measure` (`make measure`) does
that and leaves the notebooks as they are. `--check` executes nothing and reports files that are not in the normalised form;
`--form` (part of `make format`) executes nothing and writes that form, which is all that a change of text needs.
"""

import argparse
import os
import queue
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbclient
import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.utils import run_sync

from tools import readme_table, records
from tools.files import ROOT, write_atomically
from tools.notebook_form import dumps, faults

CELL_TIMEOUT = 300  # seconds


class Client(nbclient.NotebookClient):
    """nbclient, with two of its traps removed.

    A reply on the shell channel can be missed when an Output widget is open, and nbclient then waits for ever: here it polls. And
    the kernel is the one of the running environment, whatever kernels are installed elsewhere under the name python3.
    """

    def create_kernel_manager(self):
        """Finds no kernel but the one that comes with this environment's ipykernel."""
        self.km = self.kernel_manager_class(
            kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), config=self.config
        )
        return self.km

    async def async_start_new_kernel_client(self):
        """Asks the shell channel twice a second instead of waiting for a wake-up that may be lost."""
        client = await super().async_start_new_kernel_client()
        get = client.shell_channel.get_msg

        async def poll(timeout=None):
            end = None if timeout is None else time.monotonic() + timeout
            while True:
                try:
                    return await get(timeout=0.5)
                except queue.Empty:
                    if end is not None and time.monotonic() >= end:
                        raise

        client.shell_channel.get_msg = poll
        return client

    start_new_kernel_client = run_sync(async_start_new_kernel_client)


def execute(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str] | None = None, **settings) -> "Watch":
    """Executes a notebook in place, from top to bottom, in a fresh kernel whose working directory is `folder`.

    Args:
        notebook: receives outputs and execution counts. Pass a copy to leave the original alone.
        folder: where the kernel starts.
        environment: variables of the kernel beside those of this process; without progress bars and with one thread by default.
        settings: further ones of `nbclient.NotebookClient`.

    Returns:
        The largest memory and the processor time of the kernel and its child processes, sampled two to ten times a second.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised an error and is not tagged raises-exception.
        nbclient.exceptions.CellTimeoutError: a cell took longer than CELL_TIMEOUT.
    """
    quiet = {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    variables = {**os.environ, **quiet, **(environment or {})}
    # The figures come through the notebook's own backend.
    variables.pop("MPLBACKEND", None)
    # The last cell has run, and nothing is left that a kernel could save on its way out.
    settings = {"shutdown_kernel": "immediate", **settings}
    client = Client(notebook, timeout=CELL_TIMEOUT, coalesce_streams=True, record_timing=False, **settings)
    # The kernel's own log goes to this terminal; its warning about unencrypted loopback traffic is no news here.
    client.extra_arguments = ["--IPKernelApp.log_level=40"]
    client.resources = {"metadata": {"path": str(folder)}}
    # A new IPython folder: nobody's own start-up files have a part in the outputs.
    with tempfile.TemporaryDirectory() as variables["IPYTHONDIR"], Watch() as watch:
        client.execute(env=variables)
    return watch


def own_memory(process: psutil.Process) -> int:
    """Bytes of a process, those that it shares with others counted in parts, where the system knows (Linux)."""
    memory = process.memory_full_info()
    return getattr(memory, "pss", memory.rss)


class Watch:
    """Watches the child processes of this process: `peak`, their largest resident memory in bytes, and `cpu_seconds`."""

    def __init__(self):
        self.peak, self.cpu_seconds = 0, 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()

    def _watch(self):
        this, pause = psutil.Process(), 0.1
        while not self._done.wait(pause):
            total, seconds = 0, 0.0
            children = this.children(recursive=True)
            pause = 0.1 if len(children) == 1 else 0.5  # shared memory takes long to count
            for process in children:
                try:
                    total += process.memory_info().rss if len(children) == 1 else own_memory(process)
                    seconds += sum(process.cpu_times()[:4])  # user and system, its own and its ended children's
                except psutil.NoSuchProcess:
                    continue
            self.peak, self.cpu_seconds = max(self.peak, total), max(self.cpu_seconds, seconds)


def refresh(path: Path, write: bool = True) -> dict:
    """Executes the notebook at `path`, replaces the file by the normalised result, and returns its record.

    Args:
        path: the notebook.
        write: False leaves the file as it is: only the measurements are wanted.

    Returns:
        "measured" (cpu_seconds, seconds, memory_mib) and, if it was written, "made" (the digest of its code), each with the date,
        the device and the versions.

    Raises:
        ValueError: the result is not fit to be published; the file is left as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    environment = {"COURSE_DEVICE": os.environ.get("COURSE_DEVICE", "cpu")}
    start = time.monotonic()
    watch = execute(notebook, path.parent, environment)
    seconds = time.monotonic() - start
    found = faults(notebook, forbidden=(str(ROOT), str(Path.home()), sys.prefix))
    if found:
        raise ValueError("\n  ".join(["not fit to be published; the file is left as it was", *found]))
    device = environment["COURSE_DEVICE"]
    here = records.circumstances("cpu, one thread" if device == "cpu" else device)
    numbers = {"cpu_seconds": round(watch.cpu_seconds, 1), "seconds": round(seconds, 1), "memory_mib": round(watch.peak / 2**20)}
    if not write:
        return {"measured": here | numbers}
    write_atomically(path, dumps(notebook))
    return {"made": here | {"code": records.code_digest(notebook)}, "measured": here | numbers}


def keep(path: Path, entry: dict) -> None:
    """Writes the record of one notebook of the course, and brings the README's table up to date."""
    record = records.read(records.NOTEBOOKS)
    record[path.name] = record.get(path.name, {}) | entry
    there = {name: record[name] for name in record if (ROOT / "notebooks" / name).exists()}
    readme = ROOT / "README.md"
    text = readme_table.update(readme.read_text(encoding="utf-8"), there)
    records.write(records.NOTEBOOKS, there)
    write_atomically(readme, text)


def main() -> int:
    """Runs the command line and returns the exit status: 1 if a notebook failed or is not normalised."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description="Executes and normalises notebooks.")
    parser.add_argument("notebook", nargs="*", type=Path, help="files; all in notebooks/ by default")
    parser.add_argument("--measure", action="store_true", help="write minutes and memory, and leave the notebooks as they are")
    parser.add_argument("--check", action="store_true", help="execute nothing; report files that are not in the normalised form")
    parser.add_argument("--form", action="store_true", help="execute nothing; write the normalised form, after a change of text")
    arguments = parser.parse_args()
    status = 0
    for path in arguments.notebook or sorted((ROOT / "notebooks").glob("*.ipynb")):
        try:
            if arguments.check:
                text = path.read_text(encoding="utf-8")
                normal = dumps(nbformat.reads(text, as_version=4)) == text
                status |= not normal
                print(f"{path.name}: {'normalised' if normal else 'not normalised: run make format'}")
            elif arguments.form:
                text = path.read_text(encoding="utf-8")
                normal = dumps(nbformat.reads(text, as_version=4))
                if normal != text:
                    write_atomically(path, normal)
                    print(f"{path.name}: put into the normalised form")
            else:
                print(f"{path.name}: running ...", end=" ", flush=True)
                entry = refresh(path, write=not arguments.measure)
                line = "{cpu_seconds} s of one core, {seconds} s by the clock, {memory_mib} MiB at most".format(
                    **entry["measured"]
                )
                print(f"{line}, file {path.stat().st_size / 2**10:.0f} KiB", flush=True)
                if path.resolve().parent == ROOT / "notebooks":
                    keep(path, entry)
        except (OSError, ValueError, nbformat.ValidationError, nbclient.exceptions.CellControlSignal) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
