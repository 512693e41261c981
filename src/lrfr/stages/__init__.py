"""One file per stage of the pipeline, and per command beside it: load, call, save."""
