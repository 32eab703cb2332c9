"""Formulas that GitHub shows as JupyterLab and Colab do: its known limits are respected in every text.

GitHub renders notebooks otherwise than Markdown files (github/markup issue 1516), and neither by a published grammar. So
notebooks keep to every limit that was found for either, except that backslashes before punctuation may stand where Jupyter needs
them, in display formulas and as spaces; documents keep to that one too. Where the limits are described:

- macros that GitHub has removed, since they can hide text or replace others: github/markup issue 1688, LASY-org/lasy pull
  request 134 (the support's answer), Programmiermethoden-CampusMinden/Prog2-Lecture issue 1039;
- dollars beside letters and digits, `<` without spaces, comments, formulas in links, lists with display formulas: the examples of
  github.com/nschloe/github-math-bugs;
- backslashes before punctuation, which Markdown takes for its own, and `](`, which it takes for a link:
  https://nschloe.github.io/2022/06/27/math-on-github-follow-up.html;
- spaces and ends of lines inside dollars: the gist eggertkarl/094aecafba3202f68700421bc635790b.
"""

import re

import pytest

from tests.repository.files import NOTEBOOKS, ROOT, name_of, notebook

REMOVED = (
    "operatorname DeclareMathOperator newcommand renewcommand providecommand def gdef edef let mbox phantom hphantom vphantom"
)
REMOVED += " require unicode class style cssId href"
# They are formulas of their own for JupyterLab, and text for GitHub; aligned, gathered and cases stand inside dollars.
ENVIRONMENTS = "align align* equation equation* gather gather* eqnarray multline"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("course_lib/**/*.md")])
DISPLAY = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
INLINE = re.compile(r"(?<![\\$])\$([^$]+?)(?<!\\)\$")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def blank(match: re.Match) -> str:
    """Spaces in the place of what was found, so that everything else stays where it is."""
    return re.sub(r"[^\n]", " ", match[0])


def math_faults(text: str, document: bool = False) -> list[str]:
    """What is wrong with the formulas of a Markdown text; document: it is a file, which GitHub reads as Markdown first."""
    text = CODE.sub(blank, text)
    rest = DISPLAY.sub(blank, text)
    displays, inlines = list(DISPLAY.finditer(text)), list(INLINE.finditer(rest))
    faults = [f"{match[0]}: {word}" for match in displays for word in display_faults(text, match, document)]
    faults += [f"{match[0]}: {word}" for match in inlines for word in inline_faults(rest, match, document)]
    faults += [f"{match[0]}: {word}" for match in [*displays, *inlines] for word in faults_of_both(match[1])]
    left = re.sub(r"\\\$", "", INLINE.sub("", rest))
    faults += ["a dollar without a partner; write \\$ for the sign"] if "$" in left else []
    faults += [f"{match[0]}: no formula in a link" for match in re.finditer(r"\[[^\]\n]*\$[^\]\n]*\]\(", rest)]
    environments = [f"\\begin{{{name}}}" for name in ENVIRONMENTS.split() if f"\\begin{{{name}}}" in text]
    return faults + [f"{name}: write aligned or gathered between $$" for name in environments]


def display_faults(text: str, match: re.Match, document: bool):
    """What is wrong with a formula between double dollars, as far as its place goes."""
    before, after = text[: match.start()].rpartition("\n")[2], text[match.end() :].partition("\n")[0]
    if before or after.strip():
        yield "$$ begins its line, without indentation, and nothing follows it: not in a list, not in a sentence"
    if re.search(r"\n\s*\n", match[1]):
        yield "an empty line ends the paragraph, and the formula with it"
    if document and "\n" in match[1].strip() and re.search(r"\\[^A-Za-z\s]", match[1]):
        yield "in a file, formulas with backslashes before punctuation are fenced as ```math"


def inline_faults(text: str, match: re.Match, document: bool):
    """What is wrong with a formula between single dollars, as far as its place and Markdown's own signs go."""
    inside, before, after = match[1], text[: match.start()][-1:], text[match.end() :][:1]
    if re.match(r"[\w-]", before) or re.match(r"\w", after):
        yield "a letter, digit or hyphen touches a dollar"
    if inside != inside.strip() or "\n" in inside:
        yield "a space beside a dollar, or an end of line inside"
    if re.search(r"\\[\\{}_*#%&|]" if not document else r"\\[^A-Za-z]", inside):
        yield "Markdown takes the backslash before punctuation for its own: write \\lbrace, \\rbrace, \\Vert, or a $$ formula"
    if re.search(r"\S\*|\*\S", inside):
        yield "an asterisk without spaces around it is Markdown's: write \\ast or put spaces"
    if text[: match.start()].rpartition("\n")[2].lstrip().startswith("|") and "|" in inside:
        yield "a bar ends the column of a table: write \\mid or \\vert"


def faults_of_both(inside: str):
    """What is wrong with the inside of a formula."""
    names = set(re.findall(r"\\([A-Za-z]+)", inside)) & set(REMOVED.split())
    for name in sorted(names):
        yield f"GitHub does not allow \\{name}: write \\mathrm or \\text, and formulas without macros of their own"
    if re.search(r"<\S", inside):
        yield "a < without a space after it begins a tag"
    if "](" in inside:
        yield "]( is a link"
    if re.search(r"(?<!\\)%", inside):
        yield "a comment"
    if re.search(r"\\text\{[^}]*\$", inside):
        yield "a dollar inside \\text"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_formulas_in_notebooks_keep_to_what_github_shows(path):
    texts = [cell.source for cell in notebook(path).cells if cell.cell_type == "markdown"]
    assert [fault for text in texts for fault in math_faults(text)] == []


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("course_lib/**/*.md")]), ids=name_of
)
def test_formulas_in_documents_keep_to_what_github_shows(path):
    assert math_faults(path.read_text(encoding="utf-8"), document=True) == []


@pytest.mark.parametrize(
    "text",
    [
        "the mean $\\bar x$, the set $\\lbrace 0, 1 \\rbrace$ (and $x_{i+1}$): $a < b$, $p(y\\,|\\,x)$.",
        "so\n\n$$\n\\begin{aligned}\na &= b \\\\\n&= \\{c\\}\n\\end{aligned}\n$$\n\nand on",
        "`$x` and ```\n$$ $\n``` are code, \\$5 is money",
        "**both $x$ and $y$** and | no table $a|b$",
        "$x * w$, $x^\\ast$",
    ],
)
def test_good_formulas_pass(text):
    assert math_faults(text) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("$\\operatorname{Var}(x)$", "operatorname"),
        ("$$\n\\newcommand{\\R}{\\mathbb R}\n$$", "newcommand"),
        ("$$\n\\phantom{x} y\n$$", "phantom"),
        ("\\begin{align}\nx\n\\end{align}", "aligned"),
        ("$$\\begin{align*}x\\end{align*}$$", "aligned"),
        ("a$x$", "touches"),
        ("-$x$", "touches"),
        ("$x$s", "touches"),
        ("$ x$", "space"),
        ("$x\n+ y$", "end of line"),
        ("$\\{x\\}$", "Markdown takes"),
        ("$\\begin{matrix} a \\\\ b \\end{matrix}$", "Markdown takes"),
        ("$a*b$ and $c*d$", "asterisk"),
        ("| a | $p(x|y)$ |", "bar"),
        ("$a<b$", "tag"),
        ("$[a](b)$", "link"),
        ("[$x$](file)", "link"),
        ("$$\na % b\n$$", "comment"),
        ("$$\n\\text{if $x$}\n$$", "dollar"),
        ("- item\n  $$\n  x\n  $$", "begins its line"),
        ("so $$x$$ holds", "begins its line"),
        ("$$\nx\n\ny\n$$", "empty line"),
        ("it costs 5 $", "without a partner"),
    ],
)
def test_each_limit_is_noticed(text, fault):
    assert any(fault in found for found in math_faults(text)), math_faults(text)


def test_a_document_is_read_as_markdown_first():
    assert math_faults("$a\\,b$") == [] and "Markdown takes" in math_faults("$a\\,b$", document=True)[0]
    display = "$$\na \\\\\nb\n$$"
    assert math_faults(display) == [] and "```math" in math_faults(display, document=True)[0]
