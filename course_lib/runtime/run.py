"""A training run: the record of what happened, and the state from which it can go on as if it had never stopped."""

import copy
import math
import time
from collections.abc import Mapping

import torch

READ_EVERY = 20
"""Steps between two reads of recorded values: to read a number is to wait for the GPU, so several are read at once."""


class DivergenceError(ArithmeticError):
    """A recorded value is not a finite number. `run` is the record up to and with that value."""

    def __init__(self, message: str, run: "Run") -> None:
        super().__init__(message)
        self.run = run


class Run:
    """The record of a training loop. The loops of all chapters return one.

    Attributes:
        settings: what the loop was asked to do, by argument name (JSON values).
        step: updates that were made.
        steps: a list for each recorded name with a number for every update, for example ``run.steps["loss"]``.
        epochs: a dict for each finished epoch: "epoch" (from 1), "step", "seconds" of training so far (without validation), the
            mean over the epoch of everything in `steps`, and what the loop measured at its end.
        seconds: wall time of the training so far, without validation.
        stopped: whether the Stop button ended it.
    """

    def __init__(self, settings: Mapping, advice: str = "") -> None:
        self.settings, self.advice = dict(settings), advice
        self.step, self.steps, self.epochs, self.seconds, self.stopped = 0, {}, [], 0.0, False
        self._unread: list[dict] = []
        self._order: torch.Tensor | None = None  # state of the batches' generator before an unfinished epoch
        self._state: dict | None = None

    @classmethod
    def begin(
        cls,
        resume: "Run | None",
        settings: Mapping,
        advice: str,
        optimizers: Mapping,
        generators: Mapping,
        device: torch.device,
    ) -> "Run":
        """A new run, or `resume` again, with optimizers, generators and the device's random numbers put back to where it ended.

        Raises ValueError where a setting differs from the resumed run's, where that run was never finished or stopped or is that
        of a model with other parameters, and where two names share one generator: its state in the middle of an epoch would be
        two states.
        """
        if len({id(generator) for generator in generators.values()}) < len(generators):
            names = " and ".join(generators)
            raise ValueError(f"one generator draws {names}: give each its own, or the run could not be resumed exactly")
        settings = {**settings, "random": sorted(generators)}
        if resume is None:
            return cls(settings, advice)
        if not isinstance(resume, Run):
            raise TypeError(f"resume must be a Run, got {type(resume).__name__}: Run.from_state_dict makes one from a checkpoint")
        if resume._state is None:
            raise ValueError("this run has no state to resume from: it was neither finished nor stopped, or was resumed already")
        for name, value in settings.items():
            if resume.settings.get(name) != value:
                raise ValueError(
                    f"{name} is {value!r}, and {resume.settings.get(name)!r} in the run to resume: give it the same settings"
                )
        for name, optimizer in optimizers.items():
            _check_shapes(optimizer, resume._state["optimizers"][name]["state"])
        # From here on the state is that of an earlier step: an error on the way must not leave it behind.
        state, resume._state, resume.advice, resume.stopped = copy.deepcopy(resume._state), None, advice, False
        for name, optimizer in optimizers.items():
            saved = state["optimizers"][name]
            # Names of parameters are numbers for an optimizer and texts in a checkpoint.
            optimizer.load_state_dict({**saved, "state": {int(key): value for key, value in saved["state"].items()}})
            _restore_layout(optimizer)
        for name, generator in generators.items():
            generator.set_state(state["generators"][name].cpu())
        torch.set_rng_state(state["torch"].cpu())
        if device.type == "cuda" and state["device"] is not None:
            torch.cuda.set_rng_state(state["device"].cpu(), device)
        if device.type == "mps" and state["device"] is not None:
            torch.mps.set_rng_state(state["device"].cpu())
        return resume

    def begin_epoch(self, order: torch.Generator) -> None:
        """Remember the generator that draws the order of the images: a run that stops within an epoch draws it again."""
        self._order, self._start = order.get_state(), time.perf_counter()

    def record(self, **values: torch.Tensor | float) -> None:
        """Note the values of an update. Tensors (scalars) stay on their device until several can be read at once.

        Raises DivergenceError where one is not finite, at most READ_EVERY updates after it happened.
        """
        self.step += 1
        self._unread.append(values)
        if len(self._unread) == READ_EVERY:
            self.read()

    def end_epoch(self, steps: int, **measured: float) -> None:
        """Close an epoch of so many steps: its means, and what was measured at its end."""
        means = {name: sum(values[-steps:]) / steps for name, values in self.steps.items()}
        for name, value in measured.items():
            self._check(name, value, f"at the end of epoch {len(self.epochs) + 1}")
        position = {"epoch": len(self.epochs) + 1, "step": self.step, "seconds": self.seconds}
        self.epochs.append({**position, **means, **measured})
        self._order = None

    def pause(self) -> None:
        """Read what is still on the device and stop the clock, at the end of an epoch or where the run stops."""
        self.read()
        self.seconds += time.perf_counter() - self._start

    def keep(self, optimizers: Mapping, generators: Mapping, device: torch.device, stopped: bool) -> None:
        """Keep a copy of the state to resume from. `generators` must hold the batches' as "order"."""
        self.stopped = stopped
        states = {name: generator.get_state() for name, generator in generators.items()}
        if self._order is not None:
            states["order"] = self._order
        saved = {name: copy.deepcopy(optimizer.state_dict()) for name, optimizer in optimizers.items()}
        for state in saved.values():
            state["state"] = {str(key): dict(value) for key, value in state["state"].items()}
        self._state = {"optimizers": saved, "generators": states, "torch": torch.get_rng_state(), "device": _random_state(device)}

    def state_dict(self) -> dict:
        """Everything of the run, as `save_checkpoint` takes it for `training`."""
        names = ("settings", "step", "steps", "epochs", "seconds", "stopped")
        return copy.deepcopy({**{name: getattr(self, name) for name in names}, "state": self._state})

    @classmethod
    def from_state_dict(cls, state: Mapping) -> "Run":
        """The run that `state_dict` described, for example from ``load_checkpoint(path).training``; ValueError for None."""
        if state is None:
            raise ValueError("there is no training run in this checkpoint: save it with training=run.state_dict()")
        state = copy.deepcopy(dict(state))
        run = cls(state["settings"])
        run.step, run.seconds, run.stopped = state["step"], state["seconds"], state["stopped"]
        run.steps, run.epochs, run._state = state["steps"], state["epochs"], state["state"]
        return run

    def read(self) -> None:
        """Move recorded values from the device into `steps`; DivergenceError where one is not finite."""
        unread, self._unread = self._unread, []
        for values in _to_numbers(unread):
            for name, value in values.items():
                self.steps.setdefault(name, []).append(value)
            for name, value in values.items():
                self._check(name, value, f"in step {len(self.steps[name])}")

    def _check(self, name: str, value: float, where: str) -> None:
        if not math.isfinite(value):
            raise DivergenceError(f"{name} is {value} {where}. {self.advice}", self)


def _check_shapes(optimizer: torch.optim.Optimizer, state: Mapping) -> None:
    """Raise ValueError for the state of other parameters: a fused optimizer would write beyond the memory that is its own."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for key, values in state.items():
        for value in values.values():
            if not isinstance(value, torch.Tensor) or value.dim() == 0:
                continue  # a count of steps
            if int(key) >= len(parameters) or value.shape != parameters[int(key)].shape:
                has = f"of shape {list(parameters[int(key)].shape)}" if int(key) < len(parameters) else "missing"
                saved = f"of shape {list(value.shape)} in the run to resume: give it the model that it had"
                raise ValueError(f"parameter {key} is {has}, and {saved}")


def _restore_layout(optimizer: torch.optim.Optimizer) -> None:
    """Give each state of the size of its parameter the parameter's strides.

    A file holds all tensors contiguous, and parameters may be channels_last. The numbers are the same either way, but a fused
    optimizer goes through the memory of both side by side and would pair each weight with the average of another.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _random_state(device: torch.device) -> torch.Tensor | None:
    """The state of the device's own random numbers; the CPU's are kept in any case."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None


def _to_numbers(rows: list[dict]) -> list[dict]:
    """Rows of scalar tensors and numbers as rows of numbers, with one transfer for each name."""
    if not rows:
        return []
    columns = {}
    for name in rows[0]:
        column = [row[name] for row in rows]
        columns[name] = torch.stack(column).tolist() if isinstance(column[0], torch.Tensor) else column
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
