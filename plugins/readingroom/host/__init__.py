"""The only room that meets Orthanc's own Python module; it is handed in, never imported."""

from readingroom.host.boot import boot

__all__ = ["boot"]
