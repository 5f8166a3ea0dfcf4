"""Somebody who sends files, and all that could be left of one that is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from readingroom.app import Room
from readingroom.imaging.tables import imaging_asset, imaging_upload
from readingroom.objects import ObjectStore
from readingroom.settings import Settings
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.http.conftest import Person
from tests.http.imaging.pictures_drawn import study, upload


class Left(NamedTuple):
    """Everything that an upload could leave."""

    rows: int
    uploads: int
    objects: tuple[str, ...]
    files: tuple[str, ...]


class Door:
    """Somebody who sends files to one study, and what is there before and after."""

    def __init__(self, room: Room, objects: ObjectStore, settings: Settings, person: Person) -> None:
        self.person = person
        self.study = study(person)
        self._room = room
        self._objects = objects
        self._folders = [settings.data / "spool", settings.data / "uploads", Path(tempfile.gettempdir())]

    def left(self) -> Left:
        """What there is now; of the machine's temporary folder what is ours by its name."""
        with self._room.database.read() as connection:
            rows, uploads = (
                connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (imaging_asset, imaging_upload)
            )
        files = [
            str(path)
            for folder in self._folders[:2]
            for path in (folder.rglob("*") if folder.exists() else ())
            if path.is_file()
        ]
        files += [str(path) for path in self._folders[2].glob("way-*")]
        return Left(rows, uploads, tuple(stat.key for stat in self._objects.walk()), tuple(sorted(files)))

    def send(self, data: bytes, name: str = "x.png", modality: str = "DOC") -> TestResponse:
        """As a form."""
        return upload(self.person, self.study, data, name, modality=modality)


def refused(answer: TestResponse, *statuses: int) -> None:
    """A 4xx in words, in the one shape of every error; quoting nothing but what we say ourselves."""
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    said = answer.get_json()
    assert {"error", "message", "request_id"} <= set(said)
    assert len(said["message"]) >= 20, said
    assert "Traceback" not in answer.text and "script" not in answer.text
