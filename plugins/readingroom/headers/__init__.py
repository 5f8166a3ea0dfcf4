"""Reads headers of DICOM files of strangers: a few bytes of each, within bounds, never an exception but its own."""
