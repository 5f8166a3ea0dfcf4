"""An asset is read whole, in part, or not again; its pictures come back when they are missing."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import Any

import pytest
from PIL import Image
from readingroom.app import Room
from readingroom.errors import BrokenPicture, PicturesUnavailable, StorageUnavailable
from readingroom.imaging import reading, variants_kept
from readingroom.imaging.tables import imaging_asset, imaging_study
from readingroom.objects import NfsStore
from sqlalchemy import Row, select, update

from tests.http.conftest import Person
from tests.http.imaging.pictures_drawn import filed, noise_png, png, study
from tests.http.imaging.stand_ins import PicturesOnDemand
from tests.http.imaging.test_studies import events
from tests.http.imaging.test_uploads import until

LARGE = noise_png(1_800_000)
"""More than one piece: it is streamed."""


def row_of(room: Room, asset: int) -> Row[Any]:
    with room.database.read() as connection:
        return connection.execute(select(imaging_asset).where(imaging_asset.c.id == asset)).one()


@pytest.fixture(scope="module")
def large(anna: Person) -> int:
    return filed(anna, study(anna), LARGE, "Große Aufnahme.png")


def at(asset: int, variant: str = "original") -> str:
    return f"/imaging/assets/{asset}?variant={variant}"


def test_the_web_picture_is_what_is_given_unless_another_is_asked_for(anna: Person, large: int) -> None:
    assert anna.get(f"/imaging/assets/{large}").data == anna.get(at(large, "web")).data
    answer = anna.get(f"/imaging/assets/{large}?variant=tiny")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize("variant", ["original", "web", "thumb"])
def test_every_form_is_for_its_reader_alone_and_runs_nothing(anna: Person, large: int, variant: str) -> None:
    answer = anna.get(at(large, variant))
    headers = answer.headers
    assert answer.status_code == 200 and int(headers["Content-Length"]) == len(answer.data)
    assert headers["Cache-Control"] == f"private, max-age={reading.FRESH_SECONDS}"
    assert headers["Vary"] == "Authorization"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Content-Type"] == ("image/png" if variant == "original" else "image/webp")
    assert headers["ETag"].startswith('"') and headers["Accept-Ranges"] == "bytes"
    assert ("Content-Disposition" in headers) is (variant == "original")


def test_an_original_is_saved_under_its_own_name(anna: Person, large: int) -> None:
    said = anna.get(at(large)).headers["Content-Disposition"]
    assert said == "attachment; filename=\"Gro_e Aufnahme.png\"; filename*=UTF-8''Gro%C3%9Fe%20Aufnahme.png"


@pytest.mark.parametrize("variant", ["original", "web", "thumb"])
def test_what_is_known_already_is_not_sent_again(anna: Person, large: int, variant: str) -> None:
    etag = anna.get(at(large, variant)).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = anna.get(at(large, variant), headers={"If-None-Match": known})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
        assert answer.headers["Cache-Control"].startswith("private")
    assert anna.get(at(large, variant), headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_tag_of_an_original_is_its_hash_and_each_form_has_its_own(anna: Person, large: int) -> None:
    tags = {variant: anna.get(at(large, variant)).headers["ETag"] for variant in ("original", "web", "thumb")}
    assert tags["original"] == f'"{hashlib.sha256(LARGE).hexdigest()}"'
    assert len(set(tags.values())) == 3


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1048000-1049999", 1048000, 1050000),
        ("bytes=1000000-", 1_000_000, len(LARGE)),
        ("bytes=-5", len(LARGE) - 5, len(LARGE)),
        (f"bytes=5-{10**15}", 5, len(LARGE)),
    ],
)
def test_a_range_is_those_bytes(anna: Person, large: int, wanted: str, start: int, stop: int) -> None:
    answer = anna.get(at(large), headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (206, LARGE[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(LARGE)}"


@pytest.mark.parametrize("wanted", ["bytes=2000000-", "bytes=99999999-", "bytes=-0"])
def test_a_range_outside_is_a_416_that_says_how_long_it_is(anna: Person, large: int, wanted: str) -> None:
    answer = anna.get(at(large), headers={"Range": wanted})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(LARGE)}")


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=x-", "bytes=-"])
def test_a_range_that_is_none_gives_the_whole(anna: Person, large: int, wanted: str) -> None:
    answer = anna.get(at(large), headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, LARGE)


def test_a_range_of_what_has_changed_gives_the_whole(anna: Person, large: int) -> None:
    etag = anna.get(at(large)).headers["ETag"]
    same = anna.get(at(large), headers={"Range": "bytes=1-4", "If-Range": etag})
    assert (same.status_code, same.data) == (206, LARGE[1:5])
    other = anna.get(at(large), headers={"Range": "bytes=1-4", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, LARGE)


def test_a_long_range_is_answered_by_its_beginning(anna: Person, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 206 lies in Orthanc's memory as a whole; through the gateway it is nginx that cuts."""
    monkeypatch.setattr(reading, "LARGEST_PART", 1000)
    answer = anna.get(at(large), headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.data) == (206, LARGE[10:1010])
    assert answer.headers["Content-Range"] == f"bytes 10-1009/{len(LARGE)}"


def test_a_head_tells_what_a_get_would_without_its_bytes(room: Room, anna: Person, large: int) -> None:
    for variant in ("original", "thumb"):
        got = anna.get(at(large, variant))
        head = room.app.test_client().head(at(large, variant), headers=anna.headers)
        assert (head.status_code, head.data) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Cache-Control"):
            assert head.headers[name] == got.headers[name]


def test_streams_are_bounded_and_give_their_places_back(room: Room, anna: Person, large: int) -> None:
    client = room.app.test_client()
    held = [client.get(at(large), headers=anna.headers, buffered=False) for _ in range(reading.STREAMS)]
    refused = anna.get(at(large))
    assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert anna.get(at(large, "thumb")).status_code == 200  # small ones hold no place
    for answer in held:
        answer.close()
    assert anna.get(at(large)).data == LARGE
    assert room.app.test_client().head(at(large), headers=anna.headers).status_code == 200
    assert anna.get(at(large)).status_code == 200


def test_an_asset_that_is_taken_out_is_gone_from_every_answer(
    room: Room, objects: NfsStore, anna: Person, adam: Person, admin: Person
) -> None:
    study_id = study(anna)
    asset, stays = filed(anna, study_id, png()), filed(anna, study_id, png(seed=2))
    answer = adam.delete(f"/imaging/assets/{asset}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert [each["id"] for each in anna.get(f"/imaging/studies/{study_id}").get_json()["assets"]] == [stays]
    for variant in ("original", "web", "thumb"):
        assert anna.get(at(asset, variant)).status_code == 404
        assert anna.get(at(asset, variant), headers={"If-None-Match": "*"}).status_code == 404
    assert anna.delete(f"/imaging/assets/{asset}").status_code == 404
    (event,) = events(admin, "imaging.asset.delete", asset)
    assert (event["actor"], event["payload"]) == ("adam", {"study_id": study_id})
    row = row_of(room, asset)
    assert (row.is_active, objects.stat(row.storage_key) is not None) == (False, True)  # its bytes stay


def test_views_are_told_once_within_five_minutes_for_each_who_looks(anna: Person, adam: Person, admin: Person) -> None:
    asset = filed(anna, study(anna), png())
    for person in (anna, adam):
        for variant in ("thumb", "thumb", "web", "original"):
            person.get(at(asset, variant))
    told = [(event["actor"], event["payload"]) for event in events(admin, "imaging.asset.view", asset)]
    assert sorted(told) == [("adam", {"variant": "thumb"}), ("anna", {"variant": "thumb"})]


@pytest.mark.parametrize("lost", ["object", "row", "both", "spoilt"])
def test_a_missing_picture_is_made_again(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, admin: Person, lost: str
) -> None:
    asset = filed(anna, study(anna), png(900, 700))
    row, made = row_of(room, asset), pictures.made
    if lost in ("object", "both", "spoilt"):
        objects.delete(row.thumb_key)
        objects.delete(row.web_key)
    if lost == "spoilt":  # another version's picture under the same key, and a row that does not know it
        objects.put(row.web_key, [b"other bytes"])
    if lost in ("row", "both", "spoilt"):
        with room.database.write() as connection:
            connection.execute(
                update(imaging_asset).where(imaging_asset.c.id == asset).values(thumb_key=None, web_key=None)
            )
    answer = anna.get(at(asset, "thumb"))
    assert (answer.status_code, Image.open(io.BytesIO(answer.data)).width) == (200, 400)
    assert Image.open(io.BytesIO(anna.get(at(asset, "web")).data)).width == 900
    assert pictures.made == made + 1
    again = row_of(room, asset)
    assert (again.thumb_key, again.web_key) == (row.thumb_key, row.web_key)
    told = sorted(event["payload"]["again"] for event in events(admin, "imaging.asset.thumb_generated", asset))
    assert told == [False, True]


def unpictured(room: Room, objects: NfsStore, anna: Person, seed: int) -> int:
    """An asset whose pictures are lost."""
    asset = filed(anna, study(anna), png(seed=seed))
    row = row_of(room, asset)
    objects.delete(row.thumb_key)
    objects.delete(row.web_key)
    return asset


def test_a_store_that_hangs_holds_some_requests_and_never_all_threads_of_orthanc(
    room: Room, objects: NfsStore, anna: Person, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a mount does whose server is gone: whoever opens a file waits until it is back."""
    held, back, real = [], threading.Event(), objects.open
    answers: list[int] = []

    def hanging(key: str) -> Any:
        held.append(key)
        assert back.wait(300)
        return real(key)

    def ask() -> None:
        answers.append(room.app.test_client().get(at(large, "thumb"), headers=anna.headers).status_code)

    monkeypatch.setattr(objects, "open", hanging)
    monkeypatch.setattr(reading, "PATIENCE", 0.05)
    askers = [threading.Thread(target=ask) for _ in range(reading.AT_THE_STORE)]
    try:
        for asker in askers:
            asker.start()
        until(lambda: len(held) + len(answers) == reading.AT_THE_STORE)
        for variant in ("original", "web", "thumb"):
            answer = anna.get(at(large, variant))
            assert (answer.status_code, answer.get_json()["error"]) == (503, "storage_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert anna.get("/imaging/studies?limit=1").status_code == 200  # the rest goes on
    finally:
        back.set()
    for asker in askers:
        asker.join()
    assert answers == [200] * reading.AT_THE_STORE
    assert anna.get(at(large)).data == LARGE


def test_many_who_ask_for_a_missing_picture_have_it_made_once(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset, statuses = unpictured(room, objects, anna, 20), []
    monkeypatch.setattr(variants_kept, "ASKED_SECONDS", 60.0)  # on the slowest machine they still wait
    made = pictures.made
    pictures.gate.clear()

    def ask() -> None:
        statuses.append(room.app.test_client().get(at(asset, "thumb"), headers=anna.headers).status_code)

    askers = [threading.Thread(target=ask) for _ in range(variants_kept.WAITING + 4)]
    try:
        for asker in askers:
            asker.start()
        until(lambda: statuses.count(429) == 4)  # no more wait than have a place
    finally:
        pictures.gate.set()
    for asker in askers:
        asker.join()
    assert sorted(statuses) == [200] * variants_kept.WAITING + [429] * 4
    assert pictures.made == made + 1


def test_who_asks_for_a_picture_that_takes_long_is_told_to_come_again(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = unpictured(room, objects, anna, 21)
    monkeypatch.setattr(variants_kept, "ASKED_SECONDS", 0.1)
    pictures.gate.clear()
    try:
        answer = anna.get(at(asset, "web"))
        assert (answer.status_code, answer.get_json()["error"]) == (503, "pictures_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert anna.get(at(asset)).status_code == 200  # the original needs no picture
    finally:
        pictures.gate.set()
    until(lambda: anna.get(at(asset, "web")).status_code == 200)


def test_a_file_of_which_no_picture_can_be_made_says_so_and_is_not_tried_each_time(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = unpictured(room, objects, anna, 22)
    monkeypatch.setattr(pictures, "error", BrokenPicture("Its second half is missing."))
    answer = anna.get(at(asset))
    assert anna.get(at(asset, "web")).get_json()["error"] == "broken_picture"
    monkeypatch.setattr(pictures, "error", None)
    assert anna.get(at(asset, "thumb")).status_code == 422
    assert answer.data == png(seed=22)


def test_a_failure_of_the_moment_is_tried_again(
    room: Room, objects: NfsStore, pictures: PicturesOnDemand, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = unpictured(room, objects, anna, 23)
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "error", PicturesUnavailable("No process.", headers={"Retry-After": "30"}))
        answer = anna.get(at(asset, "web"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert anna.get(at(asset, "web")).status_code == 200


def test_a_store_that_is_away_says_when_to_come_again(
    room: Room, anna: Person, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable("The store does not answer.", retry_after=9)

    monkeypatch.setattr(NfsStore, "open", away)
    for variant in ("original", "web", "thumb"):
        answer = anna.get(at(large, variant))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "9")
    assert anna.get(f"/imaging/studies/{row_of(room, large).study_id}").status_code == 200


def test_what_lies_in_another_store_says_so(room: Room, objects: NfsStore, anna: Person) -> None:
    asset = filed(anna, study(anna), png(seed=24))
    row = row_of(room, asset)
    for key in (row.storage_key, row.thumb_key, row.web_key):
        objects.delete(key)
    assert anna.get(at(asset)).status_code == 404
    with room.database.write() as connection:
        connection.execute(update(imaging_asset).where(imaging_asset.c.id == asset).values(storage_backend="s3"))
    for variant in ("original", "web"):
        answer = anna.get(at(asset, variant))
        assert (answer.status_code, answer.get_json()["error"]) == (503, "storage_unavailable")
        assert "from s3 to nfs" in answer.get_json()["message"]


def test_what_belongs_to_a_study_that_was_taken_out_is_gone_with_it(room: Room, anna: Person) -> None:
    study_id = study(anna)
    asset = filed(anna, study_id, png(seed=25))
    with room.database.write() as connection:  # by the site's own programs: there is no route for it
        connection.execute(update(imaging_study).where(imaging_study.c.id == study_id).values(is_active=False))
    assert anna.get(f"/imaging/studies/{study_id}").status_code == 404
    assert anna.get(at(asset)).status_code == 404
    assert anna.delete(f"/imaging/assets/{asset}").status_code == 404


def test_health_names_the_store(room: Room) -> None:
    told = room.app.test_client().get("/health").get_json()
    assert (told["ok"], told["backend"]) == (True, "nfs")


def test_figures_of_the_monitoring_count_uploads_views_and_pictures(room: Room, anna: Person) -> None:
    before = room.metrics.snapshot()
    asset = filed(anna, study(anna), png(seed=30))
    anna.get(at(asset, "thumb"))
    now = room.metrics.snapshot()
    for name in ("uploads", "studies_created", "variants", "views_thumb"):
        full = f"imaging_{name}_total"
        assert now[full] == before.get(full, 0) + 1, full
    assert now["imaging_upload_bytes_total"] - before.get("imaging_upload_bytes_total", 0) == len(png(seed=30))
