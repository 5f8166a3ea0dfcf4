"""The process behind an index run: `python -m readingroom.nas_index.worker RUN_ID`, started by `start.py`."""

from __future__ import annotations

import sys

from readingroom.clock import SystemClock
from readingroom.db import open_database
from readingroom.nas_index import profile
from readingroom.nas_index.catalogue import Catalogue
from readingroom.nas_index.work import Work
from readingroom.procedures import begin_process
from readingroom.settings import Settings


def main() -> int:
    """Do the run that is named; 0 when it came to its end, whatever that was."""
    (run_id,) = sys.argv[1:]
    stopping = begin_process()
    settings = Settings.load()
    database = open_database(settings.database_url)
    clock = SystemClock()
    try:
        region = profile.choose(settings.nas_profile, settings.nas_profile_file)
        Work(settings, database, clock, Catalogue(database, clock, region.recognise)).run(run_id, stopping)
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
