"""One file per published protocol; a test set names its own.

Each module has ``evaluate(benchmark, embeddings, options, seed) -> Outcome``: it brings the tables of a test set into
the shape that :mod:`lrfr.core` scores. ``options`` are the evaluate section of params.yaml with the model's metric. One
that compares two test sets has ``BESIDE``, the name of the other, and is given that one's tables and embeddings too, as
``beside``. What a protocol needs embedded beside the faces as they are is in :mod:`lrfr.protocols.views`.
"""
