"""Threads that come with the work and go without it."""

from __future__ import annotations

import threading
import time

import pytest
from readingroom.series.crew import Crew


def mine() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "a crew under test"]


def test_a_job_is_done_by_another_thread_and_its_answer_or_error_comes_back() -> None:
    crew = Crew("a crew under test", idle_seconds=0.1)
    assert crew.run(threading.current_thread) is not threading.current_thread()

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        crew.run(fails)
    crew.close()


def test_jobs_do_not_wait_for_each_other_and_threads_are_used_again() -> None:
    crew = Crew("a crew under test", idle_seconds=5)
    together = threading.Barrier(8, timeout=30)
    callers = [threading.Thread(target=lambda: crew.run(together.wait)) for _ in range(8)]
    for each in callers:
        each.start()
    for each in callers:
        each.join(30)
    assert not together.broken
    made = len(mine())
    assert made <= 8
    for _ in range(50):
        crew.run(lambda: None)
    assert len(mine()) == made
    crew.close()


@pytest.mark.parametrize("closed", [False, True])
def test_idle_threads_go(closed: bool) -> None:
    crew = Crew("a crew under test", idle_seconds=60 if closed else 0.05)
    crew.run(lambda: None)
    if closed:
        crew.close()
    deadline = time.monotonic() + 30
    while mine() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert mine() == []
    assert crew.run(lambda: 7) == 7


def test_a_job_for_which_there_is_no_thread_is_not_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew("a crew under test", idle_seconds=0.05)
    done: list[int] = []

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="new thread"):
            crew.start(lambda: done.append(1))
    assert crew.run(lambda: 7) == 7
    assert done == []
    crew.close()
