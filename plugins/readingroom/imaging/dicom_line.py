"""What is said to the process that makes DICOM files: JSON behind its length, and within which time it answers."""

from __future__ import annotations

import struct

LENGTH = struct.Struct("<I")

SECONDS = 90
"""For one instance; a 12-megapixel photograph takes one, most X-rays less."""
