"""What a link's holder does at the viewer's routes: looking is written down, whole files count as a download."""

from __future__ import annotations

from flask import request

from readingroom.routing import caller
from readingroom.series import FoundSeries
from readingroom.shares.access_log import AccessLog
from readingroom.shares.admission import Admission, Asked
from readingroom.shares.sending import Sending


class Elsewhere:
    """Told by the viewer, within the request that it is about."""

    def __init__(self, admission: Admission, sending: Sending, log: AccessLog) -> None:
        self._admission = admission
        self._sending = sending
        self._log = log

    def looked(self, link: str) -> None:
        """Images of the series are looked at by that link."""
        self._log.note(link, "view", caller(), _agent())

    def fetched(self, link: str, found: FoundSeries, size: int) -> None:
        """A whole file is had by it, as by the link's own address: raises NotFound when it has no download left."""
        holder = self._admission.admit(Asked(link, caller(), _agent(), request.cookies))
        self._sending.counted(holder, found, size)


def _agent() -> str:
    return request.headers.get("User-Agent", "")
