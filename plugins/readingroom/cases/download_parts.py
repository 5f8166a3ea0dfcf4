"""Puts the parts of the downloads together."""

from __future__ import annotations

from datetime import timedelta

from readingroom.audit import Trail
from readingroom.cases import download_api
from readingroom.cases.download_sending import Sender
from readingroom.cases.downloads import Plans
from readingroom.cases.stored_files import StoredFiles
from readingroom.cases.tickets import Tickets
from readingroom.clock import Clock
from readingroom.db import Database
from readingroom.identity import TokenSigner
from readingroom.routing import Area
from readingroom.settings import Settings


def routes(
    settings: Settings, database: Database, stored: StoredFiles, signer: TokenSigner, clock: Clock, trail: Trail
) -> Area:
    """The area of downloads, as the settings say."""
    plans = Plans(database)
    tickets = Tickets(
        signer,
        clock,
        to_follow=timedelta(minutes=settings.ticket_minutes),
        to_finish=timedelta(hours=settings.download_hours),
    )
    return download_api.routes(database, plans, Sender(plans, stored, tickets, trail), tickets, trail)
