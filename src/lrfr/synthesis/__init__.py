"""Synthesisers, HR -> LR: one module each, named as its key in params.yaml's ``synthesizers`` or
``learned_synthesizers``.

A synthesiser has a ``Settings`` section and ``synthesize(image, height_px, settings, rng) -> image``; one that learns
has ``generator`` and ``task`` in place of the latter. A training makes faces small by one on the fly: its
``low_resolution`` section says by which.
"""

from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from lrfr import paths
from lrfr.config import Section, settings
from lrfr.errors import ParameterError
from lrfr.nn.batches.low_resolution import Degradation, LowResolution
from lrfr.registry import component

if TYPE_CHECKING:  # who makes faces by a formula needs no torch
    from lrfr.nn.translation.generator_file import Described, Generator

SECTIONS = {False: "synthesizers", True: "learned_synthesizers"}  # of params.yaml, by whether they learn


def synthesizer(name: str) -> ModuleType:
    """The module of one synthesiser.

    Raises:
        ParameterError: there is no such synthesiser; the known ones are listed.
    """
    return component("synthesizer", __name__, name)


def learns(module: ModuleType) -> bool:
    """Whether a synthesiser has to be trained before it makes faces."""
    return hasattr(module, "generator")


def settings_of(name: str, values: dict, learned: bool, where: str) -> tuple[ModuleType, Section]:
    """A synthesiser's module, and its settings, which stand at ``where``.

    Raises:
        ParameterError: there is no such synthesiser, it stands in the wrong one of the two sections, or it does not
            know a setting.
    """
    module = synthesizer(name)
    if learns(module) != learned:
        does = "learns" if learns(module) else "learns nothing"
        remedy = f"set it under {SECTIONS[not learned]}"
        raise ParameterError(f"the synthesizer '{name}' {does}, and has no place here", where=where, remedy=remedy)
    return module, settings(values, module.Settings, where)


def read_learned(name: str) -> "Generator":
    """The generator of a synthesiser that was trained.

    Raises:
        TrainingError: it is missing, or not one of ours.
    """
    from lrfr.nn.translation.generator_file import read_generator

    def untrained(described: "Described"):
        module = synthesizer(described.synthesizer)
        chosen = settings(described.settings, module.Settings, str(paths.synthesizer(name)))
        return module.generator(chosen, described.presentation)

    return read_generator(paths.synthesizer(name), untrained)


def check_presentation(name: str, theirs: str, ours: str, where: str) -> None:
    """Raises a ParameterError where a learned synthesiser would be shown faces otherwise than it knows them.

    Args:
        name: of the synthesiser.
        theirs: how faces are presented to it.
        ours: how they are presented in the training that it makes faces small in.
        where: names that training in errors.
    """
    if theirs != ours:
        what = f"the synthesizer '{name}' has learnt from faces presented {theirs}, and this trains on {ours} ones"
        remedy = f"take its table instead (`synthesizer: {name}` of the run), or let it learn with a backbone as this"
        raise ParameterError(what, where=f"{where}.low_resolution", remedy=remedy)


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
    if learns(module):
        if section.settings:
            what = f"the synthesizer '{section.synthesizer}' learns, by its settings under learned_synthesizers"
            raise ParameterError(what, where=f"{where}.settings", remedy="leave settings out here")
        from lrfr.nn.translation.making import OneByOne

        return Degradation(section, OneByOne(partial(read_learned, section.synthesizer)))
    chosen = settings(section.settings, module.Settings, f"{where}.settings")
    return Degradation(section, partial(module.synthesize, settings=chosen))


def degradations(section: LowResolution | None, collections: Sequence[str], where: str) -> dict[str, Degradation]:
    """:func:`degradation` for each of a training's collections that are made small: synthetic faces that no table
    has, or else auxiliary ones, if any.

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
    made_small = next((name for name in ("synthetic", "auxiliary") if name in collections), None)
    if made_small is None:
        what = "this trains on native faces alone, and only sharp ones are made small"
        raise ParameterError(what, where=place, remedy="leave low_resolution out")
    return {made_small: found}
