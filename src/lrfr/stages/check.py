"""check: the whole of params.yaml, before anything runs for minutes.

A stage reads its own part alone, and a source, a synthesiser and a method each know settings that nobody else does; a
slip in the last one should not come to light after the first ones have run.
"""

from lrfr import paths
from lrfr.config import Section, Settings, read_params, settings
from lrfr.errors import unknown_name
from lrfr.methods import FLOOR, method
from lrfr.nn.classifier import Pretrain
from lrfr.sources import source
from lrfr.synthesis import synthesizer


def run() -> None:
    """Reads every section as its owner does.

    Raises:
        ParameterError: the first thing that is wrong.
    """
    params = read_params()
    _check("acquire.settings", params.acquire.settings, source(params.acquire.source).Settings)
    for name, values in params.synthesizers.items():
        _check(f"synthesizers.{name}", values, synthesizer(name).Settings)
    _check("pretrain", params.pretrain, Pretrain)
    for name, values in params.methods.items():
        _check(f"methods.{name}", values, method(name).Settings)
    for needed in (params.release.method, FLOOR):
        if needed not in params.methods:
            raise unknown_name("method", needed, params.methods, f"{paths.PARAMS}: methods, for release")
    print(f"{paths.PARAMS} holds nothing that a stage would refuse")


def _check(place: str, values: Settings, section: type[Section]) -> None:
    settings(values, section, f"{paths.PARAMS}: {place}")
