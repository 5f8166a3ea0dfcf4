"""Routes of the viewer: series of a study, their images in order, files, frames, manifests, small pictures."""
