"""Links as whoever holds one meets them: landing, info, zip, files, limits, and the end of it all."""

from __future__ import annotations

import io
import threading
import zipfile

import pytest
from readingroom.shares import sending
from werkzeug.test import TestResponse

from tests.fixtures.sharing import FILES, GATEWAY, UID, SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

HTML = {"Accept": "text/html,application/xhtml+xml"}


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return {info.filename: read.read(info) for info in read.infolist()}


def sliced(site: SharingSite, answer: TestResponse, size: int = 10_000) -> bytes:
    """What the gateway fetches behind an answer."""
    assert answer.status_code == 200, answer.text
    place = answer.headers["X-Accel-Redirect"].replace("/_zip/", "/api/zip/", 1)
    got, start = b"", 0
    while True:
        headers = {"Range": f"bytes={start}-{start + size - 1}", **GATEWAY}
        part = site.room.app.test_client().get(place, headers=headers)
        assert part.status_code == 206, part.text
        got += part.data
        start += size
        if start >= int(part.headers["Content-Range"].split("/")[1]):
            return got


# --- the landing --------------------------------------------------------------------------------------------------


def test_a_browser_is_led_from_the_token_to_the_links_own_page(site: SharingSite, create: Create) -> None:
    made = create()
    browser = site.browser()
    answer = browser.visit(made["token"])
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/shared/{made['id']}")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"readingroom_share_{made['id']}=")
    assert all(f"; {word}" in cookie for word in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Expires="))
    assert made["token"] not in cookie
    info = browser.ask(f"/share/{made['id']}/info").get_json()
    assert info["series"]["PatientName"] == "Mokoena^Thandi"
    told = {name: info[name] for name in ("needs_passcode", "unlocked", "state", "downloads_left", "file_count")}
    assert told == {
        "needs_passcode": False, "unlocked": True, "state": "ready", "downloads_left": None, "file_count": len(FILES),
    }  # fmt: skip
    assert info["file_name"] == "CT_2026-01-31_series_3.zip"
    assert info["series_uid"] == UID and info["study_uid"], "the viewer asks for what these name"


def test_a_links_id_opens_nothing_without_its_cookie(site: SharingSite, create: Create) -> None:
    made, other = create(), create()
    browser = site.browser()
    browser.visit(other["token"])
    for path in ("", "/info", "/zip", "/files", "/files/1", "/thumbnail"):
        assert browser.ask(f"/share/{made['id']}{path}").status_code == 404, path
    assert browser.unlock(made["id"], "123456") == 404


def test_another_links_cookie_under_this_ones_name_opens_nothing(site: SharingSite, create: Create) -> None:
    made, other = create(), create()
    browser = site.browser()
    token = browser.visit(other["token"]).headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    stranger = site.browser()
    stranger.client.set_cookie(f"readingroom_share_{made['id']}", token, domain="localhost")
    assert stranger.ask(f"/share/{made['id']}/info").status_code == 404


def test_a_dead_link_leads_to_the_page_that_says_so_whatever_it_died_of(
    site: SharingSite, create: Create, staff: Person
) -> None:
    revoked, used_up = create(), create(max_downloads=1)
    staff.delete(f"/api/shares/{revoked['id']}")
    site.program().ask(f"/share/{used_up['token']}/zip")
    expired = create(expires_hours=1)
    site.later(hours=1)
    for token in (revoked["token"], used_up["token"], expired["token"], "x" * 43):
        answer = site.browser().visit(token)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/shared/none")
        assert "Set-Cookie" not in answer.headers
    site.later(hours=-1)


@pytest.mark.parametrize(
    "agent",
    [
        "WhatsApp/2.24.6 A",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "TelegramBot (like TwitterBot)",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (Windows NT 6.1) SkypeUriPreview Preview/0.5",
    ],
)
def test_what_previews_links_uses_up_no_download(site: SharingSite, create: Create, agent: str) -> None:
    made = create(max_downloads=1)
    answer = site.program().ask(f"/share/{made['token']}", headers={"User-Agent": agent})
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    assert site.program().ask(f"/share/{made['token']}", headers={"User-Agent": "curl/8.5.0"}).status_code == 200


def test_a_browser_that_holds_many_links_lets_the_oldest_go(site: SharingSite, create: Create) -> None:
    browser = site.browser()
    links = []
    for _ in range(14):
        links.append(create())
        browser.visit(links[-1]["token"])
        site.later(seconds=2)
    statuses = [browser.ask(f"/share/{link['id']}/info").status_code for link in links]
    assert statuses == [404, 404, *[200] * 12]


# --- what it gives ------------------------------------------------------------------------------------------------


def test_a_program_gets_the_zip_at_the_bare_address(site: SharingSite, create: Create) -> None:
    made = create()
    answer = site.program().ask(f"/share/{made['token']}", headers={"Accept": "*/*", "User-Agent": "curl/8.5.0"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="CT_2026-01-31_series_3.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert opened(answer.data) == FILES


def test_the_gateway_fetches_the_same_zip_in_slices(site: SharingSite, create: Create) -> None:
    made = create()
    browser = site.browser()
    browser.visit(made["token"])
    whole = sliced(site, browser.ask(f"/share/{made['id']}/zip"))
    assert opened(whole) == FILES
    assert whole == site.program().ask(f"/share/{made['token']}/zip").data


def test_the_zip_is_the_same_before_and_after_its_first_download_and_a_restart(
    site: SharingSite, create: Create
) -> None:
    site.origin.crcs.clear()
    made = create()
    first = site.program().ask(f"/share/{made['token']}/zip")
    assert len(site.origin.crcs) == len(FILES), "what was learnt on the way is kept"
    again = site.program(room=site.restarted()).ask(f"/share/{made['token']}/zip")
    assert first.data == again.data
    assert first.headers["ETag"] == again.headers["ETag"]


def test_head_tells_of_the_zip_and_of_a_file_without_counting(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(max_downloads=1)
    for path in ("", "/zip", "/files/1"):
        told = site.program().ask(f"/share/{made['token']}{path}", method="HEAD")
        assert told.status_code == 200
        assert int(told.headers["Content-Length"]) > 0
        assert told.data == b""
    by_gateway = site.browser().ask(f"/share/{made['token']}/zip", headers={"X-Readingroom-Method": "HEAD"})
    assert by_gateway.headers["X-Accel-Redirect"]
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 0


def test_files_are_had_one_by_one_byte_for_byte(site: SharingSite, create: Create) -> None:
    made = create()
    program = site.program()
    listed = program.ask(f"/share/{made['token']}/files").get_json()
    assert listed["total"] == len(FILES)
    for item in listed["items"]:
        answer = program.ask(f"/share/{made['token']}/files/{item['n']}")
        assert answer.data == FILES[item["name"]]
        assert len(answer.data) == item["size"]
        assert answer.headers["Content-Type"] == "application/dicom"
        assert item["name"] in answer.headers["Content-Disposition"]
        rest = program.ask(f"/share/{made['token']}/files/{item['n']}", headers={"Range": "bytes=100-"})
        assert (rest.status_code, rest.data) == (206, answer.data[100:])
        assert rest.headers["Content-Range"] == f"bytes 100-{item['size'] - 1}/{item['size']}"
    for n in ("0", "6", "x", "-1", "1.0", "²", "9" * 5000):
        assert program.ask(f"/share/{made['token']}/files/{n}").status_code == 404


def test_a_files_name_leads_nowhere(site: SharingSite, create: Create) -> None:
    made = create(site.origin.put("1.2.13", {'../../up/a"\r\nX-Evil: 1.dcm': b"DICM", "/etc/nul.dcm": b"DICM"}))
    program = site.program()
    names = []
    for n in (1, 2):
        answer = program.ask(f"/share/{made['token']}/files/{n}")
        assert "X-Evil" not in answer.headers
        names.append(answer.headers["Content-Disposition"])
    assert names == ['attachment; filename="a___X-Evil_ 1.dcm"', 'attachment; filename="_nul.dcm"']
    zipped = opened(program.ask(f"/share/{made['token']}/zip").data)
    assert sorted(zipped) == ["etc/_nul.dcm", "up/a___X-Evil_ 1.dcm"]


def test_a_range_of_absurd_numbers_is_none(site: SharingSite, create: Create) -> None:
    made = create()
    for wanted in (f"bytes={'9' * 5000}-", f"bytes=0-{'9' * 5000}", f"bytes=-{'9' * 5000}", "bytes=²-", "bytes=5-2"):
        for path in ("zip", "files/1"):
            answer = site.program().ask(f"/share/{made['token']}/{path}", headers={"Range": wanted})
            assert answer.status_code == 200, (path, wanted[:20])


def test_a_large_file_comes_in_pieces_and_whole(site: SharingSite, create: Create) -> None:
    large = bytes(range(256)) * 20_000
    made = create(site.origin.put("1.2.7", {"big.dcm": large}))
    answer = site.program().ask(f"/share/{made['token']}/files/1")
    assert answer.headers["Content-Length"] == str(len(large))
    assert answer.data == large


def test_straight_out_of_orthanc_a_range_too_large_for_its_memory_is_answered_with_the_whole(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its beginning alone would be the whole rest for `curl -C -`: exit status 0, and a file that was cut."""
    monkeypatch.setattr(sending, "LARGEST_SLICE", 1000)
    made = create()
    program, file = site.program(), FILES["IM0001.dcm"]
    path = f"/share/{made['token']}/files/1"
    for wanted in ("bytes=100-", "bytes=100-1100"):
        answer = program.ask(path, headers={"Range": wanted})
        assert (answer.status_code, answer.data, "Content-Range" in answer.headers) == (200, file, False), wanted
    part = program.ask(path, headers={"Range": "bytes=100-1099"})
    assert (part.status_code, part.data) == (206, file[100:1100])


def test_a_link_of_a_vanished_series_says_so_to_its_holder_and_counts_nothing(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(site.origin.put("1.2.8"), max_downloads=1)
    del site.origin.series["1.2.8"]
    program = site.program()
    assert program.ask(f"/share/{made['token']}/info").get_json()["state"] == "failed"
    for path in ("/zip", "/files", "/files/1"):
        answer = program.ask(f"/share/{made['token']}{path}")
        assert (answer.status_code, answer.get_json()["error"]) == (503, "share_unavailable")
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 0


def test_a_series_that_vanishes_while_it_is_sent_ends_the_download_visibly(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(site.origin.put("1.2.9"))
    answer = site.browser().ask(f"/share/{made['token']}/zip")
    site.origin.series["1.2.9"] = {}
    place = answer.headers["X-Accel-Redirect"].replace("/_zip/", "/api/zip/", 1)
    part = site.room.app.test_client().get(place, headers={"Range": "bytes=0-9999", **GATEWAY})
    assert (part.status_code, part.get_json()["error"]) == (500, "stored_file_broken")
    assert site.events("share.download_broken")[-1]["entity_id"] == made["id"]


# --- limits -------------------------------------------------------------------------------------------------------


def test_the_last_download_is_given_once(site: SharingSite, create: Create, staff: Person) -> None:
    """Ten at the same moment, on two Orthancs, of a link that allows three."""
    made = create(max_downloads=3)
    rooms = [site.room, site.restarted()]
    statuses: list[int] = []
    ready = threading.Barrier(10)

    def ask(n: int) -> None:
        program = site.program(f"198.51.100.{n}", rooms[n % 2])
        ready.wait()
        statuses.append(program.ask(f"/share/{made['token']}/files/1").status_code)

    askers = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    # Straight out of Orthanc four of one link run at a time; who was told 429 may come again.
    assert statuses.count(200) == 3
    assert set(statuses) <= {200, 404, 429}
    seen = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (seen["download_count"], seen["state"]) == (3, "used_up")


def test_a_used_up_link_lets_its_reader_resume_for_a_day_and_nobody_else(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(max_downloads=1, expires_hours=100)
    program = site.program("198.51.100.20")
    path = f"/share/{made['token']}/zip"
    whole = program.ask(path).data
    assert program.ask(path).status_code == 404
    resume = {"Range": "bytes=1000-"}
    assert program.ask(path, headers=resume).status_code == 200
    assert site.program("198.51.100.21").ask(path, headers=resume).status_code == 404
    assert program.ask(path, headers={**resume, "User-Agent": "another"}).status_code == 404
    assert program.ask(path, headers={"Range": "bytes=0-"}).status_code == 404
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 1
    site.later(hours=25)
    assert program.ask(path, headers=resume).status_code == 404
    site.later(hours=-25)
    assert opened(whole) == FILES


def test_a_browser_resumes_by_its_cookie_from_wherever_it_is(site: SharingSite, create: Create) -> None:
    made = create(max_downloads=1, password="123456")
    browser = site.browser()
    browser.visit(made["token"])
    assert browser.unlock(made["id"], "123456") == 204
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200
    site.later(minutes=40)  # the passcode no longer counts
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 404
    resumed = browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=5000-", "X-Forwarded-For": "192.0.2.99"})
    assert resumed.status_code == 200
    assert browser.ask(f"/share/{made['id']}/info").get_json()["downloads_left"] == 0


def test_a_cookie_from_before_the_passcode_finishes_nothing(site: SharingSite, create: Create) -> None:
    """Whoever put it into somebody's browser, or read it there, knows that visit too."""
    made = create(password="123456")
    browser, other = site.browser(), site.browser("192.0.2.66")
    name, early = browser.visit(made["token"]).headers["Set-Cookie"].split(";")[0].split("=", 1)
    assert browser.unlock(made["id"], "123456") == 204
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200
    other.client.set_cookie(name, early, domain="localhost")
    assert other.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=1-"}).status_code == 404


def test_several_ranges_are_no_resume(site: SharingSite, create: Create) -> None:
    """They are answered with the whole."""
    made = create(max_downloads=1)
    browser = site.browser()
    browser.visit(made["token"])
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200
    assert browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=1-,0-0"}).status_code == 404
    assert browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=1-99"}).status_code == 200


def test_a_program_shows_the_passcode_with_every_resume(site: SharingSite, create: Create) -> None:
    """Its neighbour behind the same address may have the same program, and the link."""
    made = create(password="123456")
    program, shown = site.program("198.51.100.25"), {"X-Share-Passcode": "123456"}
    path = f"/share/{made['token']}/zip"
    assert program.ask(path, headers=shown).status_code == 200
    assert program.ask(path, headers={"Range": "bytes=100-"}).status_code == 404
    assert program.ask(f"/share/{made['token']}/files/1").status_code == 404
    assert program.ask(path, headers={"Range": "bytes=100-", **shown}).status_code == 200


def test_files_one_by_one_are_one_download_in_all(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(max_downloads=1)
    program = site.program("198.51.100.30")
    for n in range(1, 6):
        assert program.ask(f"/share/{made['token']}/files/{n}").status_code == 200
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 1
    assert site.program("198.51.100.31").ask(f"/share/{made['token']}/files/1").status_code == 404
    assert program.ask(f"/share/{made['token']}/zip").status_code == 404


def test_a_download_of_which_nothing_was_sent_does_not_count(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(site.origin.put("1.2.10"), max_downloads=1)
    listed = site.origin.files
    site.origin.files = lambda found: [  # type: ignore[method-assign]  # longer than what lies there
        *listed(found), type(listed(found)[0])("more.dcm", 10, 0, None, "1.2.10.9", 9),
    ]  # fmt: skip
    broken = site.program().ask(f"/share/{made['token']}/files/6")
    del site.origin.files  # type: ignore[method-assign]
    assert (broken.status_code, broken.get_json()["error"]) == (500, "stored_file_broken")
    seen = staff.get(f"/api/shares/{made['id']}").get_json()
    assert (seen["download_count"], seen["state"]) == (0, "active")


def test_straight_out_of_orthanc_a_link_has_four_streams(site: SharingSite, create: Create, staff: Person) -> None:
    large = bytes(3_000_000)
    made = create(site.origin.put("1.2.11", {"big.dcm": large}), max_downloads=100)
    path = f"/share/{made['token']}"
    held = [site.program().ask(f"{path}/{what}", buffered=False) for what in ("zip", "files/1", "zip", "zip")]
    assert [each.status_code for each in held] == [200] * 4
    refused = site.program().ask(f"{path}/zip")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    held[0].close()
    assert site.program().ask(f"{path}/zip").status_code == 200
    for each in held:
        each.close()
    assert staff.get(f"/api/shares/{made['id']}").get_json()["download_count"] == 5, "429 counts for nothing"


def test_a_file_that_is_refused_or_broken_holds_no_stream(site: SharingSite, create: Create) -> None:
    used_up = create(max_downloads=1)
    program = site.program("198.51.100.40")
    assert program.ask(f"/share/{used_up['token']}/zip").status_code == 200
    refused = [program.ask(f"/share/{used_up['token']}/files/1").status_code for _ in range(5)]
    assert refused == [404] * 5, "the reader of the zip may finish it, and begin nothing else"
    assert program.ask(f"/share/{used_up['token']}/zip", headers={"Range": "bytes=9-"}).status_code == 200

    broken = create(site.origin.put("1.2.12"))
    listed = site.origin.files
    site.origin.files = lambda found: [  # type: ignore[method-assign]  # longer than what lies there
        *listed(found), type(listed(found)[0])("more.dcm", 10, 0, None, "1.2.12.9", 9),
    ]  # fmt: skip
    statuses = [program.ask(f"/share/{broken['token']}/files/6").status_code for _ in range(5)]
    del site.origin.files  # type: ignore[method-assign]
    assert statuses == [500] * 5
    assert program.ask(f"/share/{broken['token']}/files/1").status_code == 200


# --- the end ------------------------------------------------------------------------------------------------------


def test_revoked_is_revoked_at_once_for_a_download_under_way_too(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create()
    answer = site.browser().ask(f"/share/{made['token']}/zip")
    place = answer.headers["X-Accel-Redirect"].replace("/_zip/", "/api/zip/", 1)
    gateway = site.room.app.test_client()
    assert gateway.get(place, headers={"Range": "bytes=0-99", **GATEWAY}).status_code == 206
    staff.delete(f"/api/shares/{made['id']}")
    site.later(seconds=1.1)
    refused = gateway.get(place, headers={"Range": "bytes=100-199", **GATEWAY})
    assert (refused.status_code, refused.get_json()["error"]) == (404, "not_found")


def test_a_file_under_way_ends_when_its_link_is_revoked(
    site: SharingSite, create: Create, staff: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ASK_EVERY", -1.0)
    made = create(site.origin.put("1.2.12", {"big.dcm": bytes(5_000_000)}))
    answer = site.program().ask(f"/share/{made['token']}/files/1", buffered=False)
    staff.delete(f"/api/shares/{made['id']}")
    with pytest.raises(Exception, match="not valid"):
        assert len(answer.data) < 5_000_000


def test_a_download_under_way_may_end_after_its_links_end_and_no_other_begins(
    site: SharingSite, create: Create
) -> None:
    made = create(expires_hours=1)
    browser = site.browser()
    browser.visit(made["token"])
    answer = browser.ask(f"/share/{made['id']}/zip")
    site.later(hours=2)
    assert opened(sliced(site, answer)) == FILES
    assert browser.ask(f"/share/{made['id']}/zip", headers={"Range": "bytes=100-"}).status_code == 404
    site.later(hours=-2)


def test_whoever_sits_before_the_page_stays_when_the_link_is_extended(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(expires_hours=1)
    asking, coming = site.browser(), site.browser()
    for browser in (asking, coming):
        browser.visit(made["token"])
    staff.put(f"/api/shares/{made['id']}", json={"expires_hours": 10})
    assert asking.ask(f"/share/{made['id']}/info").status_code == 200
    assert "Set-Cookie" not in asking.ask(f"/share/{made['id']}/info").headers, "once"
    coming.visit(made["token"])
    site.later(hours=2)
    for browser in (asking, coming):
        assert browser.ask(f"/share/{made['id']}/info").status_code == 200
    site.later(hours=-2)


def test_a_cookie_is_good_after_a_restart_and_at_another_orthanc(site: SharingSite, create: Create) -> None:
    made = create(password="123456")
    browser = site.browser()
    browser.visit(made["token"])
    browser.unlock(made["id"], "123456")
    browser.client.application = site.restarted().app
    assert browser.ask(f"/share/{made['id']}/info").get_json()["unlocked"] is True


def test_answers_of_links_are_kept_by_nobody(site: SharingSite, create: Create) -> None:
    made = create()
    for path in ("", "/info", "/files", "/zip", "/files/1"):
        answer = site.program().ask(f"/share/{made['token']}{path}")
        assert "no-store" in answer.headers["Cache-Control"], path
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_downloads_are_in_the_trail_by_link(site: SharingSite, create: Create) -> None:
    made = create()
    site.program("198.51.100.44").ask(f"/share/{made['token']}/zip")
    event = site.events("share.download")[-1]
    assert (event["actor"], event["actor_kind"], event["entity_id"], event["ip"]) == (
        f"share:{made['id']}", "share", made["id"], "198.51.100.44",
    )  # fmt: skip
    assert '"resumed":false' in event["payload"]


def test_figures_of_sharing_are_told(site: SharingSite, create: Create) -> None:
    create()
    figures = site.room.metrics.snapshot()
    assert figures["shares_active"] >= 1
    assert figures["shares_created_total"] >= 1
    assert figures["share_downloads_total"] >= 1
    assert figures["share_refusals_total"] >= 1
