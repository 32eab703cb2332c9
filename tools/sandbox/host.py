"""Starts the sandbox, and asks the answers in it: with bubblewrap they see PyTorch and the package, and nothing else.

No network, no home, no notebooks, no other hand-in, no file that stays; the course's own answers are not there either. Where
there is no bubblewrap, the same processes run without walls if that is allowed by UNSAFE=1.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import psutil

from tools.files import ROOT
from tools.sandbox import plain

MEMORY = 3 * 2**29  # bytes that an answer may have beside PyTorch's
PROCESSES = 64
DISK = 2**26  # bytes of files, which are held in memory
START = 120  # seconds for PyTorch to load
END = 12  # seconds for what an answer has started to end


class Stopped(BaseException):
    """An answer that was stopped or has ended its process; no Exception, so that no check takes it for an error of its own."""


def missing() -> str:
    """Why there is no sandbox here; empty where there is one."""
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    if not shutil.which("bwrap"):
        return "there is no bubblewrap (sudo apt install bubblewrap)"
    tried = subprocess.run([*walls(), seen(sys.executable), "-S", "-c", ""], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"bubblewrap does not work here ({tried.stderr.strip()[:200]})"


def seen(path: str) -> str:
    """A path of the environment as the sandbox has it: at a place of its own, since the checkout may lie in /tmp."""
    return path.replace(sys.prefix, "/course/venv", 1) if sys.prefix != sys.base_prefix else path


def walls() -> list[str]:
    """The command that runs another one in the sandbox."""
    read = {"/usr", sys.base_prefix}
    links = [name for name in ("bin", "sbin", "lib", "lib32", "lib64") if Path("/", name).is_symlink()]
    read |= {f"/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64") if name not in links and Path("/", name).is_dir()}
    command = ["bwrap", "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--uid", "65534", "--gid", "65534", "--clearenv", "--proc", "/proc", "--dev", "/dev"]
    for name in links:
        command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
    for path in (*sorted(read), "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/etc/alternatives"):
        command += ["--ro-bind-try", path, path]
    command += ["--ro-bind", sys.prefix, seen(sys.prefix)]
    package, sandbox = ROOT / "course_lib", ROOT / "tools" / "sandbox"
    for path, inside in ((package, "course_lib"), (sandbox, "tools/sandbox")):
        command += ["--ro-bind", str(path), f"/course/{inside}"]
    # Of the exercises only what they are made of, and not the course's answers; nor those of an installed copy.
    command += ["--tmpfs", "/course/course_lib/exercises"]
    for name in ("__init__.py", "exercise.py"):
        command += ["--ro-bind", str(package / "exercises" / name), f"/course/course_lib/exercises/{name}"]
    installed = Path(sysconfig.get_paths()["purelib"], "course_lib", "exercises")
    command += ["--tmpfs", seen(str(installed))] if installed.is_dir() else []
    history = Path(sys.prefix, "config")  # of the kernels that `make test` starts
    command += ["--tmpfs", seen(str(history))] if history.is_dir() else []
    for path in ("/tmp", "/dev/shm"):
        command += ["--size", str(DISK), "--tmpfs", path]
    for path in ("/course/course_lib/exercises", "/dev", "/"):
        command += ["--remount-ro", path]
    return [*command, "--chdir", "/tmp", "--"]


def variables(root: str) -> dict[str, str]:
    """The environment of the sandbox: nothing of the grader's."""
    quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TQDM_DISABLE": "1", "MPLBACKEND": "agg", "COURSE_DEVICE": "cpu"}
    names = [path.stem for path in (ROOT / "course_lib" / "exercises").glob("*.py")]
    hidden = " ".join(sorted({*names} - {"__init__", "exercise"}))
    places = {"PYTHONPATH": root, "HOME": "/tmp", "TMPDIR": "/tmp", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return quiet | places | {"COURSE_EXERCISES": hidden, "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": "/tmp/matplotlib"}


class Sandbox:
    """A process that waits in the sandbox, and is started again where an answer has ended it.

    Args:
        modules: what it loads at its start, since the answers need it.
        unsafe: without walls.
        hidden: files that are empty inside.
    """

    def __init__(self, modules: tuple[str, ...] = (), unsafe: bool = False, hidden: tuple[Path, ...] = ()):
        self.modules, self.unsafe, self.hidden = modules, unsafe, hidden
        self.process: subprocess.Popen | None = None
        self.control: socket.socket | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process unless it waits already.

        Raises:
            OSError: it does not start.
        """
        if self.process and self.process.poll() is None:
            return
        self.close()
        self.control, inside = socket.socketpair()
        self.folder = tempfile.TemporaryDirectory()
        namespace = os.readlink("/proc/self/ns/pid") if sys.platform == "linux" else ""
        settings = [str(inside.fileno()), namespace, str(MEMORY), *self.modules]
        command = ["-B", "-m", "tools.sandbox.inside", *settings]
        environment = variables(str(ROOT))
        if self.unsafe:
            command = [sys.executable, *command]
            environment |= {"HOME": self.folder.name, "TMPDIR": self.folder.name, "MPLCONFIGDIR": matplotlib.get_configdir()}
        else:
            command = [*self._walls(), seen(sys.executable), *command]
        outer = {"PATH": os.environ.get("PATH", "")} if not self.unsafe else environment
        self.process = subprocess.Popen(
            command,
            pass_fds=[inside.fileno()],
            env=outer,
            cwd=self.folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        inside.close()
        self.control.settimeout(START)
        if self._word() != b"r":
            self.process.kill()
            said = self.process.communicate()[1].decode(errors="replace").strip().splitlines()
            raise OSError(f"the sandbox does not start: {said[-1][:300] if said else 'it says nothing'}")
        self.control.settimeout(END)

    def _walls(self) -> list[str]:
        *front, _ = walls()
        for name, value in variables("/course").items():
            front += ["--setenv", name, value]
        # The list of typefaces, which takes seconds to make.
        for path in Path(matplotlib.get_cachedir()).glob("fontlist*.json"):
            front += ["--ro-bind", str(path), f"/tmp/matplotlib/{path.name}"]
        for path in self.hidden:
            front += ["--ro-bind", os.devnull, f"/course/{path.relative_to(ROOT)}"]
        return [*front, "--"]

    def _word(self) -> bytes:
        try:
            return self.control.recv(1)
        except OSError:
            return b""

    @contextlib.contextmanager
    def answer(self, seconds: float) -> Iterator["Answer"]:
        """A fresh process for an answer, which ends with the block; `seconds` are for all that it is asked."""
        self.start()
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control, [b"r"], [theirs.fileno()])
            theirs.close()
            yield Answer(ours, psutil.Process(self.process.pid), seconds)
        finally:
            ours.close()
            with contextlib.suppress(OSError):
                self.control.sendall(b"e")
            if self._word() != b"e":
                self.close()

    def close(self) -> None:
        """Ends the process, and with it all that runs in the sandbox."""
        if self.process is None:
            return
        started = []
        with contextlib.suppress(psutil.Error):
            started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for process in started:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()
        self.control.close()
        self.folder.cleanup()
        self.process = None


class Answer:
    """An answer in its process."""

    def __init__(self, channel: socket.socket, process: psutil.Process, seconds: float):
        self.channel, self.process = channel, process
        self.seconds, self.end, self.cores = seconds, time.monotonic() + seconds, float("inf")
        self.begin = 0.0

    def ask(self, message: dict, cores: float = float("inf")) -> Any:
        """What it replies.

        Args:
            message: see `inside.serve`.
            cores: the core-seconds that it may take for this.

        Raises:
            Stopped: it takes too long or too much, ends its process, or sends what is no reply.
        """
        self.cores, self.begin = cores, self._used()[2] if cores < float("inf") else 0.0
        try:
            self.channel.settimeout(max(self.end - time.monotonic(), 0.01))  # it may not read
            plain.send(self.channel, message)
            reply = plain.receive(self.channel, self.look)
        except TimeoutError:
            raise Stopped(f"does not end within {self.seconds:g} s") from None
        except (EOFError, ConnectionError) as error:
            raise Stopped("ends its process, or takes more memory than there is") from error
        except ValueError as error:
            raise Stopped(f"cannot be compared: {error}") from error
        if not isinstance(reply, dict):
            raise Stopped("sends what is no reply")
        return reply

    def look(self) -> None:
        """Raises Stopped where it takes more than it may."""
        if time.monotonic() > self.end:
            raise Stopped(f"does not end within {self.seconds:g} s")
        count, memory, cores = self._used()
        if count > PROCESSES:
            raise Stopped(f"starts {count} processes, and {PROCESSES} are allowed")
        if memory > MEMORY:
            raise Stopped(f"takes {memory / 2**20:,.0f} MB of memory, and {MEMORY / 2**20:,.0f} are allowed")
        if cores - self.begin > self.cores:
            raise Stopped(f"takes more than {self.cores:g} core-seconds")

    def _used(self) -> tuple[int, int, float]:
        """The processes in the sandbox, their own memory in bytes, and the processor time that they have taken."""
        memory, cores, processes = 0, 0.0, []
        with contextlib.suppress(psutil.Error):
            processes = self.process.children(recursive=True)
        for process in processes[: 2 * PROCESSES]:
            with contextlib.suppress(psutil.Error):
                taken = process.memory_info()
                memory += taken.rss - getattr(taken, "shared", 0)
                cores += sum(process.cpu_times()[:4])
        return len(processes), memory, cores
