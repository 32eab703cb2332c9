"""A training run: the shell around a loop, its record, and the state to go on from exactly."""

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from course_lib.training.devices import World
from course_lib.training.modes import evaluation_mode
from course_lib.training.progress import Progress
from course_lib.training.stop import StopButton

READ_EVERY = 20
"""Steps between two reads of recorded values: to read a number is to wait for the GPU."""

SAVED = ("settings", "step", "steps", "epochs", "seconds", "stopped", "state")


class DivergenceError(ArithmeticError):
    """A recorded value is not a finite number. `run` is the record so far, with that value."""

    def __init__(self, message: str, run: "Run") -> None:
        super().__init__(message)
        self.run = run


class Run:
    """A training loop's record, and its shell.

    The loops of all chapters are written like this and return the run:

        optimizers, rngs = {"updates": optimizer}, {"order": batches.rng}
        run = Run.begin(resume, settings, optimizers, rngs, batches.device, advice)
        with run.training(epochs * len(batches), model):
            for x, y in run.batches(batches):
                loss = step(model, optimizer, x, y)
                run.record(loss=loss)

    Attributes:
        settings: what the loop was asked to do, by argument name.
        step: updates that were made.
        steps: a list for each recorded name with a number for every update, for example
            ``run.steps["loss"]``.
        epochs: a dict for each finished epoch: "epoch" (from 1), "step", "seconds" of training so
            far, the mean over the epoch of everything in `steps`, and what the loop measured at its
            end.
        seconds: wall time of the training so far, without measuring and drawing.
        stopped: whether the Stop button ended it.
        state: of the optimizers and all random numbers when the run ended; None before that.
        world: the processes that learn together. Each records the values of the whole batch.
    """

    def __init__(self, settings: Mapping) -> None:
        self.settings = dict(settings)
        self.step, self.seconds, self.stopped = 0, 0.0, False
        self.steps: dict[str, list[float]] = {}
        self.epochs: list[dict] = []
        self.state: dict | None = None
        self.world = World()
        self._unread: list[dict] = []
        self._batches: Any = None  # those of the run while it goes on

    @classmethod
    def begin(
        cls,
        resume: "Run | None",
        settings: Mapping,
        optimizers: Mapping[str, torch.optim.Optimizer],
        rngs: Mapping[str, torch.Generator],
        device: torch.device,
        advice: str = "",
    ) -> "Run":
        """A new run, or `resume` again, its optimizers and random numbers as they were at its end.

        Args:
            resume: the run to go on with.
            settings: what it must have in common with this one.
            optimizers: those of the loop, by name.
            rngs: the CPU generators that the loop draws from, that of its batches as "order".
            device: where the model is (of several GPUs with its number); its own random numbers,
                which dropout draws, are part of the state.
            advice: what the error says when a value is no longer finite.

        Raises:
            ValueError: a setting differs from the resumed run's, that run was never finished or
                stopped or is that of a model with other parameters, or two names share one
                generator: in the middle of an epoch it would have two states.
            TypeError: resume is no run.
        """
        if len({id(rng) for rng in rngs.values()}) < len(rngs):
            raise ValueError(f"one generator draws {' and '.join(rngs)}: give each its own, or the run could not be resumed")
        settings = {**settings, "random": sorted(rngs)}
        run = cls(settings) if resume is None else resume
        if not isinstance(run, Run):
            raise TypeError(f"resume must be a Run, got {type(run).__name__}: Run.from_state_dict makes one from a checkpoint")
        run._attach(optimizers, rngs, device, advice)
        if resume is not None:
            run._restore(settings)
        return run

    def _attach(self, optimizers: Mapping, rngs: Mapping, device: torch.device, advice: str) -> None:
        """Take hold of what the state is kept of: the loop's, and PyTorch's own generators."""
        self._optimizers, self._rngs, self._advice = optimizers, {**rngs, "torch": torch.default_generator}, advice
        if device.type == "cuda":
            self._rngs["device"] = torch.cuda.default_generators[device.index]

    @contextlib.contextmanager
    def training(self, total: int, *models: nn.Module) -> Iterator[None]:
        """Training mode inside, for `total` updates; evaluation mode afterwards and on errors, which
        carry the run as their attribute `run`.

        The Stop button (Ctrl-C) ends `batches` after the present step instead of breaking in;
        where several processes learn together, and would stop at different steps, it breaks in.
        """
        self._total, self._models = total, models
        stop = StopButton() if self.world.size == 1 else contextlib.nullcontext(StopButton())
        quiet = {"disable": True} if self.world.rank else {}
        try:
            with stop as self._stop, Progress(total, self.step, **quiet) as self._bar:
                for model in models:
                    model.train()
                yield
        except Exception as error:
            error.run = self  # type: ignore[attr-defined]
            error.add_note(f"The record of {self.step} updates is kept: import sys; run = sys.last_value.run")
            raise
        finally:
            for model in models:
                model.eval()
            self._models, self._optimizers, self._batches = (), {}, None  # a record does not keep the networks alive

    @property
    def progress(self) -> float:
        """Share of the run that is done in the middle of the present step, for schedules."""
        return (self.step + 0.5) / self._total

    def batches(
        self,
        batches: Any,
        *,
        measure: Callable[[], dict[str, float]] | None = None,
        watch: Callable[["Run"], object] | None = None,
        watch_every: int | None = None,
    ) -> Iterator[Any]:
        """The batches of the run, pass after pass.

        The body of the loop makes one update of each and calls `record` once.

        What was learned from before the run was stopped is left out.

        Args:
            batches: `Batches`, or what has a length and draws each pass from its `rng` like them.
            measure: called at the end of each pass; what it returns is recorded in `epochs`.
            watch: called with the run after each pass, to draw it. Both are called in evaluation
                mode, and off the clock.
            watch_every: call `watch` after so many updates instead.
        """
        length, self._batches = len(batches), batches
        self._order, self._start = batches.rng.get_state(), time.perf_counter()  # the present pass is drawn from that state
        while self.step < self._total and not self._stop.pressed:
            for number, batch in enumerate(batches):
                if number < self.step % length:
                    continue  # learned from before the run was stopped
                yield batch
                self._bar.update()
                if self.step % length == 0:
                    self._end_epoch(length, measure)
                if watch and self.step % (watch_every or length) == 0:
                    self._aside(watch, self)
                if self._stop.pressed or self.step == self._total:
                    break
            self._order = self._next_order()
        self._pause()
        self.world.agree(*self._models)
        self.stopped, self.state = self.step < self._total, self._present_state()

    def record(self, **values: torch.Tensor | float) -> None:
        """Note the values of an update.

        Tensors (scalars) stay on their device until several can be read at once.

        Raises DivergenceError where one is not finite, at most READ_EVERY updates after it
        happened.
        """
        self.step += 1
        self._unread.append(self.world.weighted(values))
        if len(self._unread) == READ_EVERY:
            self.read()

    def read(self) -> None:
        """Move recorded values to `steps`. DivergenceError where one is not finite."""
        unread, self._unread = self._unread, []
        for name in unread[0] if unread else ():
            values = [row[name] for row in unread]
            tensors = all(isinstance(value, torch.Tensor) for value in values)  # then one transfer is enough
            read = self.world.total(torch.stack(values)).tolist() if tensors else map(float, values)
            self.steps.setdefault(name, []).extend(read)
        for place in range(-len(unread), 0):
            for name, numbers in self.steps.items():
                self._check(name, numbers[place], f"in step {self.step + place + 1}")

    def state_dict(self) -> dict:
        """Everything of the run, as `save_checkpoint` takes it for `training`.

        Called in `watch`, it is the state after the present step: a run that is killed later can
        be resumed from there.
        """
        state = self.state if self._batches is None else self._present_state()
        return copy.deepcopy({**{name: vars(self)[name] for name in SAVED}, "state": state})

    @classmethod
    def from_state_dict(cls, state: Mapping | None) -> "Run":
        """The run that `state_dict` described, for example ``load_checkpoint(path).training``.

        Raises ValueError for None.
        """
        if state is None:
            raise ValueError("there is no training run in this checkpoint: save it with training=run.state_dict()")
        run = cls(state["settings"])
        vars(run).update(copy.deepcopy({name: state[name] for name in SAVED}))
        return run

    def _restore(self, settings: Mapping) -> None:
        if self.state is None:
            raise ValueError("this run has no state to resume from: it was neither finished nor stopped, or was resumed already")
        for name, value in settings.items():
            if self.settings.get(name) != value:
                raise ValueError(
                    f"{name} is {value!r}, and {self.settings.get(name)!r} in the run to resume: give it the same settings"
                )
        for name, optimizer in self._optimizers.items():
            _check_shapes(optimizer, self.state["optimizers"][name]["state"])
        # From here on the state is that of an earlier step: an error on the way must not leave it
        # behind.
        state, self.state, self.stopped = copy.deepcopy(self.state), None, False
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        for name in self._rngs.keys() & state["rngs"].keys():  # "device" only where both were on a GPU
            self._rngs[name].set_state(state["rngs"][name].cpu())

    def _present_state(self) -> dict:
        """The state to resume from, between two steps."""
        optimizers = {name: copy.deepcopy(optimizer.state_dict()) for name, optimizer in self._optimizers.items()}
        rngs = {name: rng.get_state() for name, rng in self._rngs.items()}
        return {"optimizers": optimizers, "rngs": {**rngs, "order": self._next_order()}}

    def _next_order(self) -> torch.Tensor:
        """The state of the batches' generator before the pass that the next step belongs to."""
        return self._batches.rng.get_state() if self.step % len(self._batches) == 0 else self._order

    def _pause(self) -> None:
        """Read what is still on the device, and count the time since the clock was read."""
        self.read()
        now = time.perf_counter()
        self.seconds, self._start = self.seconds + now - self._start, now

    def _aside(self, action: Callable, *arguments: object) -> Any:
        """What an action returns, in evaluation mode, with no bar on the screen, off the clock."""
        self._pause()
        self._bar.hide()
        self.world.agree(*self._models)
        with evaluation_mode(*self._models):
            result = action(*arguments)
        self._start = time.perf_counter()
        return result

    def _end_epoch(self, length: int, measure: Callable[[], dict[str, float]] | None) -> None:
        """Record a pass of so many updates: its means, and what is measured at its end."""
        self._pause()
        means = {name: sum(values[-length:]) / length for name, values in self.steps.items()}
        measured = self._aside(measure) if measure else {}
        for name, value in measured.items():
            self._check(name, value, f"at the end of epoch {len(self.epochs) + 1}")
        position = {"epoch": len(self.epochs) + 1, "step": self.step, "seconds": self.seconds}
        self.epochs.append({**position, **means, **measured})

    def _check(self, name: str, value: float, where: str) -> None:
        if not math.isfinite(value):
            raise DivergenceError(f"{name} is {value} {where}. {self._advice}", self)


def _check_shapes(optimizer: torch.optim.Optimizer, state: Mapping) -> None:
    """Raise ValueError for the state of other parameters.

    A fused optimizer would write beyond the memory that is its own.
    """
    parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
    shapes = {key: list(parameter.shape) for key, parameter in enumerate(parameters)}
    for key, values in state.items():
        for value in values.values():
            if isinstance(value, torch.Tensor) and value.dim() and list(value.shape) != shapes.get(key):
                raise ValueError(
                    f"parameter {key} has the shape {shapes.get(key)}, and {list(value.shape)} in the run to resume: "
                    "give it the model that it had"
                )
