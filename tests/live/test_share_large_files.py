"""A large file of a link through the gateway: taken up where it broke, told beforehand, ended by its revocation."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.instance import LiveInstance, running
from tests.fixtures.live_cases import store
from tests.live.test_sharing import CUT, one

UID = "1.2.826.0.1.3680043.10.82.1"
SIZE = 80_000_000
"""More than Orthanc's memory gives at a time (32 MB), and than gateway, sockets and client hold between them."""


class Large:
    """A running instance with that file in Orthanc."""

    def __init__(self, live: LiveInstance) -> None:
        self.live = live
        self.staff = live.client("staff")
        self.file = one(UID, 1, SIZE)
        store(live, [("large.dcm", self.file)])

    def link(self) -> dict[str, str]:
        answer = self.staff.post("/share/create", json={"series_key": UID})
        assert answer.status_code == 201, answer.text
        made: dict[str, str] = answer.json()
        return made | {"file": f"{self.live.url}/share/{made['token']}/files/1"}

    def sent(self, link: dict[str, str]) -> list[int]:
        """Bytes of each answer, the last one first."""
        return [each["bytes"] for each in self.staff.get(f"/api/shares/{link['id']}/log").json()["items"]]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    with running(tmp_path_factory.mktemp("large") / "data") as live:
        yield Large(live)


def test_curl_takes_it_up_to_its_very_end(large: Large, tmp_path: Path) -> None:
    link = large.link()
    place = tmp_path / "large.dcm"
    place.write_bytes(large.file[:1000])
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "120", "-C", "-", "-o", str(place), link["file"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done
    assert place.stat().st_size == len(large.file)
    assert place.read_bytes() == large.file
    end = time.monotonic() + 60
    while (sent := large.sent(link)) != [len(large.file) - 1000]:
        assert time.monotonic() < end, sent
        time.sleep(0.2)


def test_it_is_told_beforehand_and_a_range_is_that_range(large: Large) -> None:
    link = large.link()
    told = requests.head(link["file"], timeout=60)
    assert (told.status_code, told.headers["Content-Length"]) == (200, str(len(large.file)))
    middle = requests.get(link["file"], headers={"Range": "bytes=1000-49999999"}, timeout=60)
    assert (middle.status_code, middle.headers["Content-Range"]) == (206, f"bytes 1000-49999999/{len(large.file)}")
    assert middle.content == large.file[1000:50_000_000]
    assert middle.headers["Content-Type"] == "application/dicom"
    assert middle.headers["ETag"] == told.headers["ETag"]
    assert "no-store" in middle.headers["Cache-Control"]
    other = requests.get(link["file"], headers={"Range": "bytes=1000-", "If-Range": '"another"'}, timeout=60)
    assert (other.status_code, other.content == large.file) == (200, True)


def test_revoking_cuts_it_under_way(large: Large) -> None:
    link = large.link()
    with requests.get(link["file"], stream=True, timeout=60) as answer:
        had = len(answer.raw.read(100_000))
        assert large.staff.delete(f"/api/shares/{link['id']}").status_code == 204
        time.sleep(1.5)  # whether it may go on is asked once a second
        with pytest.raises(CUT):
            for piece in answer.iter_content(1 << 20):
                had += len(piece)
    assert had < SIZE // 2
