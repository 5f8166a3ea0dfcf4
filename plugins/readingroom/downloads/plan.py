"""What can be sent: a plan, and whoever made it and finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from readingroom.errors import StoredFileBroken
from readingroom.identity import Caller
from readingroom.zipstream import Files, Layout


class Plan(Protocol):
    """A zip that can be sent: where its bytes lie, and the files that they come from."""

    @property
    def owner(self) -> str:
        """Name of the provider that finds this plan again."""
        ...

    @property
    def file_name(self) -> str:
        """The zip's name at the reader's."""
        ...

    @property
    def layout(self) -> Layout:
        """Where every byte of it lies."""
        ...

    @property
    def files(self) -> Files:
        """The files behind the layout."""
        ...

    @property
    def claims(self) -> dict[str, Any]:
        """What its provider needs to find it again, as JSON; it travels in an address, so it is short."""
        ...


class Provider(Protocol):
    """An area that makes plans and stands by them while they are sent; used by many threads at once."""

    def allowed(self, claims: Mapping[str, Any]) -> None:
        """Raise NotFound when what these claims name may no longer be had.

        Asked before a slice and between the pieces of a stream, at most once a second for each download.
        """
        ...

    def same(self, claims: Mapping[str, Any], etag: str) -> Plan | None:
        """The plan that these claims name and that has this ETag, or None when its files have changed since.

        Asked for every slice: a plan under way is kept. Raises NotFound when it is no longer theirs to have.
        """
        ...

    def begun(self, plan: Plan, download: str, asking: Caller) -> None:
        """The first bytes go out; `download` is an id that all slices of this download have in common."""
        ...

    def passed(self, plan: Plan, download: str, start: int, stop: int) -> None:
        """Bytes `start` up to `stop` of the zip were handed on: of each slice, and of a stream when it ends."""
        ...

    def broken(self, plan: Plan, error: StoredFileBroken, asking: Caller) -> None:
        """The download ends early because of a file; `error.detail` says which."""
        ...
