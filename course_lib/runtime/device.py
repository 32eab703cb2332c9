"""Where tensors live."""

import os
import platform
from pathlib import Path

import torch


def pick_device(name: str | torch.device | None = None) -> torch.device:
    """Chooses the device to work on.

    Args:
        name: "cpu", "cuda", "cuda:1" or "mps". None asks the environment variable COURSE_DEVICE;
            where that is not set either, the first CUDA GPU is taken if there is one and the CPU
            otherwise.

    Returns:
        A device that exists on this machine.

    Raises:
        ValueError: the named device does not exist here.

    Apple's GPU (mps) is taken only when it is named: it has no float64, in which the course checks
    its derivations.
    """
    source = "the argument name"
    if name is None and os.environ.get("COURSE_DEVICE"):
        name, source = os.environ["COURSE_DEVICE"], "the environment variable COURSE_DEVICE"
    if name is None:
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    names = ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
    requested = str(name).strip().lower()
    requested = {"cuda": "cuda:0", "cpu:0": "cpu", "mps:0": "mps"}.get(requested, requested)
    if requested not in names:
        raise ValueError(f"there is no device {str(name)!r} here ({source}): choose one of {', '.join(names)}")
    return torch.device(requested)


def describe_device(device: torch.device) -> str:
    """One phrase on a device, for example "cuda:0 (NVIDIA H200, 140 GiB)" or "cpu (2 threads)"."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} {'thread' if threads == 1 else 'threads'})"
    return str(device)


def processor() -> str:
    """One phrase on the CPU: its model, and the instructions that PyTorch computes with.

    They decide its speed. For example "AMD EPYC, AVX-512 with bfloat16". What is not known is left
    out; it never fails.
    """
    info = Path("/proc/cpuinfo")  # Linux only
    lines = info.read_text(encoding="utf-8").splitlines() if os.access(info, os.R_OK) else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    model = fields.get("model name") or platform.processor() or platform.machine() or "unknown processor"
    instructions = torch.backends.cpu.get_cpu_capability().replace("AVX512", "AVX-512")
    if instructions in ("DEFAULT", "NO AVX"):  # nothing beyond what every processor of this family has
        return model
    bfloat16 = "bf16" in fields.get("flags", "") or "bf16" in fields.get("Features", "")  # x86; Arm
    return f"{model}, {instructions}{' with bfloat16' if bfloat16 else ''}"


LARGE_BATCH = 4096
"""From this size on, bfloat16 is the default on a GPU."""


def bfloat16_pays(device: torch.device, batch_size: int = LARGE_BATCH) -> bool:
    """Whether training in bfloat16 is the faster way on `device`: whether it has units for it, and on
    a GPU whether the batch is large enough to keep them busy.

    It is the one place where a default that differs by device is chosen, from measurements
    (`make bench-devices`). On a CPU with AVX-512 bfloat16 the three loops made about 1.2 times the
    images per second; without such units PyTorch computes bfloat16 by detours, which can take ten
    times as long. A GPU of the H200's kind waits for the next operation most of the time, and
    conversions are more of them: with batches of 512 the loops made 0.76 to 0.91 of the images, a
    classifier with batches of 4,096 made 1.5 times as many.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0) and batch_size >= LARGE_BATCH
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def bfloat16_works(device: torch.device) -> bool:
    """Whether `device` computes in bfloat16: a small product is compared with that in float32.

    Trying is the only sure way: a device may know the type and lack the operation.
    """
    left, right = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0)).unbind()
    try:
        product = left.to(device, torch.bfloat16) @ right.to(device, torch.bfloat16)
        # 8 significant bits: each factor is off by up to 2^-8 of itself, and so is the result.
        return torch.allclose(product.float().cpu(), left @ right, rtol=2**-6)
    except (RuntimeError, TypeError):
        return False
