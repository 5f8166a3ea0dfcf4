"""Why a file's header could not be read: one class for each answer that an operator needs."""

from __future__ import annotations


class HeaderError(ValueError):
    """The root; `code` is stable, the message is for a person and holds nothing of the file's content."""

    code = "unreadable_header"


class NotDicom(HeaderError):
    """The file is something else."""

    code = "not_dicom"


class NotAnImage(NotDicom):
    """A DICOM file that belongs to no series: a DICOMDIR, or one without the identifiers that make a series."""

    code = "not_an_instance"


class Truncated(HeaderError):
    """The file ends before its header does."""

    code = "truncated"


class Hostile(HeaderError):
    """The header is built so that reading it would never end or fill the memory."""

    code = "hostile_header"
