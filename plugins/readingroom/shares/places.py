"""How many downloads of links run at once straight out of Orthanc; before the gateway's, the gateway itself counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Lock

from readingroom.errors import TooManyRequests

AGAIN_SECONDS = 10


class Places:
    """Places for streams: some for each link, some for all together."""

    def __init__(self, per_link: int, in_all: int) -> None:
        self._per_link = per_link
        self._in_all = in_all
        self._lock = Lock()
        self._taken: Counter[str] = Counter()

    def take(self, link: str) -> Place:
        """A place, to be given back; raises TooManyRequests when there is none."""
        with self._lock:
            if self._taken[link] >= self._per_link or self._taken.total() >= self._in_all:
                raise TooManyRequests(
                    "Too many downloads by this link are running; try again in a moment.", retry_after=AGAIN_SECONDS
                )
            self._taken[link] += 1
        return Place(self, link)

    def give_back(self, link: str) -> None:
        """One of this link's streams is over."""
        with self._lock:
            self._taken[link] -= 1
            if not self._taken[link]:
                del self._taken[link]


class Place:
    """One stream's place; given back once, however often it is asked."""

    def __init__(self, places: Places, link: str) -> None:
        self._places: Places | None = places
        self._link = link

    def give_back(self) -> None:
        """The stream is over."""
        places, self._places = self._places, None
        if places is not None:
            places.give_back(self._link)


class HeldBody:
    """A body that gives its place back when it is closed, or was read to its end."""

    def __init__(self, body: Iterable[bytes], place: Place) -> None:
        self._body = body
        self._place = place

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        finally:
            self.close()

    def close(self) -> None:
        """The answer is over, one way or another."""
        self._place.give_back()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
