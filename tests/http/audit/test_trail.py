"""The chain: complete, in order, append-only, and broken visibly, on SQLite and PostgreSQL."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from readingroom.audit import Reading, Trail
from readingroom.audit import events as events_module
from readingroom.audit.events import CaseCreated, CaseViewed, Event
from readingroom.audit.tables import audit_head, events_of
from readingroom.audit.trail import GENESIS
from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.identity import Caller, Identity
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.fixtures.identity import House, operator

ALICE = Caller(Identity("alice", "user", clinic="12"), "7b1c4c0e-0d1f-4b8e-9d52-0e7f6d8a3c11", "192.0.2.1")


def created(number: int) -> CaseCreated:
    return CaseCreated(entity_id=f"case-{number}", case_number=number, exam_type="MRI")


def viewed(number: int = 1) -> CaseViewed:
    return CaseViewed(entity_id=f"case-{number}", case_number=number)


def fill(house: House, events: int) -> None:
    for n in range(events):
        house.trail.record(created(n), ALICE)


def unguarded(connection: Connection) -> None:
    """What somebody with the database's own password can do: take the guards away."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit.event DISABLE TRIGGER USER"))
        connection.execute(text("ALTER TABLE readingroom.audit_head DISABLE TRIGGER USER"))
        return
    for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def test_an_event_is_written_as_it_was(house: House) -> None:
    house.trail.record(created(42), ALICE)
    (row,) = Reading(house.database).all()
    assert (row.id, row.actor, row.actor_kind, row.clinic, row.ip) == (1, "alice", "user", "12", "192.0.2.1")
    assert (row.action, row.entity_table, row.entity_id) == ("cases.case.create", "clinical_case", "case-42")
    assert row.request_id == ALICE.request_id
    assert row.payload == '{"case_number":42,"exam_type":"MRI"}'
    assert row.time == house.clock.now()
    assert row.previous_hash == GENESIS


def test_the_chain_is_whole(house: House) -> None:
    fill(house, 25)
    verdict = Reading(house.database).verify()
    assert verdict.whole
    assert (verdict.checked, verdict.length) == (25, 25)


def test_an_empty_chain_is_whole(house: House) -> None:
    assert Reading(house.database).verify().whole


COLUMNS = ["actor", "time", "payload", "outcome", "entity_id", "ip", "request_id", "clinic", "action"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_event_is_named(small_house: House, column: str) -> None:
    _change_and_verify(small_house, column)


def test_a_changed_event_is_named_on_either_database(house: House) -> None:
    _change_and_verify(house, "payload")


def _change_and_verify(house: House, column: str) -> None:
    fill(house, 9)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        value = house.clock.now() - timedelta(days=1) if column == "time" else "x"
        connection.execute(update(events).where(events.c.id == 4).values({column: value}))
    verdict = Reading(house.database).verify()
    assert (verdict.first_broken, verdict.checked) == (4, 3)
    assert "changed" in verdict.problem


def test_a_removed_event_is_named(house: House) -> None:
    fill(house, 9)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        connection.execute(delete(events).where(events.c.id == 5))
    assert Reading(house.database).verify().first_broken == 5


def test_events_that_changed_places_are_named(house: House) -> None:
    fill(house, 9)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        for was, becomes in ((5, 100), (6, 5), (100, 6)):
            connection.execute(update(events).where(events.c.id == was).values(id=becomes))
    assert Reading(house.database).verify().first_broken == 5


def test_a_cut_off_tail_is_noticed(house: House) -> None:
    fill(house, 9)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        connection.execute(delete(events).where(events.c.id > 6))
    verdict = Reading(house.database).verify()
    assert (verdict.first_broken, verdict.checked, verdict.length) == (7, 6, 9)


def test_everything_cut_off_is_noticed(house: House) -> None:
    fill(house, 9)
    with house.database.write() as connection:
        unguarded(connection)
        connection.execute(delete(events_of(house.database.is_postgresql)))
    assert Reading(house.database).verify().first_broken == 1


def test_a_head_that_is_gone_is_noticed(house: House) -> None:
    fill(house, 2)
    with house.database.write() as connection:
        unguarded(connection)
        connection.execute(delete(audit_head))
    assert not Reading(house.database).verify().whole


def test_tail_and_head_cut_alike_are_found_by_an_anchor_kept_elsewhere(house: House) -> None:
    fill(house, 9)
    kept = Reading(house.database).verify()
    anchor = (kept.length, kept.head)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        connection.execute(delete(events).where(events.c.id > 6))
        head = connection.scalar(select(events.c.hash).where(events.c.id == 6))
        connection.execute(update(audit_head).values(length=6, hash=head))
    assert Reading(house.database).verify().whole  # the chain alone cannot know
    assert Reading(house.database).verify(anchor).first_broken == 7
    house.trail.record(created(1), ALICE)
    fill(house, 5)
    assert Reading(house.database).verify(anchor).first_broken == 9  # rewritten, and longer than it was


def test_an_event_may_be_longer_than_the_anchor(house: House) -> None:
    fill(house, 3)
    kept = Reading(house.database).verify()
    fill(house, 3)
    assert Reading(house.database).verify((kept.length, kept.head)).whole


@pytest.mark.parametrize(
    "statement",
    ["UPDATE {events} SET actor = 'x'", "DELETE FROM {events}", "DELETE FROM {head}", "UPDATE {head} SET length = 0"],
)
def test_the_database_itself_refuses_to_change_the_past(house: House, statement: str) -> None:
    fill(house, 3)
    names = {"events": "audit_event", "head": "audit_head"}
    if house.database.is_postgresql:
        names = {"events": "audit.event", "head": "readingroom.audit_head"}
    with pytest.raises(DBAPIError), house.database.write() as connection:
        connection.execute(text(statement.format(**names)))
    assert Reading(house.database).verify().whole


def test_postgresql_refuses_to_empty_the_table(postgres_database: str, tmp_path: Path) -> None:
    from tests.fixtures.identity import new_house

    house = new_house(tmp_path, postgres_database)
    with pytest.raises(DBAPIError), house.database.write() as connection:
        connection.execute(text("TRUNCATE audit.event"))
    house.database.close()


def test_an_event_stands_or_falls_with_the_transaction_it_tells_of(house: House) -> None:
    with pytest.raises(RuntimeError), house.database.write() as connection:
        house.trail.record(created(1), ALICE, connection)
        raise RuntimeError
    assert house.actions() == []
    with house.database.write() as connection:
        house.trail.record(created(2), ALICE, connection)
        house.trail.record(created(3), ALICE, connection)
    assert Reading(house.database).verify().checked == 2


def test_many_threads_make_one_chain(house: House) -> None:
    threads = [threading.Thread(target=fill, args=(house, 20)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = Reading(house.database).verify()
    assert verdict.whole
    assert verdict.checked == 160


def _another_process(url: str, folder: str, events: int) -> None:
    database = open_database(url)
    trail = Trail(database, SystemClock())
    for n in range(events):
        trail.record(created(n), operator())
    database.close()


def test_many_processes_make_one_chain(house: House) -> None:
    context = multiprocessing.get_context("spawn")
    url = house.settings.database_url
    processes = [context.Process(target=_another_process, args=(url, "", 40)) for _ in range(2)]
    for process in processes:
        process.start()
    fill(house, 40)
    for process in processes:
        process.join(600)
    assert [process.exitcode for process in processes] == [0, 0]
    verdict = Reading(house.database).verify()
    assert verdict.whole
    assert verdict.checked == 120


def test_scrolling_is_one_event_in_five_minutes(house: House) -> None:
    for _ in range(100):
        house.trail.record(viewed(), ALICE)
        house.clock.advance(timedelta(seconds=2))
    assert len(house.actions()) == 1
    house.clock.advance(timedelta(minutes=2))
    house.trail.record(viewed(), ALICE)
    assert len(house.actions()) == 2


def test_views_of_other_things_by_other_people_are_events_of_their_own(house: House) -> None:
    bob = Caller(Identity("bob", "user"), ALICE.request_id, "192.0.2.2")
    outsider = Caller(Identity("alice", "outside"), ALICE.request_id, "192.0.2.3")
    for _ in range(3):
        house.trail.record(viewed(1), ALICE)
        house.trail.record(viewed(2), ALICE)
        house.trail.record(viewed(1), bob)
        house.trail.record(viewed(1), outsider)
    assert len(house.actions()) == 4


def test_another_process_folds_the_same_views(house: House) -> None:
    house.trail.record(viewed(), ALICE)
    house.again().trail.record(viewed(), ALICE)
    assert len(house.actions()) == 1


def test_a_view_that_was_rolled_back_is_not_taken_for_written(house: House) -> None:
    with pytest.raises(RuntimeError), house.database.write() as connection:
        house.trail.record(viewed(), ALICE, connection)
        raise RuntimeError
    house.trail.record(viewed(), ALICE)
    assert len(house.actions()) == 1


def test_odd_text_is_stored_and_verified(house: House) -> None:
    odd = Caller(Identity("a\x00b\ud800é😀", "outside", clinic="\x00"), ALICE.request_id, "\x00")
    house.trail.record(CaseCreated(entity_id="\x00\udfff", case_number=1, exam_type="\x00\ud800'; DROP"), odd)
    assert Reading(house.database).verify().whole


def test_times_of_the_system_clock_survive_both_databases(house: House) -> None:
    trail = Trail(house.database, SystemClock())
    for n in range(20):
        trail.record(created(n), ALICE)
    assert Reading(house.database).verify().whole


def test_more_events_than_one_batch_are_read_and_verified(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readingroom.audit.reading.BATCH", 10)
    fill(house, 30)
    assert [row.id for row in Reading(house.database).all()] == list(range(1, 31))
    assert Reading(house.database).verify().whole


def all_events() -> list[type[Event]]:
    members = vars(events_module).values()
    return [one for one in members if isinstance(one, type) and issubclass(one, Event) and one is not Event]


def test_every_event_has_a_dotted_action_of_its_own_that_fits_the_table() -> None:
    actions = [sub.action for sub in all_events()]
    assert len(set(actions)) == len(actions)
    assert all("." in action and len(action) <= 64 for action in actions)
    assert all(len(sub.entity_table) <= 64 for sub in all_events())


def test_no_event_has_room_for_a_secret_or_a_patient() -> None:
    from dataclasses import fields

    names = {field.name for sub in all_events() for field in fields(sub)}
    assert not names & {"password", "token", "secret", "patient_name", "birth_date", "passcode"}


@pytest.mark.parametrize("place", [0, -3, 6, 400])
def test_an_event_that_was_put_beside_the_chain_is_named(house: House, place: int) -> None:
    fill(house, 4)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:  # nothing keeps anybody from adding a row
        row = dict(connection.execute(select(events).where(events.c.id == 2)).one()._mapping)
        connection.execute(insert(events), {**row, "id": place, "actor": "mallory"})
    verdict = Reading(house.database).verify()
    assert (verdict.whole, verdict.first_broken, verdict.checked) == (False, place, 4)


def test_a_chain_that_grows_while_it_is_verified_is_whole(house: House) -> None:
    fill(house, 40)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            house.trail.record(created(1), ALICE)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        verdicts = [Reading(house.database).verify() for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    assert [verdict.problem for verdict in verdicts] == [""] * 5


def test_a_removed_event_put_back_in_is_no_chain(house: House) -> None:
    fill(house, 4)
    events = events_of(house.database.is_postgresql)
    with house.database.write() as connection:
        unguarded(connection)
        row = dict(connection.execute(select(events).where(events.c.id == 2)).one()._mapping)
        connection.execute(delete(events).where(events.c.id == 2))
        connection.execute(insert(events), {**row, "actor": "mallory"})
    assert Reading(house.database).verify().first_broken == 2
