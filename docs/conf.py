"""Sphinx's settings for the pages. `make site` lays this folder, the notebooks and the pages it makes
side by side in build/site/source, and builds them there; no notebook is executed.
"""

import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from myst_nb.core import render
from sphinx import addnodes

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").is_file())
sys.path.insert(0, str(ROOT))
course = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]

project = html_title = "See and Generate"
author = "the authors of See and Generate"
copyright = "the authors. Text and figures: CC BY 4.0, code: MIT"
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
nb_ipywidgets_js = {}  # the pages have no kernel, and these scripts would come from elsewhere
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
suppress_warnings = ["ref.python"]  # types of attributes are looked up by their last name, and several have it
mathjax_path = "mathjax/tex-mml-chtml.js"  # laid there by tools/site.py
napoleon_use_rtype = False
napoleon_use_ivar = True  # an attribute that has an annotation too is then described once
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature would be wider than the page; the text says what is meant

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "repository_url": course["repository"],
    "repository_branch": course["branch"],
    "use_repository_button": True,
    "use_download_button": False,
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "navbar_persistent": [],  # the search stands at the side
}

# myst-nb keeps a picture's size and drops its text alternative.
render_image = render.NbElementRenderer.render_image


def with_alternative(self, data):
    """The nodes of a picture, with the alternative text that stands in the output's metadata."""
    found = render_image(self, data)
    alternative = data.output_metadata.get(data.mime_type, {}).get("alt", "")
    for node in found:
        for image in node.findall(nodes.image):
            image["alt"] = alternative
    return found


render.NbElementRenderer.render_image = with_alternative

LINKED = re.compile(r"\b[Cc]hapters? (\d+)\b|\barXiv:(\d{4}\.\d{4,5})\b")
CHAPTERS = {int(path.name[:2]): path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}


def link(match, document: str):
    """A link for "chapter 6" and "arXiv:1406.2661"; None where it leads nowhere, or to the page itself."""
    if match[2]:
        return nodes.reference("", match[0], refuri=f"https://arxiv.org/abs/{match[2]}")
    target = f"notebooks/{CHAPTERS.get(int(match[1]))}"
    if int(match[1]) not in CHAPTERS or target == document:
        return None
    options = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{target}", "refexplicit": True, "refdoc": document}
    return addnodes.pending_xref("", nodes.inline("", match[0]), **options)


def link_chapters_and_papers(app, tree) -> None:
    """Makes links of the chapters and papers that sentences name."""
    for text in list(tree.findall(nodes.Text)):
        parent = text.parent
        if not isinstance(parent, (nodes.paragraph, nodes.emphasis, nodes.strong)) or isinstance(parent.parent, nodes.reference):
            continue
        parts, end, words = [], 0, text.astext()
        for match in LINKED.finditer(words):
            if (node := link(match, app.env.docname)) is not None:
                parts += [nodes.Text(words[end : match.start()]), node]
                end = match.end()
        if parts:
            parent.replace(text, [*parts, nodes.Text(words[end:])])


def escape(app, what, name, obj, options, lines) -> None:
    """Docstrings are plain text: a bar, as in |x - y|, and a star are no markup. After a blank line, lines that stand
    further in are code.
    """
    code = False
    for place, line in enumerate(lines):
        code = (line.startswith("    ") and (code or (place > 1 and not lines[place - 1]))) or (code and not line)
        if code and place > 1 and lines[place - 2].endswith(":") and not lines[place - 2].endswith("::"):
            lines[place - 2] += ":"
        if not code:
            lines[place] = re.sub(r"([|*\\])|(?<=\w)_(?!\w)", lambda match: "\\" + match[0], line)


def leave_out(app, what, name, obj, skip, options):
    """Fields of a named tuple that nobody has described say nothing."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None


def setup(app) -> None:
    """Connects the functions above."""
    app.connect("doctree-read", link_chapters_and_papers)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", escape, priority=400)
