"""How long it is kept who used a link, and what is told of it after that."""

from __future__ import annotations

import pytest
from readingroom.shares import retention
from readingroom.shares.retention import Retention
from readingroom.shares.tables import share_access_log, share_download
from sqlalchemy import func, select

from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create, signed_in


def rows(site: SharingSite) -> tuple[int, int]:
    """Of the access log, and of counted downloads."""
    with site.database.read() as connection:
        counts = [connection.scalar(select(func.count()).select_from(t)) for t in (share_access_log, share_download)]
    return counts[0] or 0, counts[1] or 0


def test_rows_go_after_their_time_and_links_and_counts_stay(site: SharingSite, create: Create, staff: Person) -> None:
    sweep = Retention(site.database, site.clock, 400).sweep
    made = create(max_downloads=1, expires_hours=720)
    path = f"/share/{made['token']}/zip"
    assert site.program().ask(path).status_code == 200
    assert site.program().ask(path).status_code == 404
    before = staff.get("/api/shares/statistics").get_json()
    assert (before["downloads"], before["refused"], before["log_days"]) == (1, 1, 400)
    assert before["bytes"] > 0
    assert sweep() == 0
    site.later(days=29)
    assert sweep() == 0, "the statistics of its day still count it"
    staff = signed_in(site, "staff")
    assert sum(day["downloads"] for day in staff.get("/api/shares/statistics").get_json()["by_day"]) == 1
    site.later(days=3)
    assert sweep() == 1
    assert rows(site) == (2, 0)
    assert staff.get(f"/api/shares/{made['id']}/log").get_json()["total"] == 2
    site.later(days=369)
    assert sweep() == 2
    staff = signed_in(site, "staff")
    after = staff.get("/api/shares/statistics").get_json()
    assert (after["downloads"], after["refused"], after["bytes"]) == (1, 0, 0)
    link = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (link["download_count"], link["access_count"]) == (1, 1)
    assert staff.get(f"/api/shares/{made['id']}/log").get_json() == {"items": [], "total": 0}
    site.later(days=-401)


def test_a_sweep_is_bounded_and_takes_the_oldest_first(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    made = create()
    for what in ("files/1", "files/2", "files/3", "files/4", "files/5"):
        assert site.program().ask(f"/share/{made['token']}/{what}").status_code == 200
        site.later(minutes=1)
    site.later(days=400)
    sweep = Retention(site.database, site.clock, 400).sweep
    assert sweep() == 5  # four of the log, and the one count of them all
    left = signed_in(site, "staff").get(f"/api/shares/{made['id']}/log").get_json()
    assert (left["total"], left["items"][0]["what"]) == (1, "file")
    assert left["items"][0]["time"] == max(each["time"] for each in left["items"])
    assert (sweep(), sweep()) == (1, 0)
