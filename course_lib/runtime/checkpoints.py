"""Checkpoints: a model's weights and what is known of them in one file, from which nothing is ever executed.

The format is safetensors: named tensors behind a header of text. Everything that is no tensor (configuration, metrics, versions,
the state of a training run) is JSON in that header, and so is a hash of it all, which is compared at every load.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

import course_lib
from course_lib.runtime.versions import installed_version

FORMAT = "1"
_TENSOR = "$tensor"  # in the JSON, {"$tensor": name} stands for a tensor


@dataclass(frozen=True)
class Checkpoint:
    """What `load_checkpoint` found in a file.

    Attributes:
        weights: the model's state, by name as in `nn.Module.state_dict`.
        config: what the model is built from (JSON values).
        metrics: what was measured of it (JSON values).
        training: the state of a training run that can be resumed; None where none was saved.
        versions: of torch and course_lib, when it was saved.
        sha256: hash of the contents, as saved in the file.
    """

    weights: dict[str, torch.Tensor]
    config: dict
    metrics: dict
    training: dict | None
    versions: dict[str, str]
    sha256: str


def save_checkpoint(
    path: str | os.PathLike,
    model: nn.Module | Mapping[str, torch.Tensor],
    *,
    config: Mapping | None = None,
    metrics: Mapping | None = None,
    training: Mapping | None = None,
) -> str:
    """Save a model's weights, from whatever device, and what is known of them. An interruption leaves the old file or none.

    Args:
        path: the file, by custom ``NAME.safetensors``. Its folder must exist.
        model: a module, or its state by name.
        config: what the model is built from, for example the arguments of its constructor: JSON values.
        metrics: what was measured of it: JSON values.
        training: state of a run, to resume it: dicts with texts as keys, lists, JSON values and tensors, in any nesting.

    Returns:
        The SHA-256 of the contents.

    Raises:
        TypeError: a value is neither a dense real tensor nor JSON; the message says where it stands.
        FileNotFoundError: the folder does not exist, or path is one.
    """
    weights = model.state_dict() if isinstance(model, nn.Module) else dict(model)
    tensors: dict[str, torch.Tensor] = {}
    known = {"weights": weights, "config": config or {}, "metrics": metrics or {}, "training": training}
    header = {name: _take_tensors(value, name, tensors) for name, value in known.items()}
    header["versions"] = {"course_lib": course_lib.__version__, "torch": installed_version("torch") or torch.__version__}
    text = json.dumps(header)
    digest = _digest(text, tensors)
    _replace(Path(path), save(tensors, metadata={"format": FORMAT, "contents": text, "sha256": digest}))
    return digest


def load_checkpoint(path: str | os.PathLike, model: nn.Module | None = None, *, device: torch.device | str = "cpu") -> Checkpoint:
    """Load what `save_checkpoint` saved, and put the weights into `model` if one is given.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no checkpoint of the course, it is damaged, or its weights do not fit the model (which is then left as
            it was); the message names the first tensor that does not fit, with both shapes.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged, or no safetensors file ({error}): save or download it again") from None
    if metadata.get("format") != FORMAT or not {"contents", "sha256"} <= set(metadata):
        raise ValueError(f"{path} is a safetensors file, but no checkpoint of this course (format {metadata.get('format')!r})")
    if _digest(metadata["contents"], tensors) != metadata["sha256"]:
        raise ValueError(f"{path} is damaged: its contents do not have the hash that was saved with them. Save it again")
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    try:
        contents = {name: _put_tensors(value, tensors) for name, value in json.loads(metadata["contents"]).items()}
        checkpoint = Checkpoint(**contents, sha256=metadata["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} was not written by save_checkpoint: its header is not understood ({error!r})") from None
    if not all(isinstance(weight, torch.Tensor) for weight in checkpoint.weights.values()):
        raise ValueError(f"{path} was not written by save_checkpoint: a weight of it is no tensor")
    if model is not None:
        load_weights(model, checkpoint.weights, source=path.name)
    return checkpoint


def load_weights(model: nn.Module, weights: Mapping[str, torch.Tensor], source: str = "these weights") -> None:
    """Put weights into a model, all or none. ValueError names the first that does not fit, and says how many do not."""
    own = {name: value for name, value in model.state_dict().items() if isinstance(value, torch.Tensor)}
    missing, unknown = [name for name in own if name not in weights], [name for name in weights if name not in own]
    shapes = [name for name in own if name in weights and own[name].shape != weights[name].shape]
    if not (missing or unknown or shapes):
        model.load_state_dict(dict(weights))
        return
    way_out = "build the model with the configuration that it was saved with"
    if shapes:
        name = shapes[0]
        fault = f"{name} has the shape {list(weights[name].shape)} there and {list(own[name].shape)} in the model"
    elif missing:
        fault = f"it has no {missing[0]}, which the model needs"
    else:
        fault = f"it has {unknown[0]}, which the model has not"
    others = len(missing) + len(unknown) + len(shapes) - 1
    more = f" ({others} more do not fit)" if others else ""
    raise ValueError(f"{source} does not fit this {type(model).__name__}: {fault}{more}; {way_out}")


def _take_tensors(value: object, where: str, tensors: dict[str, torch.Tensor]) -> object:
    """The value as JSON, its tensors moved into `tensors` under the place where they stood."""
    if isinstance(value, torch.Tensor):
        if value.is_sparse or value.is_complex() or value.is_meta:
            raise TypeError(f"{where} is a sparse, complex or meta tensor: a checkpoint holds dense real ones")
        # The number keeps apart what the dots do not: {"a.b": x} and {"a": {"b": x}}.
        name = where if where not in tensors else f"{where}#{len(tensors)}"
        # A copy of its own: parameters can share memory (a tied weight), which the format does not allow.
        tensors[name] = value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        strange = [key for key in value if not isinstance(key, str) or key == _TENSOR]
        if strange:
            raise TypeError(f"{where} has the key {strange[0]!r}: keys must be texts, and not {_TENSOR!r}")
        return {key: _take_tensors(item, f"{where}.{key}", tensors) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_take_tensors(item, f"{where}.{number}", tensors) for number, item in enumerate(value)]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{where} is a {type(value).__name__}: a checkpoint holds tensors, numbers, texts, lists and dicts")


def _put_tensors(value: object, tensors: dict[str, torch.Tensor]) -> object:
    """The inverse of `_take_tensors`; tuples have become lists."""
    if isinstance(value, dict):
        if set(value) == {_TENSOR}:
            return tensors[value[_TENSOR]]
        return {key: _put_tensors(item, tensors) for key, item in value.items()}
    return [_put_tensors(item, tensors) for item in value] if isinstance(value, list) else value


def _digest(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {list(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _replace(path: Path, contents: bytes) -> None:
    """Write the file in one step: it is written beside its place, on the same disk, and then renamed."""
    path = path.expanduser().resolve()  # a link stays a link, to a file that has changed
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else f"lies in {path.parent}, which is no folder"
        raise FileNotFoundError(f"{path} {what}: give the path of a file in a folder that exists")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())  # the contents are on the disk before the name is
        # mkstemp makes a file that only its owner can read: it gets the rights of the old one, or the usual ones.
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The rights that new files of this process do not get. It can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
