"""POST /api/pacs/frames: who gets frames, which requests are refused, what is written down, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readingroom.errors import NotFound
from readingroom.frames import record, stream
from readingroom.identity import passwords
from readingroom.settings import Settings
from werkzeug.test import TestResponse

from tests.factories import ct_slices
from tests.fixtures.frame_places import records
from tests.fixtures.sharing import PASSWORD, SECRET, UID, Browser, SharingSite
from tests.http.conftest import Person

COUNT = 30
STUDY = "1.2.826.0.1.3680043.10.77"
PATH = "/api/pacs/frames"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingSite]:
    """A site with one CT on its NAS."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("TIME_COST", 1), ("MEMORY_KIB", 8), ("LANES", 1)):
            patched.setattr(passwords, name, value)
        made = SharingSite(
            Settings.load(
                READINGROOM_DATA=tmp_path_factory.mktemp("data"),
                READINGROOM_GATEWAY_SECRET=SECRET,
                ACCESS_TOKEN_MINUTES=10_000_000,
                FRAME_STREAMS_EACH=3,
                FRAME_STREAMS=5,
            )
        )
        made.origin.put(files={f"{n}.dcm": data for n, data in enumerate(ct_slices(COUNT, 64, 64, name="api"))})
        yield made
        made.room.stop()


def person(site: SharingSite, name: str) -> Person:
    client = site.room.app.test_client()
    token = client.post("/api/token/", json={"username": name, "password": PASSWORD}).get_json()["access"]
    return Person(client, name, {"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module")
def staff(site: SharingSite) -> Person:
    return person(site, "staff")


@pytest.fixture(scope="module")
def body(site: SharingSite, staff: Person) -> dict[str, Any]:
    told = staff.get(f"/api/pacs/studies/{STUDY}/series/{UID}/manifest").get_json()
    return {"studyUid": STUDY, "seriesUid": UID, "version": told["version"], "frames": [[0, COUNT - 1]]}


def test_they_come_in_the_order_asked_for_and_it_is_written_down_once(
    site: SharingSite, staff: Person, body: dict[str, Any]
) -> None:
    for _ in range(4):
        answer = staff.post(PATH, json={**body, "frames": [5, [9, 7]]})
        assert (answer.status_code, answer.mimetype) == (200, record.MIME)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert [each.frame for each in records(answer.data)] == [5, 9, 8, 7]
    seen = [event for event in site.events("viewer.series.view") if event["actor"] == "staff"]
    assert len(seen) == 1


def test_a_gateway_that_cannot_reach_our_socket_is_told_not_to_buffer(site: SharingSite, body: dict[str, Any]) -> None:
    browser = Browser(site.room)
    answer = browser.ask(PATH, method="POST", json=body, headers=person(site, "staff").headers)
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "X-Accel-Redirect" not in answer.headers
    assert len(records(answer.data)) == COUNT


def test_who_may_not_see_the_series_gets_what_an_unknown_one_gets(site: SharingSite, body: dict[str, Any]) -> None:
    unknown = person(site, "staff").post(PATH, json={**body, "seriesUid": "1.2.3"})
    refused = person(site, "student").post(PATH, json=body)
    assert (unknown.status_code, refused.status_code) == (404, 404)
    assert unknown.get_json()["message"] == refused.get_json()["message"]
    assert person(site, "clinician").post(PATH, json=body).status_code == 403
    assert site.room.app.test_client().post(PATH, json=body).status_code == 401


def linked(site: SharingSite, staff: Person) -> tuple[Browser, str]:
    made = staff.post("/share/create", json={"series_key": UID}).get_json()
    browser = site.browser()
    assert browser.visit(made["token"]).status_code == 303
    return browser, str(made["id"])


def test_a_link_gives_them_until_it_is_revoked_in_mid_stream_too(
    site: SharingSite, staff: Person, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ASK_EVERY", 0.0)
    monkeypatch.setattr("readingroom.frames.streams.PIECE", 10_000)
    browser, link = linked(site, staff)
    assert len(records(browser.ask(PATH, method="POST", json=body).data)) == COUNT
    under_way = browser.ask(PATH, method="POST", json=body, buffered=False)
    pieces = iter(under_way.iter_encoded())
    assert next(pieces)
    assert staff.delete(f"/api/shares/{link}").status_code == 204
    site.later(seconds=6)
    with pytest.raises(NotFound):
        b"".join(pieces)
    under_way.close()
    assert browser.ask(PATH, method="POST", json=body).status_code == 401


def test_a_token_that_runs_out_lets_its_stream_end(
    site: SharingSite, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ASK_EVERY", 0.0)
    monkeypatch.setattr("readingroom.frames.streams.PIECE", 10_000)
    who = person(site, "colleague")
    under_way = who.post(PATH, json=body, buffered=False)
    pieces = iter(under_way.iter_encoded())
    first = next(pieces)
    site.later(minutes=10_000_001)
    assert len(records(first + b"".join(pieces))) == COUNT
    under_way.close()


def test_too_many_of_one_and_of_all_are_refused_and_places_come_back(
    site: SharingSite, staff: Person, body: dict[str, Any]
) -> None:
    staff = person(site, "staff")
    admin = person(site, "admin")
    held: list[TestResponse] = [staff.post(PATH, json=body, buffered=False) for _ in range(3)]
    refused = staff.post(PATH, json=body)
    assert (refused.status_code, refused.get_json()["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    held += [admin.post(PATH, json=body, buffered=False) for _ in range(2)]
    assert admin.post(PATH, json=body).status_code == 429, "five are all that there may be"
    for each in held:
        each.close()  # nobody read from them
    assert [staff.post(PATH, json=body).status_code for _ in range(4)] == [200] * 4
    assert site.room.metrics.snapshot()["frame_streams_open"] == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, COUNT + 3) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(JSON, max_size=6) | JSON)
def test_whatever_is_asked_for_is_answered_with_those_frames_or_refused(
    site: SharingSite, body: dict[str, Any], frames: Any
) -> None:
    answer = _asker(site).post(PATH, json={**body, "frames": frames})
    if answer.status_code == 200:
        assert [each.status for each in records(answer.data)] == [200] * len(records(answer.data))
        assert all(isinstance(each, int | list) for each in frames)
    else:
        assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")
        assert answer.get_json()["message"]


_askers: dict[int, Person] = {}


def _asker(site: SharingSite) -> Person:
    return _askers.setdefault(id(site), person(site, "staff"))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"version": "other"}, 409, "series_changed"),
        ({"line": "medium"}, 400, "bad_request"),
        ({"accept": "raw"}, 400, "bad_request"),
        ({"accept": ["bmp"]}, 400, "bad_request"),
        ({"more": 1}, 400, "bad_request"),
        ({"frames": [[0, COUNT - 1]] * 67}, 400, "bad_request"),
        ({"frames": [0] * 2001}, 400, "bad_request"),
        ({"studyUid": "1" * 65}, 400, "bad_request"),
    ],
)
def test_what_does_not_fit_is_refused(
    site: SharingSite, body: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    answer = _asker(site).post(PATH, json={**body, **change})
    assert (answer.status_code, answer.get_json()["error"]) == (status, code)
    if status == 409:
        assert answer.get_json()["detail"] == {"version": body["version"]}


def test_what_was_kept_lies_in_the_data_folder(site: SharingSite, staff: Person, body: dict[str, Any]) -> None:
    asked = {**body, "frames": [0, 1], "accept": ["jpls"], "line": "slow"}
    found = records(_asker(site).post(PATH, json=asked).data)
    assert {each.encoding for each in found} == {"jpls"}
    folder: Path = site.settings.data / "cache" / "frames"
    assert len(list(folder.rglob("*.jpls"))) == 2
