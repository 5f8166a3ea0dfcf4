"""A short memory of answers, and what a change that comes while one is looked up makes of it."""

from __future__ import annotations

from readingroom.clock import FakeClock
from readingroom.identity.lately import Lately


def test_an_answer_is_looked_up_once() -> None:
    lately = Lately[str, int](5, 10, FakeClock())
    asked = iter([1, 2])
    assert [lately.once("a", lambda: next(asked)) for _ in range(3)] == [1, 1, 1]
    lately.forget()
    assert lately.once("a", lambda: next(asked)) == 2


def test_what_was_looked_up_before_a_change_is_not_remembered_after_it() -> None:
    lately = Lately[str, str](5, 10, FakeClock())

    def old() -> str:
        lately.forget()  # the account is shut while another request looks at it
        return "enabled"

    assert lately.once("alice", old) == "enabled"
    assert lately.once("alice", lambda: "disabled") == "disabled"
