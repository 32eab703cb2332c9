"""Where tensors live."""

import os

import torch


def pick_device(name: str | torch.device | None = None) -> torch.device:
    """Chooses the device to work on.

    Args:
        name: "cpu", "cuda", "cuda:1" or "mps". None asks the environment variable COURSE_DEVICE; where that is not set
            either, the first CUDA GPU is taken if there is one and the CPU otherwise.

    Returns:
        A device that exists on this machine.

    Raises:
        ValueError: the named device does not exist here.

    Apple's GPU (mps) is taken only when it is named: it has no float64, in which the course checks its derivations.
    """
    source = "the argument name"
    if name is None and os.environ.get("COURSE_DEVICE"):
        name, source = os.environ["COURSE_DEVICE"], "the environment variable COURSE_DEVICE"
    if name is None:
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    names = available_devices()
    requested = str(name).strip().lower()
    if requested in ("cuda", "cpu:0", "mps:0"):
        requested = {"cuda": "cuda:0", "cpu:0": "cpu", "mps:0": "mps"}[requested]
    if requested not in names:
        raise ValueError(f"there is no device {str(name)!r} here ({source}): choose one of {', '.join(names)}")
    return torch.device(requested)


def available_devices() -> list[str]:
    """The devices of this machine that PyTorch can use, by name: "cpu" first, then "cuda:0", "cuda:1", ... and "mps"."""
    names = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def describe_device(device: torch.device) -> str:
    """One phrase on a device, for example "cuda:0 (NVIDIA H200, 140 GiB)" or "cpu (2 threads)"."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} {'thread' if threads == 1 else 'threads'})"
    return str(device)


def bfloat16_works(device: torch.device) -> bool:
    """Whether bfloat16 can be computed with on `device`: multiplies two small matrices and compares with float32.

    Asking the hardware is the only sure way: a device may know the type and lack the operation.
    """
    generator = torch.Generator().manual_seed(0)
    left, right = torch.rand(2, 16, 16, generator=generator).unbind()
    try:
        product = left.to(device, torch.bfloat16) @ right.to(device, torch.bfloat16)
        # 8 significant bits: each factor is off by up to 2^-9 of itself, and so is the result.
        return torch.allclose(product.float().cpu(), left @ right, rtol=2**-6)
    except (RuntimeError, TypeError):
        return False
