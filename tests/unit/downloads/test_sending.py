"""Sending a zip that some area planned: it is asked whether a download may go on, and told what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from readingroom.clock import FakeClock
from readingroom.downloads import Grant, Keys, Plan, Sender
from readingroom.downloads.sending import DIRECT_AT_ONCE
from readingroom.errors import Conflict, NotFound, StoredFileBroken, TicketExpired
from readingroom.identity import ANONYMOUS, Caller, Identity, TokenSigner
from readingroom.zipstream import PIECE, Layout

from tests.unit.zipstream.stores import MemoryFiles

FILES = {"a.dcm": b"a" * PIECE, "b.dcm": b"b" * PIECE, "c.dcm": b"c" * PIECE}
READER = Identity(user="somebody", kind="outside", clinic="12")
GATEWAY = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "192.0.2.1", through_gateway=True)
DIRECT = Caller(ANONYMOUS, "00000000-0000-0000-0000-000000000000", "192.0.2.1")


@dataclass
class Zip:
    owner: str
    layout: Layout
    files: MemoryFiles
    file_name: str = "Series.zip"
    claims: dict[str, Any] = field(default_factory=lambda: {"link": "7"})


class Area:
    """A provider that takes notes."""

    def __init__(self) -> None:
        self.files = MemoryFiles(list(FILES.values()))
        layout = Layout(list(FILES), [len(c) for c in FILES.values()], [None] * 3, [0] * 3)
        self.plan = Zip("area", layout, self.files)
        self.is_allowed = True
        self.asked = 0
        self.told: list[object] = []

    def allowed(self, claims: Mapping[str, Any]) -> None:
        assert claims == {"link": "7"}
        self.asked += 1
        if not self.is_allowed:
            raise NotFound("gone")

    def same(self, claims: Mapping[str, Any], etag: str) -> Plan | None:
        return self.plan if etag == self.plan.layout.etag else None

    def begun(self, plan: Plan, download: str, asking: Caller) -> None:
        self.told.append(("begun", download, asking.identity.user))

    def passed(self, plan: Plan, download: str, start: int, stop: int) -> None:
        self.told.append(("passed", download, start, stop))

    def broken(self, plan: Plan, error: StoredFileBroken, asking: Caller) -> None:
        self.told.append(("broken", error.detail, asking.identity.user))


class Site:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.keys = Keys(TokenSigner("s" * 32, "us", "us", self.clock), timedelta(hours=24))
        self.sender = Sender(self.keys, self.clock)
        self.area = Area()
        self.sender.serve("area", self.area)

    def begun(self) -> Grant:
        answer = self.sender.send(self.area.plan, GATEWAY, READER)
        return self.keys.unlock(answer.headers["X-Accel-Redirect"].removeprefix("/_zip/"))

    def slice(self, grant: Grant, start: int, stop: int) -> bytes:
        return self.sender.part(grant, GATEWAY, f"bytes={start}-{stop - 1}", "").get_data()


@pytest.fixture
def site() -> Iterator[Site]:
    with Flask("test").test_request_context():
        yield Site()


def test_slices_of_a_download_are_counted_under_one_id(site: Site) -> None:
    grant = site.begun()
    length = site.area.plan.layout.length
    got = site.slice(grant, 0, 1_000_000) + site.slice(grant, 1_000_000, length)
    assert len(got) == length
    assert site.area.told == [
        ("begun", grant.id, "somebody"),
        ("passed", grant.id, 0, 1_000_000),
        ("passed", grant.id, 1_000_000, length),
    ]
    assert (grant.reader.user, grant.reader.kind, grant.reader.clinic) == ("somebody", "outside", "12")
    assert not grant.reader.can("cases.read")


def test_what_was_revoked_gets_no_slice_from_a_second_later_on(site: Site) -> None:
    grant = site.begun()
    for start in range(5):
        site.slice(grant, start, start + 1)
    assert site.area.asked == 1, "not for every slice"
    site.area.is_allowed = False
    site.clock.advance(timedelta(seconds=1.1))
    for _ in range(2):
        with pytest.raises(NotFound):
            site.slice(grant, 5, 6)


def test_a_stream_that_was_revoked_ends_within_a_second(site: Site) -> None:
    answer = site.sender.send(site.area.plan, DIRECT, READER)
    body = answer.iter_encoded()
    next(body)
    next(body)
    site.area.is_allowed = False
    site.clock.advance(timedelta(seconds=1.1))
    with pytest.raises(NotFound):
        next(body)
    answer.close()
    begun, passed = site.area.told
    assert passed == ("passed", begun[1], 0, 2 * PIECE)  # type: ignore[index]  # a tuple, as noted above


def test_a_download_whose_beginning_cannot_be_written_down_holds_no_place(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(site.area, "begun", fails)
        for _ in range(DIRECT_AT_ONCE + 1):
            with pytest.raises(RuntimeError, match="locked"):
                site.sender.send(site.area.plan, DIRECT, READER)
    site.sender.send(site.area.plan, DIRECT, READER).close()


def test_a_file_that_breaks_is_told_and_the_slice_refused(site: Site) -> None:
    grant = site.begun()
    site.area.files.files[1].content = b"short"
    with pytest.raises(StoredFileBroken):
        site.slice(grant, PIECE, 2 * PIECE)
    assert site.area.told[-1] == ("broken", None, "somebody")


def test_another_version_is_a_conflict(site: Site) -> None:
    grant = site.begun()
    site.area.plan.layout = Layout(["other"], [1], [None], [0])
    with pytest.raises(Conflict):
        site.slice(grant, 0, 1)


def test_a_key_ends_after_its_day_and_names_an_area_that_there_is(site: Site) -> None:
    key, _ = site.keys.key(site.area.plan, READER)
    site.area.plan.owner = "nobody"
    strange, _ = site.keys.key(site.area.plan, READER)
    with pytest.raises(NotFound):
        site.slice(site.keys.unlock(strange), 0, 1)
    site.clock.advance(timedelta(hours=25))
    with pytest.raises(TicketExpired):
        site.keys.unlock(key)
