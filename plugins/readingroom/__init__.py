"""Reading Room: teaching cases, NAS index, sharing, viewer and clinic pictures on the Orthanc DICOM server."""

__version__ = "0.1.0"
