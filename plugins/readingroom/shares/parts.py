"""Puts the parts of sharing together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from readingroom.audit import Trail
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.downloads import Sender
from readingroom.downloads.giving import Giver
from readingroom.downloads.handing import Handing
from readingroom.identity import ShareCookies
from readingroom.identity.passwords import Passwords
from readingroom.metrics import Metrics
from readingroom.routing import Area
from readingroom.series import Origins
from readingroom.settings import Settings
from readingroom.shares import api, copying_api, plans, public_api
from readingroom.shares.access_log import AccessLog
from readingroom.shares.admission import Admission
from readingroom.shares.attempts import Attempts
from readingroom.shares.copying import Copying
from readingroom.shares.copying_origin import CopyOrigin
from readingroom.shares.copying_queue import CopyQueue
from readingroom.shares.counting import Downloads
from readingroom.shares.elsewhere import Elsewhere
from readingroom.shares.file_flow import FileFlow
from readingroom.shares.links import Links
from readingroom.shares.pace import Pace
from readingroom.shares.places import Places
from readingroom.shares.plans import Plans
from readingroom.shares.retention import Retention
from readingroom.shares.sending import Sending, series_of
from readingroom.thumbnails.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the application takes from here."""

    areas: list[Area]
    links: Links
    log: AccessLog
    copying: Copying
    elsewhere: Elsewhere
    flow: Giver  # large files, for the gateway to fetch from the plugin's own socket


def build(
    settings: Settings, database: Database, clock: Clock, trail: Trail, metrics: Metrics, cookies: ShareCookies,
    origins: Origins, sender: Sender, thumbnails: Thumbnails, variables: Callable[[], Mapping[str, str]],
) -> Sharing:  # fmt: skip
    """All parts, as the settings say; `variables` are what a process that reads all origins must be told."""
    origins.add("copy", CopyOrigin(settings.data))
    retention = Retention(database, clock, settings.share_log_days)
    copying = Copying(settings, database, clock, CopyQueue(database, clock, trail), variables, retention.sweep)
    passwords = Passwords()  # its own: who guesses at passcodes must not keep people from signing in
    links = Links(database, clock, trail, passwords, origins, copying)
    log = AccessLog(database, clock, trail, metrics)
    downloads = Downloads(database, clock)
    admission = Admission(links, cookies, Attempts(database, clock), passwords, downloads, log, metrics, clock)
    planned = Plans(links, lambda link: series_of(link, origins), origins, log, trail, metrics)
    sender.serve(plans.OWNER, planned)
    places = Places(settings.share_streams_per_link, settings.share_streams)
    handing = Handing[FileFlow]("/_files/")
    sending = Sending(
        links, origins, planned, sender, downloads, places, Pace(clock), admission, log, trail, clock, thumbnails,
        handing if settings.zip_socket is not None else None,
    )  # fmt: skip
    cookies.ask(links.standing)
    metrics.gauge("shares_active", links.active)
    staff = api.routes(
        links, log, database, clock, trail, metrics,
        public_url=settings.public_url, max_hours=settings.share_max_hours,
        log_days=settings.share_log_days,
    )  # fmt: skip
    areas = [
        staff,
        copying_api.routes(links, copying),
        public_api.routes(admission, cookies, sending, log, trail, clock),
    ]
    return Sharing(areas, links, log, copying, Elsewhere(admission, sending, log), handing.flow)
