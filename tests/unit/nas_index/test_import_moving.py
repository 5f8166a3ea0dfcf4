"""Files on their way into Orthanc: one that nobody understands costs neither the others nor the word about it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from readingroom.nas_index.import_moving import Moving
from readingroom.nas_index.series_files import CataloguedFile

STORED = {"ID": "i", "Status": "Success", "ParentSeries": "s", "ParentStudy": "t", "ParentPatient": "p"}


class Files:
    """Each file holds its own number."""

    def read(self, file: CataloguedFile) -> bytes:
        return file.path.encode()


class Orthanc:
    """Answers to one file what nobody expects: a filter of the site's took it, say."""

    def post(self, _path: str, body: bytes, _headers: Mapping[str, str] | None = None) -> bytes:
        return json.dumps({"Status": "FilteredOut"} if body == b"3" else STORED).encode()


def test_an_answer_that_nobody_expects_is_told_of_its_file_and_the_others_come() -> None:
    listed = [CataloguedFile("nas", str(number), 1, 1, f"1.2.{number}", number) for number in range(20)]
    files: Any = Files()
    orthanc: Any = Orthanc()
    moving = Moving(files, orthanc, 2, lambda _: True)
    moving.move(listed, "", threading.Event())
    figures = moving.figures
    assert (figures.files_done, figures.files_failed, figures.orthanc_series_id) == (20, 1, "s")
    (error,) = figures.errors
    assert (error["path"], error["code"]) == ("3", "unexpected")
    assert "KeyError" in error["message"]
