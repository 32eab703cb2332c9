"""What the grader and an answer exchange: numbers, tensors, texts and lists of them, as JSON with a length in front.

Nothing that is read here can run code or lie about its value: a number that arrives is a number, whatever class it had.
"""

import base64
import json
import math
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

LARGEST = 2**28  # bytes of a message
DEEPEST = 30  # lists in lists
NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
DTYPES = {name: getattr(torch, name) for name in NAMES}


def encode(value: Any, depth: int = 0) -> Any:
    """A value as JSON can hold it; what is no number, text or tensor, and no collection of these, as the name of its type."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth < DEEPEST and isinstance(value, list):
        return [encode(part, depth + 1) for part in value]
    if depth < DEEPEST and isinstance(value, tuple):
        return {"tuple": [encode(part, depth + 1) for part in value]}
    if depth < DEEPEST and isinstance(value, dict):
        return {"dict": [[encode(key, depth + 1), encode(part, depth + 1)] for key, part in value.items()]}
    if isinstance(value, torch.Tensor) and str(value.dtype).removeprefix("torch.") in DTYPES and not value.is_sparse:
        return {"tensor": str(value.dtype).removeprefix("torch."), **_flat(value)}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        return {"array": True, **encode(torch.as_tensor(np.array(value)))}
    return {"other": type(value).__name__}


def _flat(value: torch.Tensor) -> dict:
    numbers = value.detach().cpu().contiguous().reshape(-1)
    data = numbers.view(torch.uint8).numpy().tobytes() if numbers.numel() else b""
    return {"shape": list(value.shape), "data": base64.b64encode(data).decode()}


def decode(found: Any) -> Any:
    """The value that `encode` was given. Of a value that it had only the type of: an object whose class has that name.

    Raises:
        ValueError: `encode` did not make it.
    """
    try:
        return _decode(found)
    except (TypeError, KeyError, RecursionError, RuntimeError, OverflowError, ValueError) as error:
        raise ValueError(f"it is no answer ({type(error).__name__})") from error


def _decode(found: Any) -> Any:
    if isinstance(found, list):
        return [_decode(part) for part in found]
    if not isinstance(found, dict):
        return found
    if "tuple" in found:
        return tuple(_decode(part) for part in found["tuple"])
    if "dict" in found:
        return {_decode(key): _decode(part) for key, part in found["dict"]}
    if "tensor" in found:
        shape, data = found["shape"], bytearray(base64.b64decode(found["data"]))
        dtype = DTYPES[found["tensor"]]
        if any(type(size) is not int or size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError("its shape and its numbers differ")
        values = torch.frombuffer(data, dtype=dtype).reshape(shape) if data else torch.empty(shape, dtype=dtype)
        return values.numpy() if "array" in found else values
    return type(str(found["other"]), (), {})()


def send(channel: socket.socket, value: Any) -> None:
    """Sends a value.

    Raises:
        ValueError: it is larger than a message may be.
    """
    data = json.dumps(encode(value)).encode()
    if len(data) > LARGEST:
        raise ValueError(f"{len(data):,} bytes are too many, {LARGEST:,} are allowed")
    channel.sendall(struct.pack(">Q", len(data)) + data)


def receive(channel: socket.socket, look: Callable[[], None] = lambda: None, every: float = 0.25) -> Any:
    """The next value; while it waits it calls `look` so often, which may raise.

    Raises:
        EOFError: the other side is gone.
        ValueError: what arrives is no message.
    """
    data, size, looked = bytearray(), 8, time.monotonic()
    header = True
    while True:
        if len(data) == size and not header:
            break
        if len(data) == size:
            (size,) = struct.unpack(">Q", data)
            if size > LARGEST:
                raise ValueError(f"it sends {size:,} bytes, and {LARGEST:,} are allowed")
            data, header = bytearray(), False
            continue
        ready, _, _ = select.select([channel], [], [], every)
        if time.monotonic() - looked >= every:
            look()
            looked = time.monotonic()
        if ready:
            try:
                part = channel.recv(min(size - len(data), 2**20))
            except ConnectionError as error:
                raise EOFError from error
            if not part:
                raise EOFError
            data += part
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no message") from error
    return decode(found)
