"""Where recordings lie, and how one is read and shown."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def recorded(name: str) -> dict[str, Any]:
    """The numbers of a recording, and under "made" one line that says when and on what it was run.

    Raises FileNotFoundError for a recording that does not exist, with those that do.
    """
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
        raise FileNotFoundError(f"no recording is called {name!r}; there are {there or 'none'}")
    return json.loads(file.read_text(encoding="utf-8"))


def show_recorded(name: str, picture: str) -> None:
    """Display a picture of a recording, with its text alternative.

    Raises KeyError for a picture that it does not have, with those that it has.
    """
    import course_lib.viz

    pictures = recorded(name)["pictures"]
    if picture not in pictures:
        raise KeyError(f"{name} has no picture {picture!r}, but {', '.join(pictures)}")
    course_lib.viz.show_png((FOLDER / f"{name}-{picture}.png").read_bytes(), **pictures[picture])
