"""Sending zips: exact length, any range, through the gateway or straight out of Orthanc."""

from readingroom.downloads.answers import byte_range, disposition
from readingroom.downloads.keys import Grant, Keys
from readingroom.downloads.outlet import Outlet
from readingroom.downloads.plan import Plan, Provider
from readingroom.downloads.sending import Sender
from readingroom.downloads.stored_files import StoredFiles

__all__ = ["Grant", "Keys", "Outlet", "Plan", "Provider", "Sender", "StoredFiles", "byte_range", "disposition"]
