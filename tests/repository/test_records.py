"""What made the figures is recorded beside them, and the README's table holds what was measured, within the budget."""

import datetime

import pytest

from tests.repository.files import NOTEBOOKS, ROOT, name_of, notebook
from tools import readme_table, records

RECORD = records.read(records.NOTEBOOKS)
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The aim is a minute and a half of one core; what takes longer is recorded.
MINUTES, GIGABYTES = 2.5, 2.0


def is_complete(part: dict) -> bool:
    """Whether a record says when, on what and with which versions."""
    datetime.date.fromisoformat(part["date"])
    return bool(part["device"] and part["system"]) and {"python", *records.PACKAGES} == set(part["versions"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_each_notebook_has_the_record_of_the_run_that_made_its_figures(path):
    made = RECORD.get(path.name, {}).get("made")
    assert made and is_complete(made), f"run: make notebooks NOTEBOOK={name_of(path)}"
    assert made["code"] == records.code_digest(notebook(path)), (
        f"its code has changed since its outputs were made: make notebooks NOTEBOOK={name_of(path)}"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_readme_gives_measured_minutes_and_memory_within_the_budget(path):
    measured = RECORD[path.name]["measured"]
    assert is_complete(measured)
    minutes, memory = readme_table.written(README, path.name)
    assert (minutes, memory) == (readme_table.minutes(measured), readme_table.memory(measured)), "run: make measure"
    assert float(minutes) <= MINUTES and float(memory) <= GIGABYTES


def test_the_record_names_no_notebook_that_is_gone():
    assert set(RECORD) == {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", sorted(ROOT.glob("figures/*.png")), ids=name_of)
def test_each_figure_has_the_record_of_the_command_that_drew_it(path):
    record = records.read(path.with_suffix(".json"))
    assert record and is_complete(record) and record["command"].startswith("make ")
    assert record["file"] == records.file_digest(path), f"run: {record['command']}"


TABLE = "# Title\n| chapter | question | minutes | GB | text |\n| [0](notebooks/00_a.ipynb) | why? | to come | | 1 | 2 |\nend\n"


def test_the_table_is_written_in_its_columns_alone():
    record = {"00_a.ipynb": {"measured": {"cpu_seconds": 61, "memory_mib": 1000}}}
    updated = readme_table.update(TABLE, record)
    assert updated == TABLE.replace("| to come | |", "| 1.1 | 1.1 |")
    assert readme_table.update(updated, record) == updated
    assert readme_table.written(updated, "00_a.ipynb") == ("1.1", "1.1")
    assert [readme_table.number(text) for text in ("1.1", "to come", "")] == [1.1, float("inf"), float("inf")]
    with pytest.raises(ValueError, match=r"README.md has 0 rows for notebooks/01_b.ipynb"):
        readme_table.update(TABLE, {"01_b.ipynb": record["00_a.ipynb"]})
