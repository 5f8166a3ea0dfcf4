"""The NAS index: a catalogue of every DICOM file on the site's sources, by series, without a pixel copied."""
