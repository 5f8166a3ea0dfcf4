"""Frame streams of a real instance: from Orthanc and from the NAS, raw and compressed, for whom and for how long."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from imagecodecs import jpegls_decode
from pydicom import dcmread
from readingroom.frames.record import END, Broken, Record, read

from tests.factories import ct_series, ct_slices
from tests.fixtures.frame_places import records
from tests.fixtures.instance import Client, LiveInstance, running
from tests.fixtures.live_cases import store

COUNT = 400
FRAME = 512 * 512 * 2
HTML = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (X11; Linux) Test"}
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
EACH = 6
DECODED_HERE = (
    "MR_small_jp2klossless",
    "MR_small_RLE",
    "MR_small_bigendian",
    "examples_palette",
    "SC_ybr_full_422_uncompressed",
    "SC_rgb_gdcm_KY",
)


class Shown:
    """A running instance with a CT in Orthanc, another on its NAS, and pydicom's samples."""

    def __init__(self, live: LiveInstance, nas: Path) -> None:
        self.live = live
        self.nas = nas
        files = list(ct_slices(COUNT, 512, 512, name="frames"))
        store(live, ((str(n), data) for n, data in enumerate(files)), workers=2)
        self.pixels = [dcmread(io.BytesIO(data)).PixelData for data in files]
        self.ct = uids(files[0])
        paths = ct_series(nas / "ct", 60, 128, 128, name="on the nas")
        for path in paths:
            os.utime(path, (1_700_000_000, 1_700_000_000))
        self.paths = paths
        self.on_nas = uids(paths[0].read_bytes())
        begun = live.admin.post("/api/index/start", json={"path": str(nas)})
        assert begun.status_code == 202, begun.text
        end = time.monotonic() + 120
        while (said := live.admin.get("/api/index/status").json())["running"]:
            assert time.monotonic() < end, said
            time.sleep(0.3)
        self.admin = live.admin

    def manifest(self, of: tuple[str, str], client: Client | None = None) -> dict[str, Any]:
        answer = (client or self.admin).get(f"/api/pacs/studies/{of[0]}/series/{of[1]}/manifest")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def body(self, of: tuple[str, str], frames: list[Any], **more: Any) -> dict[str, Any]:
        asked = {"studyUid": of[0], "seriesUid": of[1], "version": self.manifest(of)["version"], "frames": frames}
        return {**asked, "accept": ["raw"], **more}

    def frames(self, of: tuple[str, str], frames: list[Any], client: Client | None = None, **more: Any) -> list[Record]:
        answer = (client or self.admin).post("/api/pacs/frames", json=self.body(of, frames, **more))
        assert answer.status_code == 200, answer.text
        return records(answer.content)

    def sent(self) -> list[dict[str, Any]]:
        """What the log has of streams that ended."""
        log = (self.live.data / "logs" / "readingroom.jsonl").read_text().splitlines()
        return [said for line in log if (said := json.loads(line))["event"] == "frames_sent"]


def uids(data: bytes) -> tuple[str, str]:
    header = dcmread(io.BytesIO(data), stop_before_pixels=True)
    return str(header.StudyInstanceUID), str(header.SeriesInstanceUID)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("frames")
    nas = folder / "nas"
    nas.mkdir()
    with running(folder / "data", NAS_ALLOWED_ROOTS=str(nas), FRAME_STREAMS_EACH=str(EACH)) as live:
        yield Shown(live, nas)


def test_four_hundred_frames_come_by_one_request_and_are_what_was_stored(shown: Shown) -> None:
    plan = shown.manifest(shown.ct)
    number = [plan["instances"]["number"][i] for i in plan["frames"]["instance"]]
    found = shown.frames(shown.ct, [[100, 399], [99, 0]])
    assert [each.frame for each in found] == [*range(100, 400), *range(99, -1, -1)]
    assert all(each.payload == shown.pixels[number[each.frame] - 1] for each in found)
    assert plan["defaults"]["bytes"] == FRAME


def test_at_orthancs_own_port_they_are_the_same(shown: Shown) -> None:
    direct = shown.live.orthanc()
    assert shown.frames(shown.ct, [[0, 99]], direct) == shown.frames(shown.ct, [[0, 99]])


def test_a_slow_line_gets_jpeg_ls_that_holds_pydicoms_pixels_and_has_it_quicker_again(shown: Shown) -> None:
    first = shown.frames(shown.ct, [[0, 59]], accept=["raw", "jpls"], line="slow")
    plan = shown.manifest(shown.ct)
    for each in first:
        assert each.encoding == "jpls"
        stored = shown.pixels[plan["instances"]["number"][plan["frames"]["instance"][each.frame]] - 1]
        assert jpegls_decode(each.payload).tobytes() == stored
    folder = shown.live.data / "cache" / "frames"
    assert len(list(folder.rglob("*.jpls"))) == 60
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpls")}
    assert shown.frames(shown.ct, [[0, 59]], accept=["raw", "jpls"], line="slow") == first
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpls")} == stamps, "made once"
    only_raw = shown.frames(shown.ct, [3], line="slow")
    assert only_raw[0].encoding == "raw", "who does not accept it does not get it"


def test_a_series_on_the_nas_is_read_there(shown: Shown) -> None:
    found = shown.frames(shown.on_nas, [[59, 0]])
    plan = shown.manifest(shown.on_nas)
    assert plan["place"] == "nas"
    by_number = {}
    for path in shown.paths:
        header = dcmread(path)
        by_number[int(header.InstanceNumber)] = header.PixelData
    numbers = [plan["instances"]["number"][i] for i in plan["frames"]["instance"]]
    assert all(each.payload == by_number[numbers[each.frame]] for each in found)


def test_files_that_were_lost_changed_or_damaged_since_are_errors_in_their_places(shown: Shown) -> None:
    plan = shown.manifest(shown.on_nas)
    body = shown.body(shown.on_nas, [[0, 9]])
    by_number = {int(dcmread(path, stop_before_pixels=True).InstanceNumber): path for path in shown.paths}
    gone, changed = (by_number[plan["instances"]["number"][plan["frames"]["instance"][n]]] for n in (2, 5))
    kept = {path: path.read_bytes() for path in (gone, changed)}
    try:
        gone.unlink()
        changed.write_bytes(kept[changed][:-10])
        found = records(shown.admin.post("/api/pacs/frames", json=body).content)
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
            os.utime(path, (1_700_000_000, 1_700_000_000))
    assert [each.status for each in found] == [200, 200, 404, 200, 200, 404, 200, 200, 200, 200]
    said = [json.loads(each.payload) for each in found if each.status != 200]
    assert [each["error"] for each in said] == ["source_not_found", "source_changed"]
    assert str(shown.nas) not in str(said)


def test_a_file_that_is_damaged_in_orthancs_storage_is_an_error_in_its_place(shown: Shown) -> None:
    files = list(ct_slices(5, 64, 64, name="damaged"))
    ids = [each["orthanc_id"] for each in store(shown.live, ((str(n), data) for n, data in enumerate(files)))]
    of = uids(files[0])
    body = shown.body(of, [[0, 4]])
    uuid = shown.admin.get(f"/instances/{ids[2]}/attachments/dicom/info").json()["Uuid"]
    place = shown.live.data / "orthanc" / "storage" / uuid[:2] / uuid[2:4] / uuid
    os.truncate(place, 3000)
    found = records(shown.admin.post("/api/pacs/frames", json=body).content)
    assert sorted(each.status for each in found) == [200, 200, 200, 200, 422]


def test_who_goes_is_read_no_further_for(shown: Shown) -> None:
    before = len(shown.sent())
    body = json.dumps(shown.body(shown.ct, [[0, 399]])).encode()
    line = socket.create_connection(("127.0.0.1", shown.live.port))
    head = (
        f"POST /api/pacs/frames HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shown.admin.token()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    line.sendall(head.encode() + body)
    taken = 0
    while taken < 10 * FRAME:
        taken += len(line.recv(65536))
    line.close()
    end = time.monotonic() + 60
    while len(sent := shown.sent()) == before:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert sent[-1]["whole"] is False
    assert sent[-1]["size"] < 60 * FRAME, "ten were taken, and some 8 MB lie in sockets on the way"


def test_too_many_at_once_are_told_when_to_come_again(shown: Shown) -> None:
    body = shown.body(shown.ct, [[0, 399]])
    lines = [shown.admin.post("/api/pacs/frames", json=body, stream=True) for _ in range(EACH)]
    refused = shown.admin.post("/api/pacs/frames", json=body)
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert shown.frames(shown.ct, [1], shown.live.client("staff")), "others are served"
    for each in lines:
        each.close()
    end = time.monotonic() + 60
    while (answer := shown.admin.post("/api/pacs/frames", json={**body, "frames": [1]})).status_code == 429:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"version": "another"}, 409, "series_changed"),
        ({"frames": [COUNT]}, 400, "bad_request"),
        ({"frames": []}, 400, "bad_request"),
        ({"frames": [[0, 399]] * 6}, 400, "bad_request"),
        ({"frames": [[0, 1, 2]]}, 400, "bad_request"),
        ({"accept": ["webp"]}, 400, "bad_request"),
        ({"line": "medium"}, 400, "bad_request"),
        ({"seriesUid": "1.2.3"}, 404, "not_found"),
        ({"studyUid": "1.2.3"}, 404, "not_found"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(shown: Shown, change: dict[str, Any], status: int, code: str) -> None:
    answer = shown.admin.post("/api/pacs/frames", json={**shown.body(shown.ct, [0]), **change})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_a_link_gives_its_own_series_and_is_cut_when_it_is_revoked(shown: Shown) -> None:
    made = shown.admin.post("/share/create", json={"series_key": shown.ct[1]}).json()
    stranger = Client(shown.live.url)
    assert stranger.get(f"/share/{made['token']}", headers=HTML, allow_redirects=False).status_code == 303
    assert len(shown.frames(shown.ct, [[0, 9]], stranger)) == 10
    other = stranger.post("/api/pacs/frames", json=shown.body(shown.on_nas, [0]))
    assert other.status_code == 404
    assert (
        requests.post(f"{shown.live.url}/api/pacs/frames", json=shown.body(shown.ct, [0]), timeout=30).status_code
        == 401
    )
    assert shown.live.student.post("/api/pacs/frames", json=shown.body(shown.ct, [0])).status_code == 404
    with stranger.post("/api/pacs/frames", json=shown.body(shown.ct, [[0, 399]]), stream=True) as under_way:
        under_way.raw.read(5 * FRAME)
        assert shown.admin.delete(f"/api/shares/{made['id']}").status_code == 204
        time.sleep(7)  # what is remembered of a link is five seconds old at most
        rest = under_way.raw.read()
    assert not rest.endswith(END)
    assert len(rest) < 100 * FRAME
    with pytest.raises(Broken):
        list(read(io.BytesIO(rest).read))


def test_an_account_that_is_shut_has_its_stream_cut(shown: Shown) -> None:
    shown.live.account("leaver", "staff")
    leaver = Client(shown.live.url, "leaver", "a-password-for-tests")
    with leaver.post("/api/pacs/frames", json=shown.body(shown.ct, [[0, 399]]), stream=True) as under_way:
        under_way.raw.read(5 * FRAME)
        assert shown.live.script("admin", "user", "disable", "leaver").returncode == 0
        time.sleep(7)
        rest = under_way.raw.read()
    assert not rest.endswith(END)


@pytest.mark.parametrize("name", DECODED_HERE)
def test_what_a_browser_does_not_take_is_decoded_here_once(shown: Shown, name: str) -> None:
    data = (SAMPLES / f"{name}.dcm").read_bytes()
    store(shown.live, [(name, data)], workers=1)
    (found,) = shown.frames(uids(data), [0])
    assert (found.status, found.encoding) == (200, "raw")
    assert shown.frames(uids(data), [0]) == [found]


def test_the_kept_frames_are_made_again_when_somebody_removes_them(shown: Shown) -> None:
    first = shown.frames(shown.ct, [7], accept=["jpls"], line="slow")
    shutil.rmtree(shown.live.data / "cache" / "frames")
    assert shown.frames(shown.ct, [7], accept=["jpls"], line="slow") == first


def test_a_new_series_is_compressed_before_anybody_asks(tmp_path: Path) -> None:
    options = json.dumps({"StableAge": 1})
    with running(tmp_path / "data", READINGROOM_ORTHANC_OPTIONS=options, FRAMES_BEFOREHAND="always") as live:
        for data in ct_slices(5, 256, 256, name="beforehand"):
            assert live.orthanc().post("/instances", data=data).status_code == 200
        folder = live.data / "cache" / "frames"
        end = time.monotonic() + 90
        while len(list(folder.rglob("*.jpls"))) < 5:
            assert time.monotonic() < end, live.logs()
            time.sleep(0.2)
