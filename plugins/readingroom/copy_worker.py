"""A process that makes de-identified copies for links: `python -m readingroom.copy_worker`, see shares.copying.

It makes one copy after the other until none waits, then ends. It outlives Orthanc; a restart is waited for.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path

from readingroom.audit import Trail
from readingroom.clock import Clock, SystemClock
from readingroom.db import Database, open_database
from readingroom.downloads import StoredFiles
from readingroom.identity import token_signer
from readingroom.nas_index.origin import NasOrigin
from readingroom.nas_index.series_files import SeriesFiles
from readingroom.pacs import Pacs
from readingroom.pacs_http import HttpPacs
from readingroom.pacs_ranges import PacsRanges
from readingroom.procedures import Taken, begin_process
from readingroom.procedures.patience import PatientPacs
from readingroom.series import Origins
from readingroom.series.crcs import KeptCrcs
from readingroom.series.in_orthanc import OrthancOrigin
from readingroom.settings import Settings
from readingroom.shares.copying import SLOT, slot_of
from readingroom.shares.copying_queue import CopyQueue
from readingroom.shares.copying_work import CopyWork


def work(settings: Settings, database: Database, clock: Clock, pacs: Pacs, stopping: threading.Event) -> None:
    """Make all copies that wait, unless another process is at it already."""
    signer = token_signer(settings, clock)
    ranges = PacsRanges(settings.orthanc_url, lambda: f"Bearer {signer.service_token('downloads')}")
    patient = PatientPacs(pacs, stopping)
    stored, crcs = StoredFiles(patient, settings.orthanc_storage, ranges, together=True), KeptCrcs(database, clock)
    files = SeriesFiles(settings, database)
    nas = NasOrigin(database, files, crcs)
    queue = CopyQueue(database, clock, Trail(database, clock))
    origins = Origins(OrthancOrigin(patient, stored, crcs, clock), nas)
    try:
        # Once more after the slot was given back: who asked for a copy in that moment saw it taken.
        while queue.waiting() and not stopping.is_set():
            try:
                with slot_of(settings).held(SLOT):
                    CopyWork(settings, queue, origins, clock, stopping).until_none_waits()
            except Taken:
                return
    finally:
        nas.close()
        files.close()


def main() -> int:
    """Make what waits; 0 whatever came of it."""
    stopping = begin_process()
    with suppress(OSError):  # when memory runs out, this one goes before Orthanc does
        Path("/proc/self/oom_score_adj").write_text("800")
    settings = Settings.load()
    database = open_database(settings.database_url)
    clock = SystemClock()
    signer = token_signer(settings, clock)
    try:
        pacs = HttpPacs(settings.orthanc_url, lambda: f"Bearer {signer.service_token('downloads')}")
        work(settings, database, clock, pacs, stopping)
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
