"""Synthesisers, HR -> LR: one module each, named as its key in params.yaml's ``synthesizers``.

A synthesiser has a ``Settings`` section and ``synthesize(image, height_px, settings, rng) -> image``. A training makes
faces small by one on the fly: its ``low_resolution`` section says by which.
"""

from collections.abc import Sequence
from functools import partial
from types import ModuleType

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.nn.batches.low_resolution import Degradation, LowResolution
from lrfr.registry import component


def synthesizer(name: str) -> ModuleType:
    """The module of one synthesiser.

    Raises:
        ParameterError: there is no such synthesiser; the known ones are listed.
    """
    return component("synthesizer", __name__, name)


def degradation(section: LowResolution | None, where: str) -> Degradation | None:
    """What ``lrfr.nn.batches.labelled.labelled`` is given as ``degrade``; None where the section is.

    Args:
        section: a training's ``low_resolution``.
        where: names it in errors, such as ``params.yaml: methods.baseline.training.low_resolution``.

    Raises:
        ParameterError: there is no such synthesiser, or it does not know a setting.
    """
    if section is None:
        return None
    module = synthesizer(section.synthesizer)
    chosen = settings(section.settings, module.Settings, f"{where}.settings")
    return Degradation(section, partial(module.synthesize, settings=chosen))


def degradations(section: LowResolution | None, collections: Sequence[str], where: str) -> dict[str, Degradation]:
    """:func:`degradation` for each of a training's collections that are made small: auxiliary faces, if any.

    Args:
        section: a training's ``low_resolution``.
        collections: what the training learns from.
        where: names the training in errors, such as ``params.yaml: methods.baseline.training``.

    Raises:
        ParameterError: as there; or all faces are native ones.
    """
    place = f"{where}.low_resolution"
    found = degradation(section, place)
    if found is None:
        return {}
    if "auxiliary" not in collections:
        what = "this trains on native faces alone, and only sharp ones are made small"
        raise ParameterError(what, where=place, remedy="leave low_resolution out")
    return {"auxiliary": found}
