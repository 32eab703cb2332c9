"""What an exercise is: seeded cases, the course's own answer, and how near another answer has to
come.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise: from it are made the check on the page (seed 0), the tests, and a grader's
    hidden cases (another seed).

    Attributes:
        reference: the course's own answer: a function, or a class.
        cases: draws the arguments of a few calls from a generator of random numbers, smallest
            first. It makes every tensor anew, since an answer might change one.
        answers: what the parts of the result are called, for example ("gradient of the input",
            "gradient of the kernel"). With several names the result is a tuple or list of as many
            parts. A part is a tensor, a number, or a list of numbers.
        use: how an answer is used in a case, (answer, *arguments) -> result. By default it is
            called with them.
        tolerance: largest difference, as a share of the largest number of the right part (or of 1,
            if that is larger).
        seconds: how long all cases may take together. Where the system has no timer signal, as on
            Windows, only the Stop button ends an answer without an end.
    """

    reference: Callable
    cases: Callable[[torch.Generator], list[tuple]]
    answers: tuple[str, ...] = ("answer",)
    use: Callable = lambda answer, *arguments: answer(*arguments)
    tolerance: float = 1e-5
    seconds: float = 20.0

    def choose(self, yours: Any, seed: int = 0) -> Any:
        """Yours if it is right in every case, and the course's otherwise. Prints which, and what is
        wrong with yours.
        """
        fault = self.fault(yours, seed)
        right = f"is right in all {len(self._draw(seed))} cases"
        goes_on = "the course's" if fault else "yours"
        name = "This" if yours is self.reference else getattr(yours, "__name__", "Your answer")
        print(f"{name} {fault or right}. What follows runs on {goes_on}.")
        return self.reference if fault else yours

    def fault(self, yours: Any, seed: int = 0) -> str | None:
        """What is wrong with an answer, as the rest of a sentence that begins with its name; None if
        nothing is.

        An answer "is waiting for you" while it returns None in the first case, or raises a bare
        NotImplementedError. Wrong shapes, NaN, exceptions, changed arguments and answers without an
        end are faults.
        """
        return self.verdict(yours, seed).fault

    def verdict(self, yours: Any, seed: int = 0) -> "Verdict":
        """What is wrong with an answer, as in `fault`, and the share of its parts that are right in
        every case: with the output right and the gradient wrong it is a half.
        """
        if yours is self.reference:
            return Verdict("is the course's own: run the cell with your answer again, then this one", 0.0)
        cases, number, first = self._draw(seed), 0, ""
        wrong: set[int] = set()
        try:
            with _time_limit(self.seconds), torch.random.fork_rng(devices=[]):
                for number, (given, own) in enumerate(zip(cases, self._draw(seed), strict=True), start=1):
                    torch.manual_seed(seed)  # for answers that draw
                    found = self.use(yours, *given)
                    parts = found if isinstance(found, (tuple, list)) and found else (found,)
                    if number == 1 and all(part is None for part in parts):
                        return Verdict("is waiting for you: it returns None", 0.0)
                    if not _same(own, given):
                        raise ChangedArguments
                    torch.manual_seed(seed)
                    faults = self._faults(found, self.use(self.reference, *own))
                    wrong |= faults.keys()
                    if faults:
                        first = first or f"is not right yet: {next(iter(faults.values()))} (case {number} of {len(cases)})"
                    if len(wrong) == len(self.answers):
                        break
        except _Late:
            return Verdict(first or f"is not right yet: it does not end within {self.seconds:g} s{self._at(number, cases)}", 0.0)
        except ChangedArguments:
            text = "it changes its arguments, and may only read them"
            return Verdict(first or f"is not right yet: {text}{self._at(number, cases)}", 0.0)
        except (Exception, SystemExit) as error:
            if isinstance(error, NotImplementedError) and not error.args:  # PyTorch's own have a text
                return Verdict("is waiting for you", 0.0)
            text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            return Verdict(first or f"is not right yet: it raises {text}{self._at(number, cases)}", 0.0)
        return Verdict(first or None, 1 - len(wrong) / len(self.answers))

    def _at(self, number: int, cases: list[tuple]) -> str:
        return f" (case {number} of {len(cases)})"

    def _draw(self, seed: int) -> list[tuple]:
        return self.cases(torch.Generator().manual_seed(seed))

    def _faults(self, found: Any, right: Any) -> dict[int, str]:
        """The parts that are not near enough, each with how far off it is, in words."""
        if len(self.answers) == 1:
            found, right = (found,), (right,)
        elif not isinstance(found, (tuple, list)) or len(found) != len(self.answers):
            text = f"it should return {len(self.answers)} values: the {', the '.join(self.answers)}"
            return dict.fromkeys(range(len(self.answers)), text)
        parts = enumerate(zip(self.answers, found, right, strict=True))
        faults = {k: self._difference(name, part, model) for k, (name, part, model) in parts}
        return {k: text for k, text in faults.items() if text}

    def _difference(self, name: str, part: Any, model: Any) -> str:
        """How far a part is from what is right, in words; empty where it is near enough."""
        own = _numbers(model)
        try:
            mine = _numbers(part)
        except (TypeError, ValueError, RuntimeError):
            return f"the {name} has the type {type(part).__name__}, and numbers are asked for"
        if mine.shape != own.shape:
            return f"the {name} has the shape {list(mine.shape)}, and should have {list(own.shape)}"
        if isinstance(model, torch.Tensor) and _kind(part) != _kind(model):  # what follows would trip over it
            return f"the {name} is {_kind(part)}, and should be {_kind(model)}"
        if mine.isnan().any():
            return f"the {name} is not a number (NaN) in {int(mine.isnan().sum())} of {mine.numel()} places"
        gaps = torch.where(mine == own, 0.0, mine - own)  # so that infinity is as far from itself as 1 is
        size, off = (max(values.abs().flatten().tolist(), default=0.0) for values in (own[own.isfinite()], gaps))
        if not off <= self.tolerance * max(1.0, size):
            return f"the {name} is off by up to {off:.3g}, where the right numbers go up to {size:.3g}"
        return ""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with an answer, None if nothing is; and the share of its parts that are right."""

    fault: str | None
    share: float


class ChangedArguments(Exception):
    """An answer has changed what it was given."""


class _Late(BaseException):
    """No Exception: an answer that catches all of these must end too."""


@contextlib.contextmanager
def _time_limit(seconds: float, cores: bool = False) -> Iterator[None]:
    """_Late inside after so many seconds, where there is a timer signal: in the main thread of Linux
    and macOS, which is where a notebook's cells run.

    cores: count core-seconds, the processor time of all threads of this process, instead of the
    clock's.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: object) -> None:
        raise _Late

    timer, sent = (signal.ITIMER_PROF, signal.SIGPROF) if cores else (signal.ITIMER_REAL, signal.SIGALRM)
    before = signal.signal(sent, late)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(sent, before)


def _numbers(part: Any) -> torch.Tensor:
    """A tensor, a number or a list of numbers as float64, apart from any graph and device."""
    return torch.as_tensor(part, dtype=torch.float64, device="cpu").detach()


def _kind(part: Any) -> str:
    """What a part is, in words; of a tensor, whether it holds floats, not how many bits they have."""
    if not isinstance(part, torch.Tensor):
        return f"a {type(part).__name__}"
    return "a tensor of floats" if part.is_floating_point() else f"a tensor of {str(part.dtype).removeprefix('torch.')}"


def _same(a: Any, b: Any) -> bool:
    """Whether two arguments have equal tensors, in tuples, lists and dictionaries too; what else
    stands there is not compared.
    """
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    return True
