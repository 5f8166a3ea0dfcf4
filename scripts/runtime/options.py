"""What serve is asked for, checked, and handed to the supervisor as one JSON text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """One instance as asked for; ports are free ones already chosen, never 0."""

    data: str
    port: int
    dicom_port: int
    listen: str
    web: str
    suite: str
    tls_certificate: str = ""
    tls_key: str = ""
    ohif: str = ""
    """Folder of OHIF as it is served; empty where there is none."""
    pid: int = 0
    """The process that SIGTERM stops the instance by; 0: the supervisor itself."""

    @property
    def folder(self) -> Path:
        """The instance's data folder."""
        return Path(self.data)

    @property
    def url(self) -> str:
        """The address of the gateway as seen from this machine."""
        scheme = "https" if self.tls_certificate else "http"
        host = "127.0.0.1" if self.listen in ("0.0.0.0", "::") else self.listen
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def text(self) -> str:
        """As one argument for the supervisor."""
        return json.dumps(asdict(self))

    @staticmethod
    def read(text: str) -> Options:
        """What `text` wrote."""
        return Options(**json.loads(text))
