"""Where photos come from: one module per published layout, or per generator.

A source is a module with ``LAYOUT`` (what it expects on disk, in words), ``Settings`` (a section of params.yaml) and
``acquire(root, settings, seed) -> Acquired``.
"""

from types import ModuleType

from lrfr.components import component


def source(name: str) -> ModuleType:
    """The module of a source, by its name in params.yaml.

    Raises:
        ParameterError: there is no such source; the known ones are listed.
    """
    return component("source", __name__, name)
