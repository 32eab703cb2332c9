"""`make lab` opens a reader's own copies: made once, brought up to date where nobody wrote in them, never overwritten."""

import pytest

from tools import working_copies
from tools.working_copies import bring_up_to_date


@pytest.fixture
def folders(tmp_path):
    course, own = tmp_path / "notebooks", tmp_path / "my"
    course.mkdir()
    for name in ("00_a", "01_b"):
        (course / f"{name}.ipynb").write_text(f"{name}, first version", encoding="utf-8")
    assert bring_up_to_date(course, own) == []
    return course, own


def contents(folder) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ipynb"))}


def test_each_notebook_is_copied_once_and_what_was_written_stays(folders):
    course, own = folders
    assert contents(own) == contents(course)
    (own / "01_b.ipynb").write_text("my answers", encoding="utf-8")
    assert bring_up_to_date(course, own) == [], "nothing is new"
    assert contents(own) == {"00_a.ipynb": "00_a, first version", "01_b.ipynb": "my answers"}


def test_a_newer_version_replaces_what_nobody_touched_and_lies_beside_the_rest(folders):
    course, own = folders
    (own / "01_b.ipynb").write_text("my answers", encoding="utf-8")
    for path in course.glob("*.ipynb"):
        path.write_text(f"{path.stem}, second version", encoding="utf-8")
    (told,) = bring_up_to_date(course, own)
    assert "01_b.ipynb" in told and "my/01_b.new.ipynb" in told
    expected = {"00_a.ipynb": "00_a, second version", "01_b.ipynb": "my answers", "01_b.new.ipynb": "01_b, second version"}
    assert contents(own) == expected
    assert bring_up_to_date(course, own) == [] and contents(own) == expected, "it is said once"
    (own / "01_b.new.ipynb").write_text("I went on here", encoding="utf-8")
    (course / "01_b.ipynb").write_text("01_b, third version", encoding="utf-8")
    (told,) = bring_up_to_date(course, own)
    assert "my/01_b.new1.ipynb" in told
    written = {"01_b.new.ipynb": "I went on here", "01_b.new1.ipynb": "01_b, third version"}
    assert contents(own) == {**expected, **written}


def test_a_copy_that_a_reader_deleted_comes_back(folders):
    course, own = folders
    (own / "00_a.ipynb").unlink()
    assert bring_up_to_date(course, own) == [] and contents(own) == contents(course)


def test_where_nothing_can_be_written_the_courses_own_are_opened(tmp_path, monkeypatch, capsys):
    (tmp_path / "my").write_text("a file where the folder should be", encoding="utf-8")
    monkeypatch.setattr(working_copies, "ROOT", tmp_path)
    working_copies.main()
    out, err = capsys.readouterr()
    assert out == "notebooks\n" and "my/" in err
