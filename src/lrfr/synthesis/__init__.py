"""Synthesisers, HR -> LR: one module each, named as its key in params.yaml's ``synthesizers``.

A synthesiser has a ``Settings`` section and ``synthesize(image, height_px, settings, rng) -> image``.
"""

from types import ModuleType

from lrfr.components import component


def synthesizer(name: str) -> ModuleType:
    """The module of one synthesiser.

    Raises:
        ParameterError: there is no such synthesiser; the known ones are listed.
    """
    return component("synthesizer", __name__, name)
