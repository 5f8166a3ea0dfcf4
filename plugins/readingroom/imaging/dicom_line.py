"""What is said to the process that makes DICOM files: JSON behind its length, and within which time it answers."""

from __future__ import annotations

import struct

LENGTH = struct.Struct("<I")

SECONDS = 60
"""Of the processor, for one instance: a 12-megapixel photograph takes half a one, 120 megapixels five."""

CLOCK = 120
"""By the clock: a busy machine is given twice that."""
