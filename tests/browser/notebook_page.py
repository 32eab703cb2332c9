"""A notebook in JupyterLab, as a reader's hand finds it: the menu, the Stop button, cells that run, outputs that appear.

Nothing here sleeps for a fixed time: everything is waited for until it is there, under limits that a busy machine can keep.
"""

import time

from tests.browser.lab import Lab

LIMIT = 120  # seconds for what takes a second or two on a quiet machine
# What the last cell prints. It is put together, so that the cell's source does not show it.
END = "the last cell has run"
LAST_CELL = "print('the last', 'cell has run')"
WRONG = {
    "an error": '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]',
    "text on stderr": '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]',
    "a dialog": ".jp-Dialog-content",
    "a broken widget": '.jp-OutputArea-output:has-text("Click to show javascript error")',
}
# JupyterLab sends what controls say to threads of the kernel beside the one that runs cells, so a cell's end tells nothing about
# them. Every message that the page sends has its own end: the kernel's word "idle" in answer to it. The page learns of its
# session a moment after the server does: false until then.
LISTEN = """
() => {
  const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
  if (!kernel) return false;
  window.unanswered = new Set();
  kernel.anyMessage.connect((_, { msg, direction }) => {
    if (direction === "send" && msg.channel === "shell") window.unanswered.add(msg.header.msg_id);
    if (msg.header.msg_type === "status" && msg.content.execution_state === "idle")
      window.unanswered.delete(msg.parent_header.msg_id);
  });
  return true;
}
"""
# A control holds its next message back until the one before was answered; hence three drawn frames with nothing on the way.
ANSWERED = """
async (limit) => {
  const end = Date.now() + limit;
  for (let quiet = 0; quiet < 3; ) {
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    quiet = window.unanswered.size ? 0 : quiet + 1;
    if (Date.now() > end) throw new Error("the kernel has not answered " + window.unanswered.size + " messages");
  }
}
"""
# What is left of formulas in the text, outside code: a dollar or a macro that nothing has typeset, and what MathJax paints red,
# whose letters are classes with their code.
UNTYPESET = r"""
(notebook) => [...notebook.querySelectorAll(".jp-MarkdownOutput")].flatMap((text) => {
  const rest = text.cloneNode(true);
  rest.querySelectorAll("code, pre, mjx-container").forEach((part) => part.remove());
  const left = rest.textContent.split("\n").filter((line) => /\$|\\[a-zA-Z({[]/.test(line));
  const letter = (part) => String.fromCodePoint(parseInt(part.className.replace(/.*mjx-c/, ""), 16));
  const red = [...text.querySelectorAll("mjx-merror, mjx-mtext[style*=red]")].map((part) =>
    "in red: " + (part.dataset.mjxError || [...part.querySelectorAll("mjx-c")].map(letter).join("")));
  return [...left, ...red];
})
"""
PICTURES = """
(notebook) => [...notebook.querySelectorAll(".jp-OutputArea-output img")].filter(
  (image) => image.complete && image.naturalWidth > 0 && image.clientWidth > 0).length
"""


class NotebookPage:
    """The page of one notebook. `limit` is the number of seconds that its cells may take."""

    def __init__(self, page, lab: Lab, name: str, limit: float) -> None:
        self.page, self.lab, self.limit = page, lab, limit
        page.set_default_timeout(LIMIT * 1000)
        page.goto(lab.address(name))
        self.body = page.locator(".jp-NotebookPanel:visible .jp-Notebook")
        self.body.locator(".jp-Cell").first.wait_for()
        self.wait_for(lab.kernel_is_ready, "kernel that is idle and connected")
        self.wait_for(lambda: page.evaluate(LISTEN), "page that knows its kernel")

    def wait_for(self, condition, what: str, seconds: float = LIMIT) -> None:
        """Asks five times a second until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"no {what} within {seconds:.0f} seconds")
            self.page.wait_for_timeout(200)  # the page goes on meanwhile

    def choose(self, menu: str, command: str) -> None:
        """Clicks on an entry of the menu bar."""
        self.page.locator(".lm-MenuBar-item", has_text=menu).first.click()
        self.page.locator(f'.lm-Menu li[data-command="{command}"]').click()

    def has_started(self) -> bool:
        """Whether a code cell is running or has run."""
        prompts = self.body.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        return any(prompt.strip("[]: \n") for prompt in prompts)

    def run_all(self) -> None:
        """Run > Run All Cells, and once more where JupyterLab took no notice because the kernel was not quite there."""
        for _ in range(5):
            self.choose("Run", "runmenu:run-all")
            try:
                self.wait_for(self.has_started, "cell that runs", seconds=30)
                return
            except TimeoutError:
                self.wait_for(self.lab.kernel_is_ready, "kernel that is idle and connected")
        raise TimeoutError("Run All was ignored five times")

    def wait_for_text(self, text: str, seconds: float | None = None) -> None:
        """Waits until an output shows a text, and fails at once where something goes wrong first."""
        shown = f'.jp-OutputArea-output:has-text("{text}")'
        selector = ", ".join([shown, *WRONG.values()])
        self.page.locator(selector).first.wait_for(state="attached", timeout=1000 * (seconds or self.limit))
        self.nothing_is_wrong()

    def nothing_is_wrong(self) -> None:
        """Fails with the words that the page shows in red or in a dialog."""
        for name, selector in WRONG.items():
            found = self.page.locator(selector)
            assert found.count() == 0, f"the page shows {name}:\n{found.first.inner_text()[-3000:]}"

    def wait_until_answered(self) -> None:
        """Waits until the kernel has dealt with everything that was done on the page, and the page shows it."""
        self.page.evaluate(ANSWERED, LIMIT * 1000)

    def stop(self) -> None:
        """Presses the square button of the toolbar."""
        self.page.locator('.jp-NotebookPanel-toolbar:visible [data-jp-item-name="interrupt"]').click()

    def outputs(self) -> list[str]:
        """The texts of all outputs, in order."""
        return self.body.locator(".jp-OutputArea-output").all_inner_texts()

    def untypeset(self) -> list[str]:
        """What is left of formulas in the text because they cannot be read, or are not yet."""
        return self.body.evaluate(UNTYPESET)

    def formulas_are_typeset(self) -> None:
        """Waits until every formula is, and fails with the rest."""
        try:
            self.wait_for(lambda: not self.untypeset(), "page without raw formulas", seconds=30)
        except TimeoutError:
            left = self.untypeset()
            assert not left, "formulas that are not typeset:\n" + "\n".join(left)

    def pictures_are_shown(self, count: int) -> None:
        """Waits until as many pictures as there should be are drawn in the outputs."""
        self.wait_for(lambda: self.body.evaluate(PICTURES) == count, f"sign of {count} pictures")
