"""Change events reach whoever asked for them."""

from __future__ import annotations

from readingroom.host.changes import Changes


def test_a_listener_hears_its_own_kind_only() -> None:
    heard: list[str] = []
    changes = Changes()
    changes.on(1, heard.append)
    changes.happened(1, 0, "a")
    changes.happened(2, 0, "b")
    assert heard == ["a"]


def test_a_listener_that_fails_does_not_silence_the_next() -> None:
    heard: list[str] = []
    changes = Changes()

    def fails(_: str) -> None:
        raise RuntimeError("no")

    changes.on(1, fails)
    changes.on(1, heard.append)
    changes.happened(1, 0, "a")
    assert heard == ["a"]
