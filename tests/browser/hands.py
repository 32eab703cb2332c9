"""What a hand can do with an explorer: every control in the page is found there, used, and must change the picture."""

from tests.browser.notebook_page import NotebookPage

# An explorer is one output that holds an image widget.
EXPLORER = ".jp-NotebookPanel:visible .jp-OutputArea-output:has(.widget-image)"
CONTROLS = {
    "slider": ".widget-slider [role=slider], .widget-slider .ui-slider-handle",
    "dropdown": ".widget-dropdown select",
    "checkbox": ".widget-checkbox input[type=checkbox]",
    "button": "button.widget-button",
    "toggle": "button.widget-toggle-button",
    "text": ".widget-textarea textarea, .widget-text input",
}
# Everything in an output that takes a hand.
TAKES_A_HAND = "input, select, textarea, button, [role=slider], .ui-slider-handle"
# The picture that is really there: a hash of its bytes, or null while it is not drawn.
PICTURE = """
async (image) => {
  if (!image.complete || !image.naturalWidth || !image.clientWidth) return null;
  const bytes = await (await fetch(image.src)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
"""


class Explorer:
    """One explorer on the page, by its place among them."""

    def __init__(self, notebook: NotebookPage, place: int) -> None:
        self.notebook = notebook
        self.box = notebook.page.locator(EXPLORER).nth(place)

    def picture(self) -> str:
        """A short name of the picture that it shows now."""
        image = self.box.locator(".widget-image").first
        seen: list[str] = []

        def is_there() -> bool:
            seen.append(image.evaluate(PICTURE))
            return seen[-1] is not None

        self.notebook.wait_for(is_there, "picture in the explorer")
        return seen[-1]

    def controls(self) -> list[tuple[str, object]]:
        """Its controls as (kind, place in the page), with every part that takes a hand in one of them."""
        found = []
        for kind, selector in CONTROLS.items():
            found += [(kind, control) for control in self.box.locator(selector).all()]
        parts = self.box.locator(TAKES_A_HAND).count()
        assert len(found) == parts, f"{parts} parts take a hand, {len(found)} are known to tests/browser/hands.py"
        return found

    def message(self) -> str:
        """What it says in red, empty if nothing."""
        return " ".join(self.box.locator('.widget-html span[style*="color"]').all_inner_texts())


def label_of(control) -> str:
    """The word that stands beside a control or on it."""
    words = control.evaluate("part => (part.closest('.widget-inline-hbox, .widget-checkbox, button') || part).innerText")
    return " ".join(words.split())[:40]


def movements(kind: str, control) -> list:
    """What to do with a control, one after the other until the picture changes: functions without arguments."""

    def press(key):
        def do():
            control.focus()
            control.press(key)

        return do

    if kind == "slider":
        return [press("ArrowRight"), press("ArrowLeft"), press("ArrowLeft")]
    if kind in ("button", "toggle", "checkbox"):
        return [control.click]
    if kind == "dropdown":
        count, chosen = control.evaluate("list => [list.options.length, list.selectedIndex]")
        others = [(chosen + step) % count for step in range(1, min(count, 4))]
        return [lambda index=index: control.select_option(index=index) for index in others]
    return [lambda: write_another_number(control)]


def write_another_number(control) -> None:
    """Changes the first digit of a text and leaves the field."""
    text = control.input_value()
    place = next((place for place, letter in enumerate(text) if letter.isdigit()), None)
    assert place is not None, f"tests/browser/hands.py knows how to change a number in a text, and there is none in {text!r}"
    control.fill(text[:place] + str(int(text[place]) % 9 + 1) + text[place + 1 :])
    control.press("Tab")


def use(explorer: Explorer) -> list[str]:
    """Uses every control of an explorer; returns the labels of those that never changed the picture.

    A control may have nothing to do while another stands where it stands (the strength of a texture on plain paper), so those
    without effect are tried again after all others were moved.
    """
    left = [(kind, control, f"{kind} {label_of(control)!r}") for kind, control in explorer.controls()]
    for _ in range(2):
        left = [(kind, control, name) for kind, control, name in left if not changes_the_picture(explorer, kind, control, name)]
    return [name for _, _, name in left]


def changes_the_picture(explorer: Explorer, kind: str, control, name: str) -> bool:
    """Moves one control until the picture is another."""
    before = explorer.picture()
    for move in movements(kind, control):
        move()
        explorer.notebook.wait_until_answered()
        assert not explorer.message(), f"after {name} was used the explorer says: {explorer.message()}"
        if explorer.picture() != before:
            return True
    return False
