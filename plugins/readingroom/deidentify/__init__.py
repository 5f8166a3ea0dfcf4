"""De-identification by DICOM PS3.15 Annex E, and whether a header still says who the patient is."""

from pydicom import config

from readingroom.deidentify.flags import Flags, identifying
from readingroom.deidentify.profile import Deidentified, Profile
from readingroom.deidentify.replacements import Replacement

__all__ = ["Deidentified", "Flags", "Profile", "Replacement", "identifying"]

# pydicom warns about values that break their representation, and quotes them: a name would reach the log.
config.settings.reading_validation_mode = config.IGNORE
