"""What the grader and an answer exchange: numbers, tensors, texts and lists of them, as JSON with the tensors' bytes behind it.

Nothing that is read here can run code or lie about its value: a number that arrives is a number, whatever class it had. Nor does
it take much more memory than was sent: a tensor stays in the bytes that arrived.
"""

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

TEXT = 2**21  # bytes of the JSON of a message, which takes thirty times as much where it holds lists of nothing
LARGEST = 2**28  # bytes of its tensors
HEADER = struct.Struct(">QQ")  # the sizes of both
DEEPEST = 30  # lists in lists
NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
DTYPES = {name: getattr(torch, name) for name in NAMES}


def printable(found: Any) -> str:
    """A text in one line, short, and without what a terminal would obey or a file could not hold."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(str(found).split()))[:240]


def pack(value: Any) -> bytes:
    """A value as it is sent.

    Raises:
        ValueError: it is larger than a message may be.
    """
    blobs: list[bytes] = []
    text = json.dumps(_encode(value, blobs)).encode()
    data = b"".join(blobs)
    if len(text) > TEXT or len(data) > LARGEST:
        raise ValueError(f"{len(text):,} bytes and {len(data):,} of tensors are too many, {TEXT:,} and {LARGEST:,} are allowed")
    return HEADER.pack(len(text), len(data)) + text + data


def _encode(value: Any, blobs: list[bytes], depth: int = 0) -> Any:
    """A value as JSON can hold it; what is no number, text or tensor, and no collection of these, as the name of its type."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth < DEEPEST and isinstance(value, list):
        return [_encode(part, blobs, depth + 1) for part in value]
    if depth < DEEPEST and isinstance(value, tuple):
        return {"tuple": [_encode(part, blobs, depth + 1) for part in value]}
    if depth < DEEPEST and isinstance(value, dict):
        pairs = [[_encode(key, blobs, depth + 1), _encode(part, blobs, depth + 1)] for key, part in value.items()]
        return {"dict": pairs}
    if isinstance(value, bytes):
        return {"bytes": len(value), "at": _lay(value, blobs)}
    if isinstance(value, torch.Tensor) and str(value.dtype).removeprefix("torch.") in DTYPES and not value.is_sparse:
        numbers = value.detach().cpu().contiguous().reshape(-1)
        at = _lay(numbers.view(torch.uint8).numpy().tobytes() if numbers.numel() else b"", blobs)
        return {"tensor": str(value.dtype).removeprefix("torch."), "shape": list(value.shape), "at": at}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        return {"array": True, **_encode(torch.as_tensor(np.array(value)), blobs)}
    return {"other": type(value).__name__}


def _lay(data: bytes, blobs: list[bytes]) -> int:
    """Puts bytes behind the others, and returns where they begin."""
    at = sum(map(len, blobs))
    blobs.append(data + b"\0" * (-len(data) % 8))
    return at


def unpack(text: bytes, data: bytearray) -> Any:
    """The value that was packed. Of a value that only the type came of: an object whose class has that name.

    Raises:
        ValueError: `pack` did not make it.
    """
    try:
        return _decode(json.loads(text), data)
    except (TypeError, KeyError, RecursionError, RuntimeError, OverflowError, ValueError) as error:
        raise ValueError(f"it is no answer ({type(error).__name__})") from error


def _decode(found: Any, data: bytearray) -> Any:
    if isinstance(found, list):
        return [_decode(part, data) for part in found]
    if not isinstance(found, dict):
        return found
    if "tuple" in found:
        return tuple(_decode(part, data) for part in found["tuple"])
    if "dict" in found:
        return {_decode(key, data): _decode(part, data) for key, part in found["dict"]}
    if "bytes" in found:
        return bytes(data[found["at"] : found["at"] + found["bytes"]])
    if "tensor" in found:
        shape, at, dtype = found["shape"], found["at"], DTYPES[found["tensor"]]
        if any(type(size) is not int or size < 0 for size in shape) or type(at) is not int or at % 8:
            raise ValueError("no shape, or no place")
        count = math.prod(shape)
        values = torch.frombuffer(data, dtype=dtype, count=count, offset=at) if count else torch.empty(0, dtype=dtype)
        values = values.reshape(shape)
        return values.numpy() if "array" in found else values
    return type(printable(found["other"]), (), {})()


def send(channel: socket.socket, value: Any) -> None:
    """Sends a value.

    Raises:
        ValueError: it is larger than a message may be.
    """
    channel.sendall(pack(value))


def receive(channel: socket.socket, look: Callable[[], None] = lambda: None, every: float = 0.25) -> Any:
    """The next value; while it waits it calls `look` so often, which may raise.

    Raises:
        EOFError: the other side is gone.
        ValueError: what arrives is no message.
    """
    looked = time.monotonic()

    def read(size: int) -> bytearray:
        nonlocal looked
        data = bytearray()
        while len(data) < size:
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
        return data

    text, data = HEADER.unpack(read(HEADER.size))
    if text > TEXT or data > LARGEST:
        raise ValueError(f"it sends {text:,} bytes and {data:,} of tensors, and {TEXT:,} and {LARGEST:,} are allowed")
    return unpack(bytes(read(text)), read(data))
