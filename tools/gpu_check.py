"""Checks the course on a GPU, in parts with a time limit each: one that hangs costs one part.

What is timed runs alone, and first; the other parts run at the same time.

    python3 -m tools.gpu_check [--wheels FOLDER] [--out FOLDER] [--short] [PART ...]

It needs Python, PyTorch and the checkout; the Python packages beside them come from FOLDER, without a
network, where `--collect FOLDER` put them on another machine. COURSE_DEVICE names the device, cuda by
default; with cpu everything runs on the CPU. The report is FOLDER/gpu.json, its table FOLDER/gpu.md.
"""

import argparse
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "convolution",
    "layers",
    "blocks",
    "metrics",
    "training",
    "classification",
    "gan",
    "vae",
    "pretrained",
    "data",
    "runtime",
)
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:benchmark", "-o"]  # of PyTorch's image
# Other versions than those of the environment deprecate what the course does not call itself; a bare machine has no JupyterLab.
UNIT = [*PYTEST, "addopts=--import-mode=importlib", "-p", "no:nbval", "-W", "ignore::DeprecationWarning"]
UNIT += ["--deselect=tests/runtime/test_health.py", "-W", "ignore:.*deterministic:UserWarning"]
UNIT += ["-W", "ignore:TensorFloat32:UserWarning"]  # what torch.compile would rather have
NOTEBOOK = [*PYTEST, "addopts=--import-mode=importlib --nbval-lax --nbval-current-env --nbval-cell-timeout=50", "-W", "ignore"]
RESUMING = ["tests/classification/test_resuming.py", "tests/vae/test_resuming.py"]
GLYPHS = ["tests/data/test_glyphs.py", "-k", "devices_agree or any_batch"]
WHEELS = "ipywidgets ipykernel nbval nbclient nbformat tqdm hypothesis pytest-xdist pyyaml psutil packaging setuptools>=77"


def parts(out, short):
    """The name of each part, its command, its seconds, and whether it runs alone."""
    speed = [sys.executable, "-m", "benchmarks.devices", "--json", str(out / "speed.json")]
    run = [sys.executable, "-m", "course_lib", "train", "vae", "--data", "glyphs", "--size", "16", "--out", str(out / "run")]
    if short:
        yield "speed", [*speed, "--images", "32", "--rounds", "1", "--no-compile"], 60, True
        yield "unit", [*UNIT, RESUMING[0], GLYPHS[0], "-k", f"True-sgd-6 or {GLYPHS[2]}"], 60, False
        return
    line = "from course_lib.runtime import health; print(*health.device(), sep=chr(10))"
    yield "machine", [sys.executable, "-c", line], 30, True
    yield "speed", [*speed, "loops", "busy"], 180, True
    yield "unit", [*UNIT, "-n", "6", "--maxfail=60", *(f"tests/{room}" for room in ROOMS)], 180, False
    for notebook in sorted((ROOT / "notebooks").glob("[01][0-9]*.ipynb"), reverse=True):
        yield notebook.stem, [*NOTEBOOK, f"notebooks/{notebook.name}"], 180, False
    yield "resuming", [*UNIT, *RESUMING], 120, False
    yield "glyphs", [*UNIT, *GLYPHS], 120, False
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1"]
    yield "command", [*torchrun, *run[1:], "--epochs", "2"], 120, False


def run_part(name, command, seconds, out):
    """Run a part and everything that it starts, for at most so many seconds; its output lies in NAME.txt."""
    environment = {**os.environ, "TQDM_DISABLE": "1", "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
    environment.setdefault("OMP_NUM_THREADS", "1")
    begin, log = time.perf_counter(), out / f"{name}.txt"
    with log.open("w", encoding="utf-8") as stream:
        job = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, start_new_session=True)
        try:
            status = job.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            status = job.wait() and "its time was over"
    lines = re.sub(r"\x1b\[\d+m", "", log.read_text(encoding="utf-8", errors="replace")).strip().splitlines()  # no colours
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    row = {
        "part": name,
        "status": status,
        "seconds": round(time.perf_counter() - begin, 1),
        "last": lines[-1][:200] if lines else "",
    }
    print(f"{name}: {'right' if status == 0 else status} in {row['seconds']} s: {row['last']}", flush=True)
    return {**row, "failed": failed[:60]}


def table(report):
    """The report as Markdown, with the name of the card."""
    speed = report.get("speed", {})
    text = [f"{report['made']}, {speed.get('device', report['device'])}, PyTorch {speed.get('torch', 'unknown')}", ""]
    text += ["| part | result | seconds |", "| --- | --- | --- |"]
    for row in report["parts"]:
        result = "right" if row["status"] == 0 else f"not right ({row['status']})"
        text.append(f"| {row['part']} | {result}: {re.sub('[|=]+', '', row['last']).strip()} | {row['seconds']} |")
    if "loops" in speed:
        from benchmarks.devices import HEAD, line

        peak = f"{speed['loops']['peak_flops'] / 1e12:.3g} TFLOP/s in {speed['loops']['peak_dtype']}"
        text += ["", f"Largest product of matrices: {peak}.", "", HEAD, *map(line, speed["loops"]["rows"])]
    busy = [f"- {row['loop']}, widths {row['widths']}: computes {row['busy']:.0%} of the time" for row in speed.get("busy", [])]
    return "\n".join([*text, "", *busy]).rstrip() + "\n"


def collect(folder):
    """Wheels for Python 3.12 on Linux, as PyTorch's image has it; PyTorch itself is there."""
    target = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312", "--abi", "abi3", "--abi", "none"]
    for platform in ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any"):
        target += ["--platform", platform]
    command = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary=:all:", *target, "-d", folder]
    subprocess.run([*command, *WHEELS.split()], check=True)


def install(folder):
    """What `collect` found, and the course itself, whose metadata the health report reads."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    wheels = sorted(map(str, Path(folder).glob("*.whl")))
    # A package that the image has already, or that does not fit it, stops no other.
    for wheel in wheels:
        subprocess.run([*pip, "--no-index", wheel], check=False)
    subprocess.run([*pip, "--no-build-isolation", "-e", str(ROOT)], check=True)


def main(arguments=None):
    """Run the parts that were asked for; the exit status is that of the worst."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", help="parts to run, for example speed; by default all")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ROOT / "build" / "gpu")))
    parser.add_argument("--short", action="store_true", help="half a minute on a CPU: whether the check itself works")
    parser.add_argument("--collect", metavar="FOLDER", help="download what a bare machine lacks, and end")
    parser.add_argument("--wheels", metavar="FOLDER", help="install what --collect downloaded, before the parts")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="parts at the same time")
    options = parser.parse_args(arguments)
    if options.collect:
        return collect(options.collect)
    os.environ.setdefault("COURSE_DEVICE", "cuda")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.wheels:
        install(options.wheels)
    report = {"made": str(datetime.date.today()), "device": os.environ["COURSE_DEVICE"], "short": options.short, "parts": []}
    wanted = [part for part in parts(options.out.resolve(), options.short) if not options.part or part[0] in options.part]

    def run(part):
        report["parts"].append(run_part(*part[:3], options.out))
        if part[0] == "speed" and report["parts"][-1]["status"] == 0:
            report["speed"] = json.loads((options.out / "speed.json").read_text(encoding="utf-8"))
        # After each part: a machine that goes away leaves what was found.
        (options.out / "gpu.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    for part in wanted:
        if part[3]:
            run(part)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, (part for part in wanted if not part[3])))
    (options.out / "gpu.md").write_text(table(report), encoding="utf-8")
    return int(any(row["status"] != 0 for row in report["parts"]))


if __name__ == "__main__":
    sys.exit(main())
