"""What comes out of grading a class: rows as they come, tables for Moodle and Canvas, and a page of feedback for each student."""

import csv
import dataclasses
import html
import json
import re
from pathlib import Path
from typing import Any

from tools.grading import Result
from tools.handed_in import HandIn
from tools.sandbox.plain import printable

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a table computes a cell that begins so


@dataclasses.dataclass(frozen=True)
class Row:
    """A file that was handed in, and what was found of each exercise; `why` where it was not graded."""

    name: str
    student: str
    id: str
    platform: str
    late: bool
    results: dict[str, Result]
    why: str = ""

    @property
    def points(self) -> float:
        """The sum of the shares."""
        return round(sum(result.share for result in self.results.values()), 2)

    def line(self, maximum: int) -> str:
        """The row in a line, for a terminal."""
        if self.why:
            return f"{cell(self.name)}: not graded: {self.why}"
        found = "; ".join(f"{name}: {result.text}" for name, result in self.results.items())
        return f"{cell(self.name)}: {self.points:g} of {maximum}; {found}"


def row(one: HandIn, results: dict[str, Result], why: str = "") -> Row:
    """The row of a file; what stands in it can be printed and written, whatever the file and its folder are called."""
    name, student, why = (printable(text) for text in (one.name, one.student, why or one.why))
    return Row(name, student, one.id, one.platform, one.late, results, why)


def cell(text: Any) -> str:
    """A text without what a terminal would obey, and that no table computes."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


class Marks:
    """A folder of results. Rows are written as they come: what is graded is kept, whatever happens after it.

    Args:
        folder: where they are written; older results in it are replaced.
        title: of the assignment.
        names: of the exercises, in their order.
        maximum: the points that can be had.
    """

    def __init__(self, folder: Path, title: str, names: list[str], maximum: int):
        self.folder, self.title, self.names, self.maximum = folder, title, names, maximum
        self.rows: list[Row] = []
        (folder / "feedback").mkdir(parents=True, exist_ok=True)
        for old in (folder / "feedback").glob("*.md"):
            old.unlink()
        (folder / "rows.jsonl").write_text("", encoding="utf-8")

    def add(self, new: Row) -> None:
        """Writes a row, and its page of feedback."""
        self.rows.append(new)
        with (self.folder / "rows.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_json(new), ensure_ascii=False) + "\n")
        if not new.why.startswith("a later file"):
            name = re.sub(r"[^\w .()+@-]+", "_", new.name).strip(" .")[:150]
            page = self.folder / "feedback" / f"{name}.md"
            if page.exists():  # of a/b and a_b
                page = page.with_name(f"{name} ({len(self.rows)}).md")
            page.write_text(self.feedback(new), encoding="utf-8")

    def feedback(self, one: Row) -> str:
        """The page for a student: what is right, what is not and by how much, and what to do."""
        lines = [f"# {self.title}", "", f"{cell(one.student)} · `{cell(one.name)}`", ""]
        if one.why:
            return "\n".join([*lines, f"This file was not graded: {one.why}.", ""])
        lines += [f"**{one.points:g} of {self.maximum} points**", ""]
        lines += ["| exercise | points | what was found |", "| --- | --- | --- |"]
        for name, result in one.results.items():
            text = html.escape(result.text.replace("|", "\\|"), quote=False)
            lines.append(f"| `{name}` | {result.share:g} | {text} |")
        hint = "Other cases were tried than those on the page. Where an answer is off, try it on the smallest input that you can"
        hint += " work out by hand, and run the check below it again."
        return "\n".join([*lines, "", hint, ""])

    def finish(self, table: str = "") -> None:
        """Writes the tables: all results, and the forms that Moodle and Canvas import. `table`: a second place for the first."""
        self.rows.sort(key=lambda one: one.name)
        head = ["file", "student", "id", "late", "points", "maximum", *self.names, "not graded"]
        body = [
            [one.name, one.student, one.id, "late" if one.late else "", "" if one.why else f"{one.points:g}", self.maximum]
            + [one.results[name].text if name in one.results else "" for name in self.names]
            + [one.why]
            for one in self.rows
        ]
        for path in (self.folder / "table.csv", Path(table) if table else None):
            if path:
                write(path, [head, *body])
        graded = [one for one in self.rows if not one.why]
        moodle = [["Identifier", "Full name", "Grade", "Maximum Grade"]]
        moodle += [[f"Participant {o.id}", o.student, f"{o.points:g}", self.maximum] for o in graded if o.platform == "moodle"]
        canvas = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", self.title]]
        canvas += [["    Points Possible", "", "", "", "", self.maximum]]
        canvas += [[o.student, o.id, "", "", "", f"{o.points:g}"] for o in graded if o.platform == "canvas"]
        write(self.folder / "moodle.csv", moodle)
        write(self.folder / "canvas.csv", canvas)
        whole = {"assignment": self.title, "maximum": self.maximum, "rows": [as_json(one) for one in self.rows]}
        (self.folder / "results.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")


def as_json(one: Row) -> dict:
    """A row as JSON has it."""
    return {**dataclasses.asdict(one), "points": None if one.why else one.points}


def write(path: Path, rows: list[list]) -> None:
    """Writes a table that spreadsheets open as it is."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([[cell(value) for value in line] for line in rows])
