"""Starts Reading Room inside Orthanc: settings, parts, routes, guard, events."""

from __future__ import annotations

import re

import structlog

from readingroom.app import PREFIXES, Room, build
from readingroom.clock import SystemClock
from readingroom.confined import landlock
from readingroom.host import explorer, logs
from readingroom.host.changes import Changes
from readingroom.host.figures import Figures
from readingroom.host.guard import Guard
from readingroom.host.orthanc_module import Orthanc
from readingroom.host.pacs_inprocess import InProcessPacs
from readingroom.host.wsgi import Bridge
from readingroom.settings import Settings

log = structlog.get_logger(__name__)


def boot(orthanc: Orthanc) -> Room:
    """Register everything with Orthanc; an exception here keeps Orthanc from starting, which is meant."""
    settings = Settings.load()
    logs.configure(settings.data / "logs", settings.log_level, orthanc)
    room = build(settings, InProcessPacs(orthanc), SystemClock())
    guard = Guard(room.authenticator, room.dicomweb_cookies, room.access, room.forwarded, room.origins, room.trail)
    # The guard comes first: from here on nothing is open, whatever fails below.
    orthanc.RegisterIncomingHttpRequestFilter(guard.allows)
    bridge = Bridge(orthanc, room.app.wsgi_app)
    for prefix in PREFIXES:
        orthanc.RegisterRestCallback(pattern(prefix), bridge.answer)
    explorer.extend(orthanc)
    figures = Figures(orthanc, room.metrics)
    room.starts.append(figures.start)
    room.stops.append(figures.stop)
    changes = Changes()
    changes.on(orthanc.ChangeType.ORTHANC_STARTED, lambda _: room.start())
    changes.on(orthanc.ChangeType.ORTHANC_STOPPED, lambda _: room.stop())
    changes.on(orthanc.ChangeType.DELETED, room.resource_deleted)
    changes.on(orthanc.ChangeType.NEW_SERIES, room.series_arrived)
    changes.on(orthanc.ChangeType.STABLE_SERIES, room.series_settled)
    orthanc.RegisterOnChangeCallback(changes.happened)
    log.info("booted", routes=len(room.declared))
    if landlock.supported() < 1:
        log.warning("decoders_see_files", message="This kernel has no Landlock: see the README's limits.")
    return room


def pattern(prefix: str) -> str:
    """The regular expression of all paths at and below a prefix; it must match the whole path."""
    bare = re.escape(prefix.rstrip("/"))
    return f"({bare}|{bare}/.*)" if prefix.endswith("/") else f"({bare})"
