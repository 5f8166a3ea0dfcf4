"""The tree drawn in errors.py is the tree that is there."""

from __future__ import annotations

import inspect
import re

from readingroom import errors
from readingroom.errors import ReadingRoomError


def classes() -> dict[str, type[ReadingRoomError]]:
    return {n: c for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, ReadingRoomError)}


def test_the_docstring_draws_every_error_with_its_status_and_code() -> None:
    drawn = {m[1]: (int(m[2]), m[3]) for m in re.finditer(r"(\w+) +(\d{3}) (\w+)", errors.__doc__ or "")}
    assert drawn == {name: (cls.status, cls.code) for name, cls in classes().items()}


def test_every_error_says_in_a_sentence_when_it_is_raised() -> None:
    assert [name for name, cls in classes().items() if not (cls.__doc__ or "").strip().endswith(".")] == []
