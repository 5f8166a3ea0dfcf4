"""The one way in which a command says that it cannot go on: a sentence for a person, and what to do about it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn


class Refusal(Exception):
    """Ends the command with its text on standard error and exit status 1.

    It is `final` when another Debian release would be refused for the same reason.
    """

    def __init__(self, sentence: str, *, status: int = 1, final: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.final = final


def run(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a command's `main(argv)` and leave with its status; a Refusal becomes its sentence, Ctrl-C becomes 130."""
    signal.signal(signal.SIGTERM, _leave)  # so that what is being made is taken down, and locks are let go
    try:
        status = main(sys.argv[1:])
    except Refusal as refusal:
        print(f"{refusal}", file=sys.stderr)
        status = refusal.status
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
