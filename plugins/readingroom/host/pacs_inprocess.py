"""Asks the Orthanc that we live in, without a socket between."""

from __future__ import annotations

from collections.abc import Mapping

from readingroom.errors import PacsError, PacsNotFound
from readingroom.host.orthanc_module import Orthanc

NOT_FOUND_CODES = frozenset({7, 17, 2007})
"""OrthancPluginErrorCode InexistentItem, UnknownResource, InexistentFile."""


class InProcessPacs:
    """`pacs.Pacs` on Orthanc's in-process REST calls; they pass neither the HTTP server nor the guard."""

    def __init__(self, orthanc: Orthanc) -> None:
        self._orthanc = orthanc

    def get(self, path: str) -> bytes:
        """The body that Orthanc answers."""
        try:
            return self._orthanc.RestApiGet(path)
        except self._orthanc.OrthancException as error:
            raise translated(error, path) from None

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Send a body, get the answer's; headers do not exist in process."""
        try:
            return self._orthanc.RestApiPost(path, body)
        except self._orthanc.OrthancException as error:
            raise translated(error, path) from None

    def put(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Replace a resource."""
        try:
            return self._orthanc.RestApiPut(path, body) or b""
        except self._orthanc.OrthancException as error:
            raise translated(error, path) from None

    def delete(self, path: str) -> None:
        """Remove a resource."""
        try:
            self._orthanc.RestApiDelete(path)
        except self._orthanc.OrthancException as error:
            raise translated(error, path) from None


def translated(error: Exception, path: str) -> PacsError:
    """Orthanc's exception (code, words) as one of our tree."""
    code = error.args[0] if error.args else None
    words = str(error.args[1]) if len(error.args) > 1 else str(error)
    kind = path.split("/")[1] if path.startswith("/") else path
    if code in NOT_FOUND_CODES:
        return PacsNotFound(f"Orthanc has no such resource under /{kind}.")
    return PacsError(f"Orthanc refused a request under /{kind}: {words}", detail={"orthancStatus": code})
