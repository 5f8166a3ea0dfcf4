"""Which names of files are worth a look: by extension where that is certain, by content where it is not."""

from __future__ import annotations

JPEG_2000 = frozenset({"jp2", "j2k", "j2c", "jpc", "jpf", "jpx"})
"""Pictures of an archive that keeps its patient data in a database; counted here, read elsewhere."""

_OTHERS = (
    "7z avi bak bat bmp bz2 chm cmd conf cfg css csv db dll doc docx exe gif gz htm html ico inf ini iso jar jpeg jpg "
    "js json ldf lnk log mdb mdf md5 mov mp3 mp4 mpeg mpg msi odt ods part pdf php png ppt pptx ps1 py rar rtf sh sha1 "
    "sql sqlite svg sys tar tgz tif tiff torrent txt url wav webp wmv xls xlsx xml xsl xz yaml yml zip"
)
NEVER_DICOM = JPEG_2000 | frozenset(_OTHERS.split(" "))
"""Extensions that no modality and no archive gives a DICOM file.

Any other one (`.dcm`, `.dicom`, `.ima`, none, the last number of a UID, a site's own) is decided by its content.
"""

NEVER_NAMED = frozenset({"dicomdir", ".ds_store", "thumbs.db", "desktop.ini"})
"""Companions that lie beside images; a DICOMDIR is a list of other files (PS3.10 section 8)."""

NEVER_FOLDERS = frozenset(
    {"$recycle.bin", "system volume information", "@eadir", "#recycle", ".snapshot", "lost+found"}
)
"""What a NAS or Windows keeps for itself: deleted files, thumbnails, older states of everything."""


def extension(name: str) -> str:
    """The extension in lower case without its dot, "" for none; a leading dot makes none."""
    at = name.rfind(".")
    return name[at + 1 :].lower() if at > 0 else ""


def may_be_dicom(name: str) -> bool:
    """Whether a file of that name has to be looked at."""
    if name.endswith(".dcm") and not name.startswith("._"):
        return True
    return extension(name) not in NEVER_DICOM and name.lower() not in NEVER_NAMED and not name.startswith("._")


def may_hold_dicom(folder: str) -> bool:
    """Whether a folder of that name has to be entered."""
    return folder.lower() not in NEVER_FOLDERS
