"""Checkpoints: a model's weights and what is known of them in one file.

Nothing is executed on loading. The file is what `torch.save` writes and ``torch.load(path,
weights_only=True)`` reads.
"""

import io
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import course_lib

WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel, torch.optim.swa_utils.AveragedModel)


@dataclass(frozen=True)
class Checkpoint:
    """What `load_checkpoint` found in a file.

    Attributes:
        weights: the model's state, by name as in `nn.Module.state_dict`.
        config: what the model is built from.
        metrics: what was measured of it.
        training: the state of a training run that can be resumed; None where none was saved.
        versions: of torch and course_lib, when it was saved.
    """

    weights: dict[str, torch.Tensor]
    config: dict
    metrics: dict
    training: dict | None
    versions: dict[str, str]


def save_checkpoint(
    path: str | os.PathLike,
    model: nn.Module | Mapping[str, torch.Tensor],
    *,
    config: Mapping | None = None,
    metrics: Mapping | None = None,
    training: Mapping | None = None,
) -> None:
    """Save a model's weights, from whatever device, and what is known of them.

    An error or an interruption leaves the old file, or none.

    Args:
        path: the file, by custom ``NAME.pt``. Its folder must exist.
        model: a module, or its state by name. Of one that is compiled, averaged or spread over
            devices (`WRAPPERS`), it is the module inside.
        config: what the model is built from, for example the arguments of its constructor.
        metrics: what was measured of it.
        training: state of a run, to resume it, for example ``run.state_dict()``.

    Raises:
        TypeError: a value is no tensor, number, text, list, tuple or dict of such.
        RuntimeError, OSError: nothing can be written there, for example since there is no such
            folder.
    """
    path = Path(os.path.expanduser(path)).resolve()  # a link stays a link, to a file that has changed
    weights = _inner(model).state_dict() if isinstance(model, nn.Module) else model
    contents = {
        "weights": {_plain(name): value.detach().cpu().clone() for name, value in weights.items()},
        "config": dict(config or {}),
        "metrics": dict(metrics or {}),
        "training": None if training is None else dict(training),
        "versions": {"course_lib": course_lib.__version__, "torch": str(torch.__version__)},
    }
    # Written beside its place, on the same disk, and then renamed: there is never half a file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(contents, temporary)
        if refused := torch.serialization.get_unsafe_globals_in_checkpoint(temporary):
            raise pickle.PicklingError(f"not {', '.join(refused)}")
        os.replace(temporary, path)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"{path} was not saved: a checkpoint holds tensors, numbers, texts, lists, tuples and dicts ({error})"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike, model: nn.Module | None = None, *, device: torch.device | str = "cpu") -> Checkpoint:
    """Load what `save_checkpoint` saved, and put the weights into `model` if one is given.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no checkpoint of the course, it is damaged, or its weights do not fit the
            model, which is then left as it was.
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        # torch.save writes a zip file, with a checksum for each part and without attributes: one
        # wrong bit in these makes a folder of a tensor, which PyTorch would read as zeros.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip() or next((part.filename for part in archive.infolist() if part.external_attr), None)
        if damaged is not None:
            raise zipfile.BadZipFile(f"its part {damaged} is not as it was written")
        contents = io.BytesIO(path.read_bytes())  # PyTorch expects other formats of some names' endings
        checkpoint = Checkpoint(**torch.load(contents, map_location=device, weights_only=True))
    except Exception as error:  # a damaged file can fail in a dozen ways
        raise ValueError(f"{path} is damaged, or not written by save_checkpoint: save or download it again") from error
    if model is not None:
        load_weights(model, checkpoint.weights, source=path.name)
    return checkpoint


def load_weights(model: nn.Module, weights: Mapping[str, torch.Tensor], source: str = "this checkpoint") -> None:
    """Put the weights of a checkpoint into a model, wrapped or not, all of them or none.

    ValueError names the first that does not fit, and both shapes.
    """
    model = _inner(model)
    given = {name: list(value.shape) for name, value in weights.items()}
    own = {_plain(name): list(value.shape) for name, value in model.state_dict().items()}
    for name in {**own, **given}:
        if own.get(name) != given.get(name):
            raise ValueError(
                f"{source} does not fit this {type(model).__name__}: {name} has the shape {given.get(name)} there and "
                f"{own.get(name)} in the model; build the model with the configuration that it was saved with"
            )
    model.load_state_dict({name: weights[_plain(name)] for name in model.state_dict()})


def _inner(model: nn.Module) -> nn.Module:
    """The module that others are wrapped around."""
    while isinstance(model, WRAPPERS) or hasattr(model, "_orig_mod"):  # torch.compile puts it there
        model = model.module if isinstance(model, WRAPPERS) else model._orig_mod  # type: ignore[assignment]
    return model


def _plain(name: str) -> str:
    """The name of a weight in the plain model, of which parts may be compiled."""
    return name.replace("_orig_mod.", "")
