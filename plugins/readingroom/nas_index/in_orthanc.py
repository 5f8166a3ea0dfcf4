"""Which series of a page Orthanc has too: one question for all of them, remembered for a short while."""

from __future__ import annotations

import json
from collections.abc import Collection

from readingroom.clock import Clock
from readingroom.errors import PacsError
from readingroom.pacs import Pacs

KEPT_SECONDS = 10.0
"""Typing a name asks for the same series again and again; an import is seen after this long at the latest."""

MAX_KEPT = 20_000
"""Answers remembered; some 3 MB."""


class InOrthanc:
    """Asks Orthanc; threads may share it. An Orthanc that does not answer has nothing, for that moment."""

    def __init__(self, pacs: Pacs, clock: Clock) -> None:
        self._pacs = pacs
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}

    def __call__(self, series_uids: Collection[str]) -> set[str]:
        """Of these SeriesInstanceUIDs, those that Orthanc has."""
        now = self._clock.monotonic()
        found, asked = set(), []
        for uid in series_uids:
            when, there = self._known.get(uid, (-KEPT_SECONDS, False))
            if now - when >= KEPT_SECONDS:
                asked.append(uid)
            elif there:
                found.add(uid)
        if not asked:
            return found
        try:
            there_now = self._ask(asked)
        except PacsError:
            return found
        if len(self._known) > MAX_KEPT:
            self._known = {}
        self._known.update((uid, (now, uid in there_now)) for uid in asked)
        return found | there_now

    def _ask(self, uids: list[str]) -> set[str]:
        # A list of UIDs is one look into Orthanc's index (PS3.4 C.2.2.2.2).
        query = {"Level": "Series", "Query": {"SeriesInstanceUID": "\\".join(uids)}, "Expand": True}
        answer = json.loads(self._pacs.post("/tools/find", json.dumps(query).encode()))
        return {each["MainDicomTags"]["SeriesInstanceUID"] for each in answer} & set(uids)
