"""The small parts of an import: spool, byte budget, row set, patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from readingroom.cases.import_listing import RowSet
from readingroom.cases.import_patience import PatientPacs
from readingroom.cases.import_plan import Recorded, Slot
from readingroom.cases.import_spool import Spool, Task
from readingroom.cases.import_upload import ByteBudget
from readingroom.errors import PacsError, PacsUnreachable
from readingroom.sources.entries import FileEntry


def task(number: int) -> Task:
    recorded = Recorded(number, "c", "s", 1, 2, "a", "b", False, "i", "dicom", "u", 9) if number % 2 else None
    return Task(FileEntry(f"CT/0001/grü\udcff{number}", number, number), Slot("CT", 1, f"{number}"), recorded, True)


def test_a_spool_gives_each_task_once_however_many_ask(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    taken: list[Task] = []
    threads = [threading.Thread(target=lambda: taken.extend(spool)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 300, 30):
        spool.add([task(number) for number in range(start, start + 30)])
    spool.end()
    for thread in threads:
        thread.join(10)
    assert sorted(taken, key=lambda each: each.entry.size) == [task(number) for number in range(300)]
    spool.close()


def test_a_stopped_spool_gives_nothing_more_and_wakes_who_waits(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([task(1), task(2)])
    taken = iter(spool)
    assert next(taken) == task(1)
    spool.stop()
    assert list(taken) == []
    assert list(tmp_path.iterdir()) == []  # its file has no name: nothing is left behind, even by a kill
    spool.close()


def test_a_byte_budget_keeps_to_its_limit_and_lets_one_giant_through_alone() -> None:
    budget, held, most = ByteBudget(100), [0], [0]
    lock = threading.Lock()

    def work(size: int) -> None:
        with budget.hold(size):
            with lock:
                held[0] += size
                most[0] = max(most[0], held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= size

    threads = [threading.Thread(target=work, args=(40,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert 40 <= most[0] <= 100
    with budget.hold(5000):
        pass


def test_a_row_set_holds_what_was_put_in() -> None:
    rows = RowSet()
    for row in (1, 8, 9, 100_000, 3_000_000):
        rows.add(row)
    assert all(row in rows for row in (1, 8, 9, 100_000, 3_000_000))
    assert not any(row in rows for row in (0, 2, 7, 10, 99_999, 100_001, 4_000_000))


class Moody:
    """An Orthanc that answers after a number of failures."""

    def __init__(self, failures: list[PacsError]) -> None:
        self.failures = failures

    def get(self, path: str) -> bytes:
        if self.failures:
            raise self.failures.pop()
        return b"here"

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        return self.get(path)

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        return self.get(path)

    def delete(self, path: str) -> None:
        self.get(path)


def fault(status: int) -> PacsError:
    return PacsError("no", detail={"orthancStatus": status})


def asking(pacs: PatientPacs) -> list[Callable[[], object]]:
    return [lambda: pacs.get("/"), lambda: pacs.post("/", b""), lambda: pacs.put("/", b""), lambda: pacs.delete("/")]


def test_an_outage_is_waited_out_whatever_is_asked() -> None:
    for verb in range(4):
        pacs = PatientPacs(Moody([PacsUnreachable("down")] * 2), threading.Event())
        assert asking(pacs)[verb]() in (b"here", None)


def test_an_outage_that_lasts_is_told() -> None:
    with pytest.raises(PacsUnreachable):
        PatientPacs(Moody([PacsUnreachable("down")] * 99), threading.Event(), 0.3).get("/")


def test_a_refused_file_is_not_asked_twice_and_a_fault_three_times() -> None:
    once = Moody([fault(400)] * 3)
    with pytest.raises(PacsError):
        PatientPacs(once, threading.Event()).get("/")
    assert len(once.failures) == 2
    assert PatientPacs(Moody([fault(500)] * 2), threading.Event()).get("/") == b"here"
    with pytest.raises(PacsError):
        PatientPacs(Moody([fault(500)] * 3), threading.Event()).get("/")


def test_nobody_waits_when_the_import_is_to_stop() -> None:
    stopping = threading.Event()
    stopping.set()
    moody = Moody([PacsUnreachable("down")] * 9)
    with pytest.raises(PacsUnreachable):
        PatientPacs(moody, stopping).get("/")
    assert len(moody.failures) == 8
