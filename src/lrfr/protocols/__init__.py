"""One file per published protocol; the sources of test sets name theirs.

Each module has ``views(options)``, the resampled versions of the images that it needs embedded beside the images
themselves; ``conditions(options)``, the other presentations of the same faces under which it is run once more, each a
face table of its own (``aligned``, ``super_resolved_<network>``); and
``evaluate(benchmark, embeddings, options, seed) -> Outcome``. ``options`` are the evaluate section of params.yaml.
``synlr`` compares two test sets and is given both. A protocol brings the tables of a test set into the shape that
:mod:`lrfr.core` scores.
"""

from importlib import import_module
from types import ModuleType


def protocol(name: str) -> ModuleType:
    """The module of a protocol, by the name that a source gives as its ``PROTOCOL``."""
    return import_module(f"{__name__}.{name}")
