"""The part of Orthanc's Python module that we call, as types; the module itself exists only inside Orthanc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class RestOutput(Protocol):
    """Where a REST callback puts its answer."""

    def AnswerBuffer(self, answer: bytes, mime_type: str) -> None: ...  # noqa: N802
    def SetHttpHeader(self, name: str, value: str) -> None: ...  # noqa: N802
    def SendHttpStatus(self, status: int, body: bytes) -> None: ...  # noqa: N802
    def SendHttpStatusCode(self, status: int) -> None: ...  # noqa: N802
    def SendMethodNotAllowed(self, allowed_methods: str) -> None: ...  # noqa: N802
    def StartStreamAnswer(self, content_type: str) -> None: ...  # noqa: N802
    def SendStreamChunk(self, answer: bytes) -> None: ...  # noqa: N802


class Orthanc(Protocol):
    """Orthanc's module; its names are the SDK's own."""

    OrthancException: type[Exception]
    ChangeType: Any
    ErrorCode: Any
    MetricsType: Any

    def RegisterRestCallback(self, pattern: str, callback: Callable[..., None]) -> None: ...  # noqa: N802
    def RegisterIncomingHttpRequestFilter(self, accepts: Callable[..., bool]) -> None: ...  # noqa: N802
    def RegisterOnChangeCallback(self, callback: Callable[[int, int, str], None]) -> None: ...  # noqa: N802
    def RestApiGet(self, uri: str) -> bytes: ...  # noqa: N802
    def RestApiGetAfterPlugins(self, uri: str) -> bytes: ...  # noqa: N802
    def RestApiPost(self, uri: str, body: bytes) -> bytes: ...  # noqa: N802
    def RestApiPut(self, uri: str, body: bytes) -> bytes: ...  # noqa: N802
    def RestApiDelete(self, uri: str) -> None: ...  # noqa: N802
    def ExtendOrthancExplorer(self, javascript: str) -> None: ...  # noqa: N802
    def GetConfiguration(self) -> str: ...  # noqa: N802
    def SetMetricsIntegerValue(self, name: str, value: int, kind: Any) -> None: ...  # noqa: N802  # not in plugin 5
    def SetMetricsValue(self, name: str, value: float, kind: Any) -> None: ...  # noqa: N802
    def LogError(self, message: str) -> None: ...  # noqa: N802
    def LogWarning(self, message: str) -> None: ...  # noqa: N802
    def LogInfo(self, message: str) -> None: ...  # noqa: N802
