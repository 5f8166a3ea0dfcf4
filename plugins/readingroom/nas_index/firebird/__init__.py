"""Archives that keep their pictures as JPEG 2000 files and their patient data in a Firebird database."""

from __future__ import annotations

from readingroom.nas_index.firebird.mapping import Mapping, mapping_of
from readingroom.nas_index.firebird.recognising import Kind, recognise
from readingroom.nas_index.firebird.storing import Pictures

__all__ = ["Kind", "Mapping", "Pictures", "mapping_of", "recognise"]
