"""What dies in its middle is swept away, what is wrong is found and mended, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.errors import StorageUnavailable
from readingroom.imaging import checking, claims, sweeping
from readingroom.objects import NfsStore, original_key, thumb_key
from readingroom.settings import Settings

from tests.http.imaging.pictures_drawn import filed, png, study
from tests.http.imaging.place import Place
from tests.http.imaging.test_parts import begun, completed, put

HOUR, DAY = timedelta(hours=1, minutes=1), timedelta(days=1, minutes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    (tmp_path / "objects").mkdir()
    settings = Settings.load(READINGROOM_DATA=tmp_path / "data", DATABASE_URL=url, ACCESS_TOKEN_MINUTES=1_000_000)
    made = Place(settings, NfsStore(tmp_path / "objects"), tmp_path / "objects")
    yield made
    made.room.stop()


def stored(place: Place, key: str, data: bytes = b"x") -> str:
    place.objects.put(key, [data])
    return key


# Sweeping


def test_what_is_in_use_is_not_swept_however_long(place: Place) -> None:
    here = study(place.anna)
    kept = [filed(place.anna, here, png(seed=n)) for n in range(3)]
    deleted = filed(place.anna, here, png(seed=9))
    assert place.anna.delete(f"/imaging/assets/{deleted}").status_code == 204
    before = place.keys()
    place.sweep(timedelta(days=13))
    assert place.keys() == before
    assert [place.original(asset) for asset in kept] == [200, 200, 200]
    assert place.check(deep=True).left == 0


def test_an_upload_that_nobody_goes_on_with_ends_and_one_with_new_parts_does_not(place: Place) -> None:
    data = png()
    left, alive = begun(place.anna, data), begun(place.anna, data)
    put(place.anna, left, 0, data[:50])
    place.sweep(timedelta(hours=23))
    put(place.anna, alive, 0, data[:50])
    place.sweep(timedelta(hours=2))
    assert place.anna.get(f"/imaging/uploads/{left}").status_code == 404
    assert not (place.settings.data / "uploads" / f"{left}.part").exists()
    assert [event["entityId"] for event in place.events("imaging.upload.expire")] == [left]
    put(place.anna, alive, 50, data[50:])
    assert completed(place.anna, alive, data).status_code == 200
    place.sweep(DAY)
    assert place.uploads() == 0 and list((place.settings.data / "uploads").iterdir()) == []


def test_a_row_whose_upload_died_goes_after_an_hour_with_what_it_stored(place: Place) -> None:
    asset = filed(place.anna, study(place.anna), png())
    place.set(asset, state="receiving")
    place.sweep(timedelta(minutes=50))
    assert place.row(asset) is not None and len(place.keys()) == 3
    place.sweep(timedelta(minutes=11))
    assert place.row(asset) is None and place.keys() == set()
    assert [event["entityId"] for event in place.events("imaging.asset.abandon")] == [str(asset)]


def test_a_row_is_kept_as_long_as_its_store_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = filed(place.anna, study(place.anna), png())
    place.set(asset, state="receiving")

    def away(_: str) -> None:
        raise StorageUnavailable("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(place.objects, "delete", away)
        place.sweep(HOUR)
    assert place.row(asset) is not None  # it says where its objects are
    place.sweep()
    assert place.row(asset) is None and place.keys() == set()


def test_objects_whose_row_is_gone_are_swept_after_a_day(place: Place) -> None:
    here = study(place.anna)
    orphan, kept = filed(place.anna, here, png(seed=1)), filed(place.anna, here, png(seed=2))
    place.forget(orphan)
    place.sweep(timedelta(hours=23))
    assert len(place.keys()) == 6
    place.sweep(timedelta(hours=2))
    assert len(place.keys()) == 3 and place.original(kept) == 200
    (event,) = place.events("imaging.object.sweep")
    assert event["payload"]["objects"] == 3 and event["actor"] == "imaging-sweeper"


def test_what_this_database_never_made_is_left_alone(place: Place) -> None:
    """Another instance's, or of a time after the backup that this database comes from: the last copy there is."""
    asset = filed(place.anna, study(place.anna), png())
    row = place.row(asset)
    strange = {
        stored(place, original_key(12, 345, row.study_id, asset + 1, row.created_at, "png")),
        stored(place, thumb_key(12, 345, row.study_id, asset + 1)),
        stored(place, original_key(12, 345, row.study_id, asset, row.created_at + DAY, "png")),
        stored(place, "clinic_12/patients/345/studies/1/originals/something.png"),
    }
    (place.folder / "@eaDir").mkdir()  # as a Synology makes them
    (place.folder / "@eaDir" / "notes.txt").write_text("not ours")
    place.sweep(timedelta(days=30))
    assert strange < place.keys() and (place.folder / "@eaDir" / "notes.txt").exists()
    assert place.check(repair=True).faults == {"foreign": 4}
    assert strange < place.keys()
    assert place.check(repair=True, remove_foreign=True).left == 0
    assert not strange & place.keys() and (place.folder / "@eaDir" / "notes.txt").exists()


def test_many_objects_without_rows_are_a_question_for_a_person(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here = study(place.anna)
    for n in range(8):
        place.forget(filed(place.anna, here, png(seed=n)))
    filed(place.anna, here, png(seed=99))
    place.sweep(timedelta(days=3))
    assert len(place.keys()) == 27
    report = place.check(repair=True)
    assert report.faults == {"orphan": 24} and report.left == 24 and "right database" in report.held_back[0]
    assert place.check(repair=True, accept_loss=True).left == 0
    assert len(place.keys()) == 3


def test_what_one_check_cannot_hold_is_left_to_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here = study(place.anna)
    place.forget(filed(place.anna, here, png(seed=1)))
    lost = [filed(place.anna, here, png(seed=n)) for n in (2, 3)]
    for asset in lost:
        place.objects.delete(place.row(asset).storage_key)
    monkeypatch.setattr(checking, "MENDED_AT_ONCE", 1)
    place.clock.ahead = HOUR
    left = [place.check(repair=True).left for _ in range(4)]
    assert left == [3, 1, 0, 0]
    assert [place.row(asset).state for asset in lost] == [claims.LOST] * 2 and len(place.keys()) == 4


def test_deleted_assets_lose_their_bytes_only_where_the_site_wants_it(place: Place) -> None:
    here = study(place.anna)
    deleted, kept = filed(place.anna, here, png(seed=1)), filed(place.anna, here, png(seed=2))
    place.anna.delete(f"/imaging/assets/{deleted}")
    place.imaging = place.parts(place.settings.model_copy(update={"imaging_deleted_days": 7}))
    place.sweep(timedelta(days=6))
    assert len(place.keys()) == 6
    place.sweep(timedelta(days=2))
    assert len(place.keys()) == 3 and place.original(kept) == 200
    assert place.row(deleted).state == claims.ERASED
    assert [event["entityId"] for event in place.events("imaging.asset.erase")] == [str(deleted)]
    assert place.check(deep=True).left == 0


def test_a_deleted_row_with_a_key_that_is_none_keeps_no_other_from_losing_its_bytes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site's own table may hold rows of a time before us, under names of their own."""
    monkeypatch.setattr(sweeping, "AT_A_TIME", 1)
    here = study(place.anna)
    strange, deleted = filed(place.anna, here, png(seed=1)), filed(place.anna, here, png(seed=2))
    for asset in (strange, deleted):
        place.anna.delete(f"/imaging/assets/{asset}")
    place.set(strange, storage_key="scans/Miller, John.png")
    place.imaging = place.parts(place.settings.model_copy(update={"imaging_deleted_days": 7}))
    place.sweep(timedelta(days=8))
    assert (place.row(strange).state, place.row(deleted).state) == ("ready", claims.ERASED)


def test_part_files_whose_upload_ended_are_swept(place: Place) -> None:
    folder = place.settings.data / "uploads"
    open_one = begun(place.anna, png())
    (folder / "11111111-1111-4111-8111-111111111111.part").write_bytes(b"left by a process that was killed")
    place.sweep()
    assert len(list(folder.iterdir())) == 2
    place.sweep(HOUR)
    assert [path.stem for path in folder.iterdir()] == [open_one]


def test_one_process_sweeps_at_a_time(place: Place) -> None:
    asset = filed(place.anna, study(place.anna), png())
    place.set(asset, state="receiving")
    with place.imaging.sweeper._slot.held("1"):
        place.sweep(HOUR)
    assert place.row(asset) is not None
    place.sweep()
    assert place.row(asset) is None


def test_a_sweep_goes_on_where_one_step_fails(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    data = png()
    left = begun(place.anna, data)

    def away(*_: object) -> None:
        raise StorageUnavailable("The store does not answer.")

    monkeypatch.setattr(place.objects, "sweep_unfinished", away)
    monkeypatch.setattr(place.objects, "walk", away)
    place.sweep(DAY)
    assert place.anna.get(f"/imaging/uploads/{left}").status_code == 404


# Checking


def test_a_sound_store_is_sound(place: Place) -> None:
    filed(place.anna, study(place.anna), png())
    report = place.check(deep=True)
    assert (report.assets, report.objects, report.faults, report.left) == (1, 3, {}, 0)
    (event,) = place.events("imaging.check")
    assert event["outcome"] == "ok" and event["payload"]["faults"] == 0


@pytest.mark.parametrize(
    ("damage", "kind", "deep"), [("gone", "missing", False), ("cut", "size", False), ("bit", "hash", True)]
)
def test_an_original_that_is_lost_is_shown_no_more_until_it_is_there_again(
    place: Place, damage: str, kind: str, deep: bool
) -> None:
    here = study(place.anna)
    asset, sound = filed(place.anna, here, png(seed=1)), filed(place.anna, here, png(seed=2))
    file = place.folder / place.row(asset).storage_key
    data = file.read_bytes()
    file.chmod(0o640)
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-1] if damage == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    place.clock.ahead = HOUR
    if deep:
        assert place.check().left == 0  # nobody looked at the bytes
    report = place.check(deep=deep)
    assert report.faults == {kind: 1} and report.left == 1 and report.told[0].asset == asset
    assert place.row(asset).state == "ready"  # looking changes nothing
    assert place.check(deep=deep, repair=True).left == 0
    assert place.original(asset) == 404 and place.original(sound) == 200
    assert [event["payload"] for event in place.events("imaging.asset.lose")] == [{"reason": kind}]
    assert place.check(deep=deep).left == 0  # it is known now
    file.write_bytes(data)
    report = place.check(deep=True, repair=True)
    assert report.faults == {"found": 1} and report.left == 0
    assert place.original(asset) == 200
    assert len(place.events("imaging.asset.find")) == 1


def test_a_store_that_lost_nearly_all_is_rather_the_wrong_one(place: Place) -> None:
    here = study(place.anna)
    assets = [filed(place.anna, here, png(seed=n)) for n in range(5)]
    for asset in assets[:4]:
        (place.folder / place.row(asset).storage_key).unlink()
    report = place.check(repair=True)
    assert report.left == 4 and "mounted" in report.held_back[0]
    assert all(place.row(asset).state == "ready" for asset in assets)
    assert place.check(repair=True, accept_loss=True).left == 0
    assert [place.row(asset).state for asset in assets] == [claims.LOST] * 4 + ["ready"]


def test_a_store_that_is_away_is_no_loss(place: Place) -> None:
    filed(place.anna, study(place.anna), png())
    moved = place.folder.rename(place.folder.with_name("away"))
    with pytest.raises(StorageUnavailable):
        place.check(repair=True)
    moved.rename(place.folder)
    assert place.check().left == 0


def test_a_missing_picture_is_made_when_it_is_asked_for(place: Place) -> None:
    asset = filed(place.anna, study(place.anna), png())
    (place.folder / place.row(asset).thumb_key).unlink()
    assert place.check().faults == {"variant": 1}
    assert place.check(repair=True).left == 0
    assert place.row(asset).thumb_key is None
    assert place.anna.get(f"/imaging/assets/{asset}?variant=thumb").status_code == 200
    assert place.check(deep=True).left == 0


def test_what_died_and_what_has_no_row_is_mended(place: Place) -> None:
    here = study(place.anna)
    stuck, orphan, kept = (filed(place.anna, here, png(seed=n)) for n in range(3))
    place.set(stuck, state="receiving")
    place.forget(orphan)
    place.set(kept, updated_at=place.clock.now())
    assert place.check().left == 0  # they may be on their way
    place.clock.ahead = HOUR
    assert place.check().faults == {"stuck": 1, "orphan": 3}
    report = place.check(repair=True)
    assert report.mended == {"stuck": 1, "orphan": 3} and report.left == 0
    assert place.check().faults == {} and len(place.keys()) == 3 and place.original(kept) == 200


def test_rows_of_another_backend_are_told_and_left(place: Place) -> None:
    asset = filed(place.anna, study(place.anna), png())
    place.set(asset, storage_backend="s3")
    report = place.check(repair=True)
    assert report.faults == {"elsewhere": 1} and report.left == 1
    assert place.row(asset).state == "ready"
