"""A modality that pushes one slice after the other by C-STORE until it is told to stop; says how many it pushed.

python -m tests.bench.viewing.sender PORT AE_TITLE: it writes a line with the moment of each slice that was stored.
"""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

from tests.bench.viewing.ground import SENDER
from tests.fixtures.instance import REPO, LiveInstance

CALLED = "READINGROOM"
PATIENCE_SECONDS = 120


class Sender:
    """The modality's process, from the outside; leave the block to end it."""

    def __init__(self, live: LiveInstance, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(live.dicom_port), name],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._moments: list[float] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def rate(self, since: float, until: float) -> float:
        """Slices a second between two moments of the monotonic clock."""
        return sum(since <= moment < until for moment in self._moments) / (until - since)

    def __enter__(self) -> Self:
        self._reader.start()
        end = time.monotonic() + 30
        while not self._moments:
            assert self._process.poll() is None, "the sender ended"
            assert time.monotonic() < end, "the sender stores nothing"
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(60)
        self._reader.join(10)
        if error is None:
            assert status == 0, "a slice was not stored"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._moments.append(float(line))


def _send(port: int, name: str) -> int:
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRLittleEndian
    from pynetdicom import AE
    from pynetdicom.sop_class import CTImageStorage

    from tests.factories import ct_slices, uid

    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    slice_ = dcmread(io.BytesIO(next(ct_slices(1, 512, 512, name=name))))
    modality = AE(ae_title=SENDER)
    modality.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    modality.dimse_timeout = PATIENCE_SECONDS
    association = modality.associate("127.0.0.1", port, ae_title=CALLED)
    if not association.is_established:
        print("no association", file=sys.stderr)
        return 1
    number = 0
    while not stop.is_set():
        number += 1
        slice_.SOPInstanceUID = slice_.file_meta.MediaStorageSOPInstanceUID = uid("instance", name, "pushed", number)
        slice_.InstanceNumber = str(number)
        status = association.send_c_store(slice_).get("Status")
        if status != 0:
            print(f"slice {number} was answered by {status}", file=sys.stderr)
            return 1
        print(time.monotonic(), flush=True)
    association.release()
    return 0


if __name__ == "__main__":
    sys.exit(_send(int(sys.argv[1]), sys.argv[2]))
