"""An answer in the sandbox, as the function, the class or the model that a check asks for."""

from collections.abc import Callable
from typing import Any

import torch

from course_lib.exercises.exercise import ChangedArguments
from tools.sandbox import host
from tools.sandbox.plain import printable

FAULT = ("error", "text", "name", "statement")  # what is said of an error


def fault_of(found: Any) -> dict[str, str] | None:
    """An error as it is told; texts, whatever the other side has sent."""
    return {key: printable(found.get(key, "")) for key in FAULT} if isinstance(found, dict) else None


class Remote:
    """An answer in the sandbox, as a function: what comes back is plain numbers and tensors.

    Attributes:
        again: defines the same answer in another sandbox.
        first: the first error of the statements that define it.
        fault: the last error that it raised.
    """

    def __init__(self, name: str, answer: host.Answer, seed: int, again: Callable[[], "Remote"] | None = None):
        self.__name__, self.answer, self.seed, self.again = name, answer, seed, again
        self.first: dict[str, str] | None = None
        self.fault: dict[str, str] = {}

    def ask(self, message: dict, cores: float = float("inf")) -> dict:
        """What the answer replies; an error that it raised is raised here, with the same name and text."""
        reply = self.answer.ask(message, cores)
        if "error" not in reply:
            return reply
        self.fault = fault_of(reply) or {}
        if self.fault["error"] == "NotImplementedError":
            raise NotImplementedError() if reply.get("bare") else NotImplementedError(self.fault["text"])
        raise type(self.fault["error"], (Exception,), {})(self.fault["text"])

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Calls the answer.

        Raises:
            ChangedArguments: it has changed what it was given.
        """
        reply = self.ask({"call": list(arguments), "settings": settings, "seed": self.seed})
        if reply.get("changed"):
            raise ChangedArguments
        return reply.get("found")

    def learner(self, cores: float) -> Callable:
        """As the answer to an open task: for the learning it has so many core-seconds."""

        def learn(*given: torch.Tensor) -> Any:
            reply = self.ask({"learn": list(given), "seed": 0}, cores)
            if reply.get("changed"):
                given[0].add_(1)
            if not reply.get("is"):
                return type(str(reply["model"]), (), {})() if reply.get("model") else None
            return RemoteModel(self, cores, int(reply["weights"]), reply.get("prior"))

        learn.__name__ = self.__name__
        return learn


class RemoteModel(torch.nn.Module):
    """A model that stays in the sandbox; here are how many weights it has, and its prior if it is a VAE with one."""

    def __init__(self, remote: Remote, cores: float, weights: int, prior: Any):
        super().__init__()
        self.remote, self.cores, self.prior = remote, cores, prior
        self.register_buffer("claimed", torch.empty(max(weights, 0), device="meta"))

    def apart(self) -> "RemoteModel":
        """The same model, as it is now, in another sandbox: what is done with one of them the other cannot know.

        It goes there as bytes that only the sandbox reads.
        """
        saved = self.remote.ask({"save": True}, self.cores).get("saved")
        other = self.remote.again()
        other.ask({"load": saved}, self.cores)
        return RemoteModel(other, self.cores, len(self.claimed), self.prior)

    def cpu(self) -> "RemoteModel":
        """It is there already."""
        return self

    def _asked(self, method: str, x: torch.Tensor) -> Any:
        return self.remote.ask({"method": method, "x": x}, self.cores).get("found")

    def forward(self, x: torch.Tensor) -> Any:
        """What it makes of images or labels."""
        return self._asked("forward", x)

    def encode(self, x: torch.Tensor) -> Any:
        """Mean and log-variance of q(z|x)."""
        return self._asked("encode", x)

    def decode(self, z: torch.Tensor) -> Any:
        """Logits of the pixels."""
        return self._asked("decode", z)
