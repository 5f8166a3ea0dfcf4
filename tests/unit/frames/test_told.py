"""The readers that docs/frame-stream.md gives are run as they stand there, by Python and by Node."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from readingroom.errors import StoredFileBroken
from readingroom.frames.record import ENCODINGS

from tests.fixtures.frame_places import MemorySeries, all_of, records

PAGE = Path(__file__).resolve().parents[3] / "docs" / "frame-stream.md"

PRINTING = """
const data = require("node:fs").readFileSync(process.argv[1]);
try {
  for (const each of readFrames(data.buffer.slice(data.byteOffset, data.byteOffset + data.length)))
    console.log(JSON.stringify({ ...each, payload: Buffer.from(each.payload).toString("hex") }));
} catch (error) {
  console.log(JSON.stringify(error.message));
}
"""


def told(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def stream() -> bytes:
    series = MemorySeries([random.Random(n).randbytes(50 * n) for n in range(6)])
    series.broken[3] = StoredFileBroken("gone", detail={"instance": "x"})
    place = series.places[2]
    series.places[2] = type(place)(2, 1, place.parts, place.syntax, "jp2", False)
    return all_of(series.stream((5, 0), accept=["jp2"]))


def in_python(data: bytes) -> list[tuple[int, str, int, bytes]]:
    names: dict[str, Any] = {}
    exec(told("python"), names)
    read: Callable[[BinaryIO], Iterator[tuple[int, str, int, bytes]]] = names["read_frames"]
    return list(read(io.BytesIO(data)))


def in_javascript(folder: Path, data: bytes) -> list[Any]:
    file = folder / "frames.rrf"
    file.write_bytes(data)
    done = subprocess.run(
        ["node", "-e", told("js") + PRINTING, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_python_reader_reads_what_we_write(stream: bytes) -> None:
    assert in_python(stream) == [tuple(each) for each in records(stream)]
    assert [each[:3] for each in in_python(stream)][2:4] == [(3, "error", 422), (2, "jp2", 200)]
    for cut in (stream[:-1], stream[:100], b""):
        with pytest.raises(ValueError, match="cut"):
            in_python(cut)


def test_the_javascript_reader_reads_what_we_write(stream: bytes, tmp_path: Path) -> None:
    found = in_javascript(tmp_path, stream)
    assert [(each["index"], each["encoding"], each["status"], bytes.fromhex(each["payload"])) for each in found] == [
        tuple(each) for each in records(stream)
    ]
    for cut in (stream[:-1], stream[:100], b"<html>"):
        assert "cut" in in_javascript(tmp_path, cut)[-1]


def test_the_javascript_reader_is_short_and_every_encoding_is_told() -> None:
    assert len(told("js").splitlines()) <= 15
    page = PAGE.read_text()
    assert all(f"{number} {name}" in page for name, number in ENCODINGS.items())
