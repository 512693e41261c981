"""Low-resolution face recognition: curate, train, evaluate and release, as one reproducible pipeline."""
