"""Passcodes and whoever guesses at them: one refusal, the same work for each, growing delays that nothing forgets."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from readingroom.errors import TooManyRequests
from readingroom.identity.passwords import Passwords
from readingroom.shares.rules import SHUT_AFTER
from readingroom.shares.tables import share_address, shares
from sqlalchemy import delete, event, select, update

from tests.fixtures.sharing import SharingSite
from tests.http.conftest import Person
from tests.http.shares.conftest import Create

RIGHT = "right passcode"
SHOWN = {"X-Share-Passcode": RIGHT}


@pytest.fixture(autouse=True)
def forgiving(site: SharingSite) -> None:
    """No address has a past."""
    with site.database.write() as connection:
        connection.execute(delete(share_address))


def lock(site: SharingSite, link_id: str) -> Any:
    with site.database.read() as connection:
        found = select(shares.c.failed_attempts, shares.c.locked_until).where(shares.c.id == link_id)
        return connection.execute(found).one()


# --- unlocking ----------------------------------------------------------------------------------------------------


def test_nothing_of_the_series_is_told_before_the_passcode(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    browser = site.browser()
    browser.visit(made["token"])
    info = browser.ask(f"/share/{made['id']}/info").get_json()
    assert (info["needs_passcode"], info["unlocked"], info["series"], info["file_name"]) == (True, False, {}, "")
    assert (info["study_uid"], info["series_uid"]) == ("", "")
    assert (info["file_count"], info["size_bytes"]) == (0, 0)
    assert "Mokoena" not in str(info)
    for path in ("/zip", "/files", "/files/1", "/thumbnail"):
        assert browser.ask(f"/share/{made['id']}{path}").status_code == 404


def test_the_right_passcode_opens_for_half_an_hour_after_its_last_use(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    browser = site.browser()
    browser.visit(made["token"])
    assert browser.unlock(made["id"], RIGHT) == 204
    for _ in range(4):
        site.later(minutes=20)
        assert browser.ask(f"/share/{made['id']}/info").get_json()["unlocked"] is True
    site.later(minutes=31)
    assert browser.ask(f"/share/{made['id']}/info").get_json()["unlocked"] is False


def test_a_token_is_unlocked_without_the_page(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    browser = site.browser()
    assert browser.unlock(made["token"], RIGHT) == 204
    assert browser.ask(f"/share/{made['token']}/info").get_json()["unlocked"] is True
    assert browser.ask(f"/share/{made['id']}/zip").status_code == 200


def test_a_script_shows_the_passcode_in_a_header_and_pays_for_it_once(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(password=RIGHT)
    verified = counted(monkeypatch)
    program = site.program()
    for n in range(1, 6):
        assert program.ask(f"/share/{made['token']}/files/{n}", headers=SHOWN).status_code == 200
    assert program.ask(f"/share/{made['token']}", headers=SHOWN).status_code == 200
    assert len(verified) == 1


def test_a_passcode_may_be_of_any_letters(site: SharingSite, create: Create) -> None:
    made = create(password="Größe 日本 ok")
    sent = "Größe 日本 ok".encode().decode("latin-1")
    assert site.program().ask(f"/share/{made['token']}/zip", headers={"X-Share-Passcode": sent}).status_code == 200
    assert site.browser().unlock(made["token"], "Gro\u0308ße 日本 ok") == 204, "the same in another Unicode form"


def test_a_passcode_that_is_no_text_is_wrong_like_any_other(site: SharingSite, create: Create) -> None:
    shown = {"HTTP_X_SHARE_PASSCODE": "\udcff\udcfe"}  # bytes that are not UTF-8, as Orthanc's Python may tell them
    for token in (create(password=RIGHT)["token"], "x" * 43):
        assert site.program().ask(f"/share/{token}/zip", environ_overrides=shown).status_code == 404


def test_a_link_without_passcode_takes_any(site: SharingSite, create: Create) -> None:
    made = create()
    assert site.browser().unlock(made["token"], "whatever") == 204
    assert site.program().ask(f"/share/{made['token']}/zip", headers=SHOWN).status_code == 200


def test_unlocking_is_in_the_trail(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    site.browser().unlock(made["token"], RIGHT)
    assert site.events("share.unlock")[-1]["entity_id"] == made["id"]


# --- refusals -----------------------------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Against what each Argon2 verification went."""
    seen: list[str | None] = []
    fits = Passwords.fits

    def spy(self: Passwords, stored: str | None, password: str) -> bool:
        seen.append(stored)
        return fits(self, stored, password)

    monkeypatch.setattr(Passwords, "fits", spy)
    return seen


@pytest.fixture
def dead(site: SharingSite, create: Create, staff: Person) -> dict[str, str]:
    """Tokens of links that refuse, each for a reason of its own; with the passcode that would be right."""
    links = {name: create(password=RIGHT, max_downloads=1) for name in ("revoked", "used up", "shut", "locked")}
    links["expired"] = create(password=RIGHT, expires_hours=1)
    links["open"] = create(password=RIGHT, expires_hours=100)
    staff.delete(f"/api/shares/{links['revoked']['id']}")
    assert site.program("203.0.113.1").ask(f"/share/{links['used up']['token']}/zip", headers=SHOWN).status_code == 200
    for n in range(4):
        site.browser(f"203.0.113.{2 + n}").unlock(links["locked"]["token"], "wrong passcode")
    with site.database.write() as connection:
        guessed_at = update(shares).where(shares.c.id == links["shut"]["id"])
        connection.execute(guessed_at.values(failed_attempts=SHUT_AFTER - 1))
    site.browser("203.0.113.6").unlock(links["shut"]["token"], "wrong passcode")
    with site.database.write() as connection:
        expired = update(shares).where(shares.c.id == links["expired"]["id"])
        connection.execute(expired.values(expires_at=site.clock.now()))
    return {name: link["token"] for name, link in links.items()} | {"unknown": "u" * 43}


def test_every_refusal_is_the_same_to_the_letter_and_costs_one_verification(
    site: SharingSite, dead: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = counted(monkeypatch)
    answers = set()
    for n, (name, token) in enumerate(dead.items()):
        passcode = "wrong passcode" if name == "open" else RIGHT
        browser = site.browser(f"203.0.113.{100 + n}")
        shown = {"X-Share-Passcode": passcode}
        for path, options in (
            ("/unlock", {"method": "POST", "json": {"password": passcode}}),
            ("/zip", {"headers": shown}),
            ("/files", {"headers": shown}),
            ("/files/1", {"headers": shown}),
            ("/thumbnail", {"headers": shown}),
            ("", {"headers": shown}),
        ):
            verified.clear()
            answer = browser.ask(f"/share/{token}{path}", **options)  # type: ignore[arg-type]
            assert len(verified) == 1, (name, path)
            body = answer.get_json()
            assert body.pop("request_id")
            headers = {k: v for k, v in answer.headers.items() if k != "X-Request-Id"}
            answers.add((answer.status_code, str(body), str(headers)))
    assert len(answers) == 1, answers
    assert answers.pop()[0] == 404


def test_without_a_passcode_every_refusal_is_the_same_too_and_verifies_nothing(
    site: SharingSite, dead: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = counted(monkeypatch)
    answers = set()
    for token in dead.values():
        for path in ("/zip", "/files", "/files/1", "/thumbnail", ""):
            answer = site.program("203.0.113.200").ask(f"/share/{token}{path}")
            body = answer.get_json()
            body.pop("request_id")
            answers.add((answer.status_code, str(body), answer.headers["Cache-Control"]))
    assert len(answers) == 1, answers
    assert verified == []


def test_a_refusal_does_the_same_statements_whatever_it_is_for(
    site: SharingSite, dead: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left to tell them apart by time is what a row takes to be read; the bench measures it."""
    said: list[str] = []
    here = threading.get_ident()

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if threading.get_ident() == here:  # the log is written by another thread
            said.append(statement)

    event.listen(site.database.engine, "before_cursor_execute", listen)
    try:
        seen = set()
        for n, (name, token) in enumerate(dead.items()):
            said.clear()
            passcode = "wrong passcode" if name == "open" else RIGHT
            assert site.browser(f"203.0.113.{50 + n}").unlock(token, passcode) == 404
            seen.add(tuple(said))
        assert len(seen) == 1, seen
    finally:
        event.remove(site.database.engine, "before_cursor_execute", listen)


def test_a_body_that_is_none_is_a_bad_request_for_every_link_alike(site: SharingSite, dead: dict[str, str]) -> None:
    for token in dead.values():
        for body in ({}, {"password": 1}, {"password": "x" * 300}, []):
            answer = site.browser().ask(f"/share/{token}/unlock", method="POST", json=body)
            assert answer.status_code == 400


# --- delays -------------------------------------------------------------------------------------------------------


def test_ten_wrong_passcodes_lock_the_right_one_out_until_the_wait_is_over(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    for n in range(10):
        assert site.browser(f"203.0.113.{n}").unlock(made["token"], f"wrong {n}") == 404
    assert lock(site, made["id"]).failed_attempts == 4, "three are free, the fourth locks, the rest is not looked at"
    assert site.browser("203.0.113.99").unlock(made["token"], RIGHT) == 404
    site.later(seconds=1)
    assert site.browser("203.0.113.99").unlock(made["token"], RIGHT) == 204
    assert lock(site, made["id"]) == (0, None)


def test_delays_outlive_a_restart_and_count_over_several_orthancs(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    rooms = [site.room, site.restarted(), site.restarted()]
    for n in range(4):
        site.browser(f"203.0.113.{n}", rooms[n % 3]).unlock(made["token"], "wrong passcode")
    assert site.browser("203.0.113.9", site.restarted()).unlock(made["token"], RIGHT) == 404


def test_a_hundred_guesses_at_the_same_moment_are_worth_four(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    rooms = [site.room, site.restarted()]
    ready = threading.Barrier(20)
    statuses: list[int] = []

    def guess(n: int) -> None:
        browser = site.browser(f"203.0.113.{n}", rooms[n % 2])
        ready.wait()
        for k in range(5):
            statuses.append(browser.unlock(made["token"], f"guess {n} {k}"))

    guessers = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join()
    assert len(statuses) == 100
    assert set(statuses) <= {404, 429}  # 429: more wait for Argon2 than it takes at a time
    # Three where one that counted found too many waiting, and was taken back.
    assert 3 <= lock(site, made["id"]).failed_attempts <= 4


def test_a_passcode_that_was_not_looked_at_is_not_counted(
    site: SharingSite, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever floods us with guesses must not have somebody's right passcode counted as wrong ones."""
    made = create(password=RIGHT)

    def busy(_self: Passwords, _stored: str | None, _password: str) -> bool:
        raise TooManyRequests("Many people are signing in at this moment.", retry_after=2)

    with monkeypatch.context() as patched:
        patched.setattr(Passwords, "fits", busy)
        for _ in range(5):
            assert site.browser("203.0.113.20").unlock(made["token"], RIGHT) == 429
        assert site.browser("203.0.113.20").unlock("x" * 43, RIGHT) == 429
    assert lock(site, made["id"]) == (0, None)
    assert site.browser("203.0.113.20").unlock(made["token"], RIGHT) == 204
    shut = create(password=RIGHT)
    with site.database.write() as connection:
        guessed_at = update(shares).where(shares.c.id == shut["id"])
        connection.execute(guessed_at.values(failed_attempts=SHUT_AFTER - 1))
    with monkeypatch.context() as patched:
        patched.setattr(Passwords, "fits", busy)
        assert site.browser("203.0.113.21").unlock(shut["token"], RIGHT) == 429
    assert lock(site, shut["id"]).failed_attempts == SHUT_AFTER - 1
    site.later(minutes=16)
    assert site.browser("203.0.113.22").unlock(shut["token"], RIGHT) == 204
    site.later(minutes=-16)


def test_one_address_waits_whichever_link_it_guesses_at(site: SharingSite, create: Create) -> None:
    links = [create(password=RIGHT) for _ in range(6)]
    for link in links[:4]:
        site.browser("203.0.113.77").unlock(link["token"], "wrong passcode")
    assert site.browser("203.0.113.77").unlock(links[4]["token"], RIGHT) == 404
    assert site.browser("203.0.113.78").unlock(links[4]["token"], RIGHT) == 204
    assert lock(site, links[5]["id"]).failed_attempts == 0
    site.later(seconds=1)
    assert site.browser("203.0.113.77").unlock(links[5]["token"], RIGHT) == 204


def test_an_address_is_forgotten_after_a_day_and_guesses_at_nothing_count_too(site: SharingSite) -> None:
    for n in range(5):
        site.browser("2001:db8::1").unlock(f"{n}" * 43, "wrong passcode")
    with site.database.read() as connection:
        row = connection.execute(select(share_address)).one()
    assert (row.address, row.failed_attempts) == ("2001:db8::/64", 4)
    site.later(hours=25)
    site.browser("203.0.113.5").unlock("x" * 43, "wrong passcode")
    with site.database.read() as connection:
        assert [each.address for each in connection.execute(select(share_address))] == ["203.0.113.5"]


def test_a_link_that_was_guessed_at_a_hundred_times_is_shut_until_it_is_extended(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create(password=RIGHT, expires_hours=700)
    holder = site.browser()
    holder.visit(made["token"])
    holder.unlock(made["id"], RIGHT)
    with site.database.write() as connection:
        connection.execute(update(shares).where(shares.c.id == made["id"]).values(failed_attempts=SHUT_AFTER - 1))
    site.browser("203.0.113.6").unlock(made["token"], "wrong passcode")
    site.later(hours=48)
    assert site.browser("203.0.113.7").unlock(made["token"], RIGHT) == 404
    assert site.browser("203.0.113.7").visit(made["token"]).headers["Location"] == "/shared/none"
    assert staff.get(f"/api/shares/{made['id']}").get_json()["locked_until"].startswith("9999")
    staff.put(f"/api/shares/{made['id']}", json={})
    assert site.browser("203.0.113.7").unlock(made["token"], RIGHT) == 204
    site.later(hours=-48)


def test_who_is_in_already_is_not_kept_out_by_somebody_who_guesses(site: SharingSite, create: Create) -> None:
    made = create(password=RIGHT)
    holder = site.browser("203.0.113.8")
    holder.visit(made["token"])
    holder.unlock(made["id"], RIGHT)
    for n in range(6):
        site.browser(f"203.0.114.{n}").unlock(made["token"], "wrong passcode")
    assert holder.ask(f"/share/{made['id']}/zip").status_code == 200


def test_a_flood_of_refusals_leaves_ten_a_minute_in_the_log_and_one_in_the_trail(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create()
    staff.delete(f"/api/shares/{made['id']}")
    for _ in range(50):
        site.program("203.0.113.30").ask(f"/share/{made['token']}/zip")
    site.program("203.0.113.31").ask(f"/share/{made['token']}/zip")
    assert staff.get(f"/api/shares/{made['id']}/log").get_json()["total"] == 11
    assert len([e for e in site.events("share.refused") if e["entity_id"] == made["id"]]) == 1


def test_a_flood_of_questions_by_a_holder_leaves_sixty_a_minute_in_the_log(
    site: SharingSite, create: Create, staff: Person
) -> None:
    made = create()
    program = site.program("203.0.113.40")
    for _ in range(70):
        assert program.ask(f"/share/{made['token']}/info").status_code == 200
    assert program.ask(f"/share/{made['token']}/files/1").status_code == 200
    assert staff.get(f"/api/shares/{made['id']}/log").get_json()["total"] == 61


def test_no_secret_reaches_the_trail_or_the_access_log(site: SharingSite, create: Create, staff: Person) -> None:
    made = create(password="a secret for the logs")
    browser = site.browser()
    browser.visit(made["token"])
    browser.unlock(made["id"], "a wrong secret")
    browser.unlock(made["id"], "a secret for the logs")
    browser.ask(f"/share/{made['token']}/zip", headers={"X-Share-Passcode": "a secret for the logs"})
    log = str(staff.get(f"/api/shares/{made['id']}/log").get_json())
    trail = "".join(str(site.events(f"share.{what}")) for what in ("create", "open", "unlock", "download", "refused"))
    for secret in (made["token"], "a secret", "a wrong secret", "Mokoena"):
        assert secret not in log + trail
