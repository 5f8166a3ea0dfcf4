"""The zip engine: plans an archive, then gives any byte range of it, checked as it passes."""

from readingroom.zipstream.archive import PIECE, Archive, Files, Reader
from readingroom.zipstream.checks import Learnt, Ledger, crc32
from readingroom.zipstream.layout import Layout
from readingroom.zipstream.names import safe_name, safe_names

__all__ = ["PIECE", "Archive", "Files", "Layout", "Learnt", "Ledger", "Reader", "crc32", "safe_name", "safe_names"]
