"""Teaching cases: numbered, imported from a folder, published, downloaded as zips."""
