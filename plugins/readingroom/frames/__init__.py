"""The frame stream: many frames of a series in one answer, in the order that a viewer wants them."""

from readingroom.frames.stream import Stream
from readingroom.frames.streams import Streams
from readingroom.frames.wanted import Wanted, wanted

__all__ = ["Stream", "Streams", "Wanted", "wanted"]
