"""Teaches Pillow the TIFFs that X-ray programs write and it does not know; whoever decodes them calls this first."""

from __future__ import annotations

from PIL import TiffImagePlugin


def teach() -> None:
    """Sixteen bits whose zero is white: Pillow knows them in one order of bytes alone."""
    TiffImagePlugin.OPEN_INFO[(b"MM", 0, (1,), 1, (16,), ())] = ("I;16B", "I;16B")
