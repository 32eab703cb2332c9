"""How fast are the three loops on this device, and with more processes? `make bench-devices` prints it.

Usage: python -m benchmarks.devices [loops] [busy] [processes] [--images 81920] [--batch-size 4096]

`loops`: images per second of `fit_classifier`, `fit_gan` and `fit_vae` on random images that lie on
the device, with bfloat16, channels_last and torch.compile on and off, and their share of the largest
product of matrices that was measured on it. `busy`: on a GPU, the share of the time in which it
computes, and the lines of the course that make the CPU wait for it. `processes`: one process and two
with the same batch, started by torchrun, on the CPUs. What is compared runs in turn, and is compared
by medians.
"""

import argparse
import collections
import itertools
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from course_lib import classification, data, gan, vae
from course_lib.runtime import pick_device
from course_lib.runtime.device import bfloat16_pays, describe_device, processor
from course_lib.runtime.timing import interleaved_medians
from course_lib.training import World, joined

BATCH_SIZES = {"cuda": 512, "cpu": 64}
# The networks of a GPU are larger: with small ones it would wait for the next launch.
WIDTHS = {"cuda": (64, 128, 256), "cpu": (16, 32, 64)}


def random_images(count, channels):
    """Noise of 32 x 32 with labels: what an image shows changes no time."""
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, channels, 32, 32), dtype=torch.uint8, generator=rng)
    return data.ImageSet(images, torch.randint(0, 10, (count,), generator=rng), [str(n) for n in range(10)])


def batches_of(images, device, channels_last=True, batch_size=None):
    rng, size = torch.Generator().manual_seed(0), min(batch_size or BATCH_SIZES[device.type], len(images))
    return data.Batches(images, batch_size=size, rng=rng, device=device, channels_last=channels_last, drop_last=True)


def classifier(count, device, widths, channels_last=True, batch_size=None, **options):
    """One pass of `fit_classifier` with a ResNet, as a function without arguments."""
    model = classification.ResNet(3, 32, 10, widths=widths)
    batches = batches_of(random_images(count, 3), device, channels_last, batch_size)
    return lambda: classification.fit_classifier(model, batches, epochs=1, lr=0.01, **options)


def game(count, device, widths, channels_last=True, **options):
    """So many steps of `fit_gan`."""
    G, D = gan.Generator(1, 32, 64, widths=widths[::-1]), gan.Discriminator(1, 32, widths=widths)
    batches = batches_of(random_images(count, 1), device, channels_last)
    return lambda: gan.fit_gan(G, D, batches, steps=len(batches), **options)


def autoencoder(count, device, widths, channels_last=True, **options):
    """One pass of `fit_vae`."""
    model = vae.VAE(1, 32, 32, widths=widths[:2], hidden=256)
    batches = batches_of(random_images(count, 1), device, channels_last)
    return lambda: vae.fit_vae(model, batches, epochs=1, **options)


LOOPS = {"fit_classifier": classifier, "fit_gan": game, "fit_vae": autoencoder}


def matmul_peak(device):
    """The most floating-point operations per second that a product of matrices reached, and its type."""
    size, best = 8192 if device.type == "cuda" else 768, {}
    for dtype in (torch.float32, torch.bfloat16) if bfloat16_pays(device) else (torch.float32,):
        a = torch.randn(size, size, device=device).to(dtype)
        best[str(dtype)] = 2 * size**3 / interleaved_medians({"product": lambda a=a: a @ a}, rounds=5)["product"]
    return max(best.values()), max(best, key=best.get)


def operations(make, widths):
    """Floating-point operations of the loop for an image, forward and backward, counted on a CPU."""
    run = make(64, torch.device("cpu"), widths)
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 64


def variants(compile):
    """All settings of bfloat16 and channels_last; compiled where both are on, and only where asked."""
    for bfloat16, channels_last in itertools.product((False, True), (False, True)):
        yield {"bfloat16": bfloat16, "channels_last": channels_last}
    if compile:
        yield {"bfloat16": True, "channels_last": True, "compile": True}


def loops(device, count, rounds, compile):
    """A row for each loop and setting. One that fails costs its row."""
    (peak, dtype), widths = matmul_peak(device), WIDTHS[device.type]
    print(f"largest product of matrices: {peak / 1e12:.3g} TFLOP/s in {dtype}")
    print(f"bfloat16 is {'on' if bfloat16_pays(device, BATCH_SIZES[device.type]) else 'off'} by default here")
    rows = []
    for name, make in LOOPS.items():
        cost, runs, found = operations(make, widths), {}, {}
        for setting in variants(compile):
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            key, row = json.dumps(setting), {"loop": name, "compile": False, **setting}
            found[key] = row
            try:
                run = make(count, device, widths, **setting)
                run()
                runs[key] = run
                row["mebibytes"] = torch.cuda.max_memory_allocated(device) >> 20 if device.type == "cuda" else None
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {str(error)[:200]}"
        for key, seconds in interleaved_medians(runs, rounds).items():
            found[key] |= {"images_per_second": round(count / seconds), "share_of_peak": cost * count / seconds / peak}
        rows += found.values()
        for row in found.values():
            print(line(row), flush=True)
    return {"peak_flops": peak, "peak_dtype": dtype, "rows": rows}


def line(row):
    """A row of the table in Markdown."""
    on = ", ".join(name for name in ("bfloat16", "channels_last", "compile") if row[name]) or "none"
    if "error" in row:
        return f"| {row['loop']} | {on} | {row['error']} | | |"
    memory = "" if row["mebibytes"] is None else f"{row['mebibytes']:,}"
    return f"| {row['loop']} | {on} | {row['images_per_second']:,} | {row['share_of_peak']:.1%} | {memory} |"


HEAD = "| loop | on | images/s | share of the matmul peak | MiB |\n| --- | --- | --- | --- | --- |"


def waits(run):
    """What makes the CPU wait for the GPU in a run: how often, by line of the code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    places = (
        f"{Path(w.filename).parent.name}/{Path(w.filename).name}:{w.lineno}" for w in caught if "synchroniz" in str(w.message)
    )
    return dict(collections.Counter(places).most_common(8))


def computing(run):
    """The share of the time from the first kernel to the last in which any runs, and how many run."""
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        run()
        torch.cuda.synchronize()
    work = [event.time_range for event in profiler.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    spans = sorted((time_range.start, time_range.end) for time_range in work)
    busy, end = 0.0, spans[0][0]
    for begin, finish in spans:
        busy, end = busy + max(0.0, finish - max(begin, end)), max(end, finish)
    return busy / (end - spans[0][0]), len(spans)


def busy(device, count):
    """For each loop, in bfloat16 and channels_last, with a network of the GPU's size and of the CPU's."""
    rows = []
    for (name, make), widths in itertools.product(LOOPS.items(), WIDTHS.values()):
        run = make(count, device, widths, bfloat16=bfloat16_pays(device))
        run()  # to warm up
        share, kernels = computing(run)
        row = {"loop": name, "widths": widths, "busy": share, "kernels": kernels, "waits": waits(run)}
        rows.append(row)
        print(
            f"{name} {widths}: computes {share:.1%} of the time, {kernels} kernels and copies; waits: {row['waits']}", flush=True
        )
    return rows


def worker(count):
    """What torchrun starts: the seconds of one pass, from the first process."""
    with joined(torch.device("cpu")) as device:
        run = classifier(count, device, WIDTHS["cpu"], batch_size=512)
        run()  # to warm up
        start, cores = time.perf_counter(), time.process_time()
        run()
        seconds = time.perf_counter() - start
        cores = World().total(torch.tensor(time.process_time() - cores)).item()
        if World().rank == 0:
            print(f"seconds {seconds} {cores}")


def processes(count, rounds):
    """A pass in batches of 512, in one process and in two, each with one thread, in turn.

    Where other programs share the cores, the seconds say little, and the core-seconds still say what
    the second process costs.
    """
    found = {1: [], 2: []}
    for _, size in itertools.product(range(rounds), found):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={size}"]
        command += ["-m", "benchmarks.devices", "worker", "--images", str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"torchrun failed:\n{done.stderr[-2000:]}")
        found[size].append([float(number) for number in done.stdout.split("seconds ")[1].split()])
    result = {}
    for place, what in enumerate(("images per second", "core-seconds")):
        one, two = ([row[place] for row in rows] for rows in found.values())
        ratios = [a / b if place == 0 else b / a for a, b in zip(one, two, strict=True)]
        result[what] = statistics.median(ratios)
        print(f"two processes / one, {what}: {result[what]:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return {"seconds and core-seconds": found, "ratios": result}


def main():
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", help="loops, busy, processes; by default loops")
    parser.add_argument("--device", help="by default a GPU where there is one")
    parser.add_argument("--images", type=int, help="of a pass; by default 25,600 on a GPU and 512 on a CPU")
    parser.add_argument("--batch-size", type=int, help="by default 512 on a GPU and 64 on a CPU")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="by default on a GPU")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    cuda = device.type == "cuda"
    count = arguments.images or (25_600 if cuda else 512)
    BATCH_SIZES[device.type] = arguments.batch_size or BATCH_SIZES[device.type]
    torch.set_num_threads(1)
    if "worker" in arguments.part:
        return worker(count)
    made = {"torch": str(torch.__version__), "device": describe_device(device), "processor": processor()}
    print(*made.values(), sep=", ")
    if "loops" in arguments.part or not arguments.part:
        print(HEAD)
        made["loops"] = loops(device, count, arguments.rounds, cuda if arguments.compile is None else arguments.compile)
    if "busy" in arguments.part and cuda:
        made["busy"] = busy(device, count)
    if "processes" in arguments.part:
        made["processes"] = processes(count, arguments.rounds)
    if arguments.json:
        arguments.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
