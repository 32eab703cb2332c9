"""The bar of the training loops: nothing for short runs, nothing left behind, and off where it is
switched off.
"""

from course_lib.training.progress import Progress


def test_short_runs_print_nothing(capsys):
    with Progress(100, disable=False) as bar:
        for _ in range(100):
            bar.update()
        bar.hide()
    assert capsys.readouterr() == ("", "")


def test_long_runs_show_a_bar_on_stdout_and_take_it_away(capsys):
    with Progress(100, 10, disable=False, delay=0, mininterval=0) as bar:
        bar.hide()
        bar.update(20)
        bar.hide()
        shown = capsys.readouterr()
        assert "30/100" in shown.out and shown.err == ""
        assert shown.out.rsplit("\r", 2)[1].strip() == "", "cleared before a picture is shown"
        bar.update(30)
    last = capsys.readouterr().out
    assert "60/100" in last and last.rsplit("\r", 2)[1].strip() == "", "and at the end"


def test_it_can_be_switched_off(capsys):
    with Progress(10, disable=True, delay=0, mininterval=0) as bar:
        bar.update(10)
        bar.hide()
    assert capsys.readouterr() == ("", "")
