"""What a viewer must know of a series before its first pixel: order, geometry, windows, where frames lie."""

from readingroom.manifests.model import Encoding, FramePlace, Plans, SeriesPlan

__all__ = ["Encoding", "FramePlace", "Plans", "SeriesPlan"]
