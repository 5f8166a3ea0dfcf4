"""Imaging assets: a clinic's pictures and documents that are not DICOM, filed, scoped and audited."""
