"""The course's own JupyterLab, started for a test on this machine alone: a token, a free port, nobody's settings, no news."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_LIMIT = 120  # seconds
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    # Otherwise cells that are off the screen are not in the page, and cannot be looked at.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
# A proxy of this machine must not be asked for addresses of this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Lab:
    """A running JupyterLab. `root` is the folder that it shows; `home` holds its settings and its log."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        self.token = secrets.token_hex(16)
        self.log = home / "jupyterlab.log"
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Lab":
        for name, values in SETTINGS.items():
            path = self.home / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={self.port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"]
        command += ["--KernelManager.shutdown_wait_time=0"]  # nothing is left to save when a test closes a notebook
        command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        # Lets a test ask, in the page, whether the kernel has answered everything that was sent to it.
        command += ["--LabApp.expose_app_in_browser=True"]
        if os.geteuid() == 0:
            command += ["--allow-root"]
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(command, cwd=self.root, env=self._environment(), stdout=log, stderr=log)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _environment(self) -> dict[str, str]:
        variables = dict(os.environ)
        # A reader has progress bars; and the figures come through the notebook's own backend.
        for name in ("TQDM_DISABLE", "MPLBACKEND", "JUPYTER_PATH"):
            variables.pop(name, None)
        variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", "")])
        for name, folder in (
            ("JUPYTER_CONFIG_DIR", "config"),
            ("JUPYTER_DATA_DIR", "data"),
            ("JUPYTER_RUNTIME_DIR", "runtime"),
            ("JUPYTERLAB_SETTINGS_DIR", "settings"),
            ("JUPYTERLAB_WORKSPACES_DIR", "workspaces"),
            ("IPYTHONDIR", "ipython"),
        ):
            variables[name] = str(self.home / folder)
        return variables

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended by itself:\n{self.last_words()}")
            if self.ask("status") is not None:
                return
            time.sleep(0.2)
        raise TimeoutError(f"JupyterLab did not answer within {START_LIMIT} seconds:\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def address(self, name: str) -> str:
        """Where a browser finds the notebook `name`, in a workspace that is as new."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{name}?token={self.token}&reset"

    def ask(self, path: str, method: str = "GET") -> object | None:
        """What the server's interface answers; None where it refuses, which it does for a while when something is starting."""
        url, headers = f"http://127.0.0.1:{self.port}/api/{path}", {"Authorization": f"token {self.token}"}
        try:
            with DIRECT.open(urllib.request.Request(url, headers=headers, method=method), timeout=30) as answer:
                return json.loads(answer.read() or "null")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def kernel_is_ready(self) -> bool:
        """Whether the one kernel is idle and the page is connected to it: before that, a request to run is silently ignored."""
        kernels = self.ask("kernels") or []
        return len(kernels) == 1 and kernels[0]["execution_state"] == "idle" and kernels[0]["connections"] > 0

    def end_kernels(self) -> None:
        """Closes every notebook's session, so that the next has the machine to itself."""
        for session in self.ask("sessions") or []:
            self.ask(f"sessions/{session['id']}", method="DELETE")
