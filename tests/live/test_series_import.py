"""A series from the NAS in a real instance: indexed, found, brought into Orthanc, seen there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.catalogued import SERIES, write_series
from tests.fixtures.instance import Client, LiveInstance, NewInstance


@pytest.fixture
def nas(tmp_path: Path) -> dict[str, bytes]:
    """Forty files of one series."""
    return write_series(tmp_path / "nas" / "ct", 40)


@pytest.fixture
def live(tmp_path: Path, nas: dict[str, bytes], new_instance: NewInstance) -> LiveInstance:
    """An instance that may index that folder."""
    return new_instance(NAS_ALLOWED_ROOTS=str(tmp_path / "nas"))


def until(ask: Any, seconds: float = 90.0) -> dict[str, Any]:
    """The answer as soon as nothing is under way any more."""
    end = time.monotonic() + seconds
    while True:
        said: dict[str, Any] = ask().json()
        if said["state"] not in (None, "queued", "running", "paused"):
            return said
        assert time.monotonic() < end, said
        time.sleep(0.3)


def found(staff: Client) -> dict[str, Any]:
    """What a search says of the series."""
    said = staff.get("/api/search", params={"q": SERIES}).json()
    assert said["total"] == 1, said
    return dict(said["results"][0])


def test_a_series_goes_from_the_nas_into_orthanc_and_search_knows(
    live: LiveInstance, nas: dict[str, bytes], tmp_path: Path
) -> None:
    staff, orthanc = live.client("staff"), live.orthanc()
    begun = staff.post("/api/index/start", json={"path": str(tmp_path / "nas")})
    assert begun.status_code == 202, begun.text
    assert until(lambda: staff.get("/api/index/status"))["state"] == "done"
    assert found(staff)["in_orthanc"] is False

    assert staff.post(f"/api/series/{SERIES}/import").status_code == 202
    status = until(lambda: staff.get(f"/api/series/{SERIES}/import"))
    assert (status["state"], status["done"], status["failed"]) == ("done", 40, 0), status
    series = status["orthancSeriesId"]
    assert len(orthanc.get(f"/series/{series}").json()["Instances"]) == 40
    for instance in orthanc.get(f"/series/{series}/instances").json():
        stored = orthanc.get(f"/instances/{instance['ID']}/file").content
        assert stored == nas[instance["MainDicomTags"]["SOPInstanceUID"]]
    assert found(staff)["in_orthanc"] is True, "Orthanc's own event makes the search see it at once"

    assert staff.post(f"/api/series/{SERIES}/import").status_code == 202
    again = until(lambda: staff.get(f"/api/series/{SERIES}/import"))
    assert (again["state"], again["alreadyThere"]) == ("done", 40)

    assert orthanc.delete(f"/series/{series}").status_code == 200
    assert found(staff)["in_orthanc"] is False

    live.restart()
    assert live.client("staff").get(f"/api/series/{SERIES}/import").json()["state"] == "done"
