"""Builds the pages of the course from the committed notebooks into build/site/html: `make site`.

Nothing is executed and nothing is asked of the network: MathJax is a copy that is installed with the
extra `site`. A warning of Sphinx is an error.
"""

import base64
import html
import importlib
import inspect
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from PIL import Image

from tools.files import ROOT
from tools.public_names import names_of, rooms
from tools.setup_cell import SETUP_START, read_address

SOURCE, HTML = ROOT / "build" / "site" / "source", ROOT / "build" / "site" / "html"
SLIDERS = ("01", "06", "07", "09")  # notebooks whose first picture tells more under one's own hand
CARD_WIDTH = 640  # pixels, twice what is shown


def rows() -> dict[str, dict[str, str]]:
    """The README's table of chapters: by name of the notebook its title, question, minutes and what is seen in it."""
    found = {}
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| \[([^\]]+)\]\(notebooks/([\w.]+)\)", line):
            parts = [part.strip() for part in line.split("|")]
            found[match[2]] = {"title": match[1], "question": parts[2], "minutes": parts[3], "seen": parts[5]}
    return found


def first_picture(path: Path) -> tuple[Image.Image, str]:
    """The first picture that a notebook shows, and its text alternative."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))), output.metadata["image/png"]["alt"]
    raise ValueError(f"{path.name} shows no picture: its first screen needs one")


def sentence(words: str) -> str:
    """Words with a capital letter and a full stop."""
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def card(path: Path, row: dict[str, str]) -> str:
    """One chapter on the first page: its first picture, its question, what is seen in it, and the time."""
    picture, alternative = first_picture(path)
    picture = picture.convert("RGB")
    picture.thumbnail((CARD_WIDTH, CARD_WIDTH))
    picture.save(SOURCE / "_static" / f"{path.stem}.png")
    time = re.search(r"\*\*Time\*\*: ([^;.]+)", nbformat.read(path, as_version=4).cells[0].source)
    words = {key: html.escape(text) for key, text in row.items()}
    seen = sentence(words["seen"])
    return (
        f'<div class="card-of-course"><a href="notebooks/{path.stem}.html">'
        f'<img src="_static/{path.stem}.png" alt="{html.escape(alternative)}" loading="lazy">'
        f"<h3>{words['title']}</h3><p><strong>{words['question']}</strong></p><p>{seen}</p>"
        f'<p class="time">{html.escape(sentence(time[1] if time else ""))} '
        f"The cells take {words['minutes']} minutes of one CPU core.</p></a></div>"
    )


def caption(path: Path) -> str:
    """The caption below the first picture of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    words = next(cell.source for cell in cells if cell.cell_type == "markdown" and cell.source.startswith("*Figure "))
    return re.sub(r"\]\((\w+\.ipynb)", r"](notebooks/\1", words.split("\n\n")[0])


def steps(picture: Image.Image) -> list[Image.Image]:
    """The single pictures of an animation, in order. Its first one is a still: where it comes again, it is left out."""
    found = []
    for step in range(picture.n_frames):
        picture.seek(step)
        found.append(picture.convert("RGB"))
    return found[1:] if found[0].tobytes() in [one.tobytes() for one in found[1:]] else found


def frames(path: Path, row: dict[str, str]) -> str:
    """The first picture of a notebook, which moves, as single pictures under a slider, with its caption."""
    picture, alternative = first_picture(path)
    shown, found = [], steps(picture)
    for step, one in enumerate(found):
        name = f"{path.stem}_{step:02d}.png"
        one.quantize(64).save(SOURCE / "_static" / name, optimize=True)
        text = html.escape(f"Step {step + 1} of {len(found)}. {alternative}")
        size = f'width="{picture.width // 2}" height="{picture.height // 2}" loading="lazy"'
        shown.append(f'<img src="_static/{name}" alt="{text}" {size}{" hidden" if step else ""}>')
    name = html.escape(row["title"])
    slider = f'<input type="range" min="0" max="{len(found) - 1}" value="0" aria-label="{name}: step">'
    count = f"<output>step 1 of {len(found)}</output>"
    return (
        f'## {row["title"]}\n\n<div class="frames">{slider}{count}{"".join(shown)}</div>\n\n{caption(path)}\n\n'
        f"To the chapter: [{row['question']}](notebooks/{path.name})\n"
    )


def lay_notebook(path: Path) -> None:
    """Copies a notebook; what JupyterLab shows folded is folded on the page too."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.setdefault("tags", [])
        if cell.source.startswith(SETUP_START):
            tags.append("remove-cell")
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            tags.append("hide-input")
    nbformat.write(notebook, SOURCE / "notebooks" / path.name)


def document(name: str) -> str:
    """A document of the repository as a page: links to notebooks stay here, others lead to the repository."""
    address = read_address()

    def lead(match) -> str:
        target = match[1]
        return match[0] if target.startswith("notebooks/") else f"]({address.page(target)})"

    return re.sub(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)", lead, (ROOT / name).read_text(encoding="utf-8"))


def api_page(room: str) -> str:
    """What a room offers, from the docstrings."""
    module = importlib.import_module(f"course_lib.{room}")
    lines = [f"# {room}", "", "```{eval-rst}", f".. automodule:: course_lib.{room}", ""]
    for name in names_of(room):
        value = getattr(module, name)
        if inspect.isclass(value):
            lines += [f".. autoclass:: course_lib.{room}.{name}", "   :members:", ""]
        elif inspect.isroutine(value):
            lines += [f".. autofunction:: course_lib.{room}.{name}", ""]
    return "\n".join([*lines, "```", ""])


def api_index() -> str:
    """The rooms with what the docstring of each begins with, and the order of their pages."""
    lines = ["# What the package offers", "", "`course_lib` has a room for each theme, and rooms that serve them all.", ""]
    for room in rooms():
        parts = inspect.getdoc(importlib.import_module(f"course_lib.{room}")).split("\n\n")
        words = parts[0] if len(parts[0]) > 60 else " ".join(parts[:2])
        lines.append(f"- [{room}]({room}.md): {' '.join(words.split())}")
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *rooms(), "```", ""])


def lay() -> None:
    """Lays everything that Sphinx reads side by side in build/site/source."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    for folder in ("notebooks", "api"):
        (SOURCE / folder).mkdir()
    cards = []
    for name, row in rows().items():
        lay_notebook(ROOT / "notebooks" / name)
        cards.append(card(ROOT / "notebooks" / name, row))
    documents = {"teaching": "TEACHING.md", "contributing": "CONTRIBUTING.md", "changes": "CHANGELOG.md"}
    pages = {page: document(name) for page, name in documents.items()}
    pages["use"] = (
        (SOURCE / "use.md").read_text(encoding="utf-8").replace("REPOSITORY", f"[repository]({read_address().repository})")
    )
    index = (SOURCE / "index.md").read_text(encoding="utf-8")
    pages["index"] = index.replace("CARDS", f'<div class="cards">{"".join(cards)}</div>')
    sliders = [frames(ROOT / "notebooks" / name, row) for name, row in rows().items() if name[:2] in SLIDERS]
    title = "# Step by step\n\nWhat moves in the notebooks, under a slider: drag it, or use the arrow keys.\n"
    pages["frames"] = "\n".join([title, *sliders])
    pages |= {f"api/{room}": api_page(room) for room in rooms()}
    pages["api/index"] = api_index()
    for name, text in pages.items():
        (SOURCE / f"{name}.md").write_text(text, encoding="utf-8")
    lay_mathjax(SOURCE / "_static" / "mathjax")


def lay_mathjax(folder: Path) -> None:
    """Copies what a page needs of MathJax: one script, its typefaces and its licence."""
    import mathjax

    there = Path(mathjax.__file__).parent / "static" / "mathjax"
    folder.mkdir()
    shutil.copy(there / "LICENSE", folder / "LICENSE")
    shutil.copy(there / "es5" / "tex-mml-chtml.js", folder)
    shutil.copytree(there / "es5" / "output" / "chtml" / "fonts", folder / "output" / "chtml" / "fonts")


def build() -> None:
    """Lays the sources and builds the pages.

    Raises:
        subprocess.CalledProcessError: Sphinx has found something wrong, and has said what.
    """
    lay()
    shutil.rmtree(HTML, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-d", str(SOURCE.parent / "trees")]
    subprocess.run([*command, str(SOURCE), str(HTML)], cwd=ROOT, check=True)
    size = sum(path.stat().st_size for path in HTML.rglob("*") if path.is_file())
    print(f"The pages are in {HTML.relative_to(ROOT)}, {size / 1e6:.0f} MB: open index.html through a server, for example")
    print(f"  .venv/bin/python -m http.server --bind 127.0.0.1 --directory {HTML.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        build()
    except subprocess.CalledProcessError:
        sys.exit("make site: Sphinx warns of what stands above; each warning is an error")
