"""Which series Orthanc has too: one question for a whole page, remembered until Orthanc tells of a change."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence

import structlog

from readingroom.clock import Clock
from readingroom.errors import PacsError
from readingroom.pacs import Pacs

log = structlog.get_logger(__name__)

KEPT = 50_000
"""Series remembered, the least recently asked forgotten first; some 10 MB."""

KEPT_SECONDS = 300.0
"""An Orthanc that shares its database with another one is not told of what the other one does."""

ASKED_AT_ONCE = 100
"""UIDs in one question to Orthanc; they become one list in one SQL statement."""

_UID = re.compile(r"[0-9.]{1,64}")
"""What may stand in a question: in `*`, `?` or `\\` Orthanc would see a wildcard or a list (PS3.4 C.2.2.2)."""


class InOrthanc:
    """Safe for many threads; never fails: of an Orthanc that does not answer nothing is known to be there."""

    def __init__(self, pacs: Pacs, clock: Clock) -> None:
        self._pacs = pacs
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()  # Orthanc's id, or "", by UID
        self._by_id: dict[str, str] = {}
        self._changes = 0

    def __call__(self, series_uids: Collection[str]) -> set[str]:
        """Those of these SeriesInstanceUIDs that Orthanc has."""
        return {uid for uid, orthanc_id in self.ids(series_uids).items() if orthanc_id}

    def ids(self, series_uids: Collection[str]) -> dict[str, str]:
        """Orthanc's id of each of these series, "" for one that it has not."""
        now = self._clock.monotonic()
        found: dict[str, str] = {}
        asked: list[str] = []
        with self._lock:
            changes = self._changes
            for uid in dict.fromkeys(series_uids):
                known = self._known.get(uid)
                if known is not None and now - known[1] < KEPT_SECONDS:
                    self._known.move_to_end(uid)
                    found[uid] = known[0]
                elif _UID.fullmatch(uid):
                    asked.append(uid)
                else:
                    found[uid] = ""
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            try:
                there = self._ask(some)
            except PacsError as error:
                log.warning("orthanc was not asked for series", why=error.message)
                return found | dict.fromkeys(asked[start:], "")
            found |= {uid: there.get(uid, "") for uid in some}
            self._keep(some, there, changes, now)
        return found

    def arrived(self, _orthanc_id: str) -> None:
        """Orthanc has a new series: whatever was not there may be there now."""
        with self._lock:
            self._changes += 1
            for uid in [uid for uid, (orthanc_id, _) in self._known.items() if not orthanc_id]:
                del self._known[uid]

    def deleted(self, orthanc_id: str) -> None:
        """Orthanc lost a resource; of others than series nothing is remembered."""
        with self._lock:
            self._changes += 1
            uid = self._by_id.pop(orthanc_id, None)
            if uid is not None:
                self._known.pop(uid, None)

    def _ask(self, uids: Sequence[str]) -> dict[str, str]:
        question = {
            "Level": "Series",
            "Query": {"SeriesInstanceUID": "\\".join(uids)},
            "ResponseContent": ["MainDicomTags"],
        }
        answer = json.loads(self._pacs.post("/tools/find", json.dumps(question).encode()))
        return {str(each["MainDicomTags"]["SeriesInstanceUID"]): str(each["ID"]) for each in answer}

    def _keep(self, asked: Sequence[str], there: dict[str, str], changes: int, now: float) -> None:
        with self._lock:
            if changes != self._changes:
                return  # something came or went while we asked: the answer may be older than the change
            for uid in asked:
                orthanc_id = there.get(uid, "")
                self._known[uid] = (orthanc_id, now)
                if orthanc_id:
                    self._by_id[orthanc_id] = uid
            while len(self._known) > KEPT:
                _, (orthanc_id, _at) = self._known.popitem(last=False)
                self._by_id.pop(orthanc_id, None)
