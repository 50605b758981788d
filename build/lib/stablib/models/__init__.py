"""Architecture families, one a file, and the encoders they build on."""
