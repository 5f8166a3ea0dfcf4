"""Puts the parts of sharing together."""

from __future__ import annotations

from dataclasses import dataclass

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.downloads import Sender
from readingroom.identity import ShareCookies
from readingroom.identity.passwords import Passwords
from readingroom.metrics import Metrics
from readingroom.routing import Area
from readingroom.series import Origins
from readingroom.settings import Settings
from readingroom.shares import api, plans, public_api
from readingroom.shares.access_log import AccessLog
from readingroom.shares.admission import Admission
from readingroom.shares.attempts import Attempts
from readingroom.shares.counting import Downloads
from readingroom.shares.links import Copies, Links
from readingroom.shares.places import Places
from readingroom.shares.plans import Plans
from readingroom.shares.sending import Sending, series_of
from readingroom.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the application takes from here."""

    areas: list[Area]
    links: Links
    log: AccessLog


def build(
    settings: Settings, database: Database, clock: Clock, trail: Trail, metrics: Metrics, cookies: ShareCookies,
    origins: Origins, sender: Sender, copies: Copies | None = None, thumbnails: Thumbnails | None = None,
) -> Sharing:  # fmt: skip
    """All parts, as the settings say."""
    passwords = Passwords()  # its own: who guesses at passcodes must not keep people from signing in
    links = Links(database, clock, trail, passwords, origins, copies)
    log = AccessLog(database, clock, trail, metrics)
    downloads = Downloads(database, clock)
    admission = Admission(links, cookies, Attempts(database, clock), passwords, downloads, log, metrics, clock)
    planned = Plans(links, lambda link: series_of(link, origins), origins, log, trail, metrics)
    sender.serve(plans.OWNER, planned)
    places = Places(settings.share_streams_per_link, settings.share_streams)
    sending = Sending(
        links, origins, planned, sender, downloads, places, admission, log, trail, clock, thumbnails
    )  # fmt: skip
    cookies.ask(links.standing)
    metrics.gauge("shares_active", links.active)
    staff = api.routes(
        links, log, database, clock, trail, metrics,
        public_url=settings.public_url, max_hours=settings.share_max_hours,
    )  # fmt: skip
    return Sharing([staff, public_api.routes(admission, cookies, sending, log, trail, clock)], links, log)
