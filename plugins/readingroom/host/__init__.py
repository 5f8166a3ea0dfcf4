"""The only room that meets Orthanc's own Python module; it is handed in, never imported."""
