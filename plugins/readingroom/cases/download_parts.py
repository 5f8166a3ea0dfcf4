"""Puts the parts of the downloads together."""

from __future__ import annotations

from datetime import timedelta

from readingroom.audit import Trail
from readingroom.cases import download_api
from readingroom.cases.download_provider import CaseDownloads
from readingroom.cases.downloads import OWNER, Plans
from readingroom.cases.tickets import Tickets
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.downloads import Sender, StoredFiles
from readingroom.identity import TokenSigner
from readingroom.routing import Area
from readingroom.settings import Settings


def routes(
    settings: Settings,
    database: Database,
    stored: StoredFiles,
    sender: Sender,
    signer: TokenSigner,
    clock: Clock,
    trail: Trail,
) -> Area:
    """The area of downloads, as the settings say."""
    plans = Plans(database, stored)
    tickets = Tickets(
        signer,
        clock,
        to_follow=timedelta(minutes=settings.ticket_minutes),
        to_finish=timedelta(hours=settings.download_hours),
    )
    sender.serve(OWNER, CaseDownloads(plans, trail))
    return download_api.routes(database, plans, sender, tickets, trail)
