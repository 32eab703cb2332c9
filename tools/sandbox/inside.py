"""What runs in the sandbox: a process that has loaded PyTorch once, and forks itself for each answer.

The first one reads nothing that a student wrote. Each answer has a process of its own, in which it is defined and called, and a
channel of its own to the grader, which compares; both end together. What it has left behind, processes and files, goes with it.
"""

import builtins
import contextlib
import ctypes
import gc
import importlib
import os
import pickle
import resource
import shutil
import signal
import socket
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import torch

from tools.sandbox import plain

PATIENCE = 5.0  # seconds for what an answer has started to end


def main() -> None:
    """Forks for each word "r" on the control channel, with which the answer's own channel comes; ends the answer at "e".

    Arguments: the file descriptor of the control channel, the grader's pid namespace, the bytes an answer may have, and the
    modules to load.
    """
    control, namespace, memory = socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    # Without a pid namespace of its own it must not end "all processes".
    alone = namespace != "" and os.readlink("/proc/self/ns/pid") != namespace
    torch.set_num_threads(1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE: no answer looks into this process
    hide_exercises()
    for name in sys.argv[4:]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # what is loaded stays shared with the answers: no collection of theirs touches it
    control.sendall(b"r")
    child = 0
    while True:
        word, channels, *_ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        if word == b"e":
            end(child, alone)
            control.sendall(b"e")
            continue
        child = os.fork()
        if child == 0:
            control.close()
            try:
                confine(memory)
                serve(socket.socket(fileno=channels[0]))
            finally:
                os._exit(0)
        os.close(channels[0])


def end(child: int, alone: bool) -> None:
    """Ends an answer and all that it has started, and removes the files that it has written."""
    stop = time.monotonic() + PATIENCE
    while time.monotonic() < stop:
        try:
            os.kill(-1, signal.SIGKILL) if alone else os.killpg(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            break
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if alone:
        for entry in (*os.scandir("/tmp"), *os.scandir("/dev/shm")):
            with contextlib.suppress(OSError):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
        remove_shared()


def remove_shared() -> None:
    """Removes shared memory, queues and semaphores, which outlive the process that has made them."""
    libc = ctypes.CDLL(None)
    removers = {
        "shm": lambda number: libc.shmctl(number, 0, None),
        "msg": lambda number: libc.msgctl(number, 0, None),
        "sem": lambda number: libc.semctl(number, 0, 0),
    }
    for kind, remove in removers.items():
        with contextlib.suppress(OSError), open(f"/proc/sysvipc/{kind}") as file:
            for line in file.read().splitlines()[1:]:
                remove(int(line.split()[1]))


def confine(memory: int) -> None:
    """The limits of an answer; what it prints goes nowhere."""
    os.setsid()
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    used = 0
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**26, 2**26))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))


class Absent(types.ModuleType):
    """Stands for a module of the course's answers while others are graded."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"the course's own {name} is not there while answers are graded")


def hide_exercises() -> None:
    """Modules that hold the course's answers can be imported, since cells do that, and have nothing in them."""
    exercises = importlib.import_module("course_lib.exercises")
    for name in os.environ.get("COURSE_EXERCISES", "").split():
        whole = f"course_lib.exercises.{name}"
        sys.modules[whole] = Absent(whole)
        setattr(exercises, name, sys.modules[whole])


def serve(channel: socket.socket) -> None:
    """Defines an answer, and calls it with what comes, until the grader closes the channel."""
    answer: Any = None
    model: Any = None
    use: Callable = straight
    while True:
        try:
            asked = plain.receive(channel)
        except EOFError:
            return
        try:
            if "define" in asked:
                if asked["use"]:
                    use = find_use(*asked["use"])
                answer, reply = define(asked)
            elif "learn" in asked:
                model, reply = learn(answer, asked)
            elif "save" in asked:
                reply = {"saved": pickle.dumps(model)}
            elif "load" in asked:
                model, reply = pickle.loads(asked["load"]), {}
            elif "method" in asked:
                with torch.no_grad():
                    reply = {"found": (model if asked["method"] == "forward" else getattr(model, asked["method"]))(asked["x"])}
            else:
                reply = call(use, answer, asked)
            packed = plain.pack(reply)
        except BaseException as error:
            packed = plain.pack(fault(error))
        channel.sendall(packed)


def straight(answer: Any, *arguments: Any, **settings: Any) -> Any:
    """What an answer gives, called as it is."""
    return answer(*arguments, **settings)


def fault(error: BaseException) -> dict:
    """An error in words. An answer that raises a bare NotImplementedError is not written yet."""
    try:
        text = str(error)[:1000]
    except Exception:
        text = ""
    name = str(getattr(error, "name", "") or "")
    return {"error": type(error).__name__[:100], "text": text, "bare": not error.args, "name": name}


def find_use(source: str, expression: str) -> Callable:
    """How the exercise calls an answer: the attribute `use` of an expression in the names that `source` makes."""
    names: dict[str, Any] = {"__name__": "course_lib.exercises.used"}
    sys.modules["course_lib.exercises.used"] = types.ModuleType("course_lib.exercises.used")
    exec(compile(source, "the exercise", "exec", optimize=0), names)
    return eval(expression, names).use


def define(asked: dict) -> tuple[Any, dict]:
    """Runs the statements of an answer, in names of their own, after those of the answers that it builds on.

    A statement that fails is passed over: it may be one that the answer can do without. The first such error goes along.
    """
    sys.modules["__main__"] = main = types.ModuleType("__main__")  # where pickle looks for the classes of a model
    names = run(asked["define"])
    vars(main).update(names)
    answer = names.get(asked["name"])
    first = names.get("__fault__")
    return answer, {"first": first, "defined": asked["name"] in names}


def run(program: dict) -> dict[str, Any]:
    """The names that the statements of a program make."""
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "display": lambda *shown, **settings: None}
    for name, other in program["beside"].items():
        made = run(other)
        if name in made:
            names[name] = made[name]
    for statement in program["statements"]:
        try:
            exec(compile(statement, "the answer", "exec"), names)
        except BaseException as error:
            names.setdefault("__fault__", fault(error) | {"statement": statement.splitlines()[0][:100]})
    return names


def call(use: Callable, answer: Any, asked: dict) -> dict:
    """What an answer gives for arguments, and whether it changes them."""
    before = plain.pack(asked["call"])
    torch.manual_seed(asked["seed"])
    found = use(answer, *asked["call"], **asked["settings"])
    return {"found": found, "changed": plain.pack(asked["call"]) != before}


def learn(answer: Any, asked: dict) -> tuple[Any, dict]:
    """What a learner makes of images: the model stays here. How many numbers it holds, and its prior, go along."""
    before = [part.clone() for part in asked["learn"]]
    torch.manual_seed(asked["seed"])
    model = answer(*asked["learn"])
    changed = not all(map(torch.equal, before, asked["learn"]))
    if not isinstance(model, torch.nn.Module):
        return None, {"model": "" if model is None else type(model).__name__, "changed": changed, "weights": 0, "is": False}
    model.cpu().eval()
    held = [value for part in model.modules() for value in vars(part).values() if isinstance(value, torch.Tensor)]
    count = sum(values.numel() for values in [*model.parameters(), *model.buffers(), *held])
    prior = getattr(model, "prior", None)
    return model, {"model": type(model).__name__, "changed": changed, "weights": count, "is": True, "prior": prior}


if __name__ == "__main__":
    main()
