"""Whether time tells why a link refuses: each reason asked in shuffled order, and how well one could guess it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import structlog
from readingroom.clock import SystemClock
from readingroom.identity.tables import account
from readingroom.settings import Settings
from readingroom.shares.rules import SHUT_AFTER
from readingroom.shares.tables import shares
from sqlalchemy import update

from scripts.runtime.report import Report
from tests.fixtures.sharing import GATEWAY, KEY, PASSWORD, SECRET, SharingSite

RIGHT = "the right passcode"

PLAIN = 300
SHOWN = 60
"""Requests for each reason: without a passcode, and with one (which costs one Argon2id at its real price)."""

MOST_TELLING = 0.15
"""How far from a coin's 0.5 the chance may be to tell a reason from `unknown` by one answer's time.

With samples as small as SHOWN, a chance of 0.5 alone strays by 0.05 (one standard deviation).
"""


@dataclass
class Reason:
    """One reason to refuse: a token, what is shown, what is to be put right before each request."""

    token: str
    passcode: str = RIGHT
    before: Callable[[], None] = lambda: None
    seconds: list[float] = field(default_factory=list)


def run(report: Report) -> None:
    """Measure refusals without and with a passcode."""
    # A line for each of three thousand requests would bury the table.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings = Settings.load(READINGROOM_DATA=report.scratch / "data", READINGROOM_GATEWAY_SECRET=SECRET)
    site = SharingSite(settings, SystemClock())
    try:
        site.origin.put()
        _measure(report, site, PLAIN, shown=False)
        _measure(report, site, SHOWN, shown=True)
    finally:
        site.room.stop()


def _measure(report: Report, site: SharingSite, count: int, *, shown: bool) -> None:
    with site.database.write() as connection:
        connection.execute(update(account).values(disabled=False))
    reasons = _reasons(site)
    if not shown:
        del reasons["wrong passcode"], reasons["locked"], reasons["shut"]
        reasons["passcode needed"] = Reason(_link(site, password=RIGHT)[1])
    client = site.room.app.test_client()
    order = [name for name in reasons for _ in range(count)]
    random.Random(1).shuffle(order)
    for n, name in enumerate(order):
        reason = reasons[name]
        reason.before()
        # An address of its own for each: none has to wait.
        headers = {**GATEWAY, "X-Forwarded-For": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
        if shown:
            headers["X-Share-Passcode"] = reason.passcode
        began = time.perf_counter()
        answer = client.get(f"/share/{reason.token}/zip", headers=headers)
        reason.seconds.append(time.perf_counter() - began)
        assert answer.status_code == 404, (name, answer.text)
    said = "with a passcode" if shown else "without a passcode"
    table = report.table(f"A refusal {said}, median of {count}, shuffled, SQLite, in one process", "ms")
    for name, reason in reasons.items():
        table.add(name, median(reason.seconds) * 1000, against=name == "unknown")
    chances = report.table(f"Chance that one answer {said} took longer than one of `unknown`; 0.5 tells nothing", "")
    unknown = reasons["unknown"].seconds
    found = {name: chance(reason.seconds, unknown) for name, reason in reasons.items() if name != "unknown"}
    for name, value in found.items():
        chances.add(name, value)
    most = max(abs(value - 0.5) for value in found.values())
    chances.aim(f"no reason is told apart: {most:.3f} from a coin at most", most < MOST_TELLING)


def chance(one: list[float], other: list[float]) -> float:
    """Probability that a value of one is greater than a value of the other (Mann and Whitney's U, divided)."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, whose) in enumerate(ranked, 1) if whose == 0)
    return (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))


def _reasons(site: SharingSite) -> dict[str, Reason]:
    ids = {name: _link(site, password=RIGHT) for name in ("revoked", "expired", "used up", "wrong", "locked", "shut")}
    now = site.clock.now()
    _set(site, ids["revoked"][0], revoked_at=now)
    _set(site, ids["expired"][0], expires_at=now)
    _set(site, ids["used up"][0], max_downloads=1, download_count=1)
    disabled = _link(site, "colleague", password=RIGHT)[1]
    with site.database.write() as connection:
        connection.execute(update(account).where(account.c.name == "colleague").values(disabled=True))

    def free() -> None:
        _set(site, ids["wrong"][0], failed_attempts=0, locked_until=None)

    def lock() -> None:
        _set(site, ids["locked"][0], failed_attempts=10, locked_until=now.replace(year=now.year + 1))

    def shut() -> None:
        _set(site, ids["shut"][0], failed_attempts=SHUT_AFTER, locked_until=now.replace(year=9999))

    return {
        "unknown": Reason("u" * 43),
        "revoked": Reason(ids["revoked"][1]),
        "expired": Reason(ids["expired"][1]),
        "used up": Reason(ids["used up"][1]),
        "owner disabled": Reason(disabled),
        "locked": Reason(ids["locked"][1], before=lock),
        "shut": Reason(ids["shut"][1], before=shut),
        "wrong passcode": Reason(ids["wrong"][1], "a wrong passcode", free),
    }


def _link(site: SharingSite, user: str = "staff", **wish: object) -> tuple[str, str]:
    client = site.room.app.test_client()
    access = client.post("/api/token/", json={"username": user, "password": PASSWORD}).get_json()["access"]
    body = {"series_key": KEY, "expires_hours": 100, **wish}
    made = client.post("/share/create", json=body, headers={"Authorization": f"Bearer {access}"}).get_json()
    return made["id"], made["token"]


def _set(site: SharingSite, link: str, **values: object) -> None:
    with site.database.write() as connection:
        connection.execute(update(shares).where(shares.c.id == link).values(values))
