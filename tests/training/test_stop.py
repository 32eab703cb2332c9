"""The Stop button asks once and interrupts at the second press; afterwards signals go where they
went before.
"""

import os
import signal
import threading

import pytest

from course_lib.training import StopButton
from course_lib.training.stop import SECOND_PRESS_SECONDS


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_one_press_asks_and_a_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with StopButton() as stop:
        assert not stop.pressed
        press()
        assert stop.pressed
        with pytest.raises(KeyboardInterrupt):
            press()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_press_soon_after_the_first_ends_a_cell_of_many_runs():
    runs = []

    def cell():
        for number in range(4):
            with StopButton():
                runs.append(number)
                press()

    with pytest.raises(KeyboardInterrupt):
        cell()
    assert runs == [0, 1]
    # The next first press asks again, and so does one that comes later.
    for _ in range(2):
        with StopButton() as stop:
            press()
            assert stop.pressed
        seconds, number = StopButton.last_press
        StopButton.last_press = (seconds - SECOND_PRESS_SECONDS, number)


def test_presses_in_two_cells_do_not_belong_together(monkeypatch):
    numbers = iter((3, 4, 4))
    monkeypatch.setattr("course_lib.training.stop._cell_number", lambda: next(numbers))
    for _ in range(2):
        with StopButton() as stop:
            press()
            assert stop.pressed
    with StopButton(), pytest.raises(KeyboardInterrupt):
        press()


def test_it_is_put_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), StopButton():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_it_does_nothing():
    pressed = []

    def work():
        with StopButton() as stop:
            pressed.append(stop.pressed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert pressed == [False]


def test_it_can_be_used_again_and_leaves_ignored_interrupts_ignored():
    stop = StopButton()
    with stop:
        press()
    with stop:
        assert not stop.pressed
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopButton() as ignored:
            press()
            assert not ignored.pressed
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
