"""A Reading Room that dies, by SIGKILL, at one step of an upload; as a module it takes one order a line.

Its steps are seen from outside: a database and a store that count, handed in where the application is put together, and
Python's audit hook, which tells of each change to the file system. The plugin itself knows nothing of this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from readingroom.app import Room, build
from readingroom.clock import SystemClock
from readingroom.db import Database, open_database
from readingroom.objects import NfsStore, ObjectStore, Put
from readingroom.objects.s3 import Bucket, S3Store
from readingroom.settings import Settings
from sqlalchemy import Connection

from tests.http.conftest import Person, SilentPacs
from tests.http.imaging.pictures_drawn import form, noise_png
from tests.http.imaging.stand_ins import PicturesOnDemand

CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}


class Steps:
    """Counts, once it is armed; dies at the given one."""

    def __init__(self) -> None:
        self._die_at = self._told = 0
        self._among = ""
        self._lock = threading.Lock()
        self.names: list[str] = []
        self.armed = False

    def step(self, name: str) -> None:
        """One more; perhaps the last."""
        if not self.armed:
            return
        with self._lock:
            if self._among not in name:
                return
            self.names.append(name)
            if len(self.names) == self._die_at:
                os.write(self._told, json.dumps({"died": name}).encode() + b"\n")
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

    def arm(self, die_at: int, among: str, told: int) -> None:
        """From now on, steps whose names hold `among`; `told` is where the last one is named."""
        self._die_at, self._among, self._told, self.armed = die_at, among, told, True

    def watch(self, folders: list[str]) -> None:
        """Count changes of the file system below these folders too."""

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if self.armed and (writes or event in CHANGES) and str(arguments[0]).startswith(tuple(folders)):
                self.step(f"{event} {Path(str(arguments[0])).name}")

        sys.addaudithook(hear)


class CountingDatabase(Database):
    """Each transaction is three steps: begun, all said, committed."""

    def __init__(self, database: Database, steps: Steps) -> None:
        super().__init__(database.engine)
        self._steps = steps

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As it is, with steps."""
        with super().write() as connection:
            self._steps.step("transaction begun")
            yield connection
            self._steps.step("transaction before its commit")
        self._steps.step("transaction after its commit")


class CountingStore:
    """Each piece of a put is a step, and each end of a verb."""

    def __init__(self, store: ObjectStore, steps: Steps) -> None:
        self._store = store
        self._steps = steps
        self.name = store.name
        self.open, self.stat, self.walk, self.check = store.open, store.stat, store.walk, store.check
        self.sweep_unfinished, self.close = store.sweep_unfinished, store.close

    def put(self, key: str, chunks: Iterable[bytes], **options: Any) -> Put:
        """As it is, with steps."""

        def counted() -> Iterator[bytes]:
            for chunk in chunks:
                self._steps.step(f"put {key}: a piece")
                yield chunk
            self._steps.step(f"put {key}: all pieces")

        done: Put = self._store.put(key, counted(), **options)
        self._steps.step(f"put {key}: done")
        return done

    def delete(self, key: str) -> None:
        """As it is, with steps."""
        self._steps.step(f"delete {key}")
        self._store.delete(key)
        self._steps.step(f"delete {key}: done")


@dataclass(frozen=True)
class Order:
    """What to do, and at which step to die (0: at none)."""

    kind: str  # whole parts
    die_at: int
    data: str
    database_url: str
    store: dict[str, Any]
    token: str
    study: int
    key: str
    size: int
    seed: int
    among: str = ""  # only steps whose names hold it are counted


def store_of(said: dict[str, Any]) -> ObjectStore:
    """A folder, or a bucket."""
    return NfsStore(Path(said["folder"])) if "folder" in said else S3Store(Bucket(**said))


def send_whole(person: Person, study: int, key: str, data: bytes) -> int:
    """In one request; the asset. Raises AssertionError."""
    answer = person.put("/imaging/assets/upload", data=form(study, data), headers={"Idempotency-Key": key})
    assert answer.status_code == 201, (answer.status_code, answer.text)
    return int(answer.get_json()["assetId"])


def send_parts(person: Person, study: int, key: str, data: bytes) -> int:
    """In three parts, the last first; the asset. Raises AssertionError."""
    wish = {"patientId": 345, "studyId": study, "modality": "XRAY", "mimeType": "image/png", "totalBytes": len(data)}
    answer = person.post("/imaging/assets/upload-init", json=wish, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, (answer.status_code, answer.text)
    upload, third = answer.get_json()["uploadId"], len(data) // 3
    if person.get(f"/imaging/uploads/{upload}").get_json()["state"] != "done":
        for start, stop in ((2 * third, len(data)), (0, third), (third - 5, 2 * third + 5)):
            answer = person.put(f"/imaging/uploads/{upload}/chunks?offset={start}", data=data[start:stop])
            assert answer.status_code == 200, (answer.status_code, answer.text)
    answer = person.post(f"/imaging/uploads/{upload}/complete", json={"totalBytes": len(data)})
    assert answer.status_code == 200, (answer.status_code, answer.text)
    return int(answer.get_json()["assetId"])


SEND = {"whole": send_whole, "parts": send_parts}


class Rooms:
    """Applications, each built once: what is forked from this process has its own, before its first request."""

    def __init__(self) -> None:
        self._built: dict[str, tuple[Room, Steps]] = {}

    def room(self, order: Order) -> tuple[Room, Steps]:
        """On that order's database and store."""
        if order.data not in self._built:
            steps = Steps()
            settings = Settings.load(READINGROOM_DATA=Path(order.data), DATABASE_URL=order.database_url)
            database = CountingDatabase(open_database(settings.database_url), steps)
            store: Any = CountingStore(store_of(order.store), steps)
            room = build(settings, SilentPacs(), SystemClock(), database, store, PicturesOnDemand())
            database.close()  # no connection may have two ends on this side
            watched = [str(Path(order.data) / name) for name in ("uploads", "spool")]
            steps.watch([*watched, *([order.store["folder"]] if "folder" in order.store else [])])
            self._built[order.data] = room, steps
        return self._built[order.data]


def obey(order: Order, room: Room, steps: Steps, told: int) -> None:
    """Do it in this process, which may not outlive it."""
    person = Person(room.app.test_client(), "anna", {"Authorization": order.token})
    assert person.get("/imaging/limits").status_code == 200
    data = noise_png(order.size, order.seed)
    steps.arm(order.die_at, order.among, told)
    asset = SEND[order.kind](person, order.study, order.key, data)
    steps.armed = False
    os.write(told, json.dumps({"asset": asset, "steps": steps.names}).encode() + b"\n")


def main() -> None:
    """Obey each order of standard input in a process of its own; tell of each in a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    rooms = Rooms()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        room, steps = rooms.room(order)
        heard, told = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(heard)
                obey(order, room, steps, told)
            except BaseException:
                os.write(told, json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
            os._exit(0)
        os.close(told)
        with os.fdopen(heard) as reader:
            said = reader.read().splitlines()
        _, status = os.waitpid(child, 0)
        result = json.loads(said[-1]) if said else {}
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(json.dumps(result | {"killed": killed}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
