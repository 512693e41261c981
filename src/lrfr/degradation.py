"""A synthesiser in front of a training: params.yaml's section to what the data path calls."""

from functools import partial

from lrfr.config import settings
from lrfr.nn.batches.low_resolution import Degradation, LowResolution
from lrfr.synthesis import synthesizer


def degradation(section: LowResolution | None, where: str) -> Degradation | None:
    """What ``lrfr.nn.data.labelled`` is given as ``degrade``; None where the section is.

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
