"""What a person can do about each kind of error, and whether it has a chance to go away by itself."""

from __future__ import annotations

from readingroom.errors import ReadingRoomError, SourceError
from readingroom.nas_index.list_local import BEHIND_A_LINK, DISK, MOUNT, RIGHTS
from readingroom.nas_index.list_walk import NO_MOUNT, OUTSIDE
from readingroom.nas_index.lists import UNUSABLE
from readingroom.nas_index.records import Failed
from readingroom.nas_index.watch import SourceOffline
from readingroom.sources import Unreadable

SUGGESTIONS = {
    "not_dicom": "Nothing to do if this is no DICOM file; it is not looked at again until it changes.",
    "not_an_instance": "Nothing to do: it lists or describes other files and belongs to no series.",
    "truncated": "Copy the file again from where it came from: it ends too early.",
    "hostile_header": "Look at the file with a DICOM tool: its header is damaged, or made to do harm.",
    "not_a_file": "Nothing to do: something else took the file's place.",
    "access_denied": RIGHTS,
    "file_not_found": "Nothing to do if it was deleted or moved; if a list named it, make a fresh list.",
    "symbolic_link": BEHIND_A_LINK,
    "read_error": DISK,
    "source_unreachable": MOUNT,
    "source_refused": "Check user name, password and rights at the NAS.",
    "too_many_open_files": "Lower max_workers, or raise the system's limit of open files.",
    "out_of_memory": "Lower max_workers, or give the machine more memory.",
    "reader_crashed": "Look at the file with a DICOM tool, and tell us: no file should do that.",
    "unexpected": "Look at the file with a DICOM tool, and tell us: this is our mistake.",
    "unmapped_path": r"Say which folder of this machine that path is: NAS_PATH_MAP='\\server\share=/mnt/share'.",
    "outside_roots": "Name its folder in NAS_ALLOWED_ROOTS or NAS_PATH_MAP if it is to be indexed.",
    "unusable_line": "Make the list by scripts/windows/*.ps1: it needs a full path in each line (robocopy /FP).",
    "unreadable_name": "Rename it at the NAS.",
}
"""By error code."""

RETRIED = frozenset({"source_unreachable", "read_error", "too_many_open_files"})
"""Codes that may be of the moment."""

BY_WHY = {"forbidden": "access_denied", "failed": "read_error", "gone": "file_not_found", "name": "unreadable_name"}
BY_REASON = {NO_MOUNT: "unmapped_path", OUTSIDE: "outside_roots"} | dict.fromkeys(UNUSABLE, "unusable_line")
"""Of lines in lists, whose reasons say more."""


def failed(path: str, size: int, mtime_ns: int, said: tuple[str, ...], retries: int = 0) -> Failed:
    """The record of a file that could not be read; `said` is type, code and message."""
    kind, code, message = said
    return Failed(path, size, mtime_ns, kind, code, message, SUGGESTIONS.get(code, ""), retries)


def passed_over(found: Unreadable) -> Failed | None:
    """The record of something that could not be listed; None for what is no fault (links, pipes)."""
    code = BY_REASON.get(found.reason) or BY_WHY.get(found.why)
    if code is None:
        return None
    message = found.reason[:1].upper() + found.reason[1:].rstrip(".") + "."
    return Failed(found.path, 0, 0, "filesystem", code, message, SUGGESTIONS[code])


def report(error: BaseException) -> dict[str, str]:
    """An error that ends a run or a test: its type, code, message and suggestion."""
    if isinstance(error, SourceError):
        return {
            "error_type": error.error_type,
            "error_code": SourceOffline.code if isinstance(error, SourceOffline) else error.code,
            "message": error.message,
            "suggestion": error.suggestion,
        }
    if isinstance(error, ReadingRoomError):
        return {"error_type": "system", "error_code": error.code, "message": error.message, "suggestion": ""}
    if isinstance(error, OSError):
        message = f"{type(error).__name__}: {error.strerror or error}"
        return {"error_type": "system", "error_code": "system_error", "message": message, "suggestion": DISK}
    message = f"The run met something that it does not know ({type(error).__name__})."
    return {"error_type": "system", "error_code": "unexpected", "message": message, "suggestion": "See the run's log."}
