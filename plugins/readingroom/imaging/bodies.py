"""Large bodies as the gateway hands them over: as a file of its own, so that they pass through nobody's memory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from readingroom.errors import StorageUnavailable
from readingroom.identity import Caller

HEADER = "X-Readingroom-Body"
"""Path of the file that nginx keeps a request's body in until it has been answered. The gateway says it of its own, and
nothing where there is none; who does not come through the gateway is not believed."""

_NAME = re.compile(r"[0-9]{4,20}")
"""What nginx calls its temporary files."""


class HandedBodies:
    """Finds the files of the gateway."""

    def __init__(self, data: Path) -> None:
        # As orthanc-config/render.py lays it out, where gateway and Orthanc share the folder of the instance.
        self._folder = data / "run" / "gateway-temp" / "body"

    def body(self, said: str | None, caller: Caller) -> BinaryIO | None:
        """The open body; None where it came in the request itself.

        The name alone counts, within the gateway's own folder. Raises StorageUnavailable when it cannot be read.
        """
        if not said or not caller.through_gateway:
            return None
        name = Path(said).name
        if not _NAME.fullmatch(name):
            return None
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            raise StorageUnavailable("The gateway's file with this request's body cannot be read.") from None
        return os.fdopen(descriptor, "rb", buffering=0)
